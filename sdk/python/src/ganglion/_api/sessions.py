"""Sessions and their versioned state."""

from __future__ import annotations

from typing import Any

from .._http import Request, Response, encode_json
from ..models import Session, Snapshot, StateValue
from .forms import Script, query, segment


def _key_path(session_id: str, key: str) -> str:
    return f"/v1/sessions/{segment(session_id)}/state/{segment(key)}"


def _version_of(response: Response) -> int:
    return int(response.headers["etag"].strip('"'))


def session(session_id: str) -> Script[Session]:
    """Version of the state, number of runs, usage. `ProblemError` 404 if there is none."""
    return Session.from_json((yield Request("GET", f"/v1/sessions/{segment(session_id)}")).json())


def get_state(session_id: str, key: str) -> Script[StateValue]:
    """The value and the version at which it was written. `ProblemError` 404 if there is none."""
    response = yield Request("GET", _key_path(session_id, key))
    value = response.json()
    return StateValue(value, _version_of(response))


def put_state(
    session_id: str,
    key: str,
    value: Any,
    *,
    if_match: int | None = None,
    if_none_match: bool = False,
    ttl: float | None = None,
) -> Script[int]:
    """Writes a key; the new version.

    `if_match`: only if the key is still at this version. `if_none_match`: only if there is no such key.
    `ProblemError` 412 `precondition_failed` for a lost race. `ttl`: seconds until it expires.
    Repeating a plain write is harmless; one with a condition is sent once.
    """
    headers = _if_match(if_match)
    if if_none_match:
        headers["If-None-Match"] = "*"
    path = _key_path(session_id, key) + query(ttl=None if ttl is None else f"{int(ttl * 1000)}ms")
    answer = yield Request("PUT", path, encode_json(value), headers, repeatable=not headers)
    return int(answer.json()["version"])


def delete_state(session_id: str, key: str, *, if_match: int | None = None) -> Script[None]:
    """Removes a key. `ProblemError` 404 if there is none, 412 if it is not at version `if_match`."""
    headers = _if_match(if_match)
    (yield Request("DELETE", _key_path(session_id, key), None, headers, repeatable=False)).json()


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def snapshot(session_id: str, *, version: int | None = None) -> Script[Snapshot]:
    """All keys at one version, by default the latest. `ProblemError` 404 for none such, 410 `gone` if too old."""
    path = f"/v1/sessions/{segment(session_id)}/state" + query(version=version)
    return Snapshot.from_json((yield Request("GET", path)).json())
