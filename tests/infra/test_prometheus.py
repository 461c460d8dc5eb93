"""Tests of Prometheus' and Alertmanager's files: they use existing metrics, name cures, and reach people.

alerts.promtool.yml fires every rule; what fires is delivered by a real Alertmanager.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any, Literal
from xml.etree import ElementTree

import httpx
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
from tests.processes import GIVE_UP_S, free_port

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "infra" / "prometheus"
OPERATIONS = ROOT / "infra" / "grafana" / "provisioning" / "dashboards" / "operations.json"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = {name: service for name, service in COMPOSE.items() if service["image"].startswith("groundswell:")}
FUNCTIONS = {"rate", "increase", "changes", "absent", "histogram_quantile", "time"}
AGGREGATIONS = {"sum", "max", "min", "count", "avg"}
WORDS = {"and", "or", "unless", "offset"}
OF_THE_TARGET = {"job", "instance", "service"}
CLICKHOUSE = {
    f"ClickHouseAsyncMetrics_{name}_default": {"instance"} for name in ("DiskAvailable", "DiskTotal")
}
"""What a ClickHouse server itself measures and the rules use, with its labels."""
SCENARIOS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "alerts.promtool.yml").read_text())
ALERTMANAGER = ROOT / "infra" / "alertmanager" / "alertmanager.yml"
DURATION = Annotated[str, Field(pattern=r"^\d+[smhd]$")]


NO_ALERTMANAGER = not (shutil.which("prometheus-alertmanager") and shutil.which("amtool"))


def until(met: Callable[[], bool], patience_s: float = 30.0) -> None:
    """Wait until a condition is met."""
    end = time.monotonic() + patience_s
    while not met():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


@contextmanager
def receiver(told: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the URL of a webhook that keeps what it is told."""

    class Receiving(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@contextmanager
def alertmanager(folder: Path, hook: str) -> Iterator[str]:
    """Yield the URL of an Alertmanager with the shipped routes that tells a webhook at once."""
    config = yaml.safe_load(ALERTMANAGER.read_text())
    config["receivers"] = [{"name": "operators", "webhook_configs": [{"url": hook}]}]
    for route in (config["route"], *config["route"]["routes"]):
        route["group_wait"] = "100ms"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            "prometheus-alertmanager",
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ],
        stderr=subprocess.DEVNULL,
    )

    def ready() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://{address}/-/ready", trust_env=False, timeout=GIVE_UP_S).is_success
        return False

    try:
        until(ready)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(GIVE_UP_S)


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
    target: str = Field(alias="target_label")


class Static(Strict):
    targets: list[str]


class Job(Strict):
    name: str = Field(alias="job_name")
    dns: list[Found] = Field([], alias="dns_sd_configs")
    static: list[Static] = Field([], alias="static_configs")
    relabel: list[Relabel] = Field([], alias="relabel_configs")


class Alertmanager(Strict):
    static: list[Static] = Field(alias="static_configs")


class Alerting(Strict):
    alertmanagers: list[Alertmanager]


class Everywhere(Strict):
    scrape: DURATION = Field(alias="scrape_interval")
    evaluation: DURATION = Field(alias="evaluation_interval")


class Config(Strict):
    everywhere: Everywhere = Field(alias="global")
    rules: list[str] = Field(alias="rule_files")
    alerting: Alerting
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
    """Return {name of a series: its labels} for telemetry, Python processes, ClickHouse and `up`."""
    found: dict[str, set[str]] = {"up": set(), **CLICKHOUSE}
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
        for listed in re.findall(r"^\s*(?:sum|min|max) by \(([^)]*)\)", rule.expr)
        for label in listed.split(",")
    }
    aggregated = re.match(r"\s*(sum|min|max|time\(\) - max)\b", rule.expr)
    assert spoken <= (grouped if aggregated else OF_THE_TARGET)


def test_what_the_pages_warn_of_is_watched() -> None:
    assert {"LagNotShrinking", "DeadLetters", "NoUploads", "CheckpointOld"} <= set(RULES)
    assert {"TargetDown", "ServiceMissing", "RestartsAgainAndAgain", "NotReady"} <= set(RULES)
    assert {"KafkaAway", "ClickHouseAway", "DiskNearlyFull", "CookiesRefused"} <= set(RULES)


