"""189 constructed talks reproduce the published study's table and its co-occurrences exactly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from event_factories import assigned, topic, video, write

from models.codebook.codebook import load
from streams.settings import Settings
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse
from tests.golden.study_table import COUNTED, IMPOSSIBLE, PAIRS, TABLE, TALKS, TOPICS, talks

FIRST_DAY = datetime(2022, 3, 1, 12, tzinfo=UTC)
CODEBOOK = {each.name: (topic_id, each) for topic_id, each in enumerate(load("llm-in-production").topics, 1)}


@pytest.fixture(scope="module", params=["embedded", pytest.param("served", marks=pytest.mark.long)])
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """Yield the study: its codebook, and 189 talks of 2022 to 2024, 11 without any of the 20 topics."""
    where = {} if request.param == "embedded" else {"clickhouse": request.getfixturevalue("server")}
    with Warehouse(Settings(home=tmp_path_factory.mktemp("home"), study="published", **where)) as warehouse:
        warehouse.migrate()
        _publish(warehouse)
        yield warehouse


def _publish(warehouse: Warehouse) -> None:
    write(
        warehouse,
        [
            topic(topic_id, named.theme).model_copy(update={"label": named.name})
            for topic_id, named in CODEBOOK.values()
        ],
    )
    said: list[list[Any]] = [sorted(CODEBOOK[name][0] for name in each) for each in talks()]
    said += [[None, None]] * (TALKS - COUNTED)
    write(
        warehouse,
        [
            # They return to their first topic, and say something that is of no topic in between.
            assigned(at, video(f"v{at}", FIRST_DAY + timedelta(days=5 * at)), *topics, None, *topics[:1])
            for at, topics in enumerate(said)
        ],
    )


def test_the_talks_are_as_many_as_the_study_says() -> None:
    """Counted without a database, so that the other tests measure the database."""
    found = talks()
    assert len(found) == COUNTED
    assert all(found)
    for name, (videos, _) in TOPICS.items():
        assert sum(name in each for each in found) == videos, name
    for theme, ((videos, _), topics) in TABLE.items():
        assert sum(not each.isdisjoint(topics) for each in found) == videos, theme
    for pair, videos in PAIRS.items():
        assert sum(each.issuperset(pair) for each in found) == videos, pair


def test_one_pair_that_the_study_reports_cannot_be() -> None:
    """11 videos are reported with both topics, but only 8 with Model Size & Performance; here 8 have both."""
    pair, reported = IMPOSSIBLE
    possible = min(TOPICS[name][0] for name in pair)
    assert reported > possible
    assert sum(each.issuperset(pair) for each in talks()) == possible


def test_the_ready_codebook_has_the_studys_topics_in_its_themes() -> None:
    assert {name: named.theme for name, (_, named) in CODEBOOK.items()} == {
        name: theme for theme, (_, topics) in TABLE.items() for name in topics
    }


def test_the_studys_table_is_reproduced_exactly(published: Warehouse) -> None:
    themes = prevalence.themes(published)
    assert {row["theme"]: (row["videos"], round(100 * row["share"], 1)) for row in themes} == {
        theme: figures for theme, (figures, _) in TABLE.items()
    }
    assert {row["theme"]: row["topics"] for row in themes} == {
        theme: len(topics) for theme, (_, topics) in TABLE.items()
    }
    topics = prevalence.topics(published)
    assert {row["name"]: (row["videos"], round(100 * row["share"], 1)) for row in topics} == TOPICS
    assert {row["of_videos"] for row in (*themes, *topics)} == {COUNTED}
    assert [row["theme"] for row in themes] == list(TABLE)  # most prevalent first, as it was printed


def test_a_theme_is_the_union_of_its_topics_and_not_their_sum(published: Warehouse) -> None:
    topics = prevalence.topics(published)
    for row in prevalence.themes(published):
        parts = [each["videos"] for each in topics if each["theme"] == row["theme"]]
        assert max(parts) <= row["videos"] <= sum(parts)
        if len(parts) > 1:
            assert row["videos"] < sum(parts), row["theme"]  # every such theme of the study overlaps


def test_the_studys_cooccurrences_are_reproduced_exactly(published: Warehouse) -> None:
    found = {
        frozenset((row["name"], row["other"])): row["videos"] for row in prevalence.cooccurrence(published)
    }
    assert {pair: found[frozenset(pair)] for pair in PAIRS} == PAIRS
    by_hand = {
        frozenset(pair): sum(each.issuperset(pair) for each in talks())
        for pair in itertools.combinations(TOPICS, 2)
    }
    assert found == {pair: videos for pair, videos in by_hand.items() if videos}


def test_its_months_add_up_to_the_whole(published: Warehouse) -> None:
    months = prevalence.months(published)
    assert (months[0]["month"], months[-1]["month"]) == ("2022-03", "2024-08")
    assert sum(row["of_videos"] for row in months) == COUNTED
    by_year = [
        prevalence.themes(published, Selection(f"{year}-01", f"{year}-12")) for year in (2022, 2023, 2024)
    ]
    for theme, ((videos, _), _) in TABLE.items():
        assert sum(row["videos"] for rows in by_year for row in rows if row["theme"] == theme) == videos
