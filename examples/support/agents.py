"""The agents of the help desk, as Ganglion sees them. Ganglion starts this program; see `workers` in ganglion.yaml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ganglion import Fail, Task, Worker

from helpdesk import answers, intents, summary, translation

worker = Worker(concurrency=8)

#: While this file is there the index is being rebuilt, and a search waits for it.
INDEX_LOCK = os.environ.get("HELPDESK_INDEX_LOCK", "")


@worker.agent("intent")
def intent(input: Any, agents: list[str]) -> dict[str, Any]:
    """The router's classifier: which of the agents fits the request."""
    text = input.get("text", "") if isinstance(input, dict) else str(input)
    agent, probability = intents.classify(text, agents)
    if agent is None:
        raise Fail("no_intent", f"no training data for any of {', '.join(agents)}")
    return {"agent": agent, "probability": round(probability, 3)}


@worker.agent("translation")
def translate(text: str) -> dict[str, Any]:
    return translation.translate(text)


@worker.agent("summary")
def summarise(text: str) -> dict[str, Any]:
    return summary.summarise(text)


@worker.agent("question_answering")
def answer(task: Task, text: str) -> dict[str, Any]:
    """The best entry of the frequent questions."""
    while INDEX_LOCK and Path(INDEX_LOCK).exists():
        task.wait_cancelled(0.05)
        task.raise_if_cancelled()
    found = answers.search(text)
    if found is None:
        raise Fail("no_answer", "nothing in the frequent questions fits")
    return found


@worker.agent("keyword_answers")
def answer_by_keyword(text: str) -> dict[str, Any]:
    """Simpler than `question_answering`, and without its index."""
    found = answers.lookup(text)
    if found is None:
        raise Fail("no_answer", "no keyword of the frequent questions stands in the text")
    return found


if __name__ == "__main__":
    worker.run()
