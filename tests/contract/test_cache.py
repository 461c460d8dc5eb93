"""Values computed from small tables are recomputed as soon as one of the tables changes, and only then."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from event_factories import MODEL, NOON, assigned, dormant, labelled, merged, topic, video, write

from streams import events as e
from streams.store import cache
from streams.store.cache import as_of_now, cached
from streams.store.codebook import effective as books
from streams.store.codebook import speaker_names, topic_facts
from streams.store.codebook.effective import book
from streams.store.database_version import holdings
from streams.store.queries import aggregation, genealogy
from streams.store.queries.selection import EVERYTHING
from streams.store.talks import talk_queries as read
from streams.store.warehouse import Warehouse

MADE: dict[str, tuple[tuple[str, ...], Callable[[Warehouse], Any]]] = {
    "book": (books.TABLES, book),
    "facts": (topic_facts.TABLES, lambda warehouse: topic_facts.facts(warehouse, MODEL)),
    "story": (genealogy.TABLES, genealogy.genealogy),
    "drifts": (genealogy.DRIFTS, genealogy.drifts),
    "months": (
        aggregation.TABLES,
        lambda warehouse: aggregation.months(warehouse, EVERYTHING, book(warehouse)),
    ),
    "names": (speaker_names.TABLES, lambda warehouse: speaker_names.named(warehouse, [])),
}


def counted(warehouse: Warehouse, times: list[int]) -> int:
    """Ask for a value computed from topics' labels, and count its computations."""

    def make() -> int:
        times.append(len(times))
        return times[-1]

    return cached(warehouse, "counted", ["labels"], make)


