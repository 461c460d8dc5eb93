"""The commands codebook suggest and accept on a real database: what they show, decide and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from event_factories import NEWBORN, TEXTS, judged, newborn, rows_of_paragraphs, topic, video, write
from typer.testing import CliRunner

from models.errors import BadInput
from streams import events as e
from streams.logs.codebook_log import Conflict
from streams.settings import Settings
from streams.store import writer
from tests.conftest import Hold
from tests.processes import share_models

OTHER = 22
TOPICS: list[e.Event] = [
    topic(1, "Architecture & Design"),
    topic(2, "Evaluation"),
    newborn(0),
    newborn(0).model_copy(update={"topic_id": OTHER, "label": "pricing of tokens"}),
]
Said = Callable[..., Any]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> Said:
    """Return a function that runs a command on a study with two topics in no theme, one a part of topic 1."""
    from agents.cli.curation.codebook import app

    share_models(tmp_path)
    settings = Settings(home=tmp_path, study="accepting")
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))
    monkeypatch.setenv("GROUNDSWELL_STUDY", settings.study)
    monkeypatch.setenv("GROUNDSWELL_AUTHOR", "ann")
    warehouse = hold(settings)
    write(warehouse, TOPICS)
    for index, name in enumerate("abc"):
        paragraphs = [(NEWBORN, {1: 0.8}), (NEWBORN, {1: 0.8}), (OTHER, {}), *[(None, {})] * 8]
        writer.write(warehouse, rows_of_paragraphs(name, [TEXTS[0]] * len(paragraphs)))
        write(warehouse, [judged(index, video(name), *paragraphs)])
    write(warehouse, [judged(3, video("d"), (None, {2: 0.9}))])

    def run(*command: str) -> Any:
        answer = CliRunner().invoke(app, command)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer

    return run


def rows(table: str) -> list[list[str]]:
    """Return the cells of printed tables, row by row."""
    return [line.split("  ") for line in table.splitlines() if line.strip()]


def test_named_topics_are_put_into_a_theme_at_once(said: Said) -> None:
    shown = said("accept", "21", "22", "--theme", "Evaluation", "--dry-run")
    assert "nothing was changed; the decision would be: 2 topics are placed" in shown.stderr
    effect = " ".join(shown.stdout.split())
    assert "Evaluation 1 (25.0 %) 4 (100.0 %)" in effect
    assert "Not yet in a theme 3 (75.0 %) 0 (0.0 %)" in effect
    assert said("history", "--json").stdout.strip() == "[]"
    done = said("accept", "21", "22", "--theme", "Evaluation", "--note", "as agreed")
    assert "revision 1: 2 topics are placed: servers (21) and pricing of tokens (22) belong" in done.stderr
    (row,) = json.loads(said("history", "--json").stdout)
    assert (row["action"], row["topic_ids"], row["note"]) == ("place", [21, 22], "as agreed")
    assert "(not yet in a theme)" not in said("show").stdout
    said("undo")
    assert said("show").stdout.count("(not yet in a theme)") == 1


def test_what_cannot_be_accepted_is_refused(said: Said) -> None:
    with pytest.raises(BadInput, match="name the topics, or --all"):
        said("accept")
    with pytest.raises(BadInput, match="name the topics, or --all"):
        said("accept", "21", "--all")
    with pytest.raises(BadInput, match="--theme is for topics that are named"):
        said("accept", "--all", "--theme", "Evaluation")
    with pytest.raises(BadInput, match="there is no theme 'Evaluations'"):
        said("accept", "21", "--theme", "Evaluations")
    with pytest.raises(BadInput, match="there is no topic 99"):
        said("accept", "99", "--theme", "Evaluation")
    assert said("history", "--json").stdout.strip() == "[]"


def test_a_decision_made_meanwhile_stops_it(said: Said) -> None:
    said("rename", "22", "Pricing of tokens")
    with pytest.raises(Conflict, match="revision 1 was decided by ann"):
        said("accept", "22", "--theme", "Evaluation", "--expect", "0")


@pytest.mark.long
def test_all_suggestions_are_accepted_and_undone_together(said: Said) -> None:
    first, second = sorted(json.loads(said("suggest", "--json").stdout), key=lambda row: row["topic_id"])
    assert (first["offers"][0]["into"], first["offers"][0]["into_name"]) == (1, "topic 1")
    assert first["offers"][0]["reason"].startswith(
        "6 of its 6 paragraphs are about topic 1, in 3 talks; by ch"
    )
    assert [each["into"] for each in second["offers"]] == [None, None]
    assert "part of topic 1 (1), 61 % sure" in " ".join(said("suggest").stdout.split())
    with pytest.raises(BadInput, match=r"no offer is as certain as 100\.0 %"):
        said("accept", "--all", "--min-confidence", "1")
    assert "servers (21) counts for topic 1 (1)" in said("accept", "21").stderr
    said("undo")
    said("accept", "--all", "--no-merge")
    (done, *_) = json.loads(said("history", "--json").stdout)
    assert "counts for" not in done["said"] and done["topic_ids"] == [21, 22]
    assert said("suggest").stderr.strip() == "every topic that counts has a theme"
    with pytest.raises(BadInput, match="nothing is offered to topic 21"):
        said("accept", "21")
    said("undo")
    assert len(json.loads(said("suggest", "--json").stdout)) == 2
