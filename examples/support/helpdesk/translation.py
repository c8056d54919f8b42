"""Translation between English and German by a phrase book: the longest known phrase first, word by word.

What the phrase book does not know stays as it is and is counted, so that whoever reads the result knows how far to
trust it. That is not how one would translate a novel, and enough to see what a customer wants.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from . import DATA
from .text import body, words

_GERMAN = frozenset(
    "der die das und ich ist nicht mein meine wo wann wie bitte danke hallo wird ein eine mit zu sie wir".split()
)
_ENGLISH = frozenset("the and i is not my where when how please thank hello will a an with to you we it has".split())
_PIECE = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w]+|_", re.UNICODE)
MAX_PHRASE = 6


def language_of(text: str) -> str:
    """`en` or `de`, by the commonest words."""
    found = words(text)
    return "de" if sum(word in _GERMAN for word in found) > sum(word in _ENGLISH for word in found) else "en"


def translate(text: str) -> dict[str, Any]:
    """`{text, from, to, unknown}`: the text in the other language, and the words that the phrase book lacks."""
    source = body(text)
    language = language_of(source)
    pieces: list[str] = _PIECE.findall(source)
    out: list[str] = []
    unknown: list[str] = []
    place = 0
    while place < len(pieces):
        phrase, length = _longest(pieces, place, _book(language))
        if phrase is not None:
            begins = pieces[place][:1].isupper() and re.search(r"(^|[.!?])\s*$", "".join(out[-2:]))
            out.append(phrase[:1].upper() + phrase[1:] if begins else phrase)
            place += length
            continue
        if pieces[place][0].isalpha():
            unknown.append(pieces[place])
        out.append(pieces[place])
        place += 1
    return {"text": "".join(out), "from": language, "to": "en" if language == "de" else "de", "unknown": unknown}


def _longest(pieces: list[str], place: int, book: dict[str, str]) -> tuple[str | None, int]:
    """The translation of the longest phrase that begins here and the number of its pieces."""
    for length in range(2 * MAX_PHRASE - 1, 0, -2):  # words and the spaces between them
        window = pieces[place : place + length]
        if len(window) == length and (found := book.get("".join(window).lower())) is not None:
            return found, length
    return None, 0


@functools.cache
def _book(language: str) -> dict[str, str]:
    """Phrases of a language, in lower case, with their translation; the first one of several counts."""
    book: dict[str, str] = {}
    for line in (DATA / "phrases.tsv").read_text("utf-8").splitlines():
        english, _, german = line.partition("\t")
        if german and language == "en":
            book.setdefault(english.lower(), german)
        elif german:
            book.setdefault(german.lower(), english)
    return book
