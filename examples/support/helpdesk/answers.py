"""Answers from the list of frequent questions: by BM25 over all of their text, or by a list of keywords.

The first is the good one. The second is what is left when the first has no time: it needs no index, knows fewer ways
to ask, and says nothing rather than something wrong.
"""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from typing import Any

from . import DATA
from .text import terms, words

#: The usual constants of BM25: how soon repetition stops to count, and how much length does.
K1, B = 1.4, 0.6
#: A question counts for more than its answer.
QUESTION_WEIGHT = 3
#: Below this score an entry has only a word in common with the question by chance.
MIN_SCORE = 2.5


@functools.cache
def entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / "faq.json").read_text("utf-8"))
    return found


class Index:
    """BM25 (Robertson and others, Okapi at TREC-3) over texts."""

    def __init__(self, documents: list[list[str]]) -> None:
        self._counts = [Counter(document) for document in documents]
        self._lengths = [len(document) for document in documents]
        self._mean = sum(self._lengths) / max(1, len(documents))
        found_in = Counter(term for document in documents for term in set(document))
        self._rarity = {
            term: math.log(1 + (len(documents) - count + 0.5) / (count + 0.5)) for term, count in found_in.items()
        }

    def scores(self, query: list[str]) -> list[float]:
        """Of each document, in order."""
        return [self._score(place, set(query)) for place in range(len(self._counts))]

    def _score(self, place: int, query: set[str]) -> float:
        counts = self._counts[place]
        length = 1 - B + B * self._lengths[place] / self._mean
        return sum(
            self._rarity[term] * counts[term] * (K1 + 1) / (counts[term] + K1 * length)
            for term in query
            if counts[term]
        )


@functools.cache
def index() -> Index:
    return Index([QUESTION_WEIGHT * terms(entry["question"]) + terms(entry["answer"]) for entry in entries()])


def search(question: str) -> dict[str, Any] | None:
    """The best entry with its score and the two next best ones, or None if nothing fits."""
    ranked = sorted(zip(index().scores(terms(question)), entries(), strict=True), key=lambda pair: -pair[0])
    score, best = ranked[0]
    if score < MIN_SCORE:
        return None
    related = [entry["question"] for other, entry in ranked[1:3] if other >= MIN_SCORE]
    return {"answer": best["answer"], "source": best["id"], "score": round(score, 2), "related": related}


def lookup(question: str) -> dict[str, Any] | None:
    """The entry whose keyword stands in the question, the longest keyword first; None if there is none."""
    asked = f" {' '.join(words(question))} "
    found = [(keyword, entry) for entry in entries() for keyword in entry["keywords"] if f" {keyword} " in asked]
    if not found:
        return None
    keyword, entry = max(found, key=lambda pair: len(pair[0]))
    return {"answer": entry["answer"], "source": entry["id"], "keyword": keyword}
