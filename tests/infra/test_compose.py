"""Tests of docker-compose.yml: it fits the Compose Specification, and the files around it fit it.

compose-spec.json is the specification's own JSON schema, unchanged (compose-spec/compose-spec, Apache-2.0).
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from agents.alerting import config_file
from agents.alerting.config import AlertConfig
from agents.runtime.wiring import NAMES
from streams.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("groundswell:")}
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|KEY")


def environment() -> list[tuple[str, str, Any]]:
    """Return (service, variable, value) for every environment variable of every service."""
    return [
        (name, key, value)
        for name, service in SERVICES.items()
        for key, value in service.get("environment", {}).items()
    ]


def mounts(service: dict[str, Any]) -> list[list[str]]:
    """Return [source, target, …] of each volume, with the defaults of variables."""
    return [
        volume.split(":")
        if isinstance(volume, str)
        else [unset(volume["source"]), volume["target"], *(["ro"] if volume["read_only"] else [])]
        for volume in service.get("volumes", [])
    ]


def unset(text: str) -> str:
    """Return a text with the defaults of its variables."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def test_it_fits_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(COMPOSE)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate({"services": {"kafka": {"imagine": "kafka"}}})


def test_every_agent_has_a_worker_and_every_worker_an_agent() -> None:
    commands = [service["command"] for service in OURS.values()]
    assert all(command[0] == "groundswell" for command in commands)
    assert {agent for command in commands if command[1] == "worker" for agent in command[2:]} == set(NAMES)
    assert {command[1] for command in commands} == {"worker", "web", "migrate"}
    for name, service in OURS.items():
        if service["command"][1] == "worker":
            assert name.split("-")[0] == service["command"][2]


def test_one_transcription_worker_runs_as_the_profile_says() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"transcribe-cpu": ["cpu"], "transcribe-gpu": ["gpu"]}
    devices = SERVICES["transcribe-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert "COMPOSE_PROFILES=cpu\n" in (ROOT / ".env.example").read_text()


def test_every_service_tells_its_health_or_runs_once() -> None:
    for name, service in SERVICES.items():
        if name == "migrate":
            assert service["restart"].startswith("on-failure")
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0].startswith("CMD"), name


def test_nothing_starts_before_what_it_needs() -> None:
    for name, service in OURS.items():
        waits = {needed: how["condition"] for needed, how in service["depends_on"].items()}
        expected = {"kafka": "service_healthy", "clickhouse": "service_healthy"}
        if name != "migrate":
            expected["migrate"] = "service_completed_successfully"
        assert waits == expected, name


def test_the_env_example_has_exactly_the_variables_in_use() -> None:
    interpolated = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    passed_on = {key for _, key, value in environment() if value is None}
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    assert named - {"COMPOSE_PROFILES"} == interpolated | passed_on


def test_no_secret_is_written_down() -> None:
    secrets = [(name, key, value) for name, key, value in environment() if SECRET.search(key)]
    assert {key for _, key, _ in secrets} >= {"CLICKHOUSE_PASSWORD", "GF_SECURITY_ADMIN_PASSWORD"}
    for name, key, value in secrets:
        assert value is None or re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value), (name, key)
    assert not re.search(r"://[^/\s@]+:[^/\s@]+@", TEXT), "a password in a URL"
    for line in (ROOT / ".env.example").read_text().splitlines():
        if SECRET.search(line.partition("=")[0]) and "=" in line:
            assert line.endswith("="), line


def test_groundswell_knows_every_setting_it_is_given() -> None:
    prefix = "GROUNDSWELL_"
    given = {key.removeprefix(prefix).lower() for _, key, _ in environment() if key.startswith(prefix)}
    dockerfile = (ROOT / "infra" / "docker" / "Dockerfile").read_text()
    given |= {key.lower() for key in re.findall(rf"\b{prefix}([A-Z_]+)=", dockerfile)}
    assert given <= set(Settings.model_fields)


