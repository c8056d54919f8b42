"""As bench/disk.cc: appends of 300 bytes, each followed by fdatasync, as a journal would without group commit."""

from __future__ import annotations

import os
import time
from pathlib import Path

SECONDS = 0.5
MAX_APPENDS = 100_000


def fsyncs_per_s(folder: Path) -> int:
    path = folder / "disk.tmp"
    file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    record = b"x" * 300
    began = time.perf_counter()
    appends = 0
    try:
        while appends < MAX_APPENDS and time.perf_counter() - began < SECONDS:
            os.write(file, record)
            os.fdatasync(file)
            appends += 1
        return round(appends / (time.perf_counter() - began))
    finally:
        os.close(file)
        path.unlink()
