"""Reading a file that somebody dropped: bounded, as text where it is text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

#: What is looked at of a file.
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """`lines` of a binary file are its runs of printable characters."""

    digest: str
    lines: tuple[str, ...]


def read(path: Path) -> Content | None:
    """The file's first MiB; None if it is gone, which is no error: somebody was faster."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES)
    except (FileNotFoundError, IsADirectoryError):
        return None
    text = data.decode("utf-8", "replace")
    if "\0" in text:
        text = "".join(character if character.isprintable() else "\n" for character in text)
        lines = tuple(line for line in text.split("\n") if len(line) >= 4)
    else:
        lines = tuple(text.splitlines())
    return Content(hashlib.sha256(data).hexdigest(), lines)
