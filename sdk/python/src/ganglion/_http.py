"""HTTP without I/O: what the blocking and the asyncio transport share."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .errors import FieldError, ProblemError, ServerUnavailable

DEFAULT_SERVER = "http://127.0.0.1:7420"

#: The longest answer that is read: 256 tasks of 1 MiB each and what lies around them.
MAX_RESPONSE_BYTES = 320 * 1024 * 1024
#: The longest response head (status line and headers).
MAX_HEAD_BYTES = 64 * 1024
#: Time to connect, in seconds.
CONNECT_TIMEOUT = 5.0
#: Time for an answer to a request that does not wait for anything, in seconds.
REQUEST_TIMEOUT = 30.0


class ClosedByServer(ServerUnavailable):
    """The connection ended before the answer did. On a kept connection this is usual: it was idle for too long."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the server is and how to prove who asks. The token never appears in a representation."""

    host: str
    port: int
    tls: bool
    prefix: str = ""
    token: str | None = field(default=None, repr=False)

    @classmethod
    def resolve(cls, server: str | None = None, token: str | None = None) -> Endpoint:
        """Arguments win over `GANGLION_SERVER` and `GANGLION_TOKEN`, these over the default address.

        `ValueError` for anything but an absolute http or https URL.
        """
        url = server or os.environ.get("GANGLION_SERVER") or DEFAULT_SERVER
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http or https URL: {url!r}")
        tls = parts.scheme == "https"
        secret = token or os.environ.get("GANGLION_TOKEN") or None
        if secret is not None and not (secret.isascii() and secret.isprintable()):
            raise ValueError("the token must be printable ASCII")
        port = parts.port or (443 if tls else 80)
        return cls(parts.hostname, port, tls, parts.path.rstrip("/"), secret)

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        headers = {"Host": self.authority, "User-Agent": "ganglion-python/0.1", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the API. `timeout` is for the whole answer, in seconds.

    `repeatable`: whether it may be sent again when a kept connection turns out to be closed. `delay`: seconds before it
    is sent, for a client that tries again.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = REQUEST_TIMEOUT
    repeatable: bool = True
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def content(self) -> bytes:
        """The body of a 2xx; raises `ProblemError` for any other status."""
        if not 200 <= self.status < 300:
            raise problem_of(self)
        return self.body

    def json(self) -> Any:
        """The body of a 2xx as a value, None if it is empty; raises `ProblemError` for any other status."""
        body = self.content()
        try:
            return json.loads(body) if body else None
        except ValueError as error:
            raise ProblemError(502, "malformed_answer", "The answer is not JSON", str(error)) from error


def problem_of(response: Response) -> ProblemError:
    """The error that a response outside 2xx stands for, whoever wrote it (a proxy's page is a problem, too)."""
    try:
        value = json.loads(response.body)
    except ValueError:
        value = None
    problem: dict[str, Any] = value if isinstance(value, dict) else {}
    listed = problem.get("errors")
    errors = [
        FieldError(str(entry.get("path", "")), str(entry.get("message", "")))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    ]
    return ProblemError(
        response.status,
        str(problem.get("code") or f"http_{response.status}"),
        str(problem.get("title") or "The request failed"),
        str(problem.get("detail") or ""),
        errors,
        _seconds(response.headers.get("retry-after")),
        problem,
    )


def _seconds(value: str | None) -> float | None:
    try:
        return None if value is None else max(0.0, float(value))
    except ValueError:
        return None


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of a response head that ends in an empty line. `ValueError` if it is not one."""
    status_line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    version, _, rest = status_line.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not HTTP/1.x: {status_line[:80]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"malformed header: {line[:80]!r}")
        headers[name.lower()] = value.strip()
    return int(rest[:3]), headers


def encode_json(value: Any) -> bytes:
    """Compact UTF-8. `ValueError` or `TypeError` for what JSON cannot say (NaN, sets, lone surrogates, …)."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
