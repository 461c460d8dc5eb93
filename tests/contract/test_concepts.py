"""A paragraph counts for its cluster and for each of its concepts, and its talk once for each theme."""

from __future__ import annotations

import random
from typing import Any

import pytest
from event_factories import (
    MODEL,
    NEWBORN,
    NOON,
    TEXTS,
    TRANSCRIPT,
    assigned,
    empty,
    held,
    judged,
    newborn,
    rows_of_paragraphs,
    seen,
    shares,
    topic,
    video,
    write,
)

from streams import events as e
from streams.store import writer
from streams.store.queries import prevalence
from streams.store.talks import talk_queries
from streams.store.talks.listing import listing
from streams.store.talks.paragraphs import paragraphs
from streams.store.talks.search import search
from streams.store.warehouse import Warehouse

TOPICS: list[e.Event] = [
    topic(1, "Architecture"),
    topic(2, "Architecture"),
    topic(3, "Evaluation"),
    newborn(0),
]


def decided(revision: int, **entry: Any) -> e.CodebookDecided:
    return e.CodebookDecided(
        revision=revision,
        model_version=MODEL,
        action="merge" if entry.get("target") else "exclude",
        said="so",
        entries=(e.CodebookEntry(**entry),),
        themes=(),
        author="ann",
        decided_at=NOON,
    )


def topics_of(warehouse: Warehouse, video_id: str) -> dict[int, int]:
    """Return the number of paragraphs of each topic of a talk, as counted."""
    (row,) = warehouse.rows(
        "SELECT topics.id AS ids, topics.paragraphs AS paragraphs FROM video_topics FINAL "
        "WHERE video_id = {video:String}",
        video=video_id,
    )
    return dict(zip(row["ids"], row["paragraphs"], strict=True))


def topics_shown(warehouse: Warehouse, video_id: str, position: int = 0) -> list[tuple[int, float, bool]]:
    """Return the topics of a paragraph as its page lists them, each with its probability and `retained`."""
    row = paragraphs(warehouse, video_id)[position]
    if row["topic_id"] is None:
        assert not row["further"]
        return []
    assert row["probability"] is not None
    first = (row["topic_id"], row["probability"], row["retained"])
    return [first, *((each["topic_id"], each["probability"], each["retained"]) for each in row["further"])]


def test_a_paragraph_counts_for_its_cluster_and_each_concept(either: Warehouse) -> None:
    write(either, [*TOPICS, judged(0, video("a"), (NEWBORN, {1: 0.75, 3: 0.5}), (None, {1: 0.5}))])
    assert topics_of(either, "a") == {1: 2, 3: 1, NEWBORN: 1}
    assert shares(prevalence.topics(either), "topic_id") == {
        1: (1, 1),
        2: (0, 1),
        3: (1, 1),
        NEWBORN: (1, 1),
    }
    assert {(row["topic_id"], row["other_id"]) for row in prevalence.cooccurrence(either)} == {
        (1, 3),
        (1, NEWBORN),
        (3, NEWBORN),
    }


def test_a_talk_counts_once_in_a_theme_for_all_its_concepts(study: Warehouse) -> None:
    write(study, TOPICS)
    write(study, [judged(0, video("a"), (None, {1: 0.75, 2: 0.5}), (None, {2: 0.5, 3: 0.4}))])
    write(study, [judged(1, video("b"), (None, {3: 0.9}))])
    assert shares(prevalence.themes(study), "theme") == {"Evaluation": (2, 2), "Architecture": (1, 2)}
    assert shares(prevalence.prevalence(study), "month", "theme") == {
        ("2025-03", "Evaluation"): (2, 2),
        ("2025-03", "Architecture"): (1, 2),
    }


def test_paragraphs_of_no_topic_do_not_count(study: Warehouse) -> None:
    write(study, [*TOPICS, judged(0, video("a"), (None, {})), judged(1, video("b"), (None, {1: 0.3}))])
    assert topics_of(study, "a") == {}
    assert shares(prevalence.topics(study), "topic_id")[1] == (1, 1)
    assert topics_of(study, "b") == {1: 1}


def test_a_paragraph_that_loses_its_concepts_counts_for_none(study: Warehouse) -> None:
    write(study, [*TOPICS, judged(0, video("a"), (NEWBORN, {1: 0.75}))])
    write(study, [judged(0, video("a"), (NEWBORN, {}), sequence=9)])
    assert topics_of(study, "a") == {NEWBORN: 1}


