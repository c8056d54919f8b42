"""The agents of the change requests. Ganglion starts this program; see `workers` in ganglion.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganglion import Fail, Task, Worker

from changes import application, rehearsal

worker = Worker()


@worker.agent("rehearse")
def rehearse(database: str, statements: list[str]) -> dict[str, Any]:
    try:
        return rehearsal.rehearse(Path(database), statements)
    except rehearsal.Refused as error:
        raise Fail("does_not_work", str(error)) from error


@worker.agent("apply")
def apply(task: Task, database: str, statements: list[str], effects: list[dict[str, Any]]) -> dict[str, Any]:
    try:
        done = application.apply(Path(database), statements, effects, task.idempotency_key)
    except application.Differs as error:
        raise Fail("differs_from_what_was_approved", str(error)) from error
    except rehearsal.Refused as error:
        raise Fail("does_not_work", str(error)) from error
    return {"digest": done["digest"], "rows": done["rows"]}


if __name__ == "__main__":
    worker.run()
