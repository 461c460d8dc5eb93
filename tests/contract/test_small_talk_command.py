"""The command line lists small talk of shows, and excludes all of it as one decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from event_factories import NEWBORN, NOON, TRANSCRIPT, assigned, newborn, topic, video, write
from typer.testing import CliRunner

from streams import events as e
from streams.settings import Settings
from streams.store import writer
from tests.conftest import Hold

TALKS, PARAGRAPHS = 6, 20


def greeting(index: int) -> tuple[e.Event, list[tuple[str, writer.Columns]]]:
    """Return a talk that begins and ends with the newborn topic, and its paragraphs."""
    of = video(f"talk-{index}", NOON.replace(day=index + 1), channel_id="show")
    topics = [NEWBORN if row in (0, PARAGRAPHS - 1) else 1 for row in range(PARAGRAPHS)]
    rows = [
        writer.paragraph_row(
            of.video_id,
            TRANSCRIPT,
            row,
            paragraph_id=e.paragraph_id(of.video_id, TRANSCRIPT, row),
            start_s=60.0 * row,
            end_s=60.0 * row + 50.0,
            text="hello",
            speakers=[],
            tokens=5,
        )
        for row in range(PARAGRAPHS)
    ]
    return assigned(index, of, *topics), rows


def test_small_talk_is_listed_and_excluded_at_once(
    chdb_home: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold
) -> None:
    from agents.cli.curation.codebook import app

    monkeypatch.setenv("GROUNDSWELL_HOME", str(chdb_home))
    monkeypatch.setenv("GROUNDSWELL_STUDY", "small_talk")
    monkeypatch.setenv("GROUNDSWELL_AUTHOR", "ann")
    warehouse = hold(Settings(home=chdb_home, study="small_talk"))
    for index in range(TALKS):
        event, rows = greeting(index)
        writer.write(warehouse, rows)
        write(warehouse, [topic(1), newborn(0), event])

    def said(*command: str) -> Any:
        answer = CliRunner().invoke(app, command)
        if answer.exception is not None:
            raise answer.exception
        return answer

    (row,) = json.loads(said("small-talk", "--json").stdout)
    assert (row["topic_id"], row["paragraphs"], row["at_ends"], row["talks"]) == (NEWBORN, 12, 12, 6)
    listed = said("small-talk")
    assert "100 % of its paragraphs are at the ends of talks" in listed.stdout
    assert "small-talk --exclude" in listed.stderr
    excluded = said("small-talk", "--exclude")
    assert "revision 1: excluded: servers (21): small talk of shows" in excluded.stderr
    assert "no topic that counts is small talk" in said("small-talk").stderr
    assert "    21  servers: small talk of shows" in said("show").stdout.splitlines()
    said("undo")
    assert len(json.loads(said("small-talk", "--json").stdout)) == 1
