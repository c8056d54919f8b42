"""The two roles of a conformance program as processes (sdk/behaviours/README.md has the protocol)."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .checks import PATIENCE, Unexpected


class Program:
    """A process that reads and writes JSON lines. Everything that it said is kept, in order."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        self.said: list[dict[str, Any]] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                value = json.loads(line)
            except ValueError:
                value = {"not_json": line.decode("utf-8", "replace")}
            with self._news:
                self.said.append(value)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def say(self, line: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(line).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Unexpected(f"the program has ended\n{self.tail()}") from None

    def first(self, what: str, wanted: Callable[[dict[str, Any]], bool], skip: int = 0) -> dict[str, Any]:
        """The first line for which `wanted` holds, behind `skip` others like it; waits for it."""
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while True:
                found = [line for line in self.said if wanted(line)]
                if len(found) > skip:
                    return found[skip]
                if self._ended:
                    raise Unexpected(f"the program ended before it said: {what}\n{self.tail()}")
                if not self._news.wait(deadline - time.monotonic()):
                    raise Unexpected(f"the program did not say in time: {what}\n{self.tail()}")

    def lines(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """What it has said so far."""
        with self._news:
            return [line for line in self.said if wanted(line)]

    def wait(self) -> int:
        """The status with which it ends by itself."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Unexpected(f"the program does not end\n{self.tail()}") from None
        self._reader.join(PATIENCE)
        return status

    def close(self) -> None:
        """Ends the process, whatever it does."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            try:
                self.process.stdin.close()
                self.process.wait(2)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def tail(self) -> str:
        said = "\n".join(json.dumps(line)[:400] for line in self.said[-12:])
        log = "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-12:])
        return f"--- it said\n{said}\n--- its log\n{log}"


class WorkerProgram(Program):
    """`COMMAND worker SETTINGS`."""

    def called(self, skip: int = 0, **task: Any) -> dict[str, Any]:
        """The task with which a function was called; waits for it. `task`: fields that it must have."""
        return self._task("called", skip, task)

    def cancelled(self, **task: Any) -> dict[str, Any]:
        return self._task("cancelled", 0, task)

    def returned(self, skip: int = 0, **task: Any) -> dict[str, Any]:
        return self._task("returned", skip, task)

    def event(self, name: str) -> dict[str, Any]:
        return self.first(name, lambda line: line.get("event") == name)

    def tasks(self, name: str, at_least: int = 0) -> list[dict[str, Any]]:
        """Tasks of all lines of that name so far; waits until there are `at_least` so many."""
        if at_least > 0:
            self.first(f"{name}, {at_least} times", lambda line: line.get("event") == name, at_least - 1)
        return [line["task"] for line in self.lines(lambda line: line.get("event") == name)]

    def open(self, gate: str) -> None:
        self.say({"open": gate})

    def stop(self) -> None:
        self.say({"stop": True})

    def _task(self, name: str, skip: int, wanted: Mapping[str, Any]) -> dict[str, Any]:
        def matches(line: dict[str, Any]) -> bool:
            task = line.get("task") or {}
            return line.get("event") == name and all(task.get(key) == value for key, value in wanted.items())

        task: dict[str, Any] = self.first(f"{name} {dict(wanted)}", matches, skip)["task"]
        return task


class CallFailed(Exception):
    """The SDK's error, as the program told it."""

    def __init__(self, call: str, error: dict[str, Any]) -> None:
        self.error = error
        super().__init__(f"{call} failed: {error}")


class ClientProgram(Program):
    """`COMMAND client`."""

    _last_id = 0

    def call(self, call: str, **given: Any) -> Any:
        """The value; `CallFailed` for an error."""
        return self.answer(self.begin(call, **given))

    def fails(self, call: str, **given: Any) -> dict[str, Any]:
        """The error of a call that must fail."""
        try:
            value = self.call(call, **given)
        except CallFailed as failed:
            return failed.error
        raise Unexpected(f"{call} did not fail but gave {value!r}")

    def begin(self, call: str, **given: Any) -> int:
        """Makes a call without waiting for its end; its number."""
        self._last_id += 1
        self._calls = {**getattr(self, "_calls", {}), self._last_id: call}
        self.say({"id": self._last_id, "call": call, "with": given})
        return self._last_id

    def answer(self, number: int) -> Any:
        def ends(line: dict[str, Any]) -> bool:
            return line.get("id") == number and ("value" in line or "error" in line)

        call = self._calls[number]
        line = self.first(f"the answer to {call}", ends)
        if "error" in line:
            raise CallFailed(call, line["error"])
        return line["value"]

    def event(self, number: int, index: int) -> Any:
        """The event with that index, from 0, of a call that follows a stream; waits for it."""
        return self.first(f"event {index}", lambda line: line.get("id") == number and "event" in line, index)["event"]

    def events(self, number: int) -> list[Any]:
        """Its events so far."""
        return [line["event"] for line in self.lines(lambda line: line.get("id") == number and "event" in line)]
