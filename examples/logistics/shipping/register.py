"""The stock register: the versioned state of a session on the server."""

from __future__ import annotations

from typing import Any

from ganglion import Client, ProblemError


class SessionState:
    """One session's state, as `inventory.Versioned`: the version of a key is what the server says it is."""

    def __init__(self, client: Client, session_id: str) -> None:
        self._client = client
        self._session_id = session_id

    def get(self, key: str) -> tuple[Any, int] | None:
        try:
            found = self._client.get_state(self._session_id, key)
        except ProblemError as error:
            if error.status == 404:
                return None
            raise
        return found.value, found.version

    def put(self, key: str, value: Any, version: int | None) -> bool:
        try:
            if version is None:
                self._client.put_state(self._session_id, key, value, if_none_match=True)
            else:
                self._client.put_state(self._session_id, key, value, if_match=version)
        except ProblemError as error:
            if error.status == 412:
                return False
            raise
        return True
