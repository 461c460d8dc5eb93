"""Topics that were known and become common: told once, with evidence from several sources."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import numpy as np
import pytest

from models.topics.drift.rise import HISTORY, RiseWatch
from models.topics.drift.watch import DriftSettings, DriftWatch, Spoke
from models.topics.results import RiseEvidence, SourceQuote

TOPIC, OTHERS = 1, (2, 3)
DAY = date(2024, 1, 1).toordinal()
Share = Callable[[int, str], float]
"""The probability that a talk (its number, its source) is about the topic."""


def talks(count: int, share: Share, shows: Callable[[int], str], seed: int = 0) -> Iterator[tuple[str, bool]]:
    chance = random.Random(seed)
    for at in range(count):
        source = shows(at)
        yield source, chance.random() < share(at, source)


def in_turn(at: int) -> str:
    return "ABCD"[at % 4]


def rises(
    count: int, share: Share, shows: Callable[[int], str] = in_turn, seed: int = 0
) -> list[tuple[int, RiseEvidence]]:
    """Return the rises of the topic, each with the number of the talk that showed it."""
    watch, found = RiseWatch(), []
    for topic_id in (TOPIC, *OTHERS):
        watch.begin(topic_id)
    for at, (source, about) in enumerate(talks(count, share, shows, seed)):
        topics = {OTHERS[at % 2], *([TOPIC] if about else [])}
        found += [
            (at, rise)
            for topic, rise in watch.update(topics, f"talk-{at}", source, DAY + at)
            if topic == TOPIC
        ]
    return found


def test_a_topic_that_becomes_common_is_told_once_and_in_time() -> None:
    for seed in range(5):
        (told,) = rises(600, lambda at, _: 0.04 if at < 300 else 0.35, seed=seed)
        at, rise = told
        assert 300 < at < 350
        assert rise.earlier / rise.earlier_of < 0.1 and rise.recent / rise.recent_of > 0.2
        assert rise.sources >= 2 and rise.log10_p < -3
        assert len(rise.video_ids) == rise.recent and rise.video_ids[-1] == f"talk-{at}"
        assert rise.latest_on == date.fromordinal(DAY + at)


def test_talks_older_than_all_that_are_remembered_are_no_past() -> None:
    def share(at: int, _: str) -> float:
        return 0.2 if at < 200 else 0.0 if at < HISTORY + 100 else 0.3

    (told,) = rises(HISTORY + 200, share)
    at, rise = told
    assert at > HISTORY + 100
    assert rise.earlier <= 20


def test_a_second_rise_is_told_again() -> None:
    found = rises(1200, lambda at, _: 0.03 if at < 300 else 0.25 if at < 800 else 0.85)
    assert [at // 100 for at, _ in found] == [3, 8]


def test_by_chance_hardly_any_topic_rises() -> None:
    found = [len(rises(1500, lambda *_, share=share: share)) for share in (0.02, 0.1, 0.4)]
    assert sum(found) <= 1


def test_one_loud_source_raises_no_topic() -> None:
    assert rises(600, lambda at, source: 0.03 if at < 300 or source != "A" else 1.0) == []


def test_in_a_study_of_one_source_a_topic_rises_all_the_same() -> None:
    assert len(rises(600, lambda at, _: 0.04 if at < 300 else 0.35, lambda _: "A")) == 1


def test_a_source_that_joins_with_its_subjects_raises_none() -> None:
    def shows(at: int) -> str:
        return "new" if at >= 300 and at % 2 else in_turn(at)

    assert rises(600, lambda _, source: 0.9 if source == "new" else 0.03, shows) == []


def test_sources_that_publish_more_raise_no_topic() -> None:
    def shows(at: int) -> str:
        return "AB"[at % 2] if at >= 300 and at % 5 else in_turn(at) if at % 2 else "CD"[at // 2 % 2]

    assert rises(700, lambda _, source: 0.5 if source in "AB" else 0.02, shows) == []


@pytest.mark.parametrize("at", [0, 150, 299, 310, 315, 320, 500])
def test_a_rise_is_the_same_after_a_restart_at_any_talk(at: int) -> None:
    def found(restart: int) -> list[object]:
        watch, told = RiseWatch(), []
        watch.begin(TOPIC)
        watch.begin(OTHERS[0])
        for number, (source, about) in enumerate(talks(600, lambda n, _: 0.04 if n < 300 else 0.4, in_turn)):
            if number == restart:
                watch = RiseWatch.from_json(json.loads(json.dumps(watch.to_json())))
            topics = {OTHERS[0], *([TOPIC] if about else [])}
            told += watch.update(topics, f"talk-{number}", source, DAY + number)
        return [*told, json.dumps(watch.to_json())]

    assert found(at) == found(-1)
    assert len(found(at)) == 2


def test_a_topic_that_begins_again_has_no_earlier_talks() -> None:
    watch = RiseWatch()
    watch.begin(OTHERS[0])
    watch.begin(TOPIC)
    for number in range(300):
        assert not list(watch.update({OTHERS[0]}, str(number), in_turn(number), DAY))
    watch.begin(TOPIC)
    assert not [rise for n in range(50) for rise in watch.update({TOPIC}, f"b{n}", in_turn(n), DAY)]


def test_a_rise_is_a_drift_with_its_evidence_and_quotes() -> None:
    watched, found = DriftWatch(DriftSettings(), 4), []
    watched.begin(TOPIC)
    watched.begin(OTHERS[0])
    for at, (source, about) in enumerate(talks(450, lambda n, _: 0.04 if n < 300 else 0.4, in_turn)):
        name, on = f"talk-{at}", date.fromordinal(DAY) + timedelta(at)
        said = [Spoke(OTHERS[0], (), np.eye(1, 4))]
        if about:
            quote = SourceQuote(f"{name}#0", name, source, on, 3.0, f"This is number {at}.")
            said.insert(0, Spoke(TOPIC, (), np.eye(1, 4), (quote,)))
        found += [drift for drift in watched.update(said, on, name, name, source) if drift.what == "rise"]
    (drift,) = found
    assert drift.rise is not None and drift.topic_id == TOPIC
    assert drift.before == drift.rise.earlier / drift.rise.earlier_of < drift.after
    first, latest = drift.quotes
    assert first.video_id == drift.rise.video_ids[0] and latest.video_id == drift.rise.video_ids[-1]
    assert drift.since == first.published_on == drift.rise.first_on
