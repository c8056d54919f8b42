"""How often the agents of a lane must be heard of.

A project can give an agent an `idle_timeout`: an attempt without a heartbeat for so long has failed. The worker asks
the server for it when an agent's first task comes, and again now and then, since the project may change.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from urllib.parse import quote

from ._asyncio_http import AsyncTransport
from ._http import Request
from .errors import ProblemError, ServerUnavailable

#: How long an answer holds, in seconds.
FRESH_SECONDS = 30.0
#: Between heartbeats while the idle timeout is not known, and the least that one asks for, in seconds.
UNKNOWN_SECONDS = 0.5
LEAST_SECONDS = 0.02

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class IdleTimeouts:
    """Belongs to one event loop."""

    def __init__(self, transport: AsyncTransport, learned: Callable[[str], None]) -> None:
        """`learned` is called with the name of an agent that must be heard of at another interval than before."""
        self._transport = transport
        self._learned = learned
        self._intervals: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def interval(self, agent: str) -> float:
        """Seconds that may lie between two heartbeats; infinite if the agent has no idle timeout."""
        return self._intervals.get(agent, UNKNOWN_SECONDS)

    def look(self, agent: str) -> None:
        """Asks in the background, unless what is known is fresh."""
        now = asyncio.get_running_loop().time()
        if now - self._asked.get(agent, float("-inf")) < FRESH_SECONDS:
            return
        self._asked[agent] = now
        asking = asyncio.create_task(self._ask(agent))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    def close(self) -> None:
        for asking in self._asking:
            asking.cancel()

    async def _ask(self, agent: str) -> None:
        try:
            answer = (await self._transport.request(Request("GET", f"/v1/agents/{quote(agent, safe='')}"))).json()
        except ServerUnavailable:
            self._asked.pop(agent, None)
            return
        except ProblemError:  # an agent of an older definition, or a token that may not look
            self._intervals.setdefault(agent, UNKNOWN_SECONDS)
            return
        timeout = seconds_of(answer.get("idle_timeout"))
        before = self.interval(agent)
        self._intervals[agent] = float("inf") if timeout is None else max(LEAST_SECONDS, timeout / 3)
        if self._intervals[agent] != before:
            self._learned(agent)


def seconds_of(duration: str | None) -> float | None:
    """The seconds of a duration of the API as `1m30s`; None for none."""
    if not duration:
        return None
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(duration))
