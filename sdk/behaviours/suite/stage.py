"""What a behaviour has to work with: a server with its project, the programs of one SDK, proxies, plain HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "integration"))

from serving import Server

from .checks import PATIENCE, Unexpected
from .programs import ClientProgram, Program, WorkerProgram
from .proxy import Proxy


@dataclass(frozen=True)
class Sdk:
    """The name by which it is reported, and its conformance program."""

    name: str
    command: tuple[str, ...]


class _ServerWithToken(Server):
    token: str | None = None

    def environment(self) -> dict[str, str]:
        environment = super().environment()
        return environment | {"GANGLION_TOKEN": self.token} if self.token else environment


class Stage:
    """Of one behaviour. Used as a context manager; at the end everything that it started has ended."""

    def __init__(self, binary: Path, folder: Path, sdk: Sdk, project: str, token: str | None) -> None:
        self._folder = folder
        self._sdk = sdk
        self._token = token
        self._stack = contextlib.ExitStack()
        self._programs: list[Program] = []
        self.server = _ServerWithToken(binary, folder, project)
        self.server.token = token

    def __enter__(self) -> Stage:
        self.server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        for program in self._programs:
            program.close()
        self._stack.close()
        self.server.__exit__(kind, error, trace)

    def client(self, via: Proxy | None = None) -> ClientProgram:
        command = [*self._sdk.command, "client"]
        program = ClientProgram(command, self._environment(via, self._token), self._folder / "client.log")
        self._programs.append(program)
        return program

    def worker(
        self, *agents: str | dict[str, Any], via: Proxy | None = None, token: str | None = None, **settings: Any
    ) -> WorkerProgram:
        """A worker with these agents (name, or settings with `name`). `settings`: concurrency, grace_ms, name."""
        offered = [{"name": agent} if isinstance(agent, str) else agent for agent in agents]
        command = [*self._sdk.command, "worker", json.dumps({"agents": offered, **settings})]
        environment = self._environment(via, token or self._token)
        program = WorkerProgram(command, environment, self._folder / "worker.log")
        self._programs.append(program)
        return program

    def proxy(self) -> Proxy:
        return self._stack.enter_context(Proxy(self.server.port))

    def http(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status and JSON of an answer, whatever the status: the suite's own view of the server."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data, headers or {}, method=method)
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                status, text = refused.code, refused.read()
        return status, json.loads(text) if text else None

    def get(self, path: str) -> Any:
        return self._good(*self.http("GET", path))

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        return self._good(*self.http("POST", path, {} if body is None else body, headers))

    def start(self, workflow: str, input: Any = None, **more: Any) -> dict[str, Any]:
        """A run, started by the suite itself."""
        run: dict[str, Any] = self.post("/v1/runs", {"workflow": workflow, "input": input, **more})
        return run

    def ended(self, run: dict[str, Any], status: str = "completed") -> dict[str, Any]:
        """The run, once it has ended; it must have ended with that status."""
        run = self.get(f"/v1/runs/{run['id']}?wait={int(PATIENCE)}s")
        if run["status"] != status:
            raise Unexpected(f"the run is {run['status']}, not {status}: {json.dumps(run)[:2000]}")
        return run

    def journal(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(f"/v1/runs/{run['id']}/journal?limit=200")["items"]
        return items

    def _good(self, status: int, value: Any) -> Any:
        if not 200 <= status < 300:
            raise Unexpected(f"the server answered {status}: {value}")
        return value

    def _environment(self, via: Proxy | None, token: str | None) -> dict[str, str]:
        url = via.url if via else self.server.url
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GANGLION_")}
        given = {"GANGLION_URL": url, "GANGLION_SERVER": url}
        return kept | given | ({"GANGLION_TOKEN": token} if token else {})
