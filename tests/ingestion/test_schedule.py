"""Tests of the schedule: the time of a source's next visit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.discovery.polling_schedule import JITTER, LONGEST, SHORTEST, VisitOutcome, interval, next_visit
from streams.events import SourceKind

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLL_S = 3600.0
KINDS: tuple[SourceKind, ...] = ("channel", "playlist", "search", "feed", "folder")

moments = st.integers(0, 11 * 366 * 86_400).map(lambda seconds: NOW - timedelta(seconds=seconds))
outcomes = st.builds(
    VisitOutcome,
    failures=st.integers(0, 5000),
    partly=st.booleans(),
    paused_until=st.none() | st.integers(-3600, 86_400).map(lambda s: NOW + timedelta(seconds=s)),
    goes_on=st.booleans(),
    soon=st.booleans(),
)


def after(outcome: VisitOutcome = VisitOutcome(), **more: object) -> timedelta:  # noqa: B008 - frozen
    about: dict[str, object] = {
        "source_id": "channel-1",
        "kind": "channel",
        "visit": 1,
        "now": NOW,
        "published": (),
        "pushed": False,
        "poll_s": POLL_S,
    } | more
    return next_visit(outcome=outcome, **about) - NOW  # type: ignore[arg-type]


def every(**gap: float) -> list[datetime]:
    return [NOW - timedelta(hours=1) - n * timedelta(**gap) for n in range(10)]


@given(
    source_id=st.text(max_size=20),
    kind=st.sampled_from(KINDS),
    visit=st.integers(0, 10**6),
    outcome=outcomes,
    published=st.lists(moments, max_size=20),
    pushed=st.booleans(),
)
def test_it_is_always_to_come_and_never_further_than_a_day(
    *,
    source_id: str,
    kind: SourceKind,
    visit: int,
    outcome: VisitOutcome,
    published: list[datetime],
    pushed: bool,
) -> None:
    args = (source_id, kind, visit, NOW, outcome)
    at = next_visit(*args, published=published, pushed=pushed, poll_s=POLL_S)
    assert at == next_visit(*args, published=published, pushed=pushed, poll_s=POLL_S)
    assert at == next_visit(*args, published=published[::-1], pushed=pushed, poll_s=POLL_S)
    assert at > NOW
    wait = at - max(NOW, (outcome.paused_until or NOW) if not outcome.failures else NOW)
    assert wait <= timedelta(days=1) * (1 + JITTER)


@given(st.sampled_from(KINDS), st.lists(moments, max_size=20), st.booleans())
def test_a_working_source_is_visited_every_ten_minutes_to_a_day(
    kind: SourceKind, published: list[datetime], pushed: bool
) -> None:
    found = interval(kind, published, NOW, pushed=pushed, poll_s=POLL_S)
    assert timedelta(minutes=10) <= found <= timedelta(days=1)


@given(st.integers(1, 400))
def test_each_failure_waits_at_least_as_long_as_the_one_before(failures: int) -> None:
    waits = [after(VisitOutcome(failures=n), visit=0, source_id="x") for n in (failures, failures + 1)]
    assert waits[0] <= waits[1] <= timedelta(days=1) * (1 + JITTER)


@given(moments)
def test_a_pause_is_waited_for_and_punishes_nobody(until: datetime) -> None:
    paused = NOW + (NOW - until) / 4000
    at = NOW + after(VisitOutcome(paused_until=paused))
    assert paused <= at <= paused + timedelta(minutes=10)


def test_sources_do_not_ask_in_step() -> None:
    waits = {after(source_id=f"channel-{n}") for n in range(200)}
    assert len(waits) == 200
    hour = timedelta(hours=1)
    assert min(waits) >= hour * (1 - JITTER)
    assert max(waits) <= hour * (1 + JITTER)
    assert max(waits) - min(waits) > hour * JITTER
    assert len({after(visit=n) for n in range(50)}) == 50


@pytest.mark.parametrize(
    ("gap", "hours"),
    [({"minutes": 10}, 1 / 6), ({"hours": 8}, 1), ({"days": 1}, 3), ({"days": 4}, 12), ({"days": 30}, 24)],
)
def test_it_follows_the_pace_at_which_a_source_publishes(gap: dict[str, float], hours: float) -> None:
    found = interval("channel", every(**gap), NOW, pushed=False, poll_s=POLL_S)
    assert found == timedelta(hours=hours)


def test_a_channel_that_fell_silent_is_looked_at_less_and_less() -> None:
    daily = every(days=1)
    waits = [
        interval("channel", daily, NOW + timedelta(days=days), pushed=False, poll_s=POLL_S)
        for days in (0, 2, 5, 400)
    ]
    assert waits == sorted(waits)
    assert waits[0] == waits[1] < waits[2] < waits[3] == timedelta(days=1)


def test_a_hub_that_tells_spares_the_visits() -> None:
    assert interval("channel", every(hours=1), NOW, pushed=True, poll_s=POLL_S) == timedelta(days=1)
    assert interval("playlist", (), NOW, pushed=True, poll_s=POLL_S) == timedelta(hours=1)


def test_what_is_unfinished_goes_on_soon() -> None:
    assert after(VisitOutcome(goes_on=True)) <= timedelta(minutes=1) * (1 + JITTER)
    assert after(VisitOutcome(soon=True), kind="folder") <= timedelta(minutes=10) * (1 + JITTER)


def test_a_lane_that_fails_does_not_make_the_others_wait() -> None:
    daily = every(hours=8)
    assert after(VisitOutcome(failures=50), published=daily) > timedelta(hours=20)
    assert after(VisitOutcome(failures=50, partly=True), published=daily) < timedelta(hours=2)


def test_another_poll_interval_stretches_everything() -> None:
    assert after(poll_s=3.0) < timedelta(seconds=4)
    rare = interval("channel", every(days=30), NOW, pushed=False, poll_s=3.0)
    often = interval("channel", [NOW, NOW - timedelta(seconds=9)], NOW, pushed=False, poll_s=60.0)
    assert (rare, often) == (timedelta(seconds=3 * LONGEST), timedelta(seconds=60 * SHORTEST))
