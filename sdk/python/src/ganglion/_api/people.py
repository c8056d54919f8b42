"""What waits for a person: approvals, and the letters that nobody could deliver."""

from __future__ import annotations

from typing import Any

from .._http import Request, encode_json
from ..models import Approval, DeadLetter, Decision, Requeued
from .forms import Listing, Script, segment

_NONE_GIVEN: Any = object()


def approvals(*, run: str | None = None) -> Listing[Approval]:
    """What waits for a decision: `approve` steps (kind `approval`) and tasks of human agents (kind `task`)."""
    return Listing("/v1/approvals", {"run": run}, Approval.from_json)


def approve(
    approval: Approval, *, by: str | None = None, comment: str | None = None, output: Any = _NONE_GIVEN
) -> Script[Decision]:
    """Agrees to exactly what `approval.show` says; its digest goes along, so that nothing else can be agreed to.

    `by`: who decides; needed where the step names people. `output`: of a human agent's task, its result. `ProblemError`
    409 `conflict` if it is decided already or nobody asks any more, 409 `digest_mismatch` if something else is shown by
    now, 403 `not_permitted` if `by` is not among those named.
    """
    return (yield from _decide(approval, "approve", by, comment, output))


def reject(approval: Approval, *, by: str | None = None, comment: str | None = None) -> Script[Decision]:
    """Says no; the step fails with code `rejected`. Errors as for `approve`."""
    return (yield from _decide(approval, "reject", by, comment, _NONE_GIVEN))


def _decide(approval: Approval, decision: str, by: str | None, comment: str | None, output: Any) -> Script[Decision]:
    body: dict[str, Any] = {"decision": decision, "digest": approval.digest}
    if by is not None:
        body["by"] = by
    if comment is not None:
        body["comment"] = comment
    if output is not _NONE_GIVEN:
        body["output"] = output
    # Sent once: a second copy would answer `conflict` although the first one counted.
    path = f"/v1/approvals/{segment(approval.id)}"
    answer = yield Request("POST", path, encode_json(body), repeatable=False)
    return Decision.from_json(answer.json())


def dead_letters(*, run: str | None = None, kind: str | None = None) -> Listing[DeadLetter]:
    """Tasks whose last attempt failed (kind `task`) and events that could not be taken (kind `event`)."""
    return Listing("/v1/dead-letters", {"run": run, "kind": kind}, DeadLetter.from_json)


def requeue(letter_id: str) -> Script[Requeued]:
    """Tries it again. `ProblemError` 409 if the run went on without it."""
    path = f"/v1/dead-letters/{segment(letter_id)}/requeue"
    return Requeued.from_json((yield Request("POST", path, repeatable=False)).json())


def delete_dead_letter(letter_id: str) -> Script[None]:
    """Forgets one. `ProblemError` 404 if there is none."""
    (yield Request("DELETE", f"/v1/dead-letters/{segment(letter_id)}", repeatable=False)).json()


def purge_dead_letters() -> Script[int]:
    """Forgets all; how many there were."""
    return int((yield Request("DELETE", "/v1/dead-letters", repeatable=False)).json()["purged"])
