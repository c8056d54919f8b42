"""The classifier: multinomial naive Bayes over pieces of words, with add-one smoothing.

`data/intents.tsv` has the training data, a label and an example a line. It is read when the worker starts and takes a
few milliseconds; there is no model file.
"""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from . import DATA
from .text import words

#: What is read of a text: the request stands at its beginning.
MAX_WORDS = 60


class NaiveBayes:
    def __init__(self, examples: Iterable[tuple[str, str]]) -> None:
        """`examples`: label and text. At least one."""
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        labels: Counter[str] = Counter()
        for label, text in examples:
            labels[label] += 1
            self._counts[label].update(features(text))
        total = sum(labels.values())
        self._priors = {label: math.log(count / total) for label, count in labels.items()}
        self._totals = {label: sum(counts.values()) for label, counts in self._counts.items()}
        self._vocabulary = len(set().union(*self._counts.values()))

    def probabilities(self, text: str) -> dict[str, float]:
        """By label; they add up to 1. What no example has says nothing."""
        known = [piece for piece in features(text) if any(piece in counts for counts in self._counts.values())]
        scores = {
            label: prior
            + sum(
                math.log((self._counts[label][piece] + 1) / (self._totals[label] + self._vocabulary)) for piece in known
            )
            for label, prior in self._priors.items()
        }
        highest = max(scores.values())
        weights = {label: math.exp(score - highest) for label, score in scores.items()}
        return {label: weight / sum(weights.values()) for label, weight in weights.items()}


def features(text: str) -> list[str]:
    """Pieces of four characters of each word with its edges: they see through endings and typing errors."""
    framed = [f" {word} " for word in words(text)[:MAX_WORDS]]
    return [word[start : start + 4] for word in framed for start in range(max(1, len(word) - 3))]


@functools.cache
def model() -> NaiveBayes:
    lines = (DATA / "intents.tsv").read_text("utf-8").splitlines()
    return NaiveBayes(tuple(line.split("\t", 1)) for line in lines if line)  # type: ignore[misc]


def classify(text: str, among: Iterable[str]) -> tuple[str | None, float]:
    """The likeliest of the labels and how likely it is; None if `among` has no label that the model knows."""
    found = model().probabilities(text)
    candidates = {label: probability for label, probability in found.items() if label in set(among)}
    if not candidates:
        return None, 0.0
    best = max(candidates, key=lambda label: candidates[label])
    return best, candidates[best]
