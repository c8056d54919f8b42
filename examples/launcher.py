"""What the scripts of the examples share: where the binary is, and a server of their own for as long as they need one."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent

#: Until the server listens, in seconds; a sanitizer build on a busy machine is slow.
START_SECONDS = 60.0
STOP_SECONDS = 30.0


def find_binary(given: str | None = None) -> str:
    """An absolute path: `given`, else $GANGLION_BINARY, build/ganglion, or from PATH. Ends the program if there is none."""
    candidates = [given] if given else [os.environ.get("GANGLION_BINARY"), str(ROOT / "build/ganglion"), "ganglion"]
    for candidate in candidates:
        if candidate and (found := shutil.which(candidate)):
            return os.path.abspath(found)
    sys.exit("no ganglion binary: build one with `make build`, or name it with --ganglion")


class Server:
    """`ganglion serve` for a project, on a free port, with a store of its own; ends with the `with` block.

    `project`: the project file; its workers run in its folder. `out`: the folder of the store (`ganglion.db`) and of
    what the server and its workers print (`server.log`).
    """

    def __init__(self, binary: str, project: Path, out: Path) -> None:
        self._command = [binary, "serve", "-f", str(project), "--listen", "127.0.0.1:0"]
        self._command += ["--store", f"sqlite:{out / 'ganglion.db'}"]
        self._folder = project.parent
        self._log = out / "server.log"
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GANGLION_")}
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._keep_log, args=(self._process, said), daemon=True).start()
        try:
            self.url = said.get(timeout=START_SECONDS)
        except queue.Empty:
            self.url = ""
        if not self.url:
            self.stop()
            sys.exit(f"the server did not start:\n{self._log.read_text('utf-8', 'replace')[-4000:]}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _keep_log(self, process: subprocess.Popen[str], said: queue.SimpleQueue[str]) -> None:
        """Says the address as soon as it stands in the log, or nothing when the server has ended without one."""
        assert process.stdout is not None
        with open(self._log, "w", encoding="utf-8") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if found := re.search(r"listening on (http://127\.0\.0\.1:\d+)", line):
                    said.put(found[1])
        said.put("")
