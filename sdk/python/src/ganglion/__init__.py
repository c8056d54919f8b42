"""Ganglion for Python: agents as functions (`Worker`), runs from programs (`Client`, `AsyncClient`).

Only the standard library is needed.
"""

from .async_client import AsyncClient
from .client import Client
from .errors import (
    Fail,
    FieldError,
    GanglionError,
    ProblemError,
    Retry,
    RunNotFinished,
    ServerUnavailable,
    TaskCancelled,
)
from .models import (
    Approval,
    DeadLetter,
    Decision,
    Event,
    JournalEvent,
    Published,
    Requeued,
    Run,
    Session,
    Snapshot,
    StateValue,
    Step,
    Tax,
)
from .refs import ref
from .task import Task
from .worker import Worker

__all__ = [
    "Approval",
    "AsyncClient",
    "Client",
    "DeadLetter",
    "Decision",
    "Event",
    "Fail",
    "FieldError",
    "GanglionError",
    "JournalEvent",
    "ProblemError",
    "Published",
    "Requeued",
    "Retry",
    "Run",
    "RunNotFinished",
    "ServerUnavailable",
    "Session",
    "Snapshot",
    "StateValue",
    "Step",
    "Task",
    "TaskCancelled",
    "Tax",
    "Worker",
    "ref",
]
