"""Topics that nobody speaks of: they become dormant, keep their state, and return under their own id."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from made_up_talks import WORDS, model, talk

from models.topics import Batch, Outcome, TopicModel, TopicSettings, dump, load

SMALL = TopicSettings(max_topics=2, rest_videos=5)
"""Two topics at most; one that five videos have not spoken of makes room."""


def said(number: int, subjects: Sequence[str], month: int = 1) -> Batch:
    return replace(
        talk(number, subjects), published_on=date(2020 + (month - 1) // 12, (month - 1) % 12 + 1, 1)
    )


def learn(topics: TopicModel, talks: Sequence[Sequence[str]], first: int = 0) -> list[Outcome]:
    return [topics.learn(said(number, subjects)) for number, subjects in enumerate(talks, start=first)]


def dormancies(outcomes: Sequence[Outcome]) -> list[tuple[int, bool]]:
    return [(each.topic_id, each.asleep) for outcome in outcomes for each in outcome.dormancies]


def test_the_topic_unheard_for_longest_makes_room_for_a_new_one() -> None:
    topics = model("bread", "ships", settings=SMALL)
    outcomes = learn(topics, [["bread", "ships"]] + [["ships", "bees", "bees"]] * 8)
    assert dormancies(outcomes) == [(1, True)]
    assert topics.active() == (2, 3)
    assert [topic.topic_id for topic in topics.topics()] == [1, 2, 3]


def test_a_sleeping_topic_keeps_name_and_words_and_gets_no_talk() -> None:
    topics = model("bread", "ships", settings=SMALL)
    learn(topics, [["bread"] * 3])
    before = topics.topics()[0]
    learn(topics, [["ships", "bees", "bees"]] * 8, first=1)
    assert 1 not in topics.active()
    assert topics.topics()[0].label == before.label
    assert topics.topics()[0].words == before.words
    assert [each.topic_id for each in topics.learn(said(99, ["bread"])).assignments] == [None]


def test_it_wakes_under_its_own_id_when_talks_speak_of_it() -> None:
    topics = model("bread", "ships", settings=SMALL)
    learn(topics, [["bread"] * 3] * 3 + [["ships", "bees", "bees"]] * 12)
    assert topics.active() == (2, 3)
    back = learn(topics, [["ships", "bread", "bread"]] * 8, first=100)
    assert dormancies(back) == [(3, True), (1, False)]
    assert not any(outcome.births for outcome in back)
    assert back[-1].assignments[1].topic_id == 1
    assert set(topics.active()) == {1, 2}
    assert {word for word, _ in topics.topics()[0].words} & set(WORDS["bread"].split())


def test_consolidation_puts_long_unheard_topics_to_sleep() -> None:
    topics = model("bread", "ships", settings=TopicSettings(sleep_videos=10, sleep_months=6))
    for number in range(20):
        topics.learn(said(number, ["ships"] if number else ["bread", "ships"], month=1))
    early = topics.consolidate("look-1", date(2020, 3, 1))
    assert early.dormancies == ()
    late = topics.consolidate("look-2", date(2020, 8, 1))
    assert [(each.topic_id, each.asleep) for each in late.dormancies] == [(1, True)]
    assert topics.active() == (2,)


def test_a_model_with_sleeping_topics_is_restored_exactly() -> None:
    steady = model("bread", "ships", settings=SMALL)
    learn(steady, [["bread"] * 3] * 3 + [["ships", "bees", "bees"]] * 12)
    restored = TopicModel.from_snapshot(load(dump(steady.to_snapshot())), SMALL)
    for number in range(100, 110):
        batch = said(number, ["ships", "bread", "bread"])
        assert restored.learn(batch) == steady.learn(batch)
        assert dump(restored.to_snapshot()) == dump(steady.to_snapshot())
    assert restored.topics() == steady.topics()
