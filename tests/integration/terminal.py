"""A Bash that is told what stands in a page of the documentation, block by block. Standard library only."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def commands(page: Path) -> list[str]:
    """Its blocks of commands, in order."""
    return _BLOCK.findall(page.read_text("utf-8"))


class Terminal:
    """Variables and background processes live from one block to the next. All of them end with it.

    `places`: what stands in the page, and what is meant here.
    """

    def __init__(self, folder: Path, places: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._places = places
        self._entered = 0
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def enter(self, block: str, seconds: float) -> str:
        """What the block prints. It must succeed, and in time."""
        for place, here in self._places.items():
            block = block.replace(place, here)
        self._entered += 1
        script = self._folder / f"block-{self._entered}.sh"
        printed = script.with_suffix(".out")
        script.write_text(block)
        assert self._bash.stdin is not None and self._bash.stdout is not None
        self._bash.stdin.write(f". ./{script.name} </dev/null >{printed.name} 2>&1; echo $?\n".encode())
        self._bash.stdin.flush()
        ready, _, _ = select.select([self._bash.stdout], [], [], seconds)
        text = printed.read_text("utf-8", "replace") if printed.exists() else ""
        assert ready, f"not done after {seconds} s:\n{block}\n{text}"
        status = self._bash.stdout.readline().decode().strip()
        assert status == "0", f"status {status} of:\n{block}\n{text}"
        return text

    def end(self) -> None:
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
