"""How far a topic that was born overlaps topics of the codebook, counted on the real engine."""

from __future__ import annotations

from typing import Any

import pytest
from event_factories import (
    MODEL,
    NEWBORN,
    NOON,
    TEXTS,
    judged,
    newborn,
    rows_of_paragraphs,
    topic,
    video,
    write,
)

from agents.queries.codebook.concept_overlap import concept_overlap
from models.codebook.suggestion import PART_SHARE
from streams import events as e
from streams.store import writer
from streams.store.warehouse import Warehouse

TOPICS: list[e.Event] = [topic(1, "Architecture"), topic(2, "Evaluation"), newborn(0)]
OTHER = 22
TALKS = "abcdef"


def talk(warehouse: Warehouse, index: int, *paragraphs: Any, transcript: str = "whisper-1") -> None:
    """Write a talk, whose paragraphs have these clusters and concepts, and its paragraphs."""
    texts = [TEXTS[0]] * len(paragraphs)
    writer.write(warehouse, rows_of_paragraphs(TALKS[index], texts, transcript))
    write(warehouse, [judged(index, video(TALKS[index]), *paragraphs, transcript=transcript)])


def counts(warehouse: Warehouse, topic_id: int | None = None) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Return paragraphs of both, paragraphs of the cluster and videos of both, by cluster and concept."""
    return {
        (row["topic_id"], row["concept_id"]): (row["paragraphs"], row["of_paragraphs"], row["videos"])
        for row in concept_overlap(warehouse, topic_id)
    }


def decided(revision: int, **entry: Any) -> e.CodebookDecided:
    return e.CodebookDecided(
        revision=revision,
        model_version=MODEL,
        action="merge",
        said="so",
        entries=(e.CodebookEntry(**entry),),
        author="ann",
        decided_at=NOON,
    )


def test_paragraphs_of_both_are_compared_with_chance(either: Warehouse) -> None:
    write(either, TOPICS)
    for index in range(3):
        talk(either, index, (NEWBORN, {1: 0.75, 2: 0.5}), (NEWBORN, {1: 0.5}), (None, {}), (None, {}))
    talk(either, 3, (NEWBORN, {}), (None, {2: 0.9}), *[(None, {})] * 6)
    first, second = concept_overlap(either)
    assert (first["name"], first["concept_name"]) == ("servers", "topic 1")
    assert (first["paragraphs"], first["of_paragraphs"], first["share"]) == (6, 7, 6 / 7)
    assert (first["expected"], first["lift"]) == (6 / 20, pytest.approx((6 / 7) / (6 / 20)))
    assert (first["videos"], first["of_videos"]) == (3, 4)
    assert first["low"] == pytest.approx(0.487, abs=0.001) and first["low"] > PART_SHARE
    assert not first["suggested"], "a lift below 3"
    assert (second["concept_name"], second["paragraphs"], second["expected"]) == ("topic 2", 3, 4 / 20)


def test_clear_evidence_in_three_talks_suggests_a_part(study: Warehouse) -> None:
    write(study, TOPICS)
    rest = [(None, {})] * 8
    talk(study, 0, (NEWBORN, {1: 0.75}), (NEWBORN, {1: 0.5}), *rest)
    talk(study, 1, (NEWBORN, {1: 0.75}), (NEWBORN, {1: 0.5}), *rest)
    assert [row["suggested"] for row in concept_overlap(study)] == [False], "all of two talks"
    talk(study, 2, (NEWBORN, {1: 0.75}), (NEWBORN, {2: 0.5}), *rest)
    assert [(row["concept_id"], row["suggested"]) for row in concept_overlap(study)] == [
        (1, True),
        (2, False),
    ]
    talk(study, 3, *[(NEWBORN, {2: 0.9})] * 5, *rest)
    assert [row["suggested"] for row in concept_overlap(study)] == [False, False], "half of each"


def test_only_the_transcript_that_counts_is_compared(study: Warehouse) -> None:
    write(study, TOPICS)
    talk(study, 0, (NEWBORN, {1: 0.75}), (NEWBORN, {1: 0.75}))
    writer.write(study, rows_of_paragraphs("a", TEXTS[:1], "whisper-2"))
    write(study, [judged(0, video("a"), (NEWBORN, {2: 0.5}), sequence=9, transcript="whisper-2")])
    assert counts(study) == {(NEWBORN, 2): (1, 1, 1)}


def test_a_withdrawn_talk_is_not_compared(study: Warehouse) -> None:
    write(study, TOPICS)
    talk(study, 0, (NEWBORN, {1: 0.75}))
    talk(study, 1, (NEWBORN, {1: 0.75}), (None, {1: 0.5}))
    withdrawn = e.VideoCorrected(
        video_id="b", what="withdrawn", reason="not a talk", author="ann", corrected_at=NOON
    )
    write(study, [withdrawn])
    (row,) = concept_overlap(study)
    assert (row["paragraphs"], row["of_paragraphs"], row["expected"]) == (1, 1, 1)


def test_merged_topics_are_compared_as_what_they_count_for(study: Warehouse) -> None:
    other = newborn(0).model_copy(update={"topic_id": OTHER})
    write(study, [*TOPICS, topic(3, "Costs"), other])
    talk(study, 0, (NEWBORN, {1: 0.75, 3: 0.5}), (OTHER, {3: 0.5}), (OTHER, {}))
    assert counts(study) == {(NEWBORN, 1): (1, 1, 1), (NEWBORN, 3): (1, 1, 1), (OTHER, 3): (1, 2, 1)}
    write(study, [decided(1, topic_id=OTHER, target=NEWBORN), decided(2, topic_id=3, target=1)])
    assert counts(study) == {(NEWBORN, 1): (2, 3, 1)}, "a paragraph about both counts once"
    assert counts(study, OTHER) == counts(study)
    write(study, [decided(3, topic_id=NEWBORN, target=2)])
    assert counts(study) == {}, "it counts for a topic of the codebook already"


def test_what_does_not_count_is_not_compared(study: Warehouse) -> None:
    write(study, TOPICS)
    talk(study, 0, (NEWBORN, {1: 0.75, 2: 0.5}))
    write(study, [decided(1, topic_id=1, retained=False, reason="too wide")])
    assert counts(study) == {(NEWBORN, 2): (1, 1, 1)}
    write(study, [decided(2, topic_id=NEWBORN, retained=False, reason="too narrow")])
    assert counts(study) == {}


def test_a_study_without_topics_has_no_overlap(study: Warehouse) -> None:
    assert concept_overlap(study) == []
