"""packaging/kubernetes, held against Kubernetes' schemas, the binary, the image and each other."""

from __future__ import annotations

import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

BINARY = os.environ["GANGLION_BINARY"]
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packaging/kubernetes"
CONTAINERFILE = ROOT / "packaging/container/Containerfile"
#: The newest that the schemas are there for, and the oldest that has all fields that are used.
VERSIONS = ("1.37", "1.27")
DEADLINE = 60  # seconds

Resource = dict[str, Any]


def resources(file: Path) -> list[Resource]:
    return [resource for resource in yaml.safe_load_all(file.read_text()) if resource is not None]


FILES = [file for file in sorted(FOLDER.glob("*.yaml")) if file.name != "kustomization.yaml"]
ALL = [resource for file in FILES for resource in resources(file)]
DEPLOYMENTS = {resource["metadata"]["name"]: resource for resource in ALL if resource["kind"] == "Deployment"}
CONFIGURATION = next(resource for resource in ALL if resource["kind"] == "ConfigMap")
SECRET = next(resource for resource in ALL if resource["kind"] == "Secret")

every_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=list(DEPLOYMENTS))


def of_kind(kind: str) -> Iterator[Resource]:
    return (resource for resource in ALL if resource["kind"] == kind)


def pod_of(deployment: Resource) -> Resource:
    pod: Resource = deployment["spec"]["template"]["spec"]
    return pod


def server_of(deployment: Resource) -> Resource:
    (server,) = pod_of(deployment)["containers"]
    assert isinstance(server, dict)
    return server


def option(server: Resource, name: str) -> str:
    arguments = server["args"]
    return str(arguments[arguments.index(name) + 1])


def help_of_serve() -> str:
    return subprocess.run([BINARY, "serve", "--help"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_kubernetes_takes_the_manifests(file: Path, version: str) -> None:
    for resource in resources(file):
        kubernetes_validate.validate(resource, version, strict=True)


def test_the_kustomization_has_all_but_the_secret() -> None:
    listed = set(yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"])
    assert listed == {file.name for file in FILES} - {"secret.example.yaml"}


def test_the_roles_are_all_there_are() -> None:
    roles = {option(server_of(deployment), "--roles") for deployment in DEPLOYMENTS.values()}
    assert roles == {"ingress", "coordinator", "agents"}
    assert all(role in help_of_serve() for role in roles)


@every_deployment
def test_the_binary_takes_the_arguments(deployment: Resource, tmp_path: Path) -> None:
    server = server_of(deployment)
    project = tmp_path / "ganglion.yaml"
    project.write_text(CONFIGURATION["data"]["ganglion.yaml"])
    arguments = [str(project) if argument == option(server, "-f") else argument for argument in server["args"]]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GANGLION_")}
    refused = subprocess.run(
        [BINARY, *arguments],
        env=environment | SECRET["stringData"] | {"GANGLION_STORE": "nowhere:"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    # All of it is understood, and nobody is at that store.
    assert (refused.returncode, "nowhere:" in refused.stderr) == (2, True), refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["ganglion.yaml"], "it wrote where a pod can't"


def test_the_secret_has_what_the_binary_reads() -> None:
    help = help_of_serve()
    assert set(SECRET["stringData"]) == {
        "GANGLION_TOKEN",
        "GANGLION_STORE",
        "GANGLION_BUS",
    }
    for name, value in SECRET["stringData"].items():
        assert name in help
        scheme, separator, _ = value.partition("://")
        assert not separator or f"{scheme}://HOST" in help
    for deployment in DEPLOYMENTS.values():
        assert server_of(deployment)["envFrom"] == [{"secretRef": {"name": SECRET["metadata"]["name"]}}]


def test_the_project_is_valid(tmp_path: Path) -> None:
    project = tmp_path / "ganglion.yaml"
    project.write_text(CONFIGURATION["data"]["ganglion.yaml"])
    checked = subprocess.run(
        [BINARY, "validate", project], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert checked.returncode == 0, checked.stderr


@every_deployment
def test_files_ports_and_labels_belong_together(deployment: Resource) -> None:
    pod, server = pod_of(deployment), server_of(deployment)
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in server["volumeMounts"]}
    project = Path(option(server, "-f"))
    assert mounts[str(project.parent)]["configMap"]["name"] == CONFIGURATION["metadata"]["name"]
    assert project.name in CONFIGURATION["data"]
    (port,) = server["ports"]
    assert option(server, "--listen") == f"0.0.0.0:{port['containerPort']}"
    assert f"EXPOSE {port['containerPort']}\n" in CONTAINERFILE.read_text()
    probes = [server[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert {probe["httpGet"]["port"] for probe in probes} == {port["name"]}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    budgets = [
        budget for budget in of_kind("PodDisruptionBudget") if budget["spec"]["selector"]["matchLabels"] == labels
    ]
    assert len(budgets) == 1 and deployment["spec"]["replicas"] > budgets[0]["spec"]["maxUnavailable"]


def test_services_lead_to_who_answers_clients_and_workers() -> None:
    roles = {"ganglion": "ingress", "ganglion-agents": "agents"}
    assert {service["metadata"]["name"] for service in of_kind("Service")} == set(roles)
    for service in of_kind("Service"):
        deployment = DEPLOYMENTS[f"ganglion-{roles[service['metadata']['name']]}"]
        assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
        (port,) = service["spec"]["ports"]
        assert port["targetPort"] in {port["name"] for port in server_of(deployment)["ports"]}


@every_deployment
def test_nobody_is_sent_away_while_it_is_replaced(deployment: Resource) -> None:
    update = deployment["spec"]["strategy"]["rollingUpdate"]
    assert update["maxUnavailable"] == 0 and update["maxSurge"] > 0
    *_, before = server_of(deployment)["lifecycle"]["preStop"]["exec"]["command"]
    source = (ROOT / "src/host/embedded_host.cc").read_text()
    drain = re.search(r"kDrain\{([\d']+)\}", source)
    assert drain is not None
    seconds = int(drain[1].replace("'", "")) / 1000
    # Workers have as long as requests.
    assert pod_of(deployment)["terminationGracePeriodSeconds"] >= int(before) + 2 * seconds + 5


@every_deployment
def test_a_pod_may_do_no_more_than_it_needs(deployment: Resource) -> None:
    pod, server = pod_of(deployment), server_of(deployment)
    user = re.search(r"useradd --system --uid (\d+)", CONTAINERFILE.read_text())
    assert user is not None
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == int(user[1])
    assert pod["automountServiceAccountToken"] is False
    assert server["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"memory", "cpu"} <= set(server["resources"]["requests"])


def test_the_probes_are_answered(tmp_path: Path) -> None:
    paths = {
        server_of(deployment)[probe]["httpGet"]["path"]
        for deployment in DEPLOYMENTS.values()
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    log = tmp_path / "log"
    command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--store", "memory:"]
    with open(log, "w") as output:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT)
    try:
        while not (url := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert server.poll() is None, log.read_text()
        for path in paths:
            with urllib.request.urlopen(url[0] + path, timeout=DEADLINE) as answer:
                assert answer.status == 200
        server.terminate()
        assert server.wait(DEADLINE) == 0
    finally:
        server.kill()
        server.wait()
