"""A new topic becomes a message at a real webhook, once, though the webhook and groundswell fail."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.otlp_collector import Collector, collecting
from tests.processes import TALKS, Study, until

pytestmark = pytest.mark.long


class Hook(ThreadingHTTPServer):
    """A webhook that refuses messages until it is well."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.well = False
        self.refused = 0
        self.taken: list[dict[str, Any]] = []


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hook)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.well:
            self.server.taken.append(body)
        else:
            self.server.refused += 1
        self.send_response(200 if self.server.well else 500)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def test_a_new_topic_is_told_once_whatever_fails(study: Study, hook: Hook, collector: Collector) -> None:
    study.environment["GROUNDSWELL_OTLP_ENDPOINT"] = collector.url
    folder = study.home / "studies" / study.name
    folder.mkdir(parents=True)
    (folder / "alerts.yaml").write_text(
        "fresh_days: 3650\ndestinations: [{name: team, url_env: TEAM_HOOK, rules: [emergence]}]\n"
    )
    study.environment["TEAM_HOOK"] = f"json://127.0.0.1:{hook.server_port}/a-secret-path"
    talks = sorted(TALKS.glob("*.json"))
    assert study.cli("ingest", *map(str, talks)).returncode == 0

    process = study.run()
    study.until_done(len(talks))
    until(lambda: hook.refused > 0)
    process.kill()
    hook.well = True
    process = study.run()
    until(lambda: bool(hook.taken))
    kept = folder / "blobs" / "alerting" / "deliveries"
    # Killed between the answer and the record, it would come again: at least once is promised, not once.
    until(lambda: any('"delivered"' in each.read_text() for each in kept.glob("*.json")))
    process.kill()
    told = len(hook.taken)
    process = study.run()
    study.until_done(len(talks))
    threading.Event().wait(35)  # two rounds of the office
    assert len(hook.taken) == told
    assert process.stop() == 0

    # The alert is in the trace of the talk that led to it, which began when that was handed in.
    traces: dict[bytes, set[str]] = defaultdict(set)
    for span in collector.spans:
        traces[span.trace_id].add(span.name)
    way = {*(f"process {agent}" for agent in ("screen", "split", "track", "alert")), "send test.alerts"}
    assert any(way <= names for names in traces.values())

    titles = [each["title"] for each in hook.taken]
    assert any(title.startswith(f"[{study.name}] New topic: ") for title in titles)
    assert len(set(titles)) == len(titles)
    (message, *_) = [each["message"] for each in hook.taken]
    assert "the odds of this would be 1 in" in message
    assert "http://127.0.0.1:" in message  # the page
    assert "a-secret-path" not in process.said()

    rows = study.ask("alerts", "deliveries")
    assert {(row["destination"], row["state"]) for row in rows} == {("team", "delivered")}
    (raised, *_) = study.ask("alerts", "list", "--rule", "emergence")
    assert [each["state"] for each in raised["deliveries"]] == ["delivered"]
    assert study.ask("alerts", "rules")["destinations"][0]["address"] == "json://127.0.0.1"

    tested = study.cli("alerts", "test", "team")
    assert (tested.returncode, hook.taken[-1]["title"]) == (0, f"[{study.name}] TEST: alerts reach you")
    hook.well = False
    tested = study.cli("alerts", "test")
    assert tested.returncode == 1 and "NOT delivered" in tested.stdout and "500" in tested.stdout
    assert "a-secret-path" not in tested.stdout + tested.stderr
    letter = study.cli("alerts", "digest", "--days", "366", "--out", str(study.home / "digest.html"))
    assert letter.returncode == 0, letter.stderr
    assert "The corpus" in (study.home / "digest.html").read_text()
    text = study.cli("alerts", "digest", "--days", "30").stdout
    assert "THE CORPUS" in text and "69 talks" in text
