"""Shares of paragraphs and minutes count a paragraph once, also in a study that is older than they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import pytest
from event_factories import TRANSCRIPT, About, judged, seen, topic, video, write
from test_concepts import decided

from agents.queries import registry
from streams import events as e
from streams.store import rollups, writer
from streams.store.warehouse import Warehouse

TOPICS: dict[int, str] = {1: "Architecture", 2: "Architecture", 3: "Evaluation", 4: "Costs", 5: "Costs"}
MINUTES = 3
"""Length of a paragraph."""


def talk(index: int, of: e.Video, paragraphs: Sequence[About]) -> Iterator[tuple[str, writer.Columns]]:
    """Yield the rows of a talk whose paragraphs have these clusters and concepts."""
    yield from writer.rows_of(seen(of))
    for position in range(len(paragraphs)):
        yield writer.paragraph_row(
            of.video_id,
            TRANSCRIPT,
            position,
            paragraph_id=e.paragraph_id(of.video_id, TRANSCRIPT, position),
            start_s=60.0 * MINUTES * position,
            end_s=60.0 * MINUTES * (position + 1),
            text="said",
            speakers=["Ann"],
            tokens=3,
        )
    yield from writer.rows_of(judged(index, of, *paragraphs))


OF_HAND: dict[str, list[set[int]]] = {
    "a": [{1, 2}, {1}, {3, 4}, set(), {1, 2, 3}],
    "b": [{5}, set(), set()],
    "c": [set()],
    "d": [{4, 5}, {1}],
}
"""Topics of each paragraph. 5 is merged into 4; 3 does not count, so nothing of `c` does."""
COUNTED_AS = {1: "Architecture", 2: "Architecture", 4: "Costs", 5: "Costs"}


def test_a_paragraph_counts_once_for_a_theme_or_merged_topic(study: Warehouse) -> None:
    write(study, [topic(topic_id, theme) for topic_id, theme in TOPICS.items()])
    for index, (video_id, paragraphs) in enumerate(OF_HAND.items()):
        concepts: list[About] = [(None, dict.fromkeys(each, 0.5)) for each in paragraphs]
        writer.write(study, talk(index, video(video_id), concepts))
    write(study, [decided(1, topic_id=3, retained=False), decided(2, topic_id=5, target=4)])
    counted = [paragraphs for video_id, paragraphs in OF_HAND.items() if video_id != "c"]
    of = sum(map(len, counted))
    for theme in set(COUNTED_AS.values()):
        expected = sum(
            any(COUNTED_AS.get(topic_id) == theme for topic_id in each) for each in chain(*counted)
        )
        for basis, size in (("paragraphs", 1), ("minutes", MINUTES)):
            rows = registry.prevalence(study, basis=basis)  # type: ignore[arg-type]
            (row,) = (row for row in rows if row["theme"] == theme)
            assert (row["amount"], row["of_amount"]) == (expected * size, of * size)
            assert row["share"] == pytest.approx(expected / of)
    merged = {row["topic_id"]: row["amount"] for row in registry.topic_months(study, basis="paragraphs")}
    assert merged == {1: 4, 2: 2, 4: 3}


def test_rows_from_before_the_migration_are_made_anew(study: Warehouse) -> None:
    write(study, [topic(topic_id, theme) for topic_id, theme in TOPICS.items()])
    concepts: list[About] = [(None, {1: 0.5, 2: 0.5}), (None, {1: 0.5})]
    writer.write(study, talk(0, video("a"), concepts))
    query = "SELECT * FROM video_topics FINAL"
    (made,) = study.rows(query)
    assert (made["of_paragraphs"], made["of_seconds"], made["length_s"]) == (2, 360, 360)
    assert (made["overlaps.ids"], made["overlaps.paragraphs"]) == ([[1, 2]], [1])
    study.command("INSERT INTO video_topics SELECT * REPLACE (0 AS of_paragraphs) FROM video_topics FINAL")
    for column in ("of_seconds", "length_s"):
        study.command(f"INSERT INTO video_topics SELECT * REPLACE (0 AS {column}) FROM video_topics FINAL")
    assert study.rows(query) != [made]
    assert rollups.migrate(study) == []
    assert study.rows(query) == [made]
    assert rollups.migrate(study) == []
