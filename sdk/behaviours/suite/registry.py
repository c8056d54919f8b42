"""All behaviours, each under the sentence that it proves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .stage import Stage

Check = Callable[[Stage], None]


@dataclass(frozen=True)
class Behaviour:
    name: str
    project: str
    check: Check
    token: str | None = None


ALL: list[Behaviour] = []

_HEAD = """
ganglion: 1
defaults:
  timeout: 60s
  retry: {max_attempts: 3, backoff: exponential, initial: 10ms, max: 50ms, jitter: 0}
"""

#: One agent, one step, the input passed through; and the same for each of a list.
ONE = """
agents:
  act: {kind: worker}
workflows:
  one:
    steps: {work: {agent: act, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  each:
    steps:
      work: {for_each: "${{ input.items }}", max_parallel: 1000, agent: act, input: "${{ item }}"}
    output: "${{ steps.work.output }}"
  instant:
    steps: {same: {transform: "${{ input }}"}}
    output: "${{ steps.same.output }}"
"""


def behaviour(name: str, project: str = ONE, token: str | None = None) -> Callable[[Check], Check]:
    """Registers the function under a sentence. `project`: the project file without its head, which sets `defaults`."""

    def register(check: Check) -> Check:
        assert all(other.name != name for other in ALL), f"two behaviours are called {name!r}"
        ALL.append(Behaviour(name, _HEAD + project, check, token))
        return check

    return register
