"""Grafana's views agree with the study's numbers after merges, exclusions and withdrawals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from event_factories import MODEL, NEWBORN, NOON, STORY, assigned, empty, merged, topic, video, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import events as e
from streams.settings import Settings
from streams.store.codebook.effective import book
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse
from tests.web import studies

FIGURES = ("videos", "of_videos", "share", "paragraphs", "minutes")
TOPICS = range(1, 7)
PERIODS = (("1970-01-01", "2149-06-06"), ("2025-03-01", "2025-03-31"), ("2024-07-09", "2025-02-10"))


def rounded(rows: list[dict[str, Any]], *keys: str) -> list[tuple[Any, ...]]:
    """Return rows in canonical order, with rounded seconds, as sums depend on the order of adding."""
    return sorted(
        (*(row[key] for key in keys), *(round(row[figure], 9) for figure in FIGURES if figure in row))
        for row in rows
    )


def months(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"month": f"{row['month']:%Y-%m}"} for row in rows]


def totals(warehouse: Warehouse, first: str, last: str, unit: str) -> list[dict[str, Any]]:
    """Return the prevalence in a period as a panel computes it from `talk_topics`."""
    return warehouse.rows(
        f"""
        WITH counted AS (
            SELECT * FROM talk_topics WHERE published_on BETWEEN {{first:Date}} AND {{last:Date}}
        )
        SELECT {unit}, uniqExact(video_id) AS videos, (SELECT uniqExact(video_id) FROM counted) AS of_videos,
               videos / of_videos AS share, sum(paragraphs) AS paragraphs, sum(c.minutes) AS minutes
        FROM counted AS c GROUP BY {unit}
        """,
        first=first,
        last=last,
    )


def follow(warehouse: Warehouse) -> None:
    """Assert that the views agree with the codebook on topics, and with the study on themes by month."""
    applied = book(warehouse)
    counted = warehouse.rows("SELECT * FROM counted_topics")
    assert {row["topic_id"]: (row["counts_as"], row["name"], row["theme"]) for row in counted} == {
        topic_id: (entry.topic_id, entry.name, entry.theme) for topic_id, entry in applied.counted.items()
    }
    assert rounded(months(warehouse.rows("SELECT * FROM theme_months")), "month", "theme") == rounded(
        prevalence.prevalence(warehouse), "month", "theme"
    )


def agree(warehouse: Warehouse) -> None:
    """Assert that every number of the views equals the study's."""
    follow(warehouse)
    assert warehouse.rows("SELECT * FROM shown_model") == [{"model_version": book(warehouse).model_version}]
    assert rounded(months(warehouse.rows("SELECT * FROM topic_months")), "month", "topic_id") == rounded(
        prevalence.topic_months(warehouse), "month", "topic_id"
    )
    for first, last in PERIODS:
        selection = Selection(first, last)
        assert rounded(totals(warehouse, first, last, "theme"), "theme") == rounded(
            prevalence.themes(warehouse, selection), "theme"
        )
        assert rounded(totals(warehouse, first, last, "topic_id"), "topic_id") == rounded(
            [row for row in prevalence.topics(warehouse, selection) if row["videos"]], "topic_id"
        )


def test_the_views_are_empty_before_there_is_a_model(either: Warehouse) -> None:
    for view in ("counted_topics", "talk_topics", "theme_months", "topic_months"):
        assert either.rows(f"SELECT * FROM {view}") == []


@pytest.mark.long
def test_views_show_merges_births_withdrawals_and_decisions(either: Warehouse) -> None:
    write(either, STORY)
    agree(either)
    counted = {row["topic_id"]: row for row in either.rows("SELECT * FROM counted_topics")}
    assert counted[4]["counts_as"] == 1  # 4 was merged into 2, which was merged into 1
    assert counted[NEWBORN]["theme"] == "Tools"
    assert "a" not in {row["video_id"] for row in either.rows("SELECT video_id FROM talk_topics")}
    write(either, [decided(2, NEWBORN, retained=False)])
    agree(either)
    assert NEWBORN not in {row["topic_id"] for row in either.rows("SELECT topic_id FROM counted_topics")}


