"""What packaging/ promises, held against the binary: the unit's options, the container's packages, the compose file."""

import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml

BINARY = Path(os.environ["GANGLION_BINARY"])
ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging/systemd/ganglion.service"
CONTAINERFILE = ROOT / "packaging/container/Containerfile"
COMPOSE = ROOT / "packaging/container/compose.yaml"
DEADLINE = 30  # seconds
#: What every Debian 12 has, the smallest image included.
ALWAYS_THERE = {"libc6", "libgcc-s1", "libstdc++6", "libzstd1", "zlib1g"}
#: Loaded when needed, not linked.
LOADED = {"libcurl4", "libpq5"}
PROJECT = "ganglion: 1\nworkflows: {w: {steps: {s: {transform: '${{ 1 }}'}}}}\n"


def exec_start() -> list[str]:
    found = re.search(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/bin/ganglion", str(BINARY)))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    about_it = [line for line in checked.stderr.splitlines() if UNIT.name in line]
    assert about_it == []


def test_the_server_runs_as_the_unit_says(tmp_path: Path) -> None:
    (tmp_path / "ganglion.yaml").write_text(PROJECT)
    places = {"/usr/bin/ganglion": str(BINARY), "/etc/ganglion/": f"{tmp_path}/", "127.0.0.1:7420": "127.0.0.1:0"}
    command = " ".join(exec_start()).replace("sqlite:/var/lib/ganglion/", f"sqlite:{tmp_path}/store/")
    for place, here in places.items():
        assert place in command
        command = command.replace(place, here)
    log = tmp_path / "log"
    with open(log, "w") as output:
        server = subprocess.Popen(command.split(), stdout=output, stderr=subprocess.STDOUT)
    try:
        while not (url := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert server.poll() is None, log.read_text()
        with urllib.request.urlopen(f"{url[0]}/readyz", timeout=DEADLINE) as answer:
            assert answer.status == 200
        server.terminate()
        assert server.wait(DEADLINE) == 0
    finally:
        server.kill()
        server.wait()


def installed_in_image() -> set[str]:
    stages = CONTAINERFILE.read_text().split("\nFROM ")
    last = stages[-1].replace("\\\n", " ")
    found = re.search(r"apt-get install -y --no-install-recommends(.*?)&&", last)
    assert found is not None
    return set(found[1].split())


def package_of(library: str) -> str:
    # Merged /usr: dpkg knows one of the two names.
    for name in (library, os.path.realpath(library), "/usr" + library):
        found = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    raise AssertionError(f"{library} is in no package")


def test_the_image_has_what_the_binary_is_linked_with() -> None:
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"=> (/\S+)", linked)
    assert libraries
    needed = {package_of(library) for library in libraries} - ALWAYS_THERE
    assert needed <= installed_in_image()
    assert LOADED <= installed_in_image()


def test_the_image_runs_what_the_binary_takes(tmp_path: Path) -> None:
    text = CONTAINERFILE.read_text()
    assert "RUN make build " in text
    command = re.findall(r'"([^"]*)"', text.split("\nCMD ")[1])
    here = [word.replace("/var/lib/ganglion", str(tmp_path)) for word in command]
    assert here != command
    environment = {name: value for name, value in os.environ.items() if name != "GANGLION_TOKEN"}
    refused = subprocess.run(
        [BINARY, *here], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    # All of it is understood; beyond the loopback it wants a token.
    assert refused.returncode == 2
    assert "GANGLION_TOKEN" in refused.stderr


def test_the_compose_file_says_what_the_container_and_the_store_need() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    server, redis = services["ganglion"], services["redis"]
    assert (COMPOSE.parent / server["build"]["context"]).resolve() == ROOT
    assert (ROOT / server["build"]["dockerfile"]) == CONTAINERFILE
    assert "redis://redis" in server["command"]
    assert "GANGLION_TOKEN" in server["environment"]
    settings = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert settings == {"--appendonly": "yes", "--appendfsync": "always", "--maxmemory-policy": "noeviction"}
