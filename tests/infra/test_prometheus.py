"""Tests of Prometheus' files: they fit their schema, use existing metrics, and every alert names its cure."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer.main
import yaml
from grafana_schema import Dashboard, Strict, loaded
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from pydantic import Field, ValidationError

from agents.cli import app
from agents.runtime.wiring import NAMES
from streams import telemetry

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "infra" / "prometheus"
OPERATIONS = ROOT / "infra" / "grafana" / "provisioning" / "dashboards" / "operations.json"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = {name: service for name, service in COMPOSE.items() if service["image"].startswith("groundswell:")}
FUNCTIONS = {"rate", "increase", "changes", "absent", "histogram_quantile", "time"}
AGGREGATIONS = {"sum", "max", "min", "count", "avg"}
WORDS = {"and", "or", "unless", "offset"}
OF_THE_TARGET = {"job", "instance", "service"}
DURATION = Annotated[str, Field(pattern=r"^\d+[smhd]$")]


class Labels(Strict):
    severity: Literal["critical", "warning"]


class Says(Strict):
    summary: str = Field(min_length=1)
    description: str = Field(min_length=1)


class Rule(Strict):
    alert: str = Field(pattern=r"^[A-Z][A-Za-z]+$")
    expr: str
    lasting: DURATION | None = Field(None, alias="for")
    labels: Labels
    annotations: Says


class Group(Strict):
    name: str
    rules: list[Rule]


class Rules(Strict):
    groups: list[Group]


class Found(Strict):
    names: list[str]
    type: Literal["A"]
    port: int
    refresh: DURATION = Field(alias="refresh_interval")


class Relabel(Strict):
    labels: list[str] = Field(alias="source_labels")
    regex: str
    target: str = Field(alias="target_label")


class Job(Strict):
    name: str = Field(alias="job_name")
    dns: list[Found] = Field(alias="dns_sd_configs")
    relabel: list[Relabel] = Field(alias="relabel_configs")


class Everywhere(Strict):
    scrape: DURATION = Field(alias="scrape_interval")
    evaluation: DURATION = Field(alias="evaluation_interval")


class Config(Strict):
    everywhere: Everywhere = Field(alias="global")
    rules: list[str] = Field(alias="rule_files")
    jobs: list[Job] = Field(alias="scrape_configs")


CONFIG: Config = loaded(Config, yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text()))
RULES: dict[str, Rule] = {
    rule.alert: rule
    for group in loaded(Rules, yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())).groups
    for rule in group.rules
}
BOARD: Dashboard = loaded(Dashboard, yaml.safe_load(OPERATIONS.read_text()))
EXPRESSIONS = {name: rule.expr for name, rule in RULES.items()} | BOARD.expressions


def metrics() -> dict[str, set[str]]:
    """Return {name of a series: its labels} for telemetry, for every Python process, and for `up`."""
    found: dict[str, set[str]] = {"up": set()}
    for metric in vars(telemetry).values():
        if isinstance(metric, MetricWrapperBase):
            labels = set(metric._labelnames)
            for family in metric.describe():
                endings = {
                    "counter": ("_total",),
                    "gauge": ("",),
                    "histogram": ("_bucket", "_sum", "_count"),
                }[family.type]
                for ending in endings:
                    found[family.name + ending] = labels | ({"le"} if ending == "_bucket" else set())
    for family in REGISTRY.collect():
        if family.name.startswith("process_"):
            found |= {sample.name: set() for sample in family.samples}
    return found


def asked(expression: str) -> set[str]:
    """Return the metrics in an expression; assert that it is well formed and its functions and labels exist.

    This finds typing errors; the full grammar of PromQL is checked by promtool, where it is installed.
    """
    known, used, labels = metrics(), set(), set()
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    for opening, closing in ("()", "[]", "{}"):
        depth = 0
        for character in text:
            depth += (character == opening) - (character == closing)
            assert depth >= 0, f"a {closing} too many"
        assert depth == 0, f"a {opening} too many"
    for durations in re.findall(r"\[([^\]]*)\]", text) + re.findall(r"\boffset\s+(\S+?)(?=[\s)]|$)", text):
        assert re.fullmatch(r"\d+[smhd]|\$__rate_interval", durations), durations
    text = re.sub(r"\[[^\]]*\]|\boffset\s+[^\s)]+", " ", text)
    for listed in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", text):
        labels |= {label.strip() for label in listed.split(",") if label.strip()}
    text = re.sub(r"\b(?:by|without|on|ignoring)\s*\([^)]*\)", " ", text)
    for inside in re.findall(r"\{([^}]*)\}", text):
        for matcher in inside.split(","):
            match = re.fullmatch(r'\s*(\w+)\s*(=~|!~|=|!=)\s*""\s*', matcher)
            assert match is not None, matcher
            labels.add(match[1])
    text = re.sub(r"\{[^}]*\}", " ", text)
    for name, call in re.findall(r"\b([A-Za-z_:]\w*)\s*(\(?)", text):
        if call and name not in WORDS:
            assert name in FUNCTIONS | AGGREGATIONS, f"{name} is no function"
        elif name not in WORDS | AGGREGATIONS:
            assert name in known, f"nothing measures {name}"
            used.add(name)
    possible = set().union(*(known[name] for name in used)) | OF_THE_TARGET
    assert labels <= possible, f"no label {labels - possible}"
    assert used
    return used


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_asks_for_what_groundswell_measures(name: str) -> None:
    assert asked(EXPRESSIONS[name])


@pytest.mark.parametrize(
    "wrong",
    [
        "sum by (agent) (rate(groundswell_event_total[5m]))",
        "sum by (agnt) (rate(groundswell_events_total[5m]))",
        "sum by (agent (rate(groundswell_events_total[5m]))",
        "rats(groundswell_events_total[5m])",
        "rate(groundswell_events_total[5 minutes])",
        'up{jobb="web"}',
        'groundswell_newest_timestamp_seconds{what:"seen"}',
        "groundswell_lag offset half",
    ],
)
def test_a_slip_of_the_pen_is_found(wrong: str) -> None:
    with pytest.raises(AssertionError):
        asked(wrong)


def test_every_metric_is_shown_or_watched() -> None:
    used = set().union(*(asked(expression) for expression in EXPRESSIONS.values()))
    ours = {name.rsplit("_bucket")[0] for name in used if name.startswith("groundswell_")}
    families = {
        name.removesuffix("_bucket")
        for name in metrics()
        if name.startswith("groundswell_") and not name.endswith(("_sum", "_count"))
    }
    assert ours == families


def test_a_rule_or_a_config_with_a_slip_of_the_pen_does_not_fit() -> None:
    content = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
    content["groups"][0]["rules"][0]["annotation"] = {}
    with pytest.raises(ValidationError):
        loaded(Rules, content)
    content = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    content["scrape_configs"][0]["dns_sd_configs"][0]["refresh_interval"] = "15 s"
    with pytest.raises(ValidationError):
        loaded(Config, content)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_alert_says_its_cure_by_commands_that_exist(rule: Rule) -> None:
    said = rule.annotations.description
    cures = re.findall(r"(docker compose (?:up|logs|restart)|groundswell [a-z-]+ ?[a-z-]*)", said)
    assert cures, "an alert says what to do"
    top: Any = typer.main.get_command(app)
    for cure in cures:
        if cure.startswith("groundswell "):
            _, group, *command = cure.split()
            assert group in top.commands, cure
            assert not command or command[0] in getattr(top.commands[group], "commands", {}), cure
    for service in re.findall(r"docker compose (?:logs|restart)(?: --tail \d+)? ([a-z]+)", said):
        assert service in COMPOSE


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_an_alert_speaks_of_labels_that_its_expression_leaves(rule: Rule) -> None:
    spoken = set(re.findall(r"\$labels\.(\w+)", rule.annotations.summary + rule.annotations.description))
    grouped = {
        label.strip()
        for listed in re.findall(r"^\s*sum by \(([^)]*)\)", rule.expr)
        for label in listed.split(",")
    }
    aggregated = re.match(r"\s*(sum|max|time\(\) - max)\b", rule.expr)
    assert spoken <= (grouped if aggregated else OF_THE_TARGET)


def test_what_the_pages_warn_of_is_watched() -> None:
    assert {"LagNotShrinking", "DeadLetters", "NoUploads", "CheckpointOld"} <= set(RULES)
    assert {"TargetDown", "ServiceMissing", "RestartsAgainAndAgain"} <= set(RULES)


def test_prometheus_scrapes_workers_and_page_and_notices_losses() -> None:
    found = {
        name: (job.name, source.port) for job in CONFIG.jobs for source in job.dns for name in source.names
    }
    ports = {"worker": ("workers", 8080), "web": ("web", 8000)}
    assert found == {
        name: ports[service["command"][1]] for name, service in OURS.items() if name != "migrate"
    }
    assert CONFIG.rules == ["alerts.yml"]
    relabel = CONFIG.jobs[0].relabel[0].regex
    labels = {re.fullmatch(relabel, name)[1] for name in found}  # type: ignore[index]
    assert labels == {*NAMES, "web"}
    missing = RULES["ServiceMissing"].expr
    assert set(re.findall(r'absent\(up\{service="(\w+)"\}\)', missing)) == labels


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here (Debian's package prometheus)")
@pytest.mark.parametrize("check", [["config", "prometheus.yml"], ["rules", "alerts.yml"]])
def test_promtool_agrees(check: list[str]) -> None:
    told = subprocess.run(
        ["promtool", "check", *check], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
