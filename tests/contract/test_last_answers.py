"""What an embedded database last answered is kept in a file, for as long as it still holds."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from event_factories import ROOT, STORY, write

from agents.cli.asking import ask, asking
from agents.instance import last_answers
from agents.instance.last_answers import STATUS, SUMMARY, LastAnswers, keep_summary
from agents.queries import registry
from streams.settings import Settings
from streams.store.warehouse import Warehouse


@pytest.fixture
def closed(copied: Callable[[], Settings]) -> Settings:
    """Return the settings of a study with some events, whose database nobody has open."""
    settings = copied()
    with Warehouse(settings) as warehouse:
        write(warehouse, STORY[:12])
    return settings


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of databases that this process opens from now on."""
    found: list[str] = []
    connect = Warehouse._connect

    def noted(warehouse: Warehouse) -> Any:
        found.append(warehouse.database)
        return connect(warehouse)

    monkeypatch.setattr(Warehouse, "_connect", noted)
    return found


def test_the_database_is_opened_once_for_the_same_questions(closed: Settings, opened: list[str]) -> None:
    with asking(closed) as asked:
        first = [asked(view, **parameters) for view, parameters in SUMMARY]
    assert len(opened) == 1
    with asking(closed) as asked:
        again = [asked(view, **parameters) for view, parameters in SUMMARY]
    assert len(opened) == 1
    assert [len(each) for each in again] == [len(each) for each in first]
    assert again[0]["videos"] == first[0]["videos"] > 0
    assert ask(closed, "topic", topic_id=999) is None
    assert ask(closed, "topic", topic_id=999) is None  # which is an answer, too
    assert ask(closed, "topics") == again[-1], "a new answer leaves the others"
    assert len(opened) == 2


def test_what_is_written_ends_them(closed: Settings, opened: list[str]) -> None:
    before = ask(closed, "status")
    assert closed.answers_file.exists()
    with Warehouse(closed) as warehouse:
        write(warehouse, STORY[12:])
        assert not closed.answers_file.exists()
    after = ask(closed, "status")
    assert after != before
    with Warehouse(closed) as warehouse:
        assert warehouse.migrate() == []  # as every start does
    assert ask(closed, "status")["videos"] == after["videos"]
    assert len(opened) == 4


def test_killed_while_it_writes(closed: Settings) -> None:
    before = ask(closed, "status")
    assert closed.answers_file.exists()
    script = """
import os, sys
from streams.settings import Settings
from streams.store.warehouse import Warehouse
with Warehouse(Settings(home=sys.argv[1], study=sys.argv[2])) as warehouse:
    warehouse.raw(lambda client: (client.command("TRUNCATE TABLE progress"), os._exit(9)))
"""
    killed = subprocess.run(
        [sys.executable, "-c", script, str(closed.home), closed.study], cwd=ROOT, check=False
    )
    assert killed.returncode == 9
    assert before["states"]
    assert not ask(closed, "status")["states"]


@pytest.mark.parametrize("why", ["another day", "other code", "a restart", "a damaged part", "half a file"])
def test_what_else_ends_them(
    why: str, closed: Settings, opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ask(closed, "status")
    if why == "another day":
        text = closed.answers_file.read_text()
        closed.answers_file.write_text(text.replace(time.strftime("%Y-%m-%d", time.gmtime()), "2020-01-01"))
    elif why == "other code":
        monkeypatch.setattr(last_answers, "_PACKAGES", ("agents/queries",))
    elif why == "a restart":
        (tmp_path / "boot_id").write_text("another\n")
        monkeypatch.setattr(last_answers, "_BOOT_ID", tmp_path / "boot_id")
    elif why == "a damaged part":
        table = next(closed.database_folder.glob("store/*/*/detached"))
        (table / "broken-on-start_all_1_1_0").mkdir()
    else:
        os.truncate(closed.answers_file, 100)
    ask(closed, "status")
    assert len(opened) == 2


def test_the_process_of_a_study_keeps_what_status_asks(closed: Settings, opened: list[str]) -> None:
    with Warehouse(closed) as warehouse:
        keep_summary(closed, registry.asking(warehouse))
    opened.clear()
    with asking(closed) as asked:
        assert asked("status")["videos"] > 0
        assert all(asked(view, **parameters) is not None for view, parameters in STATUS)
    assert not opened


def test_too_much_is_not_kept(closed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large, other = LastAnswers(closed), LastAnswers(closed), LastAnswers(closed)
    small.keep("topics", {}, "x" * 100)
    small.write()
    size = closed.answers_file.stat().st_size
    monkeypatch.setattr(last_answers, "MOST_BYTES", size)
    large.keep("themes", {}, "x" * 101)
    large.write()
    assert large.of("themes", {}) is None
    assert large.of("topics", {}) is not None
    other.keep("themes", {}, "x" * 100)
    other.write()
    assert other.of("themes", {}) is not None, "the newest answer is kept"
    assert other.of("topics", {}) is None, "the earlier one is dropped"