@pytest.mark.long
def test_another_epoch_is_another_model_in_the_views_too(study: Warehouse) -> None:
    write(study, STORY)
    later = e.EpochBegun(model_version="model-2", sequence=0, epoch=1, embedding_model="m", codebook="c")
    write(study, [later, topic(1, "Evaluation").model_copy(update={"model_version": "model-2"})])
    agree(study)
    assert study.rows("SELECT * FROM talk_topics") == []


@pytest.mark.long
@pytest.mark.parametrize("make", [studies.small, studies.lively], ids=["small", "lively"])
def test_the_views_agree_on_the_studies_that_the_pages_show(
    chdb_home: Path, make: Callable[[Warehouse], None]
) -> None:
    with Warehouse(Settings(home=chdb_home, study=f"counted_{make.__name__}")) as warehouse:
        warehouse.migrate()
        make(warehouse)
        agree(warehouse)


@pytest.mark.long
def test_one_look_at_a_topics_talks_says_what_the_views_say(chdb_home: Path) -> None:
    with Warehouse(Settings(home=chdb_home, study="counted_quotes")) as warehouse:
        warehouse.migrate()
        studies.lively(warehouse)
        write(warehouse, [decided(100, 1, retained=False), decided(101, 2, target=3)])
        applied = book(warehouse)
        assert 1 not in applied.counted and applied.counts_as(2) == 3 and len(applied.counted) > 3
        of_any = {row["month"]: row["of_videos"] for row in prevalence.months(warehouse)}
        by_month = prevalence.topic_months(warehouse)
        for topic_id in [*applied.entries, 9_999]:
            found = talk_queries.topic_talks(warehouse, topic_id, limit=4)
            assert found.best == talk_queries.quotes(warehouse, topic_id, limit=4)
            assert found.newest == talk_queries.quotes(warehouse, topic_id, limit=4, newest=True)
            if topic_id not in applied.counted:
                assert not found.months
                continue
            assert {row["month"]: row["of_videos"] for row in found.months} == of_any
            own = [row for row in by_month if row["topic_id"] == applied.counts_as(topic_id)]
            figures = itemgetter("month", "videos", "paragraphs", "minutes")
            assert [*map(figures, own)] == [figures(row) for row in found.months if row["videos"]]


def decided(revision: int, topic_id: int, *, target: int | None = None, retained: bool = True) -> e.Event:
    return e.CodebookDecided(
        revision=revision,
        model_version=MODEL,
        action="merge" if target else "exclude",
        said="so",
        entries=(e.CodebookEntry(topic_id=topic_id, target=target, retained=retained),),
        themes=(),
        author="ann",
        decided_at=NOON,
    )


@pytest.fixture(scope="module")
def drawn(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="counted_drawn")) as warehouse:
        warehouse.migrate()
        yield warehouse


pairs = st.tuples(st.sampled_from(TOPICS), st.sampled_from(TOPICS)).filter(lambda pair: pair[0] != pair[1])


@pytest.mark.long
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    by_model=st.lists(pairs, max_size=5),
    by_people=st.lists(pairs, max_size=5),
    excluded=st.sets(st.sampled_from(TOPICS), max_size=2),
)
def test_views_follow_merges_in_circles_as_the_codebook_does(
    drawn: Warehouse, by_model: list[tuple[int, int]], by_people: list[tuple[int, int]], excluded: set[int]
) -> None:
    empty(drawn)
    write(
        drawn,
        [
            *(topic(topic_id, f"theme {topic_id % 3}") for topic_id in TOPICS),
            *(assigned(index, video(f"v{index}"), index, index % 6 + 1, None) for index in TOPICS),
            *(merged(one, into, sequence=10 + at) for at, (one, into) in enumerate(by_model)),
            *(decided(1 + at, one, target=into) for at, (one, into) in enumerate(by_people)),
            *(decided(100 + topic_id, topic_id, retained=False) for topic_id in excluded),
        ],
    )
    follow(drawn)
