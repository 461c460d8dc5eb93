"""Tests of infra/kubernetes: it is valid, builds, and runs what docker-compose.yml runs, in the same way."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from agents.alerting import config_file
from agents.alerting.config import AlertConfig
from agents.topics.split import Split
from agents.transcription.transcribe import Transcribe
from benchmarks.sizing import SINGLE
from streams.kafka.admin import group_of
from streams.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "infra" / "kubernetes"
BASE = KUBERNETES / "base"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = {name: service for name, service in COMPOSE.items() if service["image"].startswith("groundswell:")}
PATCHES = ("container", "probes")
"""Files that are merged into every workload."""
VERSIONS = ("1.30", "1.37")
"""The oldest Kubernetes that is supported, and the newest that there was."""


def manifests(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the resources in a folder's files, as they are written."""
    for path in sorted(folder.glob("*.yaml")):
        if path.stem not in ("kustomization", "alerts", *PATCHES):
            yield from yaml.safe_load_all(path.read_text())


RESOURCES = {(each["kind"], each["metadata"]["name"]): each for each in manifests(BASE)}
WORKLOADS = {name: each for (kind, name), each in RESOURCES.items() if kind in ("Deployment", "Job")}
COMMON, PROBES = (yaml.safe_load((BASE / f"{name}.yaml").read_text()) for name in PATCHES)
SETTINGS = dict(re.findall(r"^(\w+)=(.*)$", (BASE / "settings.env").read_text(), re.MULTILINE))


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def invalid(resources: Iterable[dict[str, Any]], version: str) -> list[str]:
    """Return what a version of Kubernetes does not accept in its own kinds: unknown fields are wrong, too."""
    found = []
    for each in resources:
        if "keda.sh" not in each["apiVersion"]:  # whose schemas are in no package
            try:
                kubernetes_validate.validate(each, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                found.append(f"{each['kind']} {each['metadata']['name']}: {error.message}")
    return found


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod(workload)["containers"]
    assert only["name"] == "groundswell", "what all have in common is merged by this name"
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_accepts_every_manifest(version: str) -> None:
    assert invalid(RESOURCES.values(), version) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_misspelled_field_and_a_wrong_type_are_not_accepted(version: str) -> None:
    workload = RESOURCES["Deployment", "split"]
    for wrong in ({"revisionHistory": 3}, {"minReadySeconds": "10 s"}):
        assert len(invalid([workload | {"spec": workload["spec"] | wrong}], version)) == 1


def test_it_runs_the_commands_that_compose_runs() -> None:
    commands = {tuple(service["command"]) for service in OURS.values()}
    assert {tuple(container(each)["args"]) for each in WORKLOADS.values()} == commands
    for name, workload in WORKLOADS.items():
        assert container(workload)["args"][-1] == name
        assert workload["kind"] == ("Job" if name == "migrate" else "Deployment")


def test_it_has_the_limits_of_memory_that_compose_has() -> None:
    for service in OURS.values():
        limit = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", service["mem_limit"])
        resources = container(WORKLOADS[service["command"][-1]])["resources"]
        assert resources["limits"]["memory"] == limit.replace("g", "Gi"), service["command"]
        assert resources["requests"].keys() == {"cpu", "memory"}


def test_its_settings_are_those_that_compose_sets_itself() -> None:
    prefix = "GROUNDSWELL_"
    assert {name.removeprefix(prefix).lower() for name in SETTINGS} <= set(Settings.model_fields)
    alert = COMPOSE["alert"]["environment"]
    same = ("OPS_HOST", "OPS_PORT", "WEB_HOST", "WEB_PORT", "ALERTS", "DEVICE", "BROKER", "CLICKHOUSE")
    for name in same:
        assert SETTINGS[prefix + name] == str(alert[prefix + name]), name
    mounted = {each["mountPath"] for each in container(COMMON)["volumeMounts"]}
    dockerfile = (ROOT / "infra" / "docker" / "Dockerfile").read_text()
    assert mounted == {"/data/home", "/cache", "/etc/groundswell"}
    assert "GROUNDSWELL_HOME=/data/home" in dockerfile
    assert config_file.parse((BASE / "alerts.yaml").read_text(), "alerts.yaml") == AlertConfig()


def test_its_secrets_are_only_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert {"secretRef": {"name": "groundswell-secrets"}} in container(COMMON)["envFrom"]
    assert not any(kind == "Secret" for kind, _ in RESOURCES)
    example = (KUBERNETES / "example" / "secrets.env.example").read_text().splitlines()
    assert all(line.endswith("=") for line in example), "no value is written down"
    assert "infra/kubernetes/example/secrets.env" in (ROOT / ".gitignore").read_text()
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    settings = Settings(home=tmp_path)
    secrets = {f"GROUNDSWELL_{name.upper()}=" for name, field in Settings.model_fields.items()
               if "Secret" in str(field.annotation)}  # fmt: skip
    assert set(example) & secrets == {"GROUNDSWELL_CLICKHOUSE_PASSWORD="}
    assert not settings.clickhouse_password.get_secret_value()


def test_pods_are_nobody_special_and_ask_whether_they_are_ready() -> None:
    assert pod(COMMON)["securityContext"]["runAsUser"] == 10001
    assert "useradd --uid 10001" in (ROOT / "infra" / "docker" / "Dockerfile").read_text()
    assert container(COMMON)["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    probes = container(PROBES)
    asked = {name: probe["httpGet"] for name, probe in probes.items() if name.endswith("Probe")}
    assert asked == {
        "startupProbe": {"path": "/readyz", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
        "livenessProbe": {"path": "/healthz", "port": "http"},
    }
    for name, workload in WORKLOADS.items():
        port = SETTINGS["GROUNDSWELL_WEB_PORT" if name == "web" else "GROUNDSWELL_OPS_PORT"]
        if name != "migrate":
            assert container(workload)["ports"] == [{"name": "http", "containerPort": int(port)}], name


def test_agents_that_work_alone_are_replaced_and_others_scale() -> None:
    for name, workload in WORKLOADS.items():
        if name != "migrate":
            how = "Recreate" if name in SINGLE else "RollingUpdate"
            assert workload["spec"]["strategy"] == {"type": how}, name
    budgets = {name for kind, name in RESOURCES if kind == "PodDisruptionBudget"}
    assert budgets == set(WORKLOADS) - SINGLE - {"migrate"}


def test_keda_reads_the_lag_of_the_groups_that_the_workers_have() -> None:
    settings = Settings(study=SETTINGS["GROUNDSWELL_STUDY"], broker="kafka:9092")
    scaled = {name: each["spec"] for (kind, name), each in RESOURCES.items() if kind == "ScaledObject"}
    assert set(scaled) == {"transcribe", "split"}
    for agent in (Split, Transcribe):
        spec = scaled[agent.name]
        (trigger,) = spec["triggers"]
        about = trigger["metadata"]
        assert spec["scaleTargetRef"] == {"name": agent.name}
        assert spec["maxReplicaCount"] == settings.partitions, "further ones would have nothing to read"
        assert about["consumerGroup"] == group_of(settings, agent.name)
        assert about["topic"] == f"{settings.study}.{agent.reads[0].name}"
        assert about["bootstrapServersFromEnv"] == "GROUNDSWELL_BROKER"
        assert "replicas" not in WORKLOADS[agent.name]["spec"], "each apply would undo what KEDA did"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")
def test_the_example_builds_with_everything_in_every_pod(tmp_path: Path) -> None:
    copy = shutil.copytree(KUBERNETES, tmp_path / "kubernetes") / "example"
    shutil.copy(copy / "secrets.env.example", copy / "secrets.env")
    command = ["kubectl", "kustomize", str(copy)]
    built = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    resources = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(built)}
    made = {name for kind, name in resources if kind in ("ConfigMap", "Secret")}
    assert [invalid(resources.values(), version) for version in VERSIONS] == [[], []]
    for (kind, name), each in resources.items():
        assert each["metadata"]["namespace"] == "groundswell"
        if kind in ("Deployment", "Job"):
            only = container(each)
            sources = [*only["envFrom"][0].values(), *only["envFrom"][1].values()]
            assert {source["name"] for source in sources} <= made, "by the names that they were given"
            assert (
                only["image"]
                == f"registry.example.org/groundswell:{'gpu' if name == 'transcribe' else 'cpu'}"
            )
            assert ("readinessProbe" in only) == (kind == "Deployment")
            assert pod(each)["securityContext"]["runAsNonRoot"] is True
    gpu = resources["Deployment", "transcribe"]
    assert pod(gpu)["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert container(gpu)["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert container(gpu)["env"] == [{"name": "GROUNDSWELL_DEVICE", "value": "cuda"}]
    (settings,) = [each["data"] for (_, name), each in resources.items() if "settings" in name]
    assert settings["GROUNDSWELL_BROKER"] == "kafka.example.org:9092"
    assert settings["GROUNDSWELL_STUDY"] == "main"
