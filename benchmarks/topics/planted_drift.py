"""Changes planted in the videos of real topics, and in simulated shares: which are found, and how soon."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from benchmarks.topics.topic_videos import DAY, TopicVideo, watch
from models.topics.drift.rise import RiseWatch
from models.topics.drift.watch import DriftSettings, DriftWatch, Spoke
from models.topics.results import Drift

LONG = 60
"""Something is planted in topics with at least so many videos, …"""
ONSET = 40
"""… from this one of them on, …"""
AFTER = 40
"""… and has to be found within so many."""
PLANTED_TOPICS = 12
"""The largest topics are those."""
SEEDS = 3
RISES = ((0.1, 0.1), (0.02, 0.1), (0.05, 0.2), (0.05, 0.3), (0.1, 0.3), (0.1, 0.5), (0.3, 0.6))
"""Shares of talks before and after."""


def planted(stream: Sequence[TopicVideo], dimension: int) -> dict[str, Any]:
    """Measure what is found of changes that are planted in random orders of the largest topics' videos."""
    by_topic: dict[int, list[Spoke]] = defaultdict(list)
    for video in stream:
        for each in video.spoke:
            by_topic[each.topic_id].append(replace(each, topic_id=1))
    largest = sorted(by_topic, key=lambda topic: (-len(by_topic[topic]), topic))[:PLANTED_TOPICS]
    largest = [topic for topic in largest if len(by_topic[topic]) >= LONG]
    cases: dict[str, tuple[str, Callable[[list[Spoke], list[Spoke], random.Random], list[Spoke]]]] = {
        "3 new words in half of the videos": ("words", _new_words(3, 0.5)),
        "6 new words in a third of the videos": ("words", _new_words(6, 0.33)),
        "the 3 commonest words renamed": ("words", _renamed(3)),
        "a third of the videos are about another topic": ("centre", _other(0.33)),
        "two thirds of the videos are about another topic": ("centre", _other(0.67)),
    }
    results = {}
    for name, (what, change) in cases.items():
        delays, early, named, trials = [], 0, [], 0
        for topic in largest:
            other = by_topic[largest[largest.index(topic) - 1]]
            for seed in range(SEEDS):
                chance = random.Random(f"{topic} {seed}")
                spoke = chance.sample(by_topic[topic], min(len(by_topic[topic]), ONSET + AFTER))
                changed = [*spoke[:ONSET], *change(spoke[ONSET:], other, chance)]
                drifts = [d for d in _alone(changed, dimension) if d.what == what]
                trials += 1
                early += any(_position(d) < ONSET for d in drifts)
                found = [d for d in drifts if _position(d) >= ONSET]
                if found:
                    delays.append(_position(found[0]) - ONSET + 1)
                    named.append(sum(word.startswith("new-") for word in found[0].words_after))
        results[name] = {
            "trials": trials,
            "found": len(delays) / trials if trials else None,
            "median_videos_to_alarm": float(np.median(delays)) if delays else None,
            "alarms_before": early,
            **({"mean_planted_words_named": float(np.mean(named))} if what == "words" and named else {}),
        }
    results["share"] = _planted_shares()
    results["rise"] = _planted_rises()
    return results


def _alone(spoke: Sequence[Spoke], dimension: int) -> list[Drift]:
    stream = [
        TopicVideo(str(position), DAY + timedelta(position), (each,)) for position, each in enumerate(spoke)
    ]
    return watch(stream, [1], dimension)


def _position(drift: Drift) -> int:
    return int(drift.batch_id)


def _new_words(count: int, share: float) -> Callable[[list[Spoke], list[Spoke], random.Random], list[Spoke]]:
    def change(spoke: list[Spoke], _: list[Spoke], chance: random.Random) -> list[Spoke]:
        changed = []
        for each in spoke:
            new = [f"new-{number}" for number in range(count) if chance.random() < share]
            changed.append(replace(each, words=(*new, *new, *new, *each.words)))
        return changed

    return change


def _renamed(count: int) -> Callable[[list[Spoke], list[Spoke], random.Random], list[Spoke]]:
    def change(spoke: list[Spoke], _: list[Spoke], chance: random.Random) -> list[Spoke]:
        common = Counter(word for each in spoke for word in sorted(set(each.words)))
        renamed = {word: f"new-{word}" for word, _ in common.most_common(count)}
        return [replace(each, words=tuple(renamed.get(w, w) for w in each.words)) for each in spoke]

    return change


def _other(share: float) -> Callable[[list[Spoke], list[Spoke], random.Random], list[Spoke]]:
    def change(spoke: list[Spoke], other: list[Spoke], chance: random.Random) -> list[Spoke]:
        return [
            replace(each, vectors=chance.choice(other).vectors) if chance.random() < share else each
            for each in spoke
        ]

    return change


def _planted_shares() -> dict[str, Any]:
    """Shares of simulated videos that change after 300 of them; every video speaks of a second topic."""
    results = {}
    vector = np.eye(1, 4)
    for before, after in ((0.1, 0.1), (0.02, 0.1), (0.1, 0.3), (0.1, 0.5), (0.5, 0.25)):
        delays, alarms = [], 0
        for seed in range(20):
            chance = random.Random(seed)
            watched = DriftWatch(DriftSettings(), 4)
            watched.begin(1)
            watched.begin(2)
            for position in range(900):
                present = chance.random() < (before if position < 300 else after)
                spoke = [Spoke(2, (), vector), *([Spoke(1, (), vector)] if present else [])]
                drifts = watched.update(spoke, DAY, str(position))
                if any(drift.topic_id == 1 and drift.what == "share" for drift in drifts):
                    alarms += position < 300 or before == after
                    if position >= 300:
                        delays.append(position - 299)
                        break
        results[f"{before:.0%} to {after:.0%}"] = {
            "found_within_600_videos": len(delays) / 20,
            "median_videos_to_alarm": float(np.median(delays)) if delays else None,
            "false_alarms": alarms,
        }
    return results


def _planted_rises() -> dict[str, Any]:
    """Shares that rise after 300 of 900 simulated talks of four sources in turn, in one of 60 topics.

    One source: only its talks take the topic up, all of them from then on, which is no rise.
    """
    cases = {f"{old:.0%} to {new:.0%}": (old, new, "ABCD") for old, new in RISES}
    cases["one source"] = (0.03, 1.0, "A")
    results = {}
    for name, (before, after, rising) in cases.items():
        delays, early, again = [], 0, 0
        for seed in range(20):
            chance, watched, told = random.Random(seed), RiseWatch(), []
            for topic in range(60):
                watched.begin(topic)
            for position in range(900):
                source = "ABCD"[position % 4]
                share = after if position >= 300 and source in rising else before
                topics = {59, *([0] if chance.random() < share else [])}
                found = watched.update(topics, str(position), source, DAY.toordinal() + position)
                told += [position for topic, _ in found if topic == 0]
            early += any(position < 300 for position in told)
            late = [position for position in told if position >= 300]
            delays += [late[0] - 299] if late else []
            again += len(late) > 1
        results[name] = {
            "told": len(delays) / 20,
            "median_talks_to_alert": float(np.median(delays)) if delays else None,
            "before_it_rose": early,
            "told_again": again,
        }
    return results