def test_every_rule_fires_in_a_scenario_of_real_metrics() -> None:
    fired: set[str] = set()
    known = metrics()
    for scenario in SCENARIOS["tests"]:
        for series in scenario["input_series"]:
            name, labels = re.fullmatch(r"(\w+)\{(.*)\}", series["series"]).groups()  # type: ignore[union-attr]
            assert set(re.findall(r"(\w+)=", labels)) <= known[name] | OF_THE_TARGET, name
        for expected in scenario["promql_expr_test"]:
            for sample in expected["exp_samples"]:
                fired |= set(re.findall(r'alertname="(\w+)"', sample["labels"]))
    assert fired == set(RULES)


def test_prometheus_scrapes_workers_and_page_and_notices_losses() -> None:
    found = {
        name: (job.name, source.port) for job in CONFIG.jobs for source in job.dns for name in source.names
    }
    ports = {"worker": ("workers", 8080), "web": ("web", 8000)}
    asked = {
        service.get("networks", {"default": {"aliases": [name]}})["default"]["aliases"][0]: service["command"]
        for name, service in OURS.items()
        if name != "migrate"
    }
    assert found == {name: ports[command[1]] for name, command in asked.items()}
    assert set(asked) == {*NAMES, "web"}
    (server,) = [job.static[0].targets for job in CONFIG.jobs if job.static]
    metrics = ElementTree.parse(ROOT / "infra" / "clickhouse" / "config.d" / "metrics.xml")
    assert server == [f"clickhouse:{metrics.findtext('prometheus/port')}"]
    assert CONFIG.rules == ["alerts.yml"]
    assert all([each.target for each in job.relabel] == ["service"] for job in CONFIG.jobs if job.dns)
    missing = RULES["ServiceMissing"].expr
    assert set(re.findall(r'absent\(up\{service="(\w+)"\}\)', missing)) == set(asked)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here (Debian's package prometheus)")
@pytest.mark.parametrize(
    "check",
    [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", str(Path(__file__).parent / "alerts.promtool.yml")],
    ],
    ids=" ".join,
)
def test_promtool_agrees(check: list[str]) -> None:
    told = subprocess.run(["promtool", *check], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_prometheus_tells_alertmanager_which_knows_the_alerts() -> None:
    assert [each.static[0].targets for each in CONFIG.alerting.alertmanagers] == [["alertmanager:9093"]]
    assert COMPOSE["alertmanager"]["ports"] == ["127.0.0.1:9093:9093"]
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            assert set(re.findall(r"[A-Z]\w+", matcher)) <= set(RULES), matcher


@pytest.mark.skipif(NO_ALERTMANAGER, reason="no Alertmanager here (Debian's package prometheus-alertmanager)")
def test_the_example_receivers_are_right(tmp_path: Path) -> None:
    shipped = ALERTMANAGER.read_text()
    examples = re.findall(r"^#   (- name:.*(?:\n#     .*)+)", shipped, re.MULTILINE)
    assert len(examples) == 3
    for example in ("#   - name: operators", *examples):
        written = re.sub(r"^#   ", "", example, flags=re.MULTILINE)
        # Debian's Alertmanager is older than the image, and knows no url_file
        written = written.replace("url_file: /etc/alertmanager/webhook.url", "url: http://localhost")
        config = yaml.safe_load(shipped) | {"receivers": yaml.safe_load(written)}
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
        command = ["amtool", "check-config", str(tmp_path / "alertmanager.yml")]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.skipif(NO_ALERTMANAGER, reason="no Alertmanager here (Debian's package prometheus-alertmanager)")
def test_a_cause_is_delivered_and_what_follows_is_not(tmp_path: Path) -> None:
    """A real Alertmanager with the shipped routes, and a webhook as in the example."""
    told: list[dict[str, Any]] = []
    with receiver(told) as hook, alertmanager(tmp_path, hook) as url:
        labels = {"severity": "critical", "service": "store"}
        alerts = [{"labels": {"alertname": name, **labels}} for name in ("KafkaAway", "NotReady")]
        httpx.post(f"{url}/api/v2/alerts", json=alerts, trust_env=False, timeout=GIVE_UP_S).raise_for_status()
        until(lambda: bool(told))
        time.sleep(1)
        names = {alert["labels"]["alertname"] for each in told for alert in each["alerts"]}
        assert names == {"KafkaAway"}, "and not that the workers are not ready"
