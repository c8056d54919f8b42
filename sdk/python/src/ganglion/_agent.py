"""An agent function, ready to be called with a task: how its parameters are filled and its end is encoded.

The rule: a parameter annotated `Task`, or named `task` without an annotation, gets the task. Every other parameter
gets the field of the input with its name; `**kwargs` gets the remaining fields. Fields that no parameter names are
ignored. A missing field without a default, or an input that is not an object, ends the task: `invalid_input`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from ._http import encode_json
from .errors import Fail, Retry, TaskCancelled
from .task import Task

log = logging.getLogger("ganglion")

AgentFunction = Callable[..., Any]

#: Characters of an error's message and code that are sent; the rest is cut.
MAX_MESSAGE = 4000
MAX_CODE = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: the encoded output or error, and the encoded fields that go with it (`,"usage":{…}` …)."""

    ok: bool
    payload: bytes
    extra: bytes = b""

    @property
    def fields(self) -> bytes:
        """Of a result: `"output":…` or `"error":{…}`, and the rest."""
        return (b'"output":' if self.ok else b'"error":') + self.payload + self.extra


def failure(code: str, message: str, *, retryable: bool, extra: bytes = b"") -> Outcome:
    error = {"code": _sendable(code, MAX_CODE) or "failed", "message": _sendable(message, MAX_MESSAGE)}
    return Outcome(False, encode_json({**error, "retryable": retryable}), extra)


def _sendable(text: str, limit: int) -> str:
    """Lone surrogates, as in file names that are not UTF-8, cannot be sent."""
    return text.encode("utf-8", "replace").decode("utf-8")[:limit]


def _spent(task: Task) -> bytes:
    """What an attempt has used, whether it succeeded or not."""
    fields = b',"work_ms":%d' % round((time.monotonic() - task._began) * 1000)
    return fields + b',"usage":' + encode_json(task._usage) if task._usage else fields


def success(value: Any, task: Task) -> Outcome:
    spent = _spent(task)
    what = "returned"
    try:
        output = encode_json(value)
        what = "published or wrote"
        effects = b',"events":' + encode_json(task._events) if task._events else b""
        effects += b',"state":' + encode_json(task._state) if task._state else b""
    except (TypeError, ValueError, RecursionError) as error:
        message = f"agent {task.agent} {what} something that is not JSON: {error}"
        return failure("invalid_output", message, retryable=False, extra=spent)
    return Outcome(True, output, effects + spent)


def failure_of(error: BaseException, task: Task) -> Outcome:
    """What an exception that left an agent means for the task."""
    spent = _spent(task)
    if isinstance(error, Fail):
        return failure(error.code, error.message, retryable=False, extra=spent)
    if isinstance(error, Retry):
        return failure(error.code, error.message, retryable=True, extra=spent)
    if isinstance(error, TaskCancelled):
        return failure("cancelled", "the agent saw that the task was cancelled", retryable=True, extra=spent)
    log.warning("agent_exception", exc_info=error, extra={"agent": task.agent, "run": task.run_id, "step": task.step})
    return failure("exception", f"{type(error).__name__}: {error}", retryable=True, extra=spent)


class Agent:
    """A name, a function, and how to call it."""

    def __init__(self, name: str, function: AgentFunction) -> None:
        """`TypeError` for positional-only parameters and `*args`, which no field can fill."""
        self.name = name
        self.function = function
        call = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
        self._task_parameters: list[str] = []
        self._fields: list[tuple[str, bool]] = []  # name, required
        self._takes_rest = False
        try:
            hints = get_type_hints(call)
        except Exception:  # an annotation that can't be resolved is the author's business, not ours
            hints = {}
        for parameter in inspect.signature(function).parameters.values():
            self._add(parameter, hints.get(parameter.name, parameter.annotation))

    def _add(self, parameter: inspect.Parameter, annotation: Any) -> None:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise TypeError(f"agent {self.name}: parameter {parameter.name!r} cannot be passed by name")
        unannotated = annotation is inspect.Parameter.empty
        if annotation is Task or annotation == "Task" or (unannotated and parameter.name == "task"):
            self._task_parameters.append(parameter.name)
        elif parameter.kind is parameter.VAR_KEYWORD:
            self._takes_rest = True
        else:
            self._fields.append((parameter.name, parameter.default is parameter.empty))

    def arguments(self, task: Task) -> dict[str, Any]:
        """The keyword arguments for `task`. `Fail` with code `invalid_input` if the input does not fit."""
        arguments: dict[str, Any] = {name: task for name in self._task_parameters}
        if not self._fields and not self._takes_rest:
            return arguments
        if not isinstance(task.input, dict):
            raise Fail("invalid_input", f"agent {self.name} needs an object as input, got {_kind(task.input)}")
        missing = [name for name, required in self._fields if required and name not in task.input]
        if missing:
            raise Fail("invalid_input", f"agent {self.name}: the input has no field {', '.join(missing)}")
        if self._takes_rest:
            arguments.update((name, value) for name, value in task.input.items() if name not in arguments)
        else:
            arguments.update((name, task.input[name]) for name, _ in self._fields if name in task.input)
        return arguments

    def run(self, task: Task) -> Outcome:
        """Calls a sync function; never raises."""
        task._began = time.monotonic()
        try:
            return success(self.function(**self.arguments(task)), task)
        except BaseException as error:  # an agent must not end its worker, whatever it raises
            return failure_of(error, task)

    async def run_async(self, task: Task) -> Outcome:
        """Awaits an async function; lets nothing out but `CancelledError`."""
        task._began = time.monotonic()
        try:
            return success(await self.function(**self.arguments(task)), task)
        except asyncio.CancelledError:
            if task.cancelled:
                raise
            return failure("exception", "the agent cancelled itself", retryable=True, extra=_spent(task))
        except BaseException as error:
            return failure_of(error, task)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
