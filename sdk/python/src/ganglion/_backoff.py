"""How long to stay away from a server that does not answer."""

from __future__ import annotations

import random


class Backoff:
    """Each pause is random between half and all of a limit that doubles from 0.1 s to 5 s."""

    FIRST = 0.1
    LIMIT = 5.0

    def __init__(self) -> None:
        self._limit = self.FIRST

    def reset(self) -> None:
        self._limit = self.FIRST

    def next(self, at_least: float | None = None) -> float:
        """Seconds to wait now; never less than `at_least`, what the server asked for (at most 60)."""
        pause = self._limit * random.uniform(0.5, 1.0)
        self._limit = min(self.LIMIT, self._limit * 2)
        return max(pause, min(at_least or 0.0, 60.0))
