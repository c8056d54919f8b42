"""Content by its digest."""

from __future__ import annotations

from collections.abc import Mapping

from .._http import Request
from ..refs import digest_of, hex_digest
from .forms import Script


def put_request(content: bytes) -> Request:
    headers = {"Content-Type": "application/octet-stream"}
    return Request("PUT", f"/v1/blobs/{hex_digest(content)}", content, headers)


def put_blob(content: bytes) -> Script[str]:
    """Stores up to 64 MiB; its digest, `sha256:…`. Storing the same again changes nothing.

    `ref(digest)` is how an input, an output or a state value names it.
    """
    (yield put_request(content)).json()
    return f"sha256:{hex_digest(content)}"


def get_blob(blob: str | Mapping[str, str]) -> Script[bytes]:
    """The content of a digest or a reference. `ProblemError` 404 if there is none."""
    headers = {"Accept": "application/octet-stream"}
    return (yield Request("GET", f"/v1/blobs/{digest_of(blob)}", None, headers)).content()
