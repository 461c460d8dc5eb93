"""Looks at the topics as a whole: what is born, merged and split, and when that would be too much."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from made_up_talks import SUBJECTS, WORDS, direction, model, talk

from models.errors import BadInput
from models.topics import Outcome, TopicModel, TopicSettings, dump, load

NO_BIRTHS = TopicSettings(birth_paragraphs=10_000, group_paragraphs=6, first_look=60, bootstrap=60)
"""Only a look finds topics: no talk completes one."""


SWAYED = TopicSettings(
    birth_paragraphs=4, paragraph_cap=20.0, anchor=0.0, merge_cosine=0.3, first_look=1000, bootstrap=1000
)
"""Topics follow their talks anywhere, and are looked at as a whole only when asked for."""


def learn(topics: TopicModel, talks: Sequence[Sequence[str]], first: int = 0) -> list[Outcome]:
    return [topics.learn(talk(number, subjects)) for number, subjects in enumerate(talks, start=first)]


def test_the_first_look_finds_topics_for_unassigned_paragraphs() -> None:
    topics = model(settings=NO_BIRTHS)
    outcomes = learn(topics, [["bees", "glass"] * 2] * 15)
    (looked,) = [outcome for outcome in outcomes if outcome.consolidation]
    assert looked is outcomes[14]
    assert looked.consolidation is not None
    assert (looked.consolidation.topics_before, looked.consolidation.topics_after) == (0, 2)
    assert [birth.topic.topic_id for birth in looked.births] == [1, 2]
    revised = {each.paragraph_id: each.topic_id for birth in looked.births for each in birth.assignments}
    assert len(revised) == 60
    assert len({revised[f"talk-{number}:1:0"] for number in range(15)}) == 1
    assert {revised["talk-3:1:0"], revised["talk-3:1:1"]} == {1, 2}


def test_a_topic_that_is_there_already_keeps_its_id() -> None:
    topics = model("bees", settings=NO_BIRTHS)
    outcomes = learn(topics, [["bees", "glass"] * 2] * 15)
    assert [birth.topic.topic_id for outcome in outcomes for birth in outcome.births] == [2]
    assert [each.topic_id for each in topics.learn(talk(99, ["bees", "glass"])).assignments] == [1, 2]


def test_a_newborn_has_words_and_one_paragraph_of_each_video() -> None:
    topics = model(settings=NO_BIRTHS)
    learn(topics, [["bees", "bees", "glass", "glass"]] * 15)
    for topic in topics.topics():
        said = topics.representatives(topic.topic_id)
        assert len(said) == 8
        assert len({each.video_id for each in said}) == 8
        assert [each.cosine for each in said] == sorted((each.cosine for each in said), reverse=True)
        assert {word for word, _ in topic.words} & set(said[0].text.split())


def test_equal_topics_are_merged_and_the_older_one_lives_on() -> None:
    """Two subjects begin apart; then their talks come together."""
    topics = model("ships", settings=SWAYED)
    learn(topics, [["bees"] * 2] * 3 + [["glass"] * 2] * 3)
    assert topics.active() == (1, 2, 3)
    vectors = (direction("bees") + direction("glass")).astype(np.float32)
    for number in range(10, 40):
        batch = talk(number, ["bees", "glass"])
        topics.learn(replace(batch, embeddings=batch.embeddings + vectors))
    outcome = topics.consolidate("look", date(2025, 4, 1))
    assert [(merge.topic_id, merge.into) for merge in outcome.merges] == [(3, 2)]
    assert topics.aliases() == {3: 2}
    assert topics.active() == (1, 2)
    assert [topic.topic_id for topic in topics.topics()] == [1, 2]
    assert {word for word, _ in topics.topics()[1].words} & set(WORDS["glass"].split())
    learn(topics, [["trains"] * 4] * 3, first=50)
    assert [topic.topic_id for topic in topics.topics()] == [1, 2, 4], "an id is never given again"


def test_seeded_topics_are_never_merged_with_each_other() -> None:
    topics = model(
        "bees", "glass", settings=TopicSettings(merge_cosine=-1.0, most_change=1.0, least_survival=0.0)
    )
    learn(topics, [["bees", "glass"]] * 5)
    assert topics.consolidate("look", date(2025, 4, 1)).merges == ()


def test_a_look_that_would_change_too_much_changes_nothing() -> None:
    topics = model(settings=replace(NO_BIRTHS, first_look=10, bootstrap=10))
    learn(topics, [["bees"] * 2] * 5 + [["glass", "clocks", "trains", "ships"] * 2] * 5)
    before = topics.to_snapshot()
    outcome = topics.consolidate("look", date(2025, 4, 1))
    assert outcome.consolidation is not None
    assert not outcome.consolidation.accepted
    assert outcome.consolidation.reason == "the number of topics would go from 1 to 5"
    assert (outcome.births, outcome.merges, outcome.topics_changed) == ((), (), ())
    after = topics.to_snapshot()
    for name in ("topic_ids", "anchors", "means", "word_counts"):
        assert np.array_equal(before.arrays[name], after.arrays[name])


def test_a_look_happens_once() -> None:
    topics = model("bees")
    topics.consolidate("look", date(2025, 4, 1))
    assert topics.learned("look")
    with pytest.raises(BadInput, match="look has been learned already"):
        topics.consolidate("look", date(2025, 4, 1))


def test_a_new_month_brings_a_look_but_one_odd_video_does_not() -> None:
    settings = replace(NO_BIRTHS, consolidate_paragraphs=20, first_look=10, bootstrap=10)
    topics = model(settings=settings)
    days = [date(2025, 3, 1)] * 20 + [date(2031, 1, 1)] + [date(2025, 3, 9)] * 20 + [date(2025, 4, 1)] * 6
    looked = [
        number
        for number, day in enumerate(days)
        if topics.learn(replace(talk(number, ["bees"] * 2), published_on=day)).consolidation
    ]
    assert looked == [4, 43]


@pytest.mark.long
def test_looks_replay_and_survive_a_restart_after_every_talk() -> None:
    settings = replace(NO_BIRTHS, consolidate_paragraphs=20, birth_paragraphs=5, reservoir=50)
    steady, interrupted = model(settings=settings), model(settings=settings)
    looks = 0
    for number in range(30):
        subjects = [SUBJECTS[number % 4], SUBJECTS[(number + 1) % 4], SUBJECTS[number % 3]]
        batch = replace(talk(number, subjects), published_on=date(2025, 1 + number // 5, 3))
        outcome = steady.learn(batch)
        looks += outcome.consolidation is not None
        assert interrupted.learn(batch) == outcome
        interrupted = TopicModel.from_snapshot(load(dump(interrupted.to_snapshot())), settings)
    assert looks >= 2
    assert dump(steady.to_snapshot()) == dump(interrupted.to_snapshot())
