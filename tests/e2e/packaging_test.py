"""What packaging/ promises, held against the binary: units' options, the container's packages, compose files."""

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
COMPOSE_THREE = ROOT / "packaging/container/compose-three.yaml"
TEMPLATE = ROOT / "packaging/systemd/ganglion@.service"
DEADLINE = 30  # seconds
#: What every Debian 12 has, the smallest image included.
ALWAYS_THERE = {"libc6", "libgcc-s1", "libstdc++6", "libzstd1", "zlib1g"}
#: Loaded when needed, not linked.
LOADED = {"libcurl4", "libpq5"}
PROJECT = "ganglion: 1\nworkflows: {w: {steps: {s: {transform: '${{ 1 }}'}}}}\n"


def exec_start(unit: Path = UNIT) -> list[str]:
    found = re.search(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()


@pytest.mark.parametrize("file", [UNIT, TEMPLATE], ids=lambda file: file.name)
def test_the_unit_is_one_that_systemd_takes(file: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / file.name.replace("@", "@coordinator")
    unit.write_text(file.read_text().replace("/usr/bin/ganglion", str(BINARY)))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    about_it = [line for line in checked.stderr.splitlines() if unit.name in line]
    assert about_it == []


def test_the_template_is_the_unit_but_for_what_several_need() -> None:
    def settings(unit: Path) -> list[str]:
        lines = unit.read_text().splitlines()
        theirs = (
            "Description=",
            "StateDirectory=",
            "Environment=",
            "EnvironmentFile=",
            "ExecStart=",
        )
        return [line for line in lines if line and not line.startswith(("#", *theirs))]

    assert settings(TEMPLATE) == settings(UNIT)


def test_the_binary_takes_what_the_template_gives_it(tmp_path: Path) -> None:
    (tmp_path / "ganglion.yaml").write_text(PROJECT)
    comment, unit = TEMPLATE.read_text().split("[Unit]")
    own = dict(re.findall(r"^#   (\w+)=(.*)$", comment, re.MULTILINE))
    defaults = re.search(r"^Environment=(.*)$", unit, re.MULTILINE)
    assert defaults is not None
    for given in (own, dict(word.split("=") for word in defaults[1].split())):
        assert set(given) == {"LISTEN", "ROLES", "OPTIONS"}
        line = " ".join(exec_start(TEMPLATE)).replace("/etc/ganglion/", f"{tmp_path}/")
        for name in given:
            line = line.replace(f"${{{name}}}", given[name]).replace(f"${name}", given[name])
        # All of it is understood, and nobody is at that store.
        command = line.replace("/usr/bin/ganglion", str(BINARY)).split()
        refused = run_without_token(
            command,
            tmp_path,
            GANGLION_STORE="nowhere:",
            GANGLION_BUS="redis://127.0.0.1",
            GANGLION_TOKEN="secret",
        )
        assert (refused.returncode, "nowhere:" in refused.stderr) == (2, True), refused.stderr


def run_without_token(command: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "GANGLION_TOKEN"}
    return subprocess.run(
        command,
        env=environment | more,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_the_server_runs_as_the_unit_says(tmp_path: Path) -> None:
    (tmp_path / "ganglion.yaml").write_text(PROJECT)
    places = {
        "/usr/bin/ganglion": str(BINARY),
        "/etc/ganglion/": f"{tmp_path}/",
        "127.0.0.1:7420": "127.0.0.1:0",
    }
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
    refused = run_without_token([str(BINARY), *here], tmp_path)
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
    assert settings == {
        "--appendonly": "yes",
        "--appendfsync": "always",
        "--maxmemory-policy": "noeviction",
    }


def test_the_three_servers_share_what_the_first_compose_file_has() -> None:
    one = yaml.safe_load(COMPOSE.read_text())["services"]
    services = yaml.safe_load(COMPOSE_THREE.read_text())["services"]
    servers = [services.pop(name) for name in ("one", "two", "three")]
    assert services.pop("redis") == one["redis"]
    assert len({server.pop("ports")[0] for server in servers}) == 3
    assert servers[0] == servers[1] == servers[2]
    for key in ("build", "volumes", "restart", "stop_grace_period"):
        assert servers[0][key] == one["ganglion"][key]
    environment = servers[0]["environment"]
    assert (environment["GANGLION_STORE"], set(services)) == (
        "redis://redis",
        {"rabbitmq"},
    )
    broker = services["rabbitmq"]["environment"]
    user, password = broker["RABBITMQ_DEFAULT_USER"], broker["RABBITMQ_DEFAULT_PASS"]
    assert environment["GANGLION_BUS"] == f"amqp://{user}:{password}@rabbitmq"


def test_the_binary_takes_what_the_three_servers_are_given(tmp_path: Path) -> None:
    (tmp_path / "ganglion.yaml").write_text(PROJECT)
    server = yaml.safe_load(COMPOSE_THREE.read_text())["services"]["one"]
    shared = server["environment"] | {"GANGLION_STORE": "nowhere:"}
    refused = run_without_token([str(BINARY), *server["command"]], tmp_path, **shared)
    # All of it is understood, and nobody is at that store.
    assert (refused.returncode, "nowhere:" in refused.stderr) == (2, True), refused.stderr
