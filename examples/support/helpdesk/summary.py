"""A summary of sentences that stand in the text: those whose terms the text uses most, in their order."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from .text import body, sentences, terms

#: A first sentence says what a mail is about more often than any other.
FIRST_BONUS = 1.25
MAX_SENTENCES = 200


def summarise(text: str, keep: int = 2) -> dict[str, Any]:
    """`{summary, sentences, kept}`. A text of `keep` sentences or fewer is its own summary."""
    found = sentences(body(text))[:MAX_SENTENCES]
    weights = Counter(term for sentence in found for term in set(terms(sentence)))
    chosen: list[int] = []
    covered: set[str] = set()
    while len(chosen) < min(keep, len(found)):
        scores = {place: _score(place, sentence, weights, covered) for place, sentence in enumerate(found)}
        best = max((place for place in scores if place not in chosen), key=lambda place: (scores[place], -place))
        chosen.append(best)
        covered.update(terms(found[best]))
    return {
        "summary": " ".join(found[place] for place in sorted(chosen)),
        "sentences": len(found),
        "kept": sorted(chosen),
    }


def _score(place: int, sentence: str, weights: Counter[str], covered: set[str]) -> float:
    """How much of the text the sentence stands for, a word that is said already counting little."""
    own = set(terms(sentence))
    if not own:
        return 0.0
    value: float = sum(weights[term] * (0.2 if term in covered else 1.0) for term in own) / math.sqrt(len(own))
    return value * FIRST_BONUS if place == 0 else value
