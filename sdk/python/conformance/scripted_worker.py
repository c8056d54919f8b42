"""Agents whose input says what they do."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from ganglion import Fail, ProblemError, Retry, Task, TaskCancelled, Worker

Say = Callable[[dict[str, Any]], None]

#: How often a blocking agent that waits at a gate looks whether it is cancelled, in seconds.
LOOK_SECONDS = 0.02


class Gate:
    """Opens once. Agents in threads and in the event loop wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self) -> None:
        with self._lock:
            self._open.set()
            waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)

    def wait(self, task: Task) -> None:
        while not self._open.wait(LOOK_SECONDS):
            task.raise_if_cancelled()

    async def wait_async(self) -> None:
        event = asyncio.Event()
        with self._lock:
            if self._open.is_set():
                return
            self._waiting.append((asyncio.get_running_loop(), event))
        await event.wait()


class Gates:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gates: dict[str, Gate] = {}

    def __getitem__(self, name: str) -> Gate:
        with self._lock:
            return self._gates.setdefault(name, Gate())


class Returned(Exception):
    """The script said what to return."""

    def __init__(self, value: Any) -> None:
        self.value = value


def script_of(task: Task) -> list[dict[str, Any]]:
    """The actions of this attempt."""
    if not isinstance(task.input, dict) or "script" not in task.input:
        raise Returned(task.input)
    attempts: list[list[dict[str, Any]]] = task.input["script"]
    return attempts[min(task.attempt, len(attempts)) - 1] if attempts else []


def act(task: Task, kind: str, what: Any) -> None:
    """Any action but those that wait."""
    match kind:
        case "usage":
            task.usage(**what)
        case "progress":
            task.progress(what["fraction"], what.get("details"))
        case "publish":
            task.publish(what["topic"], what.get("data"), version=what.get("version"))
        case "set_state":
            task.set_state(what["key"], what.get("value"))
        case "return":
            raise Returned(what)
        case "return_text":
            raise Returned("x" * what)
        case "fail":
            raise Fail(what["code"], what["message"])
        case "retry":
            raise Retry(what["message"])
        case "throw":
            raise RuntimeError(what)
        case _:
            raise Fail("unknown_action", f"the conformance program does not know {kind}")


def described(task: Task) -> dict[str, Any]:
    names = ("agent", "run_id", "step", "item", "attempt", "iteration", "session_id", "idempotency_key", "input")
    return {name: getattr(task, name) for name in names}


class Scripted:
    """The functions that the worker's agents are."""

    def __init__(self, say: Say, gates: Gates) -> None:
        self._say = say
        self._gates = gates

    def _ended(self, how: str, task: Task) -> None:
        self._say({"event": how, "task": described(task)})

    def blocking(self, task: Task) -> Any:
        self._say({"event": "called", "task": described(task)})
        how = "returned"
        try:
            for action in script_of(task):
                for kind, what in action.items():
                    if kind == "gate":
                        self._gates[what].wait(task)
                    elif kind == "work":
                        task.wait_cancelled(what / 1000)
                        task.raise_if_cancelled()
                    else:
                        act(task, kind, what)
            return None
        except Returned as returned:
            return returned.value
        except TaskCancelled:
            how = "cancelled"
            raise
        finally:
            self._ended(how, task)

    async def asynchronous(self, task: Task) -> Any:
        self._say({"event": "called", "task": described(task)})
        how = "returned"
        try:
            for action in script_of(task):
                for kind, what in action.items():
                    if kind == "gate":
                        await self._gates[what].wait_async()
                    elif kind == "work":
                        await asyncio.sleep(what / 1000)
                    else:
                        act(task, kind, what)
            return None
        except Returned as returned:
            return returned.value
        except asyncio.CancelledError:
            how = "cancelled"
            raise
        finally:
            self._ended(how, task)


def run_worker(settings: dict[str, Any], say: Say) -> int:
    names = {"concurrency": settings.get("concurrency"), "name": settings.get("name")}
    options: dict[str, Any] = {name: value for name, value in names.items() if value is not None}
    if settings.get("grace_ms") is not None:
        options["grace"] = settings["grace_ms"] / 1000
    worker = Worker(**options)
    gates = Gates()
    scripted = Scripted(say, gates)
    for agent in settings["agents"]:
        # Each agent needs a function of its own.
        function = scripted.blocking if agent.get("style") == "blocking" else scripted.asynchronous
        worker.agent(agent["name"], concurrency=agent.get("concurrency"))(function)

    def listen() -> None:
        for line in sys.stdin:
            said = json.loads(line)
            if "open" in said:
                gates[said["open"]].open()
            if said.get("stop"):
                worker.stop()
        os._exit(0)  # nothing outlives the suite

    threading.Thread(target=listen, daemon=True).start()
    say({"event": "started"})
    try:
        run(worker)
    except ProblemError as problem:
        say({"event": "refused", "status": problem.status})
        sys.stdout.flush()
        os._exit(1)
    say({"event": "stopped"})
    os._exit(0)  # without waiting for the thread that reads


def run(worker: Worker) -> None:
    """`worker.run()`, but a refusal comes out as what it is."""
    import logging
    import signal

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        await worker.run_async()

    asyncio.run(work())