def statements_of(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of the statements that are asked from now on."""
    asked: list[str] = []
    rows = warehouse.rows

    def recorded(statement: str, **parameters: Any) -> list[dict[str, Any]]:
        asked.append(statement)
        return rows(statement, **parameters)

    monkeypatch.setattr(warehouse, "rows", recorded)
    return asked


def test_it_is_made_again_only_when_its_table_has_changed(either: Warehouse) -> None:
    times: list[int] = []
    assert [counted(either, times) for _ in range(3)] == [0, 0, 0]
    write(either, [topic(1, "Architecture"), assigned(0, video("a"), 1)])
    assert counted(either, times) == 0
    write(either, [labelled(1, 1, "Buildings")])
    assert [counted(either, times) for _ in range(2)] == [1, 1]
    either.command("ALTER TABLE labels DELETE WHERE 1 SETTINGS mutations_sync = 1")
    assert [counted(either, times) for _ in range(2)] == [2, 2]


def test_a_merge_of_parts_makes_nothing_again(either: Warehouse) -> None:
    times: list[int] = []
    for name in ("Buildings", "Houses"):
        write(either, [labelled(1, 1, name)])
    assert counted(either, times) == 0
    either.command("OPTIMIZE TABLE labels FINAL")
    assert len(_parts(either)) == 1
    assert counted(either, times) == 0
    write(either, [labelled(1, 1, "Houses")])
    assert counted(either, times) == 1


def test_a_table_exchanged_for_another_is_another(either: Warehouse) -> None:
    times: list[int] = []
    either.command("CREATE TABLE other AS labels")
    write(either, [labelled(1, 1, "Buildings")])
    either.command("INSERT INTO other (topic_id, label) VALUES (1, 'Houses')")
    assert counted(either, times) == 0
    either.command("EXCHANGE TABLES labels AND other")
    assert counted(either, times) == 1
    either.command("DROP TABLE other")


def _parts(warehouse: Warehouse) -> list[str]:
    rows = warehouse.rows(
        "SELECT name FROM system.parts WHERE database = {db:String} AND table = 'labels' AND active",
        db=warehouse.database,
    )
    return [row["name"] for row in rows]


def test_rows_written_again_after_deletion_are_found(either: Warehouse) -> None:
    write(either, [topic(1, "Architecture"), labelled(1, 1, "Buildings")])
    assert book(either).name_of(1) == "Buildings"
    either.command("TRUNCATE TABLE labels")
    assert book(either).name_of(1) == "topic 1"
    write(either, [labelled(1, 1, "Buildings")])
    assert book(either).name_of(1) == "Buildings"


def test_what_another_client_writes_is_seen_at_once(either: Warehouse) -> None:
    write(either, [topic(1, "Architecture"), topic(2, "Costs")])
    assert [book(either).counts_as(2) for _ in range(2)] == [2, 2]
    with Warehouse(either.settings) as another:
        write(another, [merged(2, 1, sequence=1)])
    assert book(either).counts_as(2) == 1
    assert [row["what"] for row in genealogy.genealogy(either)] == ["merged"]


def test_only_a_server_is_asked_again_what_it_holds(
    either: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedded database has no writers but the clients of this process."""
    write(either, [topic(1, "Architecture"), labelled(1, 1, "Buildings")])
    asked = statements_of(either, monkeypatch)
    first = holdings(either)
    assert [holdings(either) for _ in range(2)] == [first, first]
    assert len(asked) == (1 if either.settings.embedded_clickhouse else 3)
    either.close()
    with Warehouse(either.settings) as another:
        write(another, [labelled(1, 1, "Houses")])
    assert holdings(either) != first


def test_a_topics_share_follows_other_talks_and_decisions(either: Warehouse) -> None:
    write(either, [topic(1), topic(2), assigned(0, video("a"), 1)])
    assert [row["of_videos"] for row in read.topic_talks(either, 1).months] == [1]
    write(either, [assigned(1, video("b"), 2)])
    assert [row["of_videos"] for row in read.topic_talks(either, 1).months] == [2]
    exclude = e.CodebookEntry(topic_id=2, retained=False)
    write(
        either,
        [
            e.CodebookDecided(
                revision=1,
                model_version=MODEL,
                action="exclude",
                said="so",
                entries=(exclude,),
                themes=(),
                author="ann",
                decided_at=NOON,
            )
        ],
    )
    assert [row["of_videos"] for row in read.topic_talks(either, 1).months] == [1]
    assert not read.topic_talks(either, 2).months


def test_studies_do_not_share_what_is_made(served: Warehouse) -> None:
    write(served, [topic(1, "Architecture")])
    name = f"{served.database}_b"
    with Warehouse(served.settings.model_copy(update={"study": name}), patience_s=5) as another:
        another.migrate()
        assert set(book(served).entries) == {1}
        assert not book(another).entries
        another.command(f"DROP DATABASE {name} SYNC")


def test_one_look_sees_one_state_and_the_next_look_a_later_one(either: Warehouse) -> None:
    times: list[int] = []
    with as_of_now(either):
        assert counted(either, times) == 0
        write(either, [topic(1, "Architecture"), labelled(1, 1, "Buildings")])
        with as_of_now(either):
            assert counted(either, times) == 0
    assert [counted(either, times) for _ in range(2)] == [1, 1]


def test_what_is_made_during_a_look_is_not_taken_for_newer(either: Warehouse) -> None:
    """The value may already contain rows written in between; that is unknown, so it is computed again."""
    times: list[int] = []
    with as_of_now(either):
        write(either, [topic(1, "Architecture"), labelled(1, 1, "Buildings")])
        assert counted(either, times) == 0
    assert counted(either, times) == 1


def test_two_studies_that_are_looked_at_in_turn_are_not_mixed_up(served: Warehouse) -> None:
    write(served, [topic(1, "Architecture"), labelled(1, 1, "Buildings")])
    name = f"{served.database}_c"
    with Warehouse(served.settings.model_copy(update={"study": name}), patience_s=5) as another:
        another.migrate()
        with as_of_now(served), as_of_now(another):
            assert not book(another).entries
            assert book(served).name_of(1) == "Buildings"
        another.command(f"DROP DATABASE {name} SYNC")


def test_an_error_is_not_kept(study: Warehouse) -> None:
    def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        cached(study, "fails", ["labels"], fail)
    assert cached(study, "fails", ["labels"], lambda: 1) == 1


def test_the_cache_is_bounded_and_keeps_what_is_asked_for(study: Warehouse) -> None:
    times: list[int] = []
    counted(study, times)
    for name in range(2 * cache.MOST):
        cached(study, name, ["labels"], lambda: None)
        counted(study, times)
    assert len(times) == 1
    made_again: list[str] = []
    cached(study, 0, ["labels"], lambda: made_again.append("the one asked for longest ago"))
    assert made_again


@pytest.mark.long
@pytest.mark.parametrize("name", MADE)
def test_every_table_that_is_read_is_watched(
    study: Warehouse, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    watched, make = MADE[name]
    write(study, [topic(1, "Architecture"), dormant(1, 2, asleep=True)])
    with Warehouse(study.settings) as anew:
        statements = statements_of(anew, monkeypatch)
        make(anew)
    read = set(re.findall(r"\bFROM\s+(\w+)", " ".join(statements))) - {"system"}
    if name in ("story", "drifts", "months"):  # they begin with the book
        read -= set(books.TABLES) - set(watched)
    assert read == set(watched)
