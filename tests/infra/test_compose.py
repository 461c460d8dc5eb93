"""Tests of docker-compose.yml: it fits the Compose Specification, and the files around it fit it.

compose-spec.json is the specification's own JSON schema, unchanged (compose-spec/compose-spec, Apache-2.0).
"""

import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
SET_BY_COMPOSE = {
    "home": "the Dockerfile sets it to a volume",
    "broker": "the service kafka",
    "clickhouse": "the service clickhouse",
    **dict.fromkeys(
        (
            *("broker_tls", "broker_ca", "broker_certificate", "broker_key", "broker_key_password"),
            *("broker_sasl", "broker_user", "broker_password", "broker_token_url", "broker_token_scope"),
            *("clickhouse_ca", "clickhouse_certificate", "clickhouse_key"),
        ),
        "kafka and clickhouse are reached within the containers' network, without TLS",
    ),
    "ops_host": "all interfaces of the containers' network; no port of a worker is published",
    "ops_port": "a port of the container",
    "web_host": "all interfaces of the container; its port is published on the loopback interface",
    "web_port": "a port of the container",
    "device": "the service: transcribe-cpu or transcribe-gpu",
    "alerts": "a file in ALERTS_FOLDER, which is mounted",
    "insecure_tls": "for tests only",
}
"""Settings that a user of compose does not set, and why."""
SECRET = re.compile(r"PASSWORD|TOKEN(?!S)|SECRET|KEY")


def environment() -> list[tuple[str, str, Any]]:
    """Return (service, variable, value) for every environment variable of every service."""
    return [
        (name, key, value)
        for name, service in SERVICES.items()
        for key, value in service.get("environment", {}).items()
    ]


def passed_on() -> set[str]:
    """Return the variables that reach a service if they are set, and are absent otherwise."""
    return {key for _, key, value in environment() if value is None}


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
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    assert named - {"COMPOSE_PROFILES"} == interpolated | passed_on()


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


def test_every_other_setting_reaches_every_container() -> None:
    for name, service in OURS.items():
        given = service["environment"]
        for setting in set(Settings.model_fields) - set(SET_BY_COMPOSE):
            key = f"GROUNDSWELL_{setting.upper()}"
            assert key in given, f"{key} does not reach {name}: add it to docker-compose.yml and .env.example"
            assert given[key] is None or given[key].startswith(f"${{{key}:"), f"{name} cannot be given {key}"
    for setting in SET_BY_COMPOSE:
        assert f"GROUNDSWELL_{setting.upper()}" not in passed_on(), setting


def test_every_service_is_bounded_in_memory_and_logs() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"\d+[mg]", unset(service["mem_limit"])), name
        assert service["logging"]["driver"] == "local", name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[int, list[HTTPStatus]]]:
    """A port at which a server answers /readyz with the status that stands in the list."""
    answers = [HTTPStatus.OK]

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers[0] if self.path == "/readyz" else HTTPStatus.NOT_FOUND)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], answers
        server.shutdown()


@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE])
def test_the_health_check_says_what_readyz_says(
    asked: tuple[int, list[HTTPStatus]], status: HTTPStatus
) -> None:
    port, answers = asked
    answers[0] = status
    (command, *rest), own = SERVICES["track"]["healthcheck"]["test"][1:], "8080"
    assert rest.pop() == own
    check = [command, *(part.replace("$$", "$") for part in rest)]
    assert (subprocess.run([*check, str(port)], check=False, timeout=30).returncode == 0) == (
        status == HTTPStatus.OK
    )
    if status == HTTPStatus.OK:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nobody = [*check, str(free.getsockname()[1])]
            assert subprocess.run(nobody, check=False, capture_output=True, timeout=30).returncode != 0


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
        if key.startswith("GROUNDSWELL_WEB_") and value is not None:
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
    assert len(published) == 4
    assert not any("ports" in service for service in OURS.values() if service["command"][1] == "worker")
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_images_are_of_one_exact_version() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":v?\d+\.\d+\.\d+(\.\d+)?$|:cpu$|:gpu$", service["image"]), name
    dockerfile = (ROOT / "infra" / "docker" / "Dockerfile").read_text()
    bases = set(re.findall(r"^FROM (\S+:\S+)", dockerfile, re.MULTILINE))
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim", bases.pop())


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
