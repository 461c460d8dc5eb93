"""Tests of the request budget for YouTube: its rate and its pauses, over time, processes and restarts."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from streams.errors import Paused, Unavailable
from streams.youtube.errors import RefusalVerdict
from streams.youtube.request_budget import Governor, identity_of
from tests.ingestion.moving_clock import Clock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THROTTLED = RefusalVerdict("throttled", "YouTube limits the requests of this address (HTTP 429)", "session")
BLOCKED = RefusalVerdict("blocked", "YouTube takes this address for a bot", "session")


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


def governor(
    folder: Path,
    clock: Clock,
    *,
    identity: str = "no proxy, as a guest",
    per_hour: int = 250,
    pause_s: float = 3600.0,
    jitter: Callable[[], float] = lambda: 0.0,
) -> Governor:
    return Governor(folder, identity, per_hour, pause_s, now=clock.now, sleep=clock.sleep, jitter=jitter)


def paused_until(governor: Governor) -> datetime:
    with pytest.raises(Paused) as refusal:
        governor.turn()
    return refusal.value.until


class TestTurns:
    def test_a_tenth_of_an_hours_turns_come_at_once_the_rest_evenly(
        self, tmp_path: Path, clock: Clock
    ) -> None:
        one = governor(tmp_path, clock)
        for _ in range(25):
            one.turn()
        assert clock.waits == []
        for _ in range(10):
            one.turn()
        assert clock.waits == [pytest.approx(3600 / 250)] * 10

    def test_no_hour_has_more_than_a_guest_may_ask(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        moments: list[datetime] = []
        while clock.moment < START + 2 * HOUR:
            one.turn()
            moments.append(clock.moment)
        busiest = max(sum(first <= moment < first + HOUR for moment in moments) for first in moments)
        assert 250 <= busiest <= 276  # a guest is refused above some 300

    def test_chance_shows_no_rhythm_and_costs_no_turn(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock, jitter=random.Random(0).random)
        while clock.moment < START + 2 * HOUR:
            one.turn()
        assert len({round(wait, 3) for wait in clock.waits}) > 0.9 * len(clock.waits)
        assert 0 < min(clock.waits) < max(clock.waits) < 1.5 * 3600 / 250 + 1e-6
        assert 500 <= one.status().turns <= 526

    def test_who_would_wait_for_long_is_told_when_to_come_back(self, tmp_path: Path, clock: Clock) -> None:
        slow = governor(tmp_path, clock, per_hour=10)
        slow.turn()
        assert paused_until(slow) == START + timedelta(minutes=6)
        assert clock.waits == []
        assert slow.status().turns == 1  # what was refused was not taken
        clock.moment += timedelta(minutes=6)
        slow.turn()

    def test_the_cure_of_a_spent_hour_names_the_setting(self, tmp_path: Path, clock: Clock) -> None:
        slow = governor(tmp_path, clock, per_hour=1)
        slow.turn()
        with pytest.raises(Paused, match=r"1 requests per hour .*GROUNDSWELL_REQUESTS_PER_HOUR"):
            slow.turn()

    def test_threads_that_come_together_are_spread(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, Clock(START), per_hour=10_000)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: one.turn(), range(80)))
        assert one.status().turns == 80

    def test_a_clock_set_back_gives_no_turns_away(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        for _ in range(25):
            one.turn()
        clock.moment -= 3 * HOUR
        one.turn()
        assert len(clock.waits) == 1


class TestBreaker:
    @pytest.mark.parametrize("verdict", [THROTTLED, BLOCKED])
    def test_it_opens_for_an_hour_and_says_why(
        self, verdict: RefusalVerdict, tmp_path: Path, clock: Clock
    ) -> None:
        one = governor(tmp_path, clock)
        one.turn()
        one.refused(verdict)
        assert paused_until(one) == START + HOUR
        with pytest.raises(Paused, match=r"left alone until 2026-03-01 13:00 UTC: YouTube .*by itself"):
            one.turn()
        assert one.status().open_until == START + HOUR
        assert one.status().reason == verdict.reason
        assert one.status().turns == 1

    @pytest.mark.parametrize(
        "verdict",
        [
            RefusalVerdict("local", "the proxy or its certificate is refused", "session"),  # a dead proxy
            RefusalVerdict("local", "this machine cannot write the file", "session"),
            RefusalVerdict("transient", "the transfer failed"),
            RefusalVerdict("permanent", "it is private"),
            RefusalVerdict("recheck", "YouTube does not find it"),
            RefusalVerdict("gone", "there is no such channel", "source"),
            RefusalVerdict("unsupported", "yt-dlp cannot read it"),
        ],
    )
    def test_what_is_not_about_the_session_leaves_it_closed(
        self, verdict: RefusalVerdict, tmp_path: Path, clock: Clock
    ) -> None:
        one = governor(tmp_path, clock)
        for _ in range(20):
            one.turn()
            one.refused(verdict)
        assert one.status().open_until is None

    def test_each_refusal_in_a_row_doubles_the_pause_up_to_a_day(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        pauses = []
        one.turn()
        for _ in range(8):
            one.refused(BLOCKED)
            until = paused_until(one)
            pauses.append((until - clock.moment) / HOUR)
            clock.moment = until
            one.turn()  # the trial
        assert pauses == [1, 2, 4, 8, 16, 24, 24, 24]

    def test_a_success_after_the_pause_ends_the_row(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        one.refused(BLOCKED)
        clock.moment += HOUR
        one.turn()
        one.succeeded()
        one.turn()
        one.refused(BLOCKED)
        assert paused_until(one) == clock.moment + HOUR

    def test_after_the_pause_only_one_tries(self, tmp_path: Path, clock: Clock) -> None:
        one, other = governor(tmp_path, clock), governor(tmp_path, clock)
        one.refused(BLOCKED)
        clock.moment += HOUR
        one.turn()
        assert clock.moment < paused_until(other) <= clock.moment + timedelta(minutes=1)
        one.succeeded()
        other.turn()

    def test_a_trial_about_a_missing_video_is_an_answer_too(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        one.refused(BLOCKED)
        clock.moment += HOUR
        one.turn()
        one.refused(RefusalVerdict("permanent", "it was removed"))
        one.turn()
        one.turn()

    def test_a_trial_that_the_network_ate_leaves_the_next_one_to_try(
        self, tmp_path: Path, clock: Clock
    ) -> None:
        one = governor(tmp_path, clock)
        one.refused(BLOCKED)
        clock.moment += HOUR
        one.turn()
        one.refused(RefusalVerdict("transient", "the transfer failed"))
        one.turn()
        one.refused(BLOCKED)
        assert paused_until(one) == clock.moment + 2 * HOUR  # still the same row

    def test_a_trial_that_died_does_not_keep_the_breaker_open(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        one.refused(BLOCKED)
        clock.moment += HOUR
        one.turn()
        clock.moment += timedelta(minutes=16)
        one.turn()

    def test_a_request_from_before_the_pause_does_not_change_it(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        for _ in range(3):
            one.turn()
        one.refused(BLOCKED)
        clock.moment += timedelta(seconds=5)
        one.refused(BLOCKED)
        one.succeeded()
        assert paused_until(one) == START + HOUR

    def test_a_waiter_asks_nothing_once_another_was_refused(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock, per_hour=60)

        def sleep(seconds: float) -> None:
            one.refused(BLOCKED)
            clock.sleep(seconds)

        late = Governor(
            tmp_path, "no proxy, as a guest", 60, 3600.0, now=clock.now, sleep=sleep, jitter=lambda: 0.0
        )
        for _ in range(6):
            late.turn()
        assert paused_until(late) == START + HOUR

    def test_it_starts_slowly_after_a_pause(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        one.refused(BLOCKED)
        clock.moment += HOUR
        one.turn()
        one.succeeded()
        one.turn()
        assert clock.waits == [pytest.approx(14.4)]

    def test_another_address_is_not_its_business(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        other = governor(tmp_path, clock, identity=identity_of("http://proxy.example.org:3128", ""))
        one.refused(BLOCKED)
        other.turn()
        assert other.status().turns == 1
        assert one.status().turns == 0

    def test_a_moment_that_no_pause_reaches_is_not_believed(self, tmp_path: Path, clock: Clock) -> None:
        clock.moment += 3650 * DAY  # a clock that was wrong
        governor(tmp_path, clock).refused(BLOCKED)
        clock.moment = START
        one = governor(tmp_path, clock)
        one.turn()  # as a trial
        one.succeeded()
        one.turn()
        assert one.status().open_until is None


class TestMemory:
    def test_a_restart_forgets_neither_turns_nor_pauses(self, tmp_path: Path, clock: Clock) -> None:
        first = governor(tmp_path, clock)
        for _ in range(25):
            first.turn()
        first.counted(90)
        governor(tmp_path, clock).turn()
        assert clock.waits == [pytest.approx(14.4)]
        first.refused(BLOCKED)
        again = governor(tmp_path, clock)
        assert paused_until(again) == clock.moment + HOUR
        assert (again.status().turns, again.status().requests) == (26, 90)

    def test_the_last_hour_is_counted_to_the_minute(self, tmp_path: Path, clock: Clock) -> None:
        one = governor(tmp_path, clock)
        for _ in range(5):
            one.turn()
        clock.moment += timedelta(minutes=59)
        one.turn()
        assert one.status().asked_last_hour == 6
        clock.moment += timedelta(minutes=1)
        assert one.status().asked_last_hour == 1
        assert one.status().turns == 6

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"tokens": "many"}', b"[]", b"null"])
    def test_a_damaged_file_is_a_fresh_start_and_the_log_says_so(
        self, content: bytes, tmp_path: Path, clock: Clock
    ) -> None:
        governor(tmp_path, clock).refused(BLOCKED)
        (state,) = tmp_path.glob("*.json")
        state.write_bytes(content)
        with capture_logs() as lines:
            governor(tmp_path, clock).turn()
        assert any("damaged" in line["event"] for line in lines)
        assert json.loads(state.read_bytes())["turns"] == 1

    def test_a_folder_that_cannot_be_written_stops_the_asking(self, tmp_path: Path, clock: Clock) -> None:
        (tmp_path / "egress").write_text("a file where the folder should be")
        with pytest.raises(Unavailable, match=r"cannot write the count of requests .*disk space or correct"):
            governor(tmp_path / "egress", clock).turn()

    def test_no_secret_is_in_a_file_or_its_name(self, tmp_path: Path, clock: Clock) -> None:
        identity = identity_of("http://ann:hunter2@proxy.example.org:3128", "/home/ann/cookies.txt")
        one = governor(tmp_path, clock, identity=identity)
        one.turn()
        one.refused(BLOCKED)
        written = "".join(f"{path.name} {path.read_text()}" for path in tmp_path.iterdir())
        assert "hunter2" not in written + one.status().identity
        assert "proxy.example.org:3128" in one.status().identity

    def test_identities_differ_by_proxy_user_and_cookie_file_only(self) -> None:
        proxies = ["", "http://p:1", "http://ann:a@p:1", "http://bob:a@p:1", "http://p:2"]
        told = [identity_of(proxy, cookies) for proxy in proxies for cookies in ("", "/a.txt", "/b.txt")]
        assert len(set(told)) == len(told)
        assert identity_of("http://ann:new@p:1", "") == identity_of("http://ann:old@p:1", "")


SCRIPT = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from streams.youtube.request_budget import Governor
from streams.youtube.errors import RefusalVerdict

governor = Governor(
    Path(sys.argv[1]), "no proxy, as a guest", 100_000, 3600.0,
    now=lambda: datetime.now(UTC), sleep=time.sleep, jitter=lambda: 0.0,
)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    governor.turn()
    governor.counted(3)
if sys.argv[3:] == ["refused"]:
    governor.refused(RefusalVerdict("blocked", "YouTube takes this address for a bot", "session"))
    os._exit(9)
"""


