"""How a behaviour says what it expects."""

from __future__ import annotations

from typing import Any

#: How long anything may take before a behaviour counts as broken; a sanitizer build on busy processors is slow.
PATIENCE = 60.0


class Unexpected(Exception):
    """The SDK or the server did something else."""


def equal(actual: Any, wanted: Any, what: str) -> None:
    if actual != wanted:
        raise Unexpected(f"{what}: is {_short(actual)}, not {_short(wanted)}")


def holds(condition: bool, what: str) -> None:
    if not condition:
        raise Unexpected(what)


def has(value: Any, wanted: dict[str, Any], what: str) -> None:
    """`value` is an object that has at least the fields of `wanted`."""
    if not isinstance(value, dict):
        raise Unexpected(f"{what}: is {_short(value)}, not an object")
    for name, field in wanted.items():
        equal(value.get(name), field, f"{what}.{name}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 1000 else text[:1000] + "…"
