"""What can go wrong, as types that a caller can act on.

Two families: what the client raises (`GanglionError` and below) and what an agent raises to end an attempt
(`Retry`, `Fail`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class GanglionError(Exception):
    """Base of everything that the client raises."""


class ServerUnavailable(GanglionError):
    """No answer: refused, reset, timed out, or an answer that is not HTTP. Trying again may help."""


class RunNotFinished(GanglionError):
    """`wait()` ran out of time. The run goes on."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of a problem's `errors`: where in the request, and what is wrong there."""

    path: str
    message: str


class ProblemError(GanglionError):
    """The server's answer was an RFC 9457 problem.

    `code` is the stable, machine-readable reason (`conflict`, `stale_attempt`, `idempotency_mismatch`, `too_large`,
    `invalid`, …), `status` the HTTP status, `errors` what is wrong with which field (status 422), `retry_after` the
    seconds that the server asks for (429 and 503), else None.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str = "",
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
        problem: dict[str, Any] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.problem = problem or {}
        super().__init__(status, code, title, detail)

    def __str__(self) -> str:
        lines = [f"{self.status} {self.code}: {self.detail or self.title}"]
        lines += [f"  {error.path}: {error.message}" for error in self.errors]
        return "\n".join(lines)

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later without a change (429 and 5xx)."""
        return self.status == 429 or self.status >= 500


class Retry(Exception):
    """Raise it in an agent: this attempt failed, another one may succeed. Ganglion's retry policy decides when."""

    def __init__(self, message: str = "", *, code: str = "retry") -> None:
        self.code = code
        self.message = message or "the agent asked for another attempt"
        super().__init__(self.message)


class Fail(Exception):
    """Raise it in an agent: no further attempt makes sense. `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class TaskCancelled(Exception):
    """Raised by `Task.raise_if_cancelled()`. Let it leave the agent: nobody waits for the result any more."""
