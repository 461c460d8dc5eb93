"""Counts of several periods in one scan, or of one topic, equal those of separate queries."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from event_factories import MODEL, assigned, merged, topic, video, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.queries import registry
from streams import events as e
from streams.store.codebook.effective import book
from streams.store.queries import aggregation, prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.warehouse import Warehouse

FIRST = date(2025, 1, 28)
TOPICS: dict[int, str] = {1: "Architecture", 2: "Architecture", 3: "Evaluation", 4: "", 5: "Costs"}
TOLD: tuple[tuple[int | None, ...], ...] = (
    (1, 1, 2), (3,), (4, 4), (2, 3, 5), (None,), (1, 5), (3, 4), (5, None, 5), (2,), (1, 2, 3, 4, 5),
)  # fmt: skip
"""Topics of the paragraphs of a talk; a talk every five days. 5 is merged into 1, 4 does not count."""


@pytest.fixture
def told(study: Warehouse) -> Warehouse:
    events: list[e.Event] = [topic(topic_id, theme or None) for topic_id, theme in TOPICS.items()]
    for number, topics in enumerate(TOLD):
        day = datetime.combine(FIRST + timedelta(days=5 * number), datetime.min.time(), UTC)
        events.append(assigned(number, video(f"v{number}", day), *topics))
        events.append(e.VideoSeen(video=video(f"v{number}", day), sighting=SEEN))
    excluded = e.CodebookEntry(topic_id=4, retained=False, reason="greetings")
    decided = e.CodebookDecided(
        revision=1, model_version=MODEL, action="exclude", said="…", entries=(excluded,), author="ann",
        decided_at=NOW,
    )  # fmt: skip
    write(study, [*events, merged(5, 1, 99), decided])
    return study


NOW = datetime(2025, 6, 1, tzinfo=UTC)
SEEN = e.Sighting(source_id="channel-1", kind="channel", rank=1, seen_at=NOW)
days = st.integers(-3, 5 * len(TOLD)).map(lambda number: (FIRST + timedelta(days=number)).isoformat())
months = st.sampled_from(["2024-12", "2025-01", "2025-02", "2025-03", "2025-04"])
ends = st.one_of(st.none(), days, months)


@st.composite
def periods(draw: st.DrawFn) -> Selection:
    asked = Selection(draw(ends), draw(ends))
    return asked if asked.days[0] <= asked.days[1] else Selection(asked.last, asked.first)


def by_hand(selection: Selection, theme_of: dict[int, str]) -> tuple[int, dict[str, tuple[int, int]]]:
    """Count talk by talk: return the videos of any, and {theme or topic: (videos, paragraphs)}."""
    first, last = selection.days
    of_videos, found = 0, dict[str, tuple[int, int]]()
    for number, topics in enumerate(TOLD):
        units = [theme_of[each] for each in topics if each in theme_of]
        if units and first <= FIRST + timedelta(days=5 * number) <= last:
            of_videos += 1
            for unit in set(units):
                videos, paragraphs = found.get(unit, (0, 0))
                found[unit] = (videos + 1, paragraphs + units.count(unit))
    return of_videos, found


@given(asked=st.lists(periods(), min_size=1, max_size=4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_periods_in_any_position_are_counted_right_in_one_scan(
    told: Warehouse, asked: list[Selection]
) -> None:
    applied = book(told)
    counts = {1: "1", 2: "2", 3: "3", 5: "1"}
    themes = {1: "Architecture", 2: "Architecture", 3: "Evaluation", 5: "Architecture"}
    for each, selection in zip(prevalence.topic_tallies(told, asked, applied), asked, strict=True):
        found = {str(unit): (row["videos"], row["paragraphs"]) for unit, row in each.units.items()}
        assert (each.of_videos, found) == by_hand(selection, counts), selection
    for each, selection in zip(prevalence.theme_tallies(told, asked, applied), asked, strict=True):
        found = {unit: (row["videos"], row["paragraphs"]) for unit, row in each.units.items()}
        assert (each.of_videos, found) == by_hand(selection, themes), selection
        assert all(row["of_videos"] == each.of_videos for row in each.units.values())


def test_one_topic_has_the_figures_that_it_has_among_all(told: Warehouse) -> None:
    names = ("videos", "of_videos", "share", "low", "high", "paragraphs", "minutes", "status", "trend")
    every = {row["topic_id"]: row for row in registry.topics(told)}
    by_month = registry.topic_months(told)
    assert set(every) == {1, 2, 3}
    for topic_id, row in every.items():
        found: Any = registry.topic(told, topic_id)
        assert {name: found[name] for name in names} == {name: row[name] for name in names}
        assert found["months"] == [
            {"month": each["month"], "videos": each["videos"]}
            for each in by_month
            if each["topic_id"] == topic_id
        ]
    excluded: Any = registry.topic(told, 4)
    assert {excluded[name] for name in names} == {None}
    assert (excluded["months"], excluded["reason"]) == ([], "greetings")
    assert registry.topic(told, 5) == registry.topic(told, 1) | {"asked_id": 5}  # type: ignore[operator]
    assert registry.topic(told, 99) is None


@pytest.mark.long
@pytest.mark.parametrize("among", [None, {1, 3}, {2}, {4}])
def test_pairs_match_a_count_by_hand_and_few_topics_are_included(
    told: Warehouse, among: set[int] | None
) -> None:
    counts = {1: 1, 2: 2, 3: 3, 5: 1}
    present = [{counts[each] for each in topics if each in counts} for topics in TOLD]
    alone = Counter(topic for topics in present for topic in topics)
    of_videos = sum(map(bool, present))
    together = Counter(pair for topics in present for pair in combinations(sorted(topics), 2))
    wanted = {pair: videos for pair, videos in together.items() if among is None or set(pair) <= among}
    found = prevalence.cooccurrence(told, among=among)
    assert {(row["topic_id"], row["other_id"]): row["videos"] for row in found} == wanted
    for row in found:
        one, other = alone[row["topic_id"]], alone[row["other_id"]]
        assert (row["topic_videos"], row["other_videos"], row["of_videos"]) == (one, other, of_videos)
        assert row["jaccard"] == row["videos"] / (one + other - row["videos"])
        assert row["lift"] == pytest.approx(row["videos"] / of_videos / (one / of_videos * other / of_videos))
    assert prevalence.cooccurrence(told, limit=1, among=among) == found[:1]


def test_the_newest_talk_is_one_that_counts(told: Warehouse, study: Warehouse) -> None:
    applied = book(told)
    assert aggregation.newest(told, EVERYTHING, applied) == FIRST + timedelta(days=5 * (len(TOLD) - 1))
    of_greetings = Selection("2025-02-07", "2025-02-07")  # one talk, and its only topic does not count
    assert aggregation.newest(told, of_greetings, applied) is None
    assert registry.topics(told, of_greetings)[0]["trend"] is None
