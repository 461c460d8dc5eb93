"""Small talk of shows is recognised by its place in the talks, in any language."""

import doctest
from dataclasses import replace

import pytest
from made_up_talks import SUBJECTS, model, talk

from models.topics import Batch, Emergence, TopicModel
from models.topics.lifecycle import small_talk
from models.topics.lifecycle.small_talk import PlaceCounts, TalkPlaces, is_at_end

GREETING = "Здравствуйте дорогие слушатели спасибо что пришли подпишитесь на канал"
OTHERS = [each for each in SUBJECTS if each not in ("bees", "clocks")]


def show(number: int, *, greets: bool, where: tuple[int, ...] = (0, 20)) -> Batch:
    """A talk of 21 paragraphs of one of three sources; a greeting is close to bees among the embeddings."""
    subjects = [OTHERS[(number + row) % len(OTHERS)] for row in range(21)]
    for row in where if greets else ():
        subjects[row] = "bees"
    said = talk(number, subjects)
    texts = tuple(
        GREETING if subject == "bees" else text for text, subject in zip(said.texts, subjects, strict=True)
    )
    return replace(said, texts=texts, source=f"show {number % 3}")


def heard(greets_from: int, where: tuple[int, ...], talks: int = 110) -> tuple[TopicModel, list[Emergence]]:
    topics, emergences = model(*OTHERS), []
    for number in range(talks):
        emergences += topics.learn(show(number, greets=number >= greets_from, where=where)).emergences
    return topics, emergences


def test_the_examples_hold() -> None:
    assert doctest.testmod(small_talk).failed == 0


def test_small_talk_is_told_by_place_and_raises_no_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    topics, emergences = heard(70, where=(0, 20))
    (born,) = (topic for topic in topics.topics() if topic.origin == "born")
    assert topics.memory.places.of(born.topic_id).small_talk.startswith("100 % of its paragraphs")
    assert not emergences
    monkeypatch.setattr(small_talk, "AT_ENDS", 2.0)
    _, emergences = heard(70, where=(0, 20))
    assert [each.topic_id for each in emergences] == [born.topic_id]


def test_a_subject_in_the_middle_of_every_talk_is_none() -> None:
    topics, emergences = heard(70, where=(8, 12))
    (born,) = (topic for topic in topics.topics() if topic.origin == "born")
    assert topics.memory.places.of(born.topic_id).small_talk == ""
    assert [each.topic_id for each in emergences] == [born.topic_id]


def test_a_subject_of_few_talks_is_none_wherever_it_is() -> None:
    assert TalkPlaces(20, 20, 20, 25, 2).small_talk
    assert not TalkPlaces(20, 20, 20, 200, 2).small_talk
    assert not TalkPlaces(4, 4, 4, 4, 1).small_talk


def test_short_talks_have_no_ends() -> None:
    assert not any(is_at_end(row, 9) for row in range(9))
    assert [row for row in range(10) if is_at_end(row, 10)] == [0, 9]


def test_counts_are_merged_and_restored() -> None:
    places = PlaceCounts()
    places.add("a", {1: (2, 2), 2: (1, 0)})
    places.add("b", {2: (3, 1)})
    places.add("a", {})
    assert places.of(1) == TalkPlaces(2, 2, 1, 2, 1)
    assert places.of(2) == TalkPlaces(4, 1, 2, 3, 2)
    again = PlaceCounts.from_arrays(places.to_arrays())
    again.pool(1, into=2)
    assert again.of(2) == TalkPlaces(6, 3, 3, 3, 2)
    assert again.of(1) == TalkPlaces(0, 0, 0, 0, 0) == PlaceCounts.from_arrays({}).of(2)
