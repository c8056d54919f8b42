"""The project file."""

from __future__ import annotations

from typing import Any

from .._http import Request
from .forms import Script


def project() -> Script[str]:
    """The active project file, as YAML text."""
    return (yield Request("GET", "/v1/project", headers={"Accept": "text/yaml"})).content().decode("utf-8")


def put_project(source: str) -> Script[Any]:
    """Makes `source` (YAML) the active project for new runs. `ProblemError` 422 with every error in it.

    The answer has the digest, the names of what it defines, and `open_runs`: how many go on under an older definition.
    """
    return (yield _put(source, "")).json()


def check_project(source: str) -> Script[Any]:
    """What `put_project` would answer, changing nothing."""
    return (yield _put(source, "?dry_run=true")).json()


def _put(source: str, query: str) -> Request:
    return Request("PUT", "/v1/project" + query, source.encode("utf-8"), {"Content-Type": "text/yaml"})
