"""A topic of the codebook whose paragraphs leave its definition is in doubt, and says since when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from models.codebook.codebook import Codebook, CodebookTopic, load
from models.concepts.meaning import FEWEST, RECENT, MeaningWatch
from models.topics.results import Drift

BOOK = load("llm-in-production")
AGENTS = [topic.key for topic in BOOK.topics].index("agents") + 1
LATENCY = [topic.key for topic in BOOK.topics].index("latency") + 1
BEGAN = date(2021, 1, 4)
OF_MODELS = ["The agent calls a tool.", "Multi-agent systems hand over.", "An autonomous loop gets stuck."]
OF_TEAMS = ["The scrum master plans the sprint.", "Teams own their goals.", "Agile ownership, every week."]
OF_STREAKS = ["My streak on Duolingo is 400 days.", "I froze my streak.", "Streaks keep me going."]


def told(watch: MeaningWatch, topic_id: int, talks: list[list[str]], first: int = 0) -> list[Drift]:
    """Tell of a talk a week; return what was in doubt, or no longer was."""
    found: list[Drift] = []
    for week, texts in enumerate(talks, first):
        found += watch.update({topic_id: texts}, BEGAN + timedelta(weeks=week), f"talk-{week}")
    return found


@pytest.mark.parametrize(("topic_id", "others"), [(AGENTS, OF_TEAMS), (LATENCY, OF_STREAKS)])
def test_what_became_something_else_is_in_doubt(topic_id: int, others: list[str]) -> None:
    """On talks that nobody tuned on, Agents became agile teams, and Latency the streaks of an app."""
    watch = MeaningWatch(BOOK)
    (doubt,) = told(watch, topic_id, [others] * 30)
    assert (doubt.topic_id, doubt.what, doubt.since) == (topic_id, "meaning", BEGAN)
    assert doubt.after < 1 / 3
    assert doubt.videos_after >= FEWEST


def test_it_says_since_when_its_latest_paragraphs_are_looked_at() -> None:
    watch = MeaningWatch(BOOK)
    assert told(watch, AGENTS, [OF_MODELS] * 40) == []
    (doubt,) = told(watch, AGENTS, [OF_TEAMS] * 40, first=40)
    later = int(doubt.batch_id.removeprefix("talk-"))
    assert 40 < later < 40 + RECENT // len(OF_TEAMS)
    assert doubt.since == BEGAN + timedelta(weeks=later - RECENT // len(OF_TEAMS) + 1)


def test_it_is_trusted_again_when_its_words_return() -> None:
    watch = MeaningWatch(BOOK)
    told(watch, AGENTS, [OF_TEAMS] * 20)
    (trusted,) = told(watch, AGENTS, [OF_MODELS] * 20, first=20)
    assert trusted.after >= 1 / 2
    assert told(watch, AGENTS, [OF_MODELS] * 20, first=40) == []


def test_a_few_paragraphs_say_nothing() -> None:
    watch = MeaningWatch(BOOK)
    assert told(watch, AGENTS, [["We plan the sprint."]] * (FEWEST - 1)) == []
    assert len(told(watch, AGENTS, [["We plan the sprint."]], first=FEWEST)) == 1


def test_without_terms_the_words_of_the_definition_stand_for_it() -> None:
    topic = CodebookTopic(key="bees", name="Bees", theme="Crafts", description="Hives, honey and queens.")
    watch = MeaningWatch(Codebook(name="own", topics=(topic,)))
    assert told(watch, 1, [["Honey from the hive."]] * FEWEST) == []
    assert len(told(watch, 1, [["Trains and timetables."]] * RECENT, first=FEWEST)) == 1


def test_a_restored_watch_goes_on_as_if_nothing_had_been() -> None:
    whole, parted = MeaningWatch(BOOK), MeaningWatch(BOOK)
    talks = [OF_MODELS] * 15 + [OF_TEAMS] * 25 + [OF_MODELS] * 25
    expected = told(whole, AGENTS, talks)
    found: list[Drift] = []
    for week, texts in enumerate(talks):
        found += told(parted, AGENTS, [texts], first=week)
        restored = MeaningWatch(BOOK)
        restored.restore(parted.to_json())
        parted = restored
    assert found == expected
    assert [drift.after < 1 / 3 for drift in found] == [True, False]


def test_what_is_judged_again_may_end_a_doubt_or_begin_one() -> None:
    before, again = MeaningWatch(BOOK), MeaningWatch(BOOK)
    told(before, AGENTS, [OF_TEAMS] * 20)
    told(again, LATENCY, [OF_STREAKS] * 20)
    assert before.against(before, BEGAN, "request") == ()
    doubted, trusted = sorted(again.against(before, BEGAN, "request"), key=lambda drift: -drift.topic_id)
    assert (doubted.topic_id, doubted.after < doubted.before) == (LATENCY, True)
    assert (trusted.topic_id, trusted.after < trusted.before) == (AGENTS, False)
    assert trusted.since == BEGAN, "nothing counts for it any more"
