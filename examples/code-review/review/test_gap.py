"""The test-gap agent: code that changed while its tests did not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from .findings import Finding, Review
from .languages import CODE, is_test, language_of, stem_of, subject_of
from .workdir import ChangedFile, WorkDir

#: Lines of code that may change without a test: a version, a typing error.
MIN_CODE_LINES = 3

_NOT_CODE = ("#", "//", "/*", "*", "--", '"""', "'''")


def find_gaps(work: WorkDir, files: Sequence[ChangedFile], paths: Iterable[str]) -> dict[int, Review]:
    """By file index. A test belongs to a source if it is named after it (`foo_test.cc`, `test_foo.py`, `foo.spec.ts`).

    A header and a source file of one stem count as one: a test of either is a test of both. A changed test that
    mentions the stem as a word (it includes or imports the file) counts, too.
    """
    tests_in_tree: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if is_test(path) and language_of(path) in CODE:
            tests_in_tree[subject_of(path)].append(path)
    tested_here = {subject_of(f.path) for f in files if is_test(f.path) and f.status != "deleted"}
    words = {word for f in files if is_test(f.path) and f.readable for word in _words(work, f)}
    reviews: dict[int, Review] = {}
    for file in files:
        finding = _gap(work, file, tests_in_tree, tested_here | words)
        if finding is not None:
            reviews[file.index] = Review((finding,), ("names",))
    return reviews


def _words(work: WorkDir, test: ChangedFile) -> set[str]:
    return set(re.findall(r"\w+", "\n".join(work.lines(test)).lower()))


def _gap(work: WorkDir, file: ChangedFile, tests: dict[str, list[str]], tested_here: set[str]) -> Finding | None:
    if file.language not in CODE:
        return None
    if is_test(file.path):
        if file.status == "deleted":
            return Finding(0, "warning", "test-deleted", "a test was deleted", "names")
        return None
    if not file.readable or code_lines(work, file) < MIN_CODE_LINES:
        return None
    stem = stem_of(file.path).lower()
    if stem in tested_here or stem == "__init__":
        return None
    first = file.ranges[0][0] if file.ranges else 0
    if existing := sorted(tests.get(stem, [])):
        return Finding(first, "info", "test-unchanged", f"changed, but {existing[0]} did not change", "names")
    message = f"{file.added} lines changed and no test is named after it or mentions it"
    return Finding(first, "warning", "no-test", message, "names")


def code_lines(work: WorkDir, file: ChangedFile) -> int:
    """Added lines that are neither blank nor only a comment."""
    lines = work.lines(file)
    return sum(
        1
        for first, last in file.ranges
        for line in lines[first - 1 : last]
        if line.strip() and not line.strip().startswith(_NOT_CODE)
    )