def another_process(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def here(folder: Path, **changes: Any) -> Governor:
    given = {"now": lambda: datetime.now(UTC), "sleep": lambda _: None, "jitter": lambda: 0.0} | changes
    return Governor(folder, "no proxy, as a guest", 100_000, 3600.0, **given)


class TestProcesses:
    def test_several_share_one_bucket_and_lose_no_count(self, tmp_path: Path) -> None:
        processes = [another_process(tmp_path, "40") for _ in range(3)]
        for process in processes:  # all at once
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            process.communicate(timeout=60)
            assert process.returncode == 0
        assert (here(tmp_path).status().turns, here(tmp_path).status().requests) == (120, 360)

    def test_what_one_was_told_before_it_was_killed_stops_the_others(self, tmp_path: Path) -> None:
        mine = here(tmp_path)
        mine.turn()
        other = another_process(tmp_path, "1", "refused")
        other.communicate("go\n", timeout=60)
        assert other.returncode == 9
        assert paused_until(mine) > datetime.now(UTC) + timedelta(minutes=50)
        assert "bot" in mine.status().reason

    def test_a_process_killed_at_any_moment_leaves_a_whole_file(self, tmp_path: Path) -> None:
        process = another_process(tmp_path, "100000")
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        mine = here(tmp_path)
        while mine.status().turns < 50:
            pass
        process.kill()
        process.wait(60)
        with capture_logs() as lines:
            before = mine.status().turns
            mine.turn()
        assert mine.status().turns == before + 1
        assert not lines
