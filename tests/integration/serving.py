"""A `ganglion serve` process for tests that kill, stop and maltreat it. Standard library only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Until the server listens; a sanitizer build on busy processors is slow.
START_SECONDS = 30.0
STOP_SECONDS = 30.0
#: What a sanitizer or a failed assertion writes.
_DAMAGE = re.compile(r"ERROR: \w+Sanitizer|runtime error:|SUMMARY: |[Aa]ssertion .*failed")


class Server:
    """The server in a folder of its own, on a port that stays the same over restarts.

    `project`: the text of its project file. Used as a context manager it is stopped at the end, gracefully, and its log
    is searched for what a sanitizer may have said.
    """

    def __init__(self, binary: Path, folder: Path, project: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ganglion.yaml").write_text(project)
        self._binary = binary.resolve()
        self.log_path = folder / "server.log"
        self._begun = 0  # where the log of this process begins
        self._listen = "127.0.0.1:0"
        self.store = "sqlite:test.db"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.kill()
            return
        self.stop()
        self.check_log()

    @property
    def url(self) -> str:
        return f"http://{self._listen}"

    @property
    def port(self) -> int:
        return int(self._listen.rpartition(":")[2])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def change_binary(self, binary: Path) -> None:
        """From its next start on."""
        self._binary = binary.resolve()

    def command(self, *arguments: str) -> list[str]:
        return [str(self._binary), *arguments]

    def serve_command(self) -> list[str]:
        return self.command("serve", "-f", "ganglion.yaml", "--listen", self._listen, "--store", self.store)

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("GANGLION_")}

    def launch(self) -> None:
        """Starts the process and does not wait for anything."""
        self._begun = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.serve_command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Returns when the server has said where it listens."""
        self.launch()
        self.await_listening()

    def await_listening(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while True:
            said = self.log_path.read_bytes()[self._begun :].decode("utf-8", "replace")
            if found := re.search(r"http://(127\.0\.0\.1:\d+)", said):
                break
            status = self.process.poll()
            assert status is None, f"the server ended with {status} instead of serving:\n{said}"
            assert time.monotonic() < deadline, f"the server does not listen:\n{said}"
            time.sleep(0.005)
        self._listen = found[1]

    def kill(self) -> None:
        """SIGKILL: no clean-up of any kind."""
        if self.process is None:
            return
        status = self.process.poll()
        assert status is None, f"the server had ended by itself with {status}:\n{self.log_tail()}"
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """SIGTERM: it must end in time and without an error."""
        if self.process is None:
            return
        process, self.process = self.process, None
        status = process.poll()
        assert status is None, f"the server had ended by itself with {status}:\n{self.log_tail()}"
        process.terminate()
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not stop:\n{self.log_tail()}") from None
        assert status in (0, 130, -signal.SIGTERM), f"the server ended with {status}:\n{self.log_tail()}"

    def check_log(self) -> None:
        check_log(self.log_path)

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log_path.read_text("utf-8", "replace").splitlines()[-lines:])


def check_log(path: Path) -> None:
    """Of a server: that nothing in it tells of damage."""
    text = path.read_text("utf-8", "replace")
    found = _DAMAGE.search(text)
    last = "\n".join(text.splitlines()[-200:])
    assert found is None, f"the server's log has {found[0]!r}:\n{last}"


def binary_from(argument: str | None) -> Path:
    """The binary that a test was told to use. Ends the program if there is none."""
    named = argument or os.environ.get("GANGLION_BINARY")
    if not named or not os.access(named, os.X_OK):
        raise SystemExit("name the binary: --ganglion PATH, or GANGLION_BINARY")
    return Path(named)
