"""Talks that stay unfinished are told by the view, the command line and an alert; those that wait are not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from event_factories import NOON, dead_letter, seen, settled, video, write
from typer.testing import CliRunner

from agents.alerting.config import AlertRules, StuckRule
from agents.alerting.watch import AlertWatch
from agents.cli import app
from streams import events as e
from streams.logs.delivery_log import DeliveryLog
from streams.state.blobs import Blobs
from streams.store.operations.completeness import unfinished
from streams.store.video_progress import STUCK
from streams.store.warehouse import Warehouse

AFTERWARDS = NOON + STUCK + timedelta(minutes=90)


@pytest.fixture
def several(study: Warehouse) -> Warehouse:
    """Return a study with a talk in every kind of waiting."""
    write(study, [seen(video(name), minutes=at) for at, name in enumerate("abcde")])
    write(study, [seen(video("new"), minutes=120)])
    parked = e.VideoParked(video=video("b"), state="upcoming", reason="soon", until=None, parked_at=NOON)
    refused = e.VideoRejected(video=video("d"), rule="too short", reason="it lasts 9 s")
    letter = dead_letter(0, "e")
    write(study, [e.VideoAccepted(video=video("a")), parked, dead_letter(1, "c"), refused, letter])
    write(study, [settled(letter, "replayed")])
    return study


def test_what_waits_for_nothing_but_an_agent_is_unfinished(several: Warehouse) -> None:
    rows = unfinished(several)
    assert [(row["video_id"], row["waits_for"]) for row in rows] == [
        ("a", "fetch"),
        ("e", "screen"),
        ("new", "screen"),
    ]
    assert rows[0]["title"] == "Talk a" and rows[0]["seen_at"] == NOON
    old = unfinished(several, AFTERWARDS - STUCK)
    assert [row["video_id"] for row in old] == ["a", "e"]
    assert unfinished(several, (NOON + timedelta(minutes=1)).isoformat(), limit=5) == rows[:1]


def test_stuck_talks_raise_one_alert_that_names_the_agent(several: Warehouse) -> None:
    watch = AlertWatch(several, DeliveryLog(Blobs(f"{several.settings.home}/blobs")))
    rules = AlertRules(dead_letters={"on": False})  # type: ignore[arg-type]
    assert [each.rule for each in watch.look(rules, NOON + timedelta(hours=1))] == []
    (alert,) = watch.look(rules, AFTERWARDS)
    assert (alert.rule, alert.title, alert.size) == ("stuck", "2 talks have not been finished for 2 days", 2)
    assert "The first of them, Talk a, was found on" in alert.reason and "waits for fetch" in alert.reason
    assert watch.look(rules, AFTERWARDS + timedelta(hours=1)) == []
    quiet = AlertRules(dead_letters={"on": False}, stuck=StuckRule(on=False))  # type: ignore[arg-type]
    assert watch.look(quiet, AFTERWARDS + timedelta(days=9)) == []


def test_the_status_tells_of_stuck_talks(several: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = several.settings
    several.close()
    monkeypatch.setenv("GROUNDSWELL_HOME", str(settings.home))
    monkeypatch.setenv("GROUNDSWELL_STUDY", settings.study)
    said = CliRunner().invoke(app, ["status"]).stdout
    assert "stuck        3 talks found more than 2 days ago, the first waits for fetch" in said
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert [row["video_id"] for row in found["stuck"]] == ["a", "e", "new"]
