"""View results are cached until the database changes, on either engine."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from event_factories import STORY, empty, write

from agents.queries import registry
from agents.web import view_cache
from agents.web.view_cache import ViewCache
from streams.errors import Unavailable
from streams.settings import Settings
from streams.store.codebook.effective import book
from streams.store.database_version import state
from streams.store.queries import prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse


@pytest.fixture
def queries(either: Warehouse, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of all queries from now on, except those for the database's version."""
    asked: list[str] = []
    rows, columns = either.rows, either.columns

    def noted(statement: str, **parameters: Any) -> Any:
        if "system.parts" not in statement:
            asked.append(statement)
        return rows(statement, **parameters)

    def noted_too(statement: str, parameters: Mapping[str, Any]) -> Any:
        asked.append(statement)
        return columns(statement, parameters)

    monkeypatch.setattr(either, "rows", noted)
    monkeypatch.setattr(either, "columns", noted_too)
    return asked


@pytest.mark.long
def test_whatever_is_written_makes_another_state(either: Warehouse) -> None:
    seen = {state(either)}
    for event in STORY:
        write(either, [event])
        assert state(either) not in seen, event
        seen.add(state(either))
    empty(either)
    write(either, STORY[:1])
    assert state(either) not in seen


def test_a_view_is_asked_once_until_something_is_written(either: Warehouse, queries: list[str]) -> None:
    kept = ViewCache(either)
    write(either, STORY[:12])
    with kept.reading():
        first = kept.ask(prevalence.topics, EVERYTHING)
    queries.clear()
    with kept.reading():
        assert kept.ask(prevalence.topics, EVERYTHING) == first
    assert not queries
    write(either, STORY)
    with kept.reading():
        assert kept.ask(prevalence.topics, EVERYTHING) == prevalence.topics(either) != first


def test_after_a_change_what_was_asked_lately_is_asked_again(
    either: Warehouse, queries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ViewCache(either)
    write(either, STORY[:12])
    with kept.reading():
        first = kept.ask(prevalence.topics, EVERYTHING)
    write(either, STORY)
    queries.clear()
    with kept.reading():
        kept.refresh()
    assert not queries, "a request comes first"
    kept.refresh()
    assert queries
    queries.clear()
    kept.refresh()
    with kept.reading():
        found = kept.ask(prevalence.topics, EVERYTHING)
    assert not queries
    assert found == prevalence.topics(either) != first
    monkeypatch.setattr(view_cache, "LATELY_S", 0.0)
    empty(either)
    queries.clear()
    kept.refresh()
    assert not queries, "nobody has asked for long"


def test_the_same_asked_at_once_is_asked_of_the_database_once(either: Warehouse, queries: list[str]) -> None:
    write(either, STORY)
    prevalence.topics(either)
    queries.clear()
    expected = prevalence.topics(either)
    once = len(queries)
    kept = ViewCache(either)
    queries.clear()
    together = threading.Barrier(4)

    def ask(_: int) -> Any:
        with kept.reading():
            together.wait()
            return kept.ask(prevalence.topics, EVERYTHING)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == [expected] * 4
    assert len(queries) == once


def test_other_arguments_are_another_question(either: Warehouse) -> None:
    write(either, STORY)
    kept = ViewCache(either)
    months = Selection(first="2025-04", last="2025-04")
    for _ in range(2):
        with kept.reading():
            applied = kept.ask(book)
            assert kept.ask(prevalence.topics, EVERYTHING, applied) == prevalence.topics(either)
            assert kept.ask(prevalence.topics, months, applied) == prevalence.topics(either, months)
            assert kept.ask(prevalence.topics, EVERYTHING) == prevalence.topics(either)
            assert kept.ask(registry.topics, EVERYTHING) == registry.topics(either)


def test_who_decides_is_answered_from_the_database(either: Warehouse, queries: list[str]) -> None:
    """Outside of `reading`, as for a curator who writes and checks the result."""
    write(either, STORY)
    kept = ViewCache(either)
    for _ in range(2):
        queries.clear()
        kept.ask(prevalence.topics, EVERYTHING)
        assert queries


def test_what_looks_at_more_than_the_database_is_not_kept(either: Warehouse) -> None:
    kept = ViewCache(either)
    times = iter(range(9))

    def now(_: Warehouse) -> int:
        return next(times)

    with kept.reading():
        assert [kept.ask(now), kept.ask(now)] == [0, 1]


def test_rows_in_the_parts_of_an_answer_are_counted_too(either: Warehouse, queries: list[str]) -> None:
    write(either, STORY)
    parts = talk_queries.topic_talks(either, 1)
    rows = sum(1 + len(part) for part in parts)
    assert rows > len(parts)
    for most, again in ((2 * rows, False), (2 * rows - 1, True)):
        kept = ViewCache(either, most)
        with kept.reading():
            assert kept.ask(talk_queries.topic_talks, 1) == parts
            queries.clear()
            assert kept.ask(talk_queries.topic_talks, 1) == parts
            assert bool(queries) is again


def test_what_was_not_asked_for_the_longest_goes_first(either: Warehouse, queries: list[str]) -> None:
    write(either, STORY)
    kept = ViewCache(either, most=8)
    questions = [Selection(first=f"2025-{month:02}") for month in range(1, 7)]

    def asks(question: Selection) -> bool:
        """Return whether the database was queried."""
        queries.clear()
        kept.ask(prevalence.themes, question)
        return bool(queries)

    with kept.reading():
        assert all(map(asks, questions))
        assert not asks(questions[-1]), "the newest is there"
        assert asks(questions[0]), "the oldest made room"


def test_a_study_without_tables_is_said_so(chdb_home: Path) -> None:
    with Warehouse(Settings(home=chdb_home, study="not_begun")) as warehouse:
        kept = ViewCache(warehouse)
        with kept.reading(), pytest.raises(Unavailable, match="has no tables"):
            kept.ask(talk_queries.status)