def test_alerting_and_curating_services_have_what_they_need() -> None:
    folder = "./infra/docker/alerts"
    for name, service in OURS.items():
        tells = name in {"alert", "web"}
        about, mounted = service["environment"], {mount[1]: mount for mount in mounts(service)}
        assert mounted["/data/home"] == ["home", "/data/home"], "curators and the key of sessions stay"
        assert mounted["/data/blobs"] == ["blobs", "/data/blobs"]
        assert about["GROUNDSWELL_CLICKHOUSE"] and about["GROUNDSWELL_BROKER"]
        assert "GROUNDSWELL_CURATORS" in about
        assert ("GROUNDSWELL_ALERTS" in about) == tells, name
        if tells:
            assert mounted["/etc/groundswell"] == [folder, "/etc/groundswell", "ro"]
            assert about["GROUNDSWELL_ALERTS"] == "/etc/groundswell/alerts.yaml"
            (variables,) = service["env_file"]
            assert unset(variables["path"]) == f"{folder}/alerts.env"
            assert variables["required"] is False
    assert SERVICES["alert"]["healthcheck"]["test"][-1] == "8080"
    assert SERVICES["web"]["healthcheck"]["test"][-1] == "8000"


def test_the_shipped_rulebook_has_defaults_and_a_right_example() -> None:
    text = (ROOT / "infra" / "docker" / "alerts" / "alerts.yaml").read_text()
    assert config_file.parse(text, "alerts.yaml") == AlertConfig()
    example = "\n".join(re.findall(r"^# ((?:rules|destinations| ).*)$", text, re.MULTILINE))
    assert [each.name for each in config_file.parse(example, "example").destinations] == ["team", "ann"]


def test_what_compose_says_of_the_page_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key, value in SERVICES["web"]["environment"].items():
        if key.startswith("GROUNDSWELL_WEB_"):
            monkeypatch.setenv(key, unset(str(value)))
    settings = Settings(home=tmp_path)
    assert settings.web_hosts == ["localhost"]
    assert settings.web_url == "http://localhost:8000"
    example = (ROOT / ".env.example").read_text()
    for name in ("GROUNDSWELL_WEB_HOSTS", "GROUNDSWELL_WEB_URL", "GROUNDSWELL_CURATORS"):
        (written,) = re.findall(rf"^# {name}=(.+)$", example, re.MULTILINE)
        monkeypatch.setenv(name, written)
    written_as = Settings(home=tmp_path)
    assert (written_as.web_hosts, written_as.web_url) == (["localhost"], "https://talks.example.org")
    assert str(written_as.curators_file).startswith("/data/home/"), "in a volume"


def test_ports_are_open_to_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_images_are_of_a_version() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":v?\d|:cpu$|:gpu$", service["image"]), name


def test_what_is_mounted_and_copied_exists() -> None:
    named: set[str] = set()
    for service in SERVICES.values():
        for source, target, *mode in mounts(service):
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert mode == ["ro"], target
            else:
                named.add(source)
    assert named == set(COMPOSE["volumes"])
    dockerfile = (ROOT / "infra" / "docker" / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, f"the build cannot see {source}"
    assert {service["build"]["target"] for service in OURS.values()} == {"cpu", "gpu"}
    assert re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE)[-2:] == ["cpu", "gpu"]


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    dockerfile = (ROOT / "infra" / "docker" / "Dockerfile").read_text()
    installs = re.findall(r"uv pip install (.+)", dockerfile)
    locked = [options for options in installs if "-r " in options]
    assert len(locked) == 2
    assert all("--require-hashes" in options and "--no-deps" in options for options in locked)
    assert all("--offline" in options for options in installs if options not in locked)
    for stage in dockerfile.split("\nFROM ")[-2:]:
        assert re.findall(r"^USER (\w+)$", stage, re.MULTILINE)[-1] == "groundswell"
