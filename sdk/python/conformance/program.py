#!/usr/bin/env python3
"""The conformance program of sdk/behaviours: translates what the suite says into the SDK's public calls.

program.py client | worker SETTINGS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Lock
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "src")]

_printing = Lock()


def say(line: dict[str, Any]) -> None:
    """One JSON object a line, from any thread."""
    text = json.dumps(line, ensure_ascii=False) + "\n"
    with _printing:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()


def main() -> int:
    from client_calls import run_client
    from scripted_worker import run_worker

    match sys.argv[1:]:
        case ["client"]:
            return run_client(say)
        case ["worker", settings]:
            return run_worker(json.loads(settings), say)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
