"""What the peers need, under build/peers: virtual environments, npm prefixes, unpacked Debian packages.

Nothing is installed into the system and no root is needed. Versions are pinned beside each peer (requirements.txt,
package-lock.json); Debian's are those of the machine's own release.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent
ROOT = PEERS.parent.parent
BUILD = ROOT / "build/peers"
INSTALL_SECONDS = 900


class Unavailable(Exception):
    """A peer cannot be had here; says why."""


def run(command: Sequence[str | os.PathLike[str]], cwd: Path, seconds: int = INSTALL_SECONDS) -> str:
    words = [os.fspath(part) for part in command]
    try:
        ended = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise Unavailable(f"no {words[0]} on this machine") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{words[0]} took more than {seconds} s") from None
    if ended.returncode != 0:
        last = (ended.stderr.strip() or ended.stdout.strip() or "no output").splitlines()[-1]
        raise Unavailable(f"{' '.join(words[:3])}: {last}")
    return ended.stdout


def _current(folder: Path, *sources: str) -> bool:
    """Whether `folder` was installed from these very sources; `_done` marks it."""
    mark = folder / ".installed"
    return mark.exists() and mark.read_text() == _digest(sources)


def _done(folder: Path, *sources: str) -> None:
    (folder / ".installed").write_text(_digest(sources))


def _digest(sources: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()


def python(name: str) -> Path:
    """The interpreter of a virtual environment with NAME/requirements.txt."""
    pins = (PEERS / name / "requirements.txt").read_text()
    folder = BUILD / f"venv-{name}"
    interpreter = folder / "bin/python"
    if not _current(folder, pins, sys.version):
        shutil.rmtree(folder, ignore_errors=True)
        BUILD.mkdir(parents=True, exist_ok=True)
        run([sys.executable, "-m", "venv", folder], BUILD)
        run([interpreter, "-m", "pip", "install", "-q", "--no-deps", "-r", PEERS / name / "requirements.txt"], BUILD)
        _done(folder, pins, sys.version)
    return interpreter


def pinned(name: str, package: str) -> str:
    """The version of a package in NAME/requirements.txt."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", (PEERS / name / "requirements.txt").read_text(), re.M | re.I)
    assert found is not None, f"{name}/requirements.txt has no {package}"
    return found[1]


def node_modules(name: str) -> Path:
    """A folder with NAME's scripts beside the node_modules of its package-lock.json."""
    lock = (PEERS / name / "package-lock.json").read_text()
    folder = BUILD / f"npm-{name}"
    if not _current(folder, lock):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(PEERS / name / file, folder)
        run(["npm", "ci", "--no-audit", "--no-fund"], folder)
        _done(folder, lock)
    # Node looks for modules beside the real path of a script, so the scripts are copied.
    for script in [*(PEERS / name).glob("*.mjs"), PEERS / "harness/load.mjs"]:
        shutil.copy(script, folder)
    return folder


def debian(*packages: str) -> Path:
    """A folder with these packages and what of their dependencies the machine lacks, unpacked, not installed.

    Programs that the machine already has are not in it: look them up with `program`.
    """
    folder = BUILD / "debian"
    names = sorted(packages)
    marked = folder / "-".join(names)
    if not _current(marked, *names):
        for tool in ("apt-get", "dpkg"):
            if shutil.which(tool) is None:
                raise Unavailable(f"no {tool} on this machine")
        marked.mkdir(parents=True, exist_ok=True)
        plan = run(["apt-get", "install", "-s", "--no-install-recommends", *names], marked)
        # "Inst NAME (version …": to be installed. "Inst NAME [old] (…": an upgrade, which nobody asked for.
        missing = re.findall(r"^Inst (\S+) \(", plan, re.M)
        if missing:
            run(["apt-get", "download", "-q", *missing], marked)
        for archive in marked.glob("*.deb"):
            run(["dpkg", "-x", archive, folder / "root"], marked)
            archive.unlink()
        _done(marked, *names)
    return folder / "root"


def program(root: Path, *places: str) -> Path:
    """The first of these paths that is a program, in `root` or in the system."""
    for place in places:
        for candidate in (root / place, Path("/") / place):
            if os.access(candidate, os.X_OK):
                return candidate
    raise Unavailable(f"no {places[0]}")


def libraries(root: Path) -> str:
    """For LD_LIBRARY_PATH: where `debian` unpacked shared libraries."""
    return ":".join(str(path) for path in (root / "usr/lib").glob("*-linux-gnu"))
