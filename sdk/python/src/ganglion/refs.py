"""References to blobs: `{"$ref": "sha256:…"}` in an input, an output or a state value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def hex_digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of(blob: str | Mapping[str, str]) -> str:
    """The 64 hex digits of a digest (with or without `sha256:`) or of a reference. `ValueError` for anything else."""
    text = blob if isinstance(blob, str) else blob.get("$ref", "")
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise ValueError(f"not a blob's digest or reference: {blob!r}")
    return match[1]


def ref(blob: str | bytes) -> dict[str, str]:
    """The reference to a blob, given its digest or its content."""
    return {"$ref": f"sha256:{hex_digest(blob) if isinstance(blob, bytes) else digest_of(blob)}"}
