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
from .models import JournalEvent, Run, Step
from .task import Task
from .worker import Worker

__all__ = [
    "AsyncClient",
    "Client",
    "Fail",
    "FieldError",
    "GanglionError",
    "JournalEvent",
    "ProblemError",
    "Retry",
    "Run",
    "RunNotFinished",
    "ServerUnavailable",
    "Step",
    "Task",
    "TaskCancelled",
    "Worker",
]
