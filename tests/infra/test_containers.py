"""The containers of docker-compose.yml, run: the whole path, though every process is killed, and a stop.

They need a Docker engine with Compose, and the images:

    docker compose build && docker compose pull kafka clickhouse
    .venv/bin/python -m pytest -m long tests/infra/test_containers.py

Where an image cannot be pulled, the Dockerfiles of infra/kafka and infra/clickhouse make one for trials.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes import AUDIO, ROOT, TALKS, until

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = [name for name, of in SERVICES.items() if of["image"] == "groundswell:cpu" and name != "migrate"]
STARTED = ["kafka", "clickhouse", *OURS]
SETTINGS = """\
COMPOSE_PROFILES=cpu
GROUNDSWELL_STUDY=rehearsal
GROUNDSWELL_MIN_DURATION_S=0
GROUNDSWELL_CLICKHOUSE_PASSWORD=rehearsed
GRAFANA_ADMIN_PASSWORD=unused
GRAFANA_CLICKHOUSE_PASSWORD=unused
"""
RECORDING = "2025-03-13-three-graders"
PAUSE_S = 1.0
"""Between two looks at the containers, each of which starts a process."""


def missing() -> str | None:
    """Return why the containers cannot run here; None: they can."""
    if shutil.which("docker") is None:
        return "no Docker here"
    for command in (["info"], ["compose", "version"]):
        if subprocess.run(["docker", *command], capture_output=True, check=False).returncode:
            return f"docker {' '.join(command)} fails here"
    for name in STARTED:
        image = SERVICES[name]["image"]
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode:
            return f"no image {image} here: docker compose build, docker compose pull"
    return None


pytestmark = [pytest.mark.long, pytest.mark.skipif((why := missing()) is not None, reason=f"{why}")]


@dataclass(frozen=True)
class Containers:
    """The containers of a project of its own, of which no port is published."""

    folder: Path

    def compose(self, *command: str, check: bool = True) -> str:
        """Run docker compose, and return what it prints."""
        done = subprocess.run(
            [
                *("docker", "compose", "--project-name", "groundswell-rehearsal"),
                *("--project-directory", str(ROOT), "--env-file", str(self.folder / "env")),
                *("--file", str(ROOT / "docker-compose.yml"), "--file", str(self.folder / "override.yml")),
                *command,
            ],
            env={
                key: of for key, of in os.environ.items() if not key.startswith(("GROUNDSWELL_", "COMPOSE_"))
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def groundswell(self, *command: str) -> str:
        """Run a groundswell command in the page's container, and return what it prints."""
        return self.compose("exec", "-T", "web", "groundswell", *command)

    def states(self) -> dict[str, dict[str, Any]]:
        """Return what docker says of the container of each service."""
        said = self.compose("ps", "--all", "--format", "json").splitlines()
        return {each["Service"]: each for each in map(json.loads, said)}

    def healthy(self) -> bool:
        """Return whether every container is."""
        states = self.states()
        return all(states[name]["Health"] == "healthy" for name in STARTED)

    def progress(self) -> dict[str, int]:
        """Return how many talks are in each state; none while the page cannot say it."""
        said = self.compose("exec", "-T", "web", "groundswell", "status", "--json", check=False)
        states: dict[str, int] = json.loads(said)["states"] if said else {}
        return states


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    folder = tmp_path_factory.mktemp("containers")
    (folder / "env").write_text(SETTINGS)
    changes = ["services:", *(f"  {name}: {{ ports: !reset [] }}" for name in OURS)]
    files = SERVICES["clickhouse"]["ulimits"]["nofile"]
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < files:  # a container cannot have more than its host
        changes.append("  clickhouse: { ulimits: !reset {} }")
    (folder / "override.yml").write_text("\n".join(changes) + "\n")
    started = Containers(folder)
    try:
        started.compose("up", "--detach", "--no-build", *STARTED)
        until(started.healthy, PAUSE_S)
        yield started
    finally:
        started.compose("down", "--volumes", "--timeout", "0", check=False)


def test_no_container_of_ours_has_root_or_a_capability(containers: Containers) -> None:
    asked = "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status | sort"
    for name in OURS:
        said = containers.compose("exec", "-T", name, "sh", "-c", asked).split()
        assert said == ["10001", "CapBnd:", "0" * 16, "CapEff:", "0" * 16, "NoNewPrivs:", "1"], name


def test_talks_arrive_though_every_process_is_killed(containers: Containers) -> None:
    containers.compose("cp", str(TALKS), "web:/tmp/talks")
    containers.compose("cp", str(AUDIO), "web:/tmp/audio")
    transcripts = len(list(TALKS.glob("*.json")))
    containers.groundswell("ingest", "/tmp/talks", f"/tmp/audio/{RECORDING}.ogg")
    until(lambda: containers.progress().get("assigned", 0) > 0, PAUSE_S)
    for name in OURS:
        containers.compose("exec", "-T", name, "bash", "-c", "kill -9 -1", check=False)
    for name in ("kafka", "clickhouse"):
        containers.compose("restart", "--timeout", "0", name)
    until(lambda: containers.progress() == {"assigned": transcripts + 1}, PAUSE_S)
    until(containers.healthy, PAUSE_S)
    assert "nothing is missing" in containers.groundswell("reconcile", "--dry-run")
    assert json.loads(containers.groundswell("dead-letters", "list", "--json")) == []


def test_a_stop_is_clean_and_a_start_finds_everything(containers: Containers) -> None:
    before = json.loads(containers.groundswell("themes", "--json"))
    containers.compose("stop", *OURS)
    assert {name: containers.states()[name]["ExitCode"] for name in OURS} == dict.fromkeys(OURS, 0)
    containers.compose("start", *OURS)
    until(containers.healthy, PAUSE_S)
    assert json.loads(containers.groundswell("themes", "--json")) == before
