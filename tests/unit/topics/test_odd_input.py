"""The world sends odd things at times: each has a defined answer, and none spoils the model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_talks import DIMENSION, WORDS, direction, model, talk
from numpy.typing import NDArray

from models.errors import BadInput
from models.topics import Batch, Outcome, TopicModel, TopicSettings, dump, load

WORDLESS = ["", " \n\t", "well you know", "🎉🎉 👍🏽 ❤️", "… — !!! 42 %", "\x00\u200b\ufeff"]
LONG = 3_000
CRAFTS = ("bread", "ships", "bees")


def state(topics: TopicModel) -> bytes:
    return dump(topics.to_snapshot())


def taught(topics: TopicModel) -> bytes:
    """Return a model's snapshot as bytes, without the arrays of the boilerplate filter."""
    snapshot = topics.to_snapshot()
    arrays = {name: array for name, array in snapshot.arrays.items() if not name.startswith("boilerplate")}
    return dump(replace(snapshot, arrays=arrays))


def heard(number: int) -> Batch:
    """A talk about two of three crafts, a month after the one before."""
    subjects = [CRAFTS[number % 3], CRAFTS[(number + 1) % 3]]
    return replace(talk(number, subjects), published_on=date(2020 + number // 12, number % 12 + 1, 5))


def learn(topics: TopicModel, batches: Sequence[Batch]) -> list[Outcome]:
    return [topics.learn(batch) for batch in batches]


def topics_of(outcomes: Sequence[Outcome]) -> list[list[int | None]]:
    return [[each.topic_id for each in outcome.assignments] for outcome in outcomes]


def said(number: int, text: str, subject: str = "bread") -> Batch:
    """A talk of three paragraphs, of which the second says `text`, whatever it is about."""
    made = talk(number, [subject, subject, subject])
    return replace(made, texts=(made.texts[0], text, made.texts[2]))


def with_embeddings(batch: Batch, change: Callable[[NDArray[np.float32]], None]) -> dict[str, Any]:
    embeddings = batch.embeddings.copy()
    change(embeddings)
    return {"embeddings": embeddings}


@pytest.mark.parametrize("text", WORDLESS)
def test_a_paragraph_without_telling_words_has_no_topic(text: str) -> None:
    topics, without = model(*CRAFTS), model(*CRAFTS)
    for each in (topics, without):
        learn(each, [heard(number) for number in range(3)])
    odd = said(3, text)
    first, second, third = topics.learn(odd).assignments
    assert (first.topic_id, second.topic_id, third.topic_id) == (1, None, 1)
    assert second.probability == 1.0
    rows = [0, 2]
    shorter = replace(
        odd,
        paragraph_ids=tuple(odd.paragraph_ids[row] for row in rows),
        texts=tuple(odd.texts[row] for row in rows),
        embeddings=odd.embeddings[rows],
    )
    assert topics_of([without.learn(shorter)]) == [[1, 1]]
    assert taught(topics) == taught(without)


def test_a_talk_of_such_paragraphs_counts_and_teaches_nothing() -> None:
    topics = model(*CRAFTS)
    learn(topics, [heard(number) for number in range(3)])
    before = topics.topics()
    silent = replace(talk(3, ["bread"] * len(WORDLESS)), texts=tuple(WORDLESS))
    outcome = topics.learn(silent)
    assert outcome.video_index == 3
    assert topics_of([outcome]) == [[None] * len(WORDLESS)]
    assert topics.topics() == before
    assert topics.learned(silent.batch_id)


def test_a_paragraph_of_3000_words_is_one_and_not_kept_whole() -> None:
    topics = model(*CRAFTS)
    learn(topics, [heard(number) for number in range(3)])
    words = np.random.default_rng(1).choice(WORDS["bread"].split(), LONG)
    outcome = topics.learn(said(3, " ".join(words)))
    assert topics_of([outcome]) == [[1, 1, 1]]
    assert {word for word, _ in topics.topics()[1].words} & set(WORDS["ships"].split())
    assert len(state(topics)) < len(state(model(*CRAFTS))) + 60_000
    longest = max((len(text) for text in _texts(topics.to_snapshot().meta)), default=0)
    assert longest <= 4_000, "a long text is cut before it is kept"


def _texts(meta: object) -> list[str]:
    """Every string in a snapshot's JSON."""
    if isinstance(meta, dict):
        return [text for value in meta.values() for text in _texts(value)]
    if isinstance(meta, list):
        return [text for value in meta for text in _texts(value)]
    return [meta] if isinstance(meta, str) else []


@pytest.mark.parametrize(
    "text",
    [
        "Der Bäcker knetet süße Brötchen aus Weizenmehl",
        "Пекарь месит тесто для хлеба",
        "パン屋は生地をこねる",
        "يعجن الخباز عجين الخبز",
    ],
)
def test_another_language_goes_by_embedding_and_its_words_count(text: str) -> None:
    topics = model(*CRAFTS)
    learn(topics, [said(number, text) for number in range(6)])
    outcome = topics.learn(said(6, text))
    assert topics_of([outcome]) == [[1, 1, 1]]
    vocabulary = set(topics.to_snapshot().meta["vocabulary"])  # type: ignore[arg-type]
    assert any(not word.isascii() for word in vocabulary)
    again = TopicModel.from_snapshot(load(state(topics)), TopicSettings())
    assert state(again) == state(topics)


def nan(rows: NDArray[np.float32]) -> None:
    rows[1, 3] = np.nan


def infinite(rows: NDArray[np.float32]) -> None:
    rows[1, 3] = -np.inf


def zero(rows: NDArray[np.float32]) -> None:
    rows[1] = 0.0


@pytest.mark.parametrize(("change", "fault"), [(nan, "finite"), (infinite, "finite"), (zero, "zero")])
def test_an_embedding_that_is_none_makes_no_batch(
    change: Callable[[NDArray[np.float32]], None], fault: str
) -> None:
    batch = heard(0)
    with pytest.raises(BadInput, match=rf"paragraph talk-0:1:1 is .*{fault}.*: embed the video again"):
        replace(batch, **with_embeddings(batch, change))


@pytest.mark.parametrize("length", [1e-30, 1e30])
def test_the_length_of_an_embedding_says_nothing(length: float) -> None:
    topics, as_usual = model(*CRAFTS), model(*CRAFTS)
    batch = heard(0)
    scaled = replace(batch, embeddings=(batch.embeddings.astype(np.float64) * length).astype(np.float32))
    assert topics_of([topics.learn(scaled)]) == topics_of([as_usual.learn(batch)]) == [[1, 2]]


@pytest.mark.parametrize("dimension", [1, DIMENSION - 1, DIMENSION + 1, 384])
def test_another_dimension_is_refused_and_the_model_is_as_it_was(dimension: int) -> None:
    topics = model(*CRAFTS)
    learn(topics, [heard(number) for number in range(3)])
    before = state(topics)
    with pytest.raises(BadInput, match=f"{dimension} dimensions, and the model's have {DIMENSION}: embed it"):
        topics.learn(replace(heard(3), embeddings=np.ones((2, dimension), np.float32)))
    assert state(topics) == before
    assert not topics.learned(heard(3).batch_id)


def test_what_was_refused_does_not_change_what_is_learned() -> None:
    good = [heard(number) for number in range(9)]
    alone, disturbed = model(*CRAFTS), model(*CRAFTS)
    learn(alone, good)
    for batch in good:
        with pytest.raises(BadInput, match="dimensions"):
            disturbed.learn(replace(batch, embeddings=np.ones((2, 7), np.float32)))
        with pytest.raises(BadInput, match="zero"):
            disturbed.learn(replace(batch, **with_embeddings(batch, zero)))
        disturbed.learn(batch)
        with pytest.raises(BadInput, match="has been learned already"):
            disturbed.learn(batch)
    assert state(disturbed) == state(alone)


@pytest.mark.long
def test_ten_thousand_paragraphs_of_one_video_are_one_video() -> None:
    topics, many = model(*CRAFTS), 10_000
    learn(topics, [heard(number) for number in range(3)])
    rng = np.random.default_rng(5)
    subjects = ["bread", "clocks", ""] * (many // 3) + ["bread"]
    centres = {subject: direction(subject) for subject in ("bread", "clocks")}
    rows = [centres[each] if each else rng.normal(0, 1, DIMENSION) for each in subjects]
    endless = Batch(
        batch_id="endless",
        video_id="endless",
        published_on=date(2020, 4, 1),
        paragraph_ids=tuple(map(str, range(many))),
        texts=tuple(WORDS[each or "glass"] for each in subjects),
        embeddings=(np.array(rows) + rng.normal(0, 0.05, (many, DIMENSION))).astype(np.float32),
    )
    outcome = topics.learn(endless)
    assert len(outcome.assignments) == many
    assert not outcome.births, "a topic needs several videos, not several paragraphs"
    given = np.array([each.topic_id or 0 for each in outcome.assignments])
    assert (given[np.array(subjects) == "bread"] == 1).all()
    assert (given[np.array(subjects) == "clocks"] == 0).all()
    assert len(state(topics)) < 6_000_000
    after = [*(heard(number) for number in range(3, 6)), *(talk(number, ["bees"] * 2) for number in (6, 7))]
    assert topics_of(learn(topics, after)) == [[1, 2], [2, 3], [3, 1], [3, 3], [3, 3]]


@pytest.mark.long
@pytest.mark.parametrize("day", [date(1970, 1, 1), date(1, 1, 1), date(2999, 12, 31), date.max])
def test_a_video_of_an_impossible_day_is_learned_without_clock(day: date) -> None:
    topics = model(*CRAFTS)
    learn(topics, [heard(number) for number in range(12)])
    outcome = topics.learn(replace(talk(99, ["bread", "ships"]), published_on=day))
    assert topics_of([outcome]) == [[1, 2]]
    later = learn(topics, [heard(number) for number in range(12, 24)])
    assert topics_of(later) == [[number % 3 + 1, (number + 1) % 3 + 1] for number in range(12, 24)]
    for each in (outcome, *later):
        assert not each.dormancies and not each.merges and not each.births
        assert all(drift.since != day for drift in each.drifts)
    again = TopicModel.from_snapshot(load(state(topics)), TopicSettings())
    assert state(again) == state(topics)


@given(st.permutations(range(12)))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_talks_in_any_order_of_days_get_the_same_topics(order: list[int]) -> None:
    outcomes = learn(model(*CRAFTS), [heard(number) for number in order])
    assert [outcome.video_index for outcome in outcomes] == list(range(12))
    assert topics_of(outcomes) == [[number % 3 + 1, (number + 1) % 3 + 1] for number in order]


def test_an_older_version_coming_later_is_the_same_video() -> None:
    topics = model(*CRAFTS)
    newer, older = talk(0, ["bread", "bees"], version=2), talk(0, ["bread", "ships"], version=1)
    outcomes = learn(topics, [newer, heard(1), older])
    assert [outcome.video_index for outcome in outcomes] == [0, 1, 0]
    assert topics_of(outcomes)[2] == [1, 2]
    with pytest.raises(BadInput, match="has been learned already"):
        topics.learn(newer)
