"""Results that have no verdict yet.

A result stays here until the server has said what became of it, through any number of failed attempts to send it;
its token makes sending it again harmless. Bounded: a result keeps its task's place in the lane (`Lane.free`), so there
are never more results than the lane has places.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ._agent import Outcome

#: Results in one request, and their bytes unless a single one is longer.
MAX_BATCH = 256
MAX_BATCH_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class PendingResult:
    """A result, encoded, and how often it was sent."""

    token: str
    agent: str
    body: bytes
    ok: bool
    sent: int = 0


class Outbox:
    """First in, first out; one entry per token, the first one wins."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, PendingResult] = OrderedDict()
        self._one_by_one = False

    def __len__(self) -> int:
        return len(self._results)

    def __contains__(self, token: str) -> bool:
        return token in self._results

    def put(self, token: str, agent: str, encoded_token: bytes, outcome: Outcome) -> None:
        if token not in self._results:
            body = b'{"token":' + encoded_token + b"," + outcome.fields + b"}"
            self._results[token] = PendingResult(token, agent, body, outcome.ok)

    def batch(self) -> list[PendingResult]:
        """The oldest results that fit into one request; they stay in the outbox."""
        chosen: list[PendingResult] = []
        size = 0
        for result in self._results.values():
            size += len(result.body)
            if chosen and (self._one_by_one or len(chosen) == MAX_BATCH or size > MAX_BATCH_BYTES):
                break
            chosen.append(result)
        return chosen

    def settle(self, results: Sequence[PendingResult]) -> None:
        """They have their verdicts."""
        for result in results:
            self._results.pop(result.token, None)
        self._one_by_one = False

    def send_one_by_one(self) -> None:
        """The server refused a batch as a whole: the next one has a single result, to find the one to blame."""
        self._one_by_one = True

    def replace(self, result: PendingResult, encoded_token: bytes, outcome: Outcome) -> None:
        """The server will never take `result`; say so in its place."""
        self._results.pop(result.token, None)
        self.put(result.token, result.agent, encoded_token, outcome)