def test_the_list_of_talks_counts_each_paragraph_once(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    write(study, [*TOPICS, seen(video("a"))])
    write(study, [judged(0, video("a"), (NEWBORN, {1: 0.4, 2: 0.9}), (None, {1: 0.9}), (None, {}))])
    (row,) = listing(study)["rows"]
    assert (row["paragraphs"], row["topics"]) == (2, 3)


def test_a_quote_of_a_concept_is_its_most_probable_paragraph(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    write(study, [*TOPICS, seen(video("a"))])
    write(study, [judged(0, video("a"), (None, {1: 0.4}), (NEWBORN, {1: 0.9}), (None, {1: 0.6}))])
    (quote,) = talk_queries.quotes(study, 1)
    assert quote["text"] == TEXTS[1]
    assert quote["probability"] == pytest.approx(0.9)


def test_a_talk_that_is_learned_again_counts_as_it_was_last(study: Warehouse) -> None:
    first = judged(0, video("a"), (NEWBORN, {1: 0.75, 3: 0.5}), (None, {1: 0.5}))
    again = judged(0, video("a"), (None, {2: 0.8}), (NEWBORN, {2: 0.4}), sequence=9)
    for order in ([first, again], [again, first]):
        empty(study)
        write(study, TOPICS)
        for event in order:
            write(study, [event])
        assert topics_of(study, "a") == {2: 2, NEWBORN: 1}
        assert shares(prevalence.topics(study), "topic_id")[1] == (0, 1)


def test_concepts_of_an_earlier_transcript_do_not_count(study: Warehouse) -> None:
    writer.write(study, [*rows_of_paragraphs("a"), *rows_of_paragraphs("a", TEXTS[:1], "whisper-2")])
    write(study, TOPICS)
    write(study, [judged(0, video("a"), (NEWBORN, {1: 0.75}), (None, {3: 0.5}), (None, {}))])
    write(study, [judged(0, video("a"), (None, {2: 0.5}), sequence=9, transcript="whisper-2")])
    assert topics_of(study, "a") == {2: 1}
    assert [row["topic_id"] for row in paragraphs(study, "a")] == [2]


def test_the_most_probable_concept_of_a_paragraph_comes_first(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    write(study, TOPICS)
    write(study, [judged(0, video("a"), (NEWBORN, {3: 0.75, 1: 0.5}), (NEWBORN, {}), (None, {}))])
    assert topics_shown(study, "a") == [(3, 0.75, True), (1, 0.5, True), (NEWBORN, 0.5, True)]
    assert topics_shown(study, "a", 1) == [(NEWBORN, 0.5, True)]
    assert topics_shown(study, "a", 2) == []
    first = paragraphs(study, "a")[0]
    assert (first["name"], first["theme"], first["text"]) == ("topic 3", "Evaluation", TEXTS[0])
    assert [(each["name"], each["theme"]) for each in first["further"]] == [
        ("topic 1", "Architecture"),
        ("servers", "Not yet in a theme"),
    ]


def test_an_excluded_concept_comes_last(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    write(study, TOPICS)
    write(study, [judged(0, video("a"), (NEWBORN, {3: 0.75, 1: 0.5}), (None, {3: 0.75}))])
    write(study, [decided(1, topic_id=3, retained=False, reason="too wide")])
    assert topics_shown(study, "a") == [(1, 0.5, True), (NEWBORN, 0.5, True), (3, 0.75, False)]
    assert topics_shown(study, "a", 1) == [(3, 0.75, False)]
    assert 3 not in shares(prevalence.topics(study), "topic_id")
    assert [each["topic_id"] for each in paragraphs(study, "a", codebook=0)[0]["further"]] == [1, NEWBORN]


def test_a_cluster_merged_into_a_concept_is_shown_once(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    write(study, TOPICS)
    write(study, [judged(0, video("a"), (NEWBORN, {3: 0.75, 1: 0.25}), (NEWBORN, {}))])
    write(study, [judged(1, video("b"), (NEWBORN, {})), judged(2, video("c"), (None, {2: 0.5}))])
    write(study, [decided(1, topic_id=NEWBORN, target=1)])
    assert shares(prevalence.topics(study), "topic_id") == {1: (2, 3), 2: (1, 3), 3: (1, 3)}
    assert shares(prevalence.themes(study), "theme") == {"Architecture": (3, 3), "Evaluation": (1, 3)}
    assert topics_shown(study, "a") == [(3, 0.75, True), (1, 0.25, True)]
    assert topics_shown(study, "a", 1) == [(1, 0.5, True)]
    assert (1, 1) not in {(row["topic_id"], row["other_id"]) for row in prevalence.cooccurrence(study)}


def test_quotes_that_are_found_name_a_concept_that_counts(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    write(study, [*TOPICS, seen(video("a"))])
    write(study, [judged(0, video("a"), (NEWBORN, {3: 0.75, 1: 0.5}), (NEWBORN, {}), (None, {}))])

    def found(word: str) -> tuple[int | None, str | None]:
        (quote,) = search(study, word)["quotes"]
        return quote["topic_id"], quote["name"]

    assert found("chunk") == (3, "topic 3")
    assert found("servers") == (NEWBORN, "servers")
    assert found("nothing") == (None, None)
    write(study, [decided(1, topic_id=3, retained=False, reason="too wide")])
    assert found("chunk") == (1, "topic 1")
    write(study, [decided(2, topic_id=1, target=2)])
    assert found("chunk") == (2, "topic 2")
    write(study, [decided(3, topic_id=NEWBORN, retained=False, reason="too narrow")])
    assert found("servers") == (None, None)


def test_order_and_repetition_of_events_change_nothing(study: Warehouse) -> None:
    story: list[e.Event] = [
        *TOPICS,
        seen(video("a")),
        judged(0, video("a"), (NEWBORN, {1: 0.75, 3: 0.5}), (None, {2: 0.5})),
        judged(0, video("a"), (None, {3: 0.5}), (NEWBORN, {2: 0.75, 1: 0.25}), sequence=7),
        judged(1, video("b"), (None, {2: 0.5, 1: 0.25})),
        judged(2, video("c"), (NEWBORN, {})),
        decided(1, topic_id=NEWBORN, target=1),
    ]
    said = [*rows_of_paragraphs("a", TEXTS[:2]), *rows_of_paragraphs("b", TEXTS[:1])]
    write(study, story)
    writer.write(study, said)
    expected = held(study)
    assert len(expected["memberships"]) == 4
    for seed in range(2):
        shuffled = random.Random(seed).sample([*story, *story[5:7]], len(story) + 2)
        empty(study)
        for number, event in enumerate(shuffled):
            if number == seed * 4:
                writer.write(study, said)
            write(study, [event])
        assert held(study) == expected


def test_a_model_without_concepts_counts_its_topics_as_before(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    write(study, [*TOPICS, seen(video("a")), assigned(0, video("a"), 1, NEWBORN, None)])
    assert study.rows("SELECT * FROM memberships") == []
    assert topics_of(study, "a") == {1: 1, NEWBORN: 1}
    assert shares(prevalence.themes(study), "theme")["Architecture"] == (1, 1)
    assert [topics_shown(study, "a", position) for position in range(3)] == [
        [(1, 0.5, True)],
        [(NEWBORN, 0.5, True)],
        [],
    ]
    (quote,) = search(study, "chunk")["quotes"]
    assert quote["topic_id"] == 1


def test_concepts_of_another_model_are_not_shown(study: Warehouse) -> None:
    writer.write(study, rows_of_paragraphs("a"))
    other = [event.model_copy(update={"model_version": "model-2"}) for event in TOPICS[:3]]
    write(study, [*TOPICS, *other])
    write(
        study, [e.EpochBegun(model_version="model-2", sequence=0, epoch=1, embedding_model="m", codebook="c")]
    )
    write(study, [judged(0, video("a"), (None, {1: 0.5, 3: 0.4}))])
    write(study, [judged(0, video("a"), (None, {2: 0.5})).model_copy(update={"model_version": "model-2"})])
    assert topics_shown(study, "a") == [(2, 0.5, True)]
    assert shares(prevalence.topics(study), "topic_id") == {1: (0, 1), 2: (1, 1), 3: (0, 1)}


def test_the_table_says_what_judged_a_paragraph(study: Warehouse) -> None:
    write(study, [judged(0, video("a"), (NEWBORN, {3: 0.75, 1: 0.5}), (1, {}))])
    row, none = study.rows("SELECT * FROM memberships FINAL ORDER BY length(topic_ids) DESC")
    assert none["topic_ids"] == []
    assert (row["video_id"], row["paragraph_id"]) == ("a", e.paragraph_id("a", TRANSCRIPT, 0))
    assert (row["topic_ids"], row["probabilities"]) == ([3, 1], [0.75, 0.5])
    assert (row["judge"], row["sequence"], row["model_version"]) == ("judge-1", 1, MODEL)
    assert f"{row['month']}" == "2025-03-01"
