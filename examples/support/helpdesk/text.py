"""Words and sentences."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'(]?[A-ZÄÖÜ0-9])|\n{2,}")
STOP_WORDS = frozenset(
    """a an and are as at be been but by can could did do does for from had has have he her his how i if in is it its me
    my no not of on or our she so than that the their them then there they this to too up us was we were what when where
    which who why will with would you your""".split()
)


def words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def terms(text: str) -> list[str]:
    """What a text is about: its words without the ones that every text has, cut to a stem."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


def stem(word: str) -> str:
    """A light stemmer: plural, then the commonest endings of English verbs, then a silent e."""
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    return word.removesuffix("e") if len(word) > 4 else word


def sentences(text: str) -> list[str]:
    return [" ".join(part.split()) for part in _SENTENCE.split(text.strip()) if part and part.strip()]


def body(text: str) -> str:
    """The text that a request is about: what stands after its first line or colon, else all of it."""
    head, separator, rest = text.strip().partition("\n")
    if separator and rest.strip():
        return rest.strip()
    head, separator, rest = text.partition(":")
    return rest.strip() if separator and rest.strip() and len(head) < 80 else text.strip()
