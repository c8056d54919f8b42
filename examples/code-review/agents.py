"""The agents of the code review, as Ganglion sees them. Ganglion starts this program; see `workers` in ganglion.yaml."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganglion import Worker

from review import documentation, report, security, static_analysis, syntax, test_gap
from review.findings import Review
from review.workdir import ChangedFile, WorkDir, write_atomically

# Checkers are processes: more of them at one time than there are processors only makes each one slower. They have bounds
# of their own, so that the quick agents, which share the worker's, never wait behind a compiler.
CHECKERS = max(2, os.cpu_count() or 2)

worker = Worker(concurrency=4)


def review_file(agent: str, check: Callable[[WorkDir, ChangedFile], Review], work: str, index: int) -> dict[str, Any]:
    """Runs one check on one file. Findings go into the work directory, numbers into the result."""
    began = time.monotonic()
    directory = WorkDir(work)
    found = check(directory, directory.file(index))
    directory.write_review(agent, index, found)
    return {"index": index, "findings": len(found.findings), "ms": milliseconds_since(began)}


def review_change(agent: str, check: Callable[..., dict[int, Review]], work: str) -> dict[str, Any]:
    """Runs one check on the change as a whole."""
    began = time.monotonic()
    directory = WorkDir(work)
    reviews = check(directory, directory.files(), directory.paths())
    for index, found in reviews.items():
        directory.write_review(agent, index, found)
    findings = sum(len(found.findings) for found in reviews.values())
    return {"findings": findings, "ms": milliseconds_since(began)}


def milliseconds_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


@worker.agent("changes")
def changes(work: str) -> dict[str, Any]:
    """Says which files are for which agents."""
    files = []
    for file in WorkDir(work).files():
        checks = {
            "syntax": file.readable and syntax.can_check(file.language),
            "static_analysis": file.readable and bool(file.ranges) and static_analysis.can_analyse(file.language),
            "security": file.readable and bool(file.ranges),
        }
        files.append({"index": file.index, "path": file.path[:120], "language": file.language, **checks})
    return {"files": files}


@worker.agent("syntax", concurrency=CHECKERS)
def check_syntax(work: str, index: int) -> dict[str, Any]:
    return review_file("syntax", syntax.check_syntax, work, index)


@worker.agent("static_analysis", concurrency=CHECKERS)
def analyse(work: str, index: int) -> dict[str, Any]:
    return review_file("static_analysis", static_analysis.analyse, work, index)


@worker.agent("security")
def scan(work: str, index: int) -> dict[str, Any]:
    return review_file("security", security.scan, work, index)


@worker.agent("test_gap")
def find_gaps(work: str) -> dict[str, Any]:
    return review_change("test_gap", test_gap.find_gaps, work)


@worker.agent("documentation")
def review_documentation(work: str) -> dict[str, Any]:
    return review_change("documentation", documentation.review_documentation, work)


@worker.agent("merge")
def merge(work: str, out: str, results: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
    """Writes `review.md` into `out`."""
    collected = report.collect(WorkDir(work), results, errors)
    path = Path(out) / "review.md"
    write_atomically(path, report.to_markdown(collected).encode("utf-8", "replace"))
    return report.to_output(collected, str(path))


if __name__ == "__main__":
    worker.run()
