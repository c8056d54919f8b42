"""What is looked at of a file that somebody dropped: its beginning, as text where it is text."""

from __future__ import annotations

#: Of a file.
MAX_BYTES = 1 << 20
#: Printable characters in a row that count as a line of a binary file.
MIN_RUN = 4


def lines(content: bytes) -> list[str]:
    """Of a binary file its runs of printable characters."""
    text = content[:MAX_BYTES].decode("utf-8", "replace")
    if "\0" not in text:
        return text.splitlines()
    printable = "".join(character if character.isprintable() else "\n" for character in text)
    return [line for line in printable.split("\n") if len(line) >= MIN_RUN]
