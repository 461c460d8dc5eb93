"""The study's current day, from the videos' dates alone."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.topics.bursts.stream_clock import AGREED, AHEAD, Calendar

START = date(2024, 1, 1)


def after(*days: int) -> Calendar:
    calendar = Calendar()
    for day in days:
        calendar.turn(START + timedelta(days=day))
    return calendar


def test_it_follows_the_videos() -> None:
    assert after(*range(100)).today == START + timedelta(days=100 - AGREED)


def test_four_videos_of_the_future_move_nothing() -> None:
    calendar = after(*range(50), 9000, 9000, 9000, 9000)
    assert calendar.today <= START + timedelta(days=50)
    assert calendar.place(date(2099, 1, 1)) == calendar.today


def test_a_first_video_from_the_future_does_not_last() -> None:
    calendar = after(20_000, *range(10))
    assert calendar.today <= START + timedelta(days=10)


def test_a_backfill_does_not_turn_it_back() -> None:
    calendar = after(*range(1000, 1100), *range(200))
    assert calendar.today == START + timedelta(days=1100 - AGREED)
    assert calendar.place(date(1970, 1, 1)) == date(1970, 1, 1)


def test_a_premiere_of_next_month_keeps_its_day() -> None:
    calendar = after(*range(50))
    soon = calendar.today + AHEAD
    assert calendar.place(soon) == soon


def test_before_any_video_every_day_is_impossible_or_early() -> None:
    assert Calendar().today == date.min


@given(st.lists(st.dates(), max_size=60), st.integers(0, 60))
def test_the_clock_never_goes_back_and_is_restored_anywhere(days: list[date], cut: int) -> None:
    whole, restored = Calendar(), Calendar()
    last = date.min
    for number, day in enumerate(days):
        if number == cut:
            restored = Calendar.from_json(restored.to_json())
        whole.turn(day)
        restored.turn(day)
        assert whole.today == restored.today
        if number > AGREED:
            assert whole.today >= last
        last = whole.today
