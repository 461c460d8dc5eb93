"""Tests of waiting: how long a video waits and when it is given up, by rule and with a YouTube over time."""

import errno
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from agents.screening.availability_policy import (
    JUST_ENDED,
    RECHECK,
    SOON,
    EarlierChecks,
    GiveUp,
    RetryAt,
    after,
    after_refusal,
    before_its_recording,
    pause,
)
from streams.errors import DataError, Paused, Unavailable
from streams.events import AudioStored, Event, Video, VideoAccepted, VideoParked, VideoRejected
from streams.http.errors import NotServed
from streams.timestamps import LAST_DAY
from streams.youtube.client import YouTube
from streams.youtube.errors import PAID, RefusalVerdict, YouTubeRefused, explained
from streams.youtube.request_budget import Governor
from tests.ingestion.moving_clock import NOON, TALK, Front, seen
from tests.loopback_youtube import FakeVideo, LoopbackYouTube, m4a

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LAST = datetime.combine(LAST_DAY, time(23, 59, 59), UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEVER = EarlierChecks("v")


def video(live_status: str, begins_at: datetime | None = None) -> Video:
    return Video(video_id="v", live_status=live_status, begins_at=begins_at)


def waits(decision: RetryAt | GiveUp | None, state: str, after_: timedelta | None) -> RetryAt:
    assert isinstance(decision, RetryAt)
    assert decision.state == state
    assert decision.until == (None if after_ is None else NOW + after_)
    assert decision.reason
    return decision


class TestLive:
    def test_an_upcoming_video_is_looked_at_an_hour_after_it_begins(self) -> None:
        decision = before_its_recording(video("is_upcoming", NOW + 5 * HOUR), NEVER, NOW)
        assert "2026-03-04 17:00 UTC" in waits(decision, "upcoming", 6 * HOUR).reason

    def test_one_that_is_far_away_is_looked_at_once_a_week(self) -> None:
        waits(before_its_recording(video("is_upcoming", NOW + 90 * DAY), NEVER, NOW), "upcoming", 7 * DAY)

    def test_one_that_does_not_say_when_is_asked_less_and_less_often(self) -> None:
        before, gaps = NEVER, []
        for _ in range(6):
            decision = before_its_recording(video("is_upcoming"), before, NOW)
            assert isinstance(decision, RetryAt) and decision.until is not None
            gaps.append(decision.until - NOW)
            before = EarlierChecks("v", decision.state, decision.attempt)
        assert gaps == [HOUR, 3 * HOUR, 6 * HOUR, DAY, DAY, DAY]

    def test_one_that_is_late_is_waited_for_but_not_for_ever(self) -> None:
        waits(before_its_recording(video("is_upcoming", NOW - HOUR), NEVER, NOW), "upcoming", HOUR)
        decision = before_its_recording(video("is_upcoming", NOW - 31 * DAY), NEVER, NOW)
        assert decision == GiveUp("it was to begin on 2026-02-01 12:00 UTC and never did", "gone")

    def test_a_live_video_is_checked_hourly_an_endless_one_daily(self) -> None:
        waits(before_its_recording(video("is_live"), NEVER, NOW), "live", HOUR)
        waits(before_its_recording(video("is_live"), EarlierChecks("v", "live", 400), NOW), "live", DAY)

    def test_what_has_just_ended_is_given_some_hours(self) -> None:
        waits(before_its_recording(video("post_live"), NEVER, NOW), "just ended", JUST_ENDED[0])

    def test_what_was_live_an_hour_ago_is_given_some_hours_too(self) -> None:
        first = waits(
            before_its_recording(video("was_live"), EarlierChecks("v", "live", 3), NOW),
            "just ended",
            JUST_ENDED[0],
        )
        assert (
            before_its_recording(video("was_live"), EarlierChecks("v", first.state, first.attempt), NOW)
            is None
        )

    @pytest.mark.parametrize("status", ["was_live", "not_live", None])
    def test_all_others_are_complete(self, status: str | None) -> None:
        assert before_its_recording(Video(video_id="v", live_status=status), NEVER, NOW) is None

    @given(st.integers(0, int(LAST.timestamp())), st.integers(0, 250_000_000_000))
    def test_nobody_is_rechecked_within_a_minute_by_any_clock(self, begins: int, now_s: int) -> None:
        now = datetime.fromtimestamp(now_s, UTC)
        decision = before_its_recording(video("is_upcoming", datetime.fromtimestamp(begins, UTC)), NEVER, now)
        if isinstance(decision, RetryAt):
            assert decision.until is not None
            assert now + SOON <= decision.until <= now + 7 * DAY

    def test_the_last_day_that_may_enter_is_one_like_any_other(self) -> None:
        waits(
            before_its_recording(video("is_upcoming", LAST), NEVER, NOW),
            "upcoming",
            7 * DAY,
        )


class TestRefusals:
    @pytest.mark.parametrize(
        "verdict",
        [
            RefusalVerdict("recheck", "YouTube calls it unavailable without saying why (Video unavailable)"),
            RefusalVerdict("recheck", "YouTube does not find it (HTTP 404)"),
            RefusalVerdict("permanent", "it is private (Private video)"),
            RefusalVerdict("geo", "it is not shown in this country (…)"),
        ],
        ids=["unavailable", "404", "private", "geo"],
    )
    def test_what_may_be_temporary_is_rechecked_and_in_the_end_gone(self, verdict: RefusalVerdict) -> None:
        before, gaps = NEVER, []
        while isinstance(decision := after_refusal(verdict, before, NOW), RetryAt):
            assert (decision.state, decision.attempt) == ("recheck", len(gaps) + 1)
            assert decision.until is not None
            gaps.append(decision.until - NOW)
            before = EarlierChecks("v", decision.state, decision.attempt)
        assert gaps == [HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY]
        assert (decision.rule, decision.attempt) == ("gone", 7)
        assert verdict.reason in decision.reason
        assert "7 checks in 25 days" in decision.reason

    @pytest.mark.parametrize(
        "reason", ["it was removed (by the uploader)", "it was removed (private account)"]
    )
    def test_what_is_removed_is_gone_at_once(self, reason: str) -> None:
        assert after_refusal(RefusalVerdict("permanent", reason), NEVER, NOW) == GiveUp(reason, "gone")

    def test_what_needs_an_account_waits_for_a_person(self) -> None:
        waits(
            after_refusal(RefusalVerdict("auth", "it is for signed-in adults only"), NEVER, NOW),
            "sign-in",
            None,
        )

    def test_what_members_pay_for_may_be_shown_to_everybody_later(self) -> None:
        refused = RefusalVerdict("auth", f"{PAID} (Join this channel)")
        waits(after_refusal(refused, NEVER, NOW), "recheck", HOUR)

    @pytest.mark.parametrize(
        ("words", "state"),
        [
            ("it is not available yet (Premieres in 3 hours)", "upcoming"),
            ("it is not available yet (This live event will begin in 2 days)", "upcoming"),
            ("it is not available yet (We're processing this video)", "just ended"),
            ("it is not available yet (This live stream recording is not available)", "just ended"),
            ("it is a live stream whose recording is not complete", "live"),
        ],
    )
    def test_what_is_not_there_yet_waits_as_its_words_say(self, words: str, state: str) -> None:
        decision = after_refusal(RefusalVerdict("wait", words), NEVER, NOW)
        assert isinstance(decision, RetryAt)
        assert (decision.state, decision.attempt) == (state, 1)

    def test_a_broken_network_is_rechecked_and_then_a_persons_task(self) -> None:
        verdict = RefusalVerdict("transient", "the transfer failed (HTTP Error 503)")
        waits(after_refusal(verdict, NEVER, NOW), "recheck", HOUR)
        decision = after_refusal(verdict, EarlierChecks("v", "recheck", len(RECHECK)), NOW)
        assert isinstance(decision, GiveUp)
        assert decision.rule is None  # a dead letter: YouTube did not say that the video is gone

    @pytest.mark.parametrize("kind", ["blocked", "throttled", "local"])
    def test_what_is_not_the_videos_fault_uses_up_no_attempt(self, kind: str) -> None:
        before = EarlierChecks("v", "recheck", 6)
        decision = after_refusal(RefusalVerdict(kind, "…", "session"), before, NOW)  # type: ignore[arg-type]
        assert isinstance(decision, RetryAt)
        assert (decision.state, decision.attempt) == ("paused", 6)

    def test_what_cannot_be_read_is_a_persons(self) -> None:
        assert after_refusal(RefusalVerdict("unsupported", "…"), NEVER, NOW) == GiveUp("…", None)

    def test_attempts_of_another_state_do_not_count(self) -> None:
        verdict = RefusalVerdict("recheck", "YouTube does not find it (HTTP 404)")
        assert (
            waits(after_refusal(verdict, EarlierChecks("v", "live", 50), NOW), "recheck", HOUR).attempt == 1
        )


class TestErrors:
    def test_a_pause_is_found_inside_what_patience_makes_of_it(self) -> None:
        paused = Paused("YouTube is left alone", "wait", NOW + HOUR)
        for error in (paused, _caused(DataError("x (6 attempts)", "replay"), paused)):
            decision = after(error, EarlierChecks("v", "recheck", 2), NOW)
            assert isinstance(decision, RetryAt)
            assert (decision.state, decision.attempt, decision.reason) == ("paused", 2, paused.cause)

    def test_a_verdict_counts_also_when_patience_has_wrapped_it(self) -> None:
        error = explained(RefusalVerdict("transient", "HTTP 503"), "video v")
        wrapped = _caused(YouTubeRefused("… (6 attempts)", "…", error.verdict), error)
        waits(after(wrapped, NEVER, NOW), "recheck", HOUR)

    def test_a_podcasts_server_that_does_not_answer_is_asked_later(self) -> None:
        wrapped = _caused(DataError("…", "…"), Unavailable("does not answer", "…"))
        assert waits(after(wrapped, NEVER, NOW), "recheck", HOUR).reason == "does not answer"

    def test_a_disk_that_cannot_be_written_is_this_machines(self) -> None:
        error = Unavailable("cannot keep what YouTube was asked", "free disk space")
        error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
        decision = after(_caused(DataError("…", "…"), error), EarlierChecks("v", "recheck", 2), NOW)
        assert isinstance(decision, RetryAt)
        assert (decision.state, decision.attempt) == ("paused", 2)

    def test_a_missing_episode_may_come_back_and_a_removed_one_not(self) -> None:
        waits(after(NotServed("…", "…", 404), NEVER, NOW), "recheck", HOUR)
        assert after(NotServed("…", "…", 410), NEVER, NOW) == GiveUp("…", "gone")

    def test_any_other_error_is_a_persons(self) -> None:
        assert after(DataError("too large", "…"), NEVER, NOW) == GiveUp("too large", None)


class TestPause:
    @given(st.integers(0, 10_000), st.integers(-(10**6), 10**6))
    def test_it_never_ends_early_nor_much_too_late(self, pauses: int, seconds: int) -> None:
        until = NOW + timedelta(seconds=seconds)
        decision = pause("…", until, EarlierChecks("v", pauses=pauses), NOW)
        assert decision.until is not None
        assert timedelta() <= decision.until - max(until, NOW + SOON) <= 6 * HOUR

    def test_a_long_queue_comes_back_spread_out_not_all_at_once(self) -> None:
        until = NOW + HOUR
        for pauses, spread in ((0, SOON), (5, 32 * SOON)):
            ends = [pause("…", until, EarlierChecks(f"v{n}", "", 0, pauses), NOW).until for n in range(500)]
            minutes = sorted((end - until) / spread for end in ends if end)
            assert minutes[0] < 0.02 and minutes[-1] > 0.98
            assert 0.4 < minutes[250] < 0.6


def _caused(error: DataError, cause: Exception) -> DataError:
    error.__cause__ = cause
    return error


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    stamina.set_testing(True, attempts=1)
    yield
    stamina.set_testing(False)


@pytest.fixture
def front(tmp_path: Path, youtube: YouTube) -> Front:
    return Front(tmp_path, youtube)


@pytest.fixture(scope="module")
def audio() -> bytes:
    return m4a(200.0)


def rejected_as(said: list[Event], rule: str) -> VideoRejected:
    (event,) = said
    assert isinstance(event, VideoRejected)
    assert event.rule == rule
    return event


def parked_as(said: list[Event], state: str, attempt: int = 1) -> VideoParked:
    (event,) = said
    assert isinstance(event, VideoParked)
    assert (event.state, event.attempt) == (state, attempt)
    return event


class TestStates:
    @pytest.mark.long
    async def test_upcoming_then_live_then_just_ended_then_done(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        begins = NOON + 10 * HOUR
        loopback.add(FakeVideo(TALK, streamed=True, begins_at=begins, duration_s=0))
        said = parked_as(await front.follow(seen()), "upcoming")
        assert (said.until, said.video.begins_at) == (begins + HOUR, begins)

        loopback.add(FakeVideo(TALK, streamed=True, live_now=True, audio=audio))
        assert await front.wait(hours=10) == []
        assert parked_as(await front.wait(hours=1), "live").until == front.now + HOUR
        parked_as(await front.wait(hours=1), "live", 2)

        loopback.add(FakeVideo(TALK, streamed=True, just_ended=True, audio=audio))
        parked_as(await front.wait(hours=1), "just ended")

        loopback.add(FakeVideo(TALK, streamed=True, audio=audio, duration_s=200))
        assert await front.wait(hours=3) == []
        (stored,) = await front.wait(hours=1)
        assert isinstance(stored, AudioStored)
        assert stored.audio is not None
        assert front.blobs.read(stored.audio) == audio
        assert list(front.parked()) == []
        assert not any(isinstance(said, VideoRejected) for said in front.said)

    async def test_a_premiere_put_off_or_brought_forward_is_followed(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, begins_at=NOON + 2 * HOUR))
        parked_as(await front.follow(seen()), "upcoming")
        loopback.add(FakeVideo(TALK, begins_at=NOON + 30 * DAY))
        assert parked_as(await front.wait(hours=3), "upcoming", 2).until == front.now + 7 * DAY
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        (stored,) = await front.wait(days=7)
        assert isinstance(stored, AudioStored)

    async def test_private_then_public(self, front: Front, loopback: LoopbackYouTube, audio: bytes) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        loopback.fail(TALK, "private")
        assert "may be scheduled" in parked_as(await front.follow(seen()), "recheck").reason
        parked_as(await front.wait(hours=1), "recheck", 2)
        loopback.heal(TALK)
        (stored,) = await front.wait(hours=6)
        assert isinstance(stored, AudioStored)
        assert list(front.lot.all()) == []

    @pytest.mark.parametrize("how", ["geo", "unavailable", "private", "members"])
    async def test_what_stays_refused_is_gone_in_the_end_and_stays_so(
        self, how: str, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, how)
        parked_as(await front.follow(seen()), "recheck")
        for attempt, gap in enumerate(RECHECK[:-1], 2):
            parked_as(await front.wait(hours=gap / HOUR), "recheck", attempt)
        gone = rejected_as(await front.wait(days=14), "gone")
        assert "7 checks in 25 days" in gone.reason
        assert list(front.parked()) == []
        asked = len(loopback.requests)
        assert await front.handle(seen()) == [gone]  # its event comes again after a kill
        assert await front.wait(days=100) == []
        assert len(loopback.requests) == asked
        loopback.heal(TALK)  # it is published again, and some source shows it
        loopback.add(FakeVideo(TALK, audio=m4a(1.0)))
        (accepted,) = await front.handle(seen(at=front.now))
        assert isinstance(accepted, VideoAccepted)

    @pytest.mark.parametrize("how", ["removed", "terminated"])
    async def test_what_was_removed_is_gone_at_once(
        self, how: str, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, how)
        gone = rejected_as(await front.follow(seen()), "gone")
        assert list(front.lot.all()) == []
        assert await front.handle(seen()) == [gone]

    async def test_what_needs_an_account_waits_until_a_person_asks(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        loopback.fail(TALK, "age")
        assert parked_as(await front.follow(seen()), "sign-in").until is None
        assert await front.wait(days=400) == []
        loopback.heal(TALK)  # cookies were set
        front.lot.wake(TALK, front.now)
        (stored,) = await front.wait()
        assert isinstance(stored, AudioStored)

    async def test_a_person_who_hands_the_link_in_again_is_asking(
        self, front: Front, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio, duration_s=200))
        loopback.fail(TALK, "unavailable")
        parked_as(await front.follow(seen()), "recheck")
        loopback.heal(TALK)
        assert isinstance((await front.handle(seen()))[0], VideoParked)
        front.now += HOUR / 2
        (stored,) = await front.follow(seen(at=front.now, kind="link"))
        assert isinstance(stored, AudioStored)
        assert list(front.lot.all()) == []

    async def test_handling_it_again_says_the_same_and_asks_nobody(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, live_now=True))
        first = await front.handle(seen())
        asked = len(loopback.requests)
        front.now += HOUR / 2
        assert await front.handle(seen()) == first
        by_another_lane = seen(at=front.now, source_id="t", kind="search")
        assert await front.handle(by_another_lane) == first
        assert len(loopback.requests) == asked
        assert len(list(front.lot.all())) == 1

    async def test_a_kill_between_file_and_event_loses_nothing(
        self, front: Front, loopback: LoopbackYouTube, tmp_path: Path, youtube: YouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, live_now=True))
        first = await front.handle(seen())  # and the process ends before the event is sent
        restarted = Front(tmp_path, youtube)
        restarted.now += HOUR / 2
        assert await restarted.handle(seen()) == first
        parked_as(await restarted.wait(hours=1), "live", 2)


class SettableClock:
    """The clock of a front, for a request budget that is created before the front."""

    front: Front | None = None

    def __call__(self) -> datetime:
        return self.front.now if self.front else NOON


class TestPauses:
    async def test_a_pause_never_uses_up_an_attempt(
        self, tmp_path: Path, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        clock = SettableClock()
        governor = Governor(
            tmp_path / "egress", "a", 10**6, 3600.0, now=clock, sleep=lambda _: None, jitter=lambda: 0.0
        )
        front = Front(tmp_path, YouTube(loopback.proxy, insecure_tls=True, governor=governor))
        clock.front = front
        loopback.add(FakeVideo(TALK), FakeVideo("otherotheri"))
        loopback.fail(TALK, "unavailable")
        parked_as(await front.follow(seen()), "recheck")
        parked_as(await front.wait(hours=1), "recheck", 2)
        assert await front.wait(hours=5, minutes=50) == []
        loopback.fail("otherotheri", "bot check")
        parked_as(await front.follow(seen("otherotheri")), "paused", 0)
        asked = len(loopback.requests)
        said = parked_as(await front.wait(minutes=10), "paused", 2)  # it was its turn for the third look
        assert said.until is not None and said.until > front.now + HOUR / 2
        assert await front.wait(minutes=40) == []
        assert len(loopback.requests) == asked  # no request was sent meanwhile
        loopback.heal("otherotheri")
        loopback.add(FakeVideo("otherotheri", audio=audio, duration_s=200))
        looks: list[Event] = []
        while not looks or looks[-1].key != TALK or getattr(looks[-1], "state", "") == "paused":
            looks += [each for each in await front.wait(minutes=20) if each.key == TALK]
        parked_as(looks[-1:], "recheck", 3)

    async def test_a_dead_proxy_is_nobodys_fault_and_loses_nothing(self, tmp_path: Path) -> None:
        front = Front(tmp_path, YouTube(proxy="http://127.0.0.1:9", insecure_tls=True))
        said = parked_as(await front.follow(seen()), "paused", 0)
        assert "proxy" in said.reason
        assert said.until is not None and said.until < front.now + HOUR

    async def test_files_and_episodes_go_on_while_youtube_is_left_alone(self, tmp_path: Path) -> None:
        front = Front(tmp_path, YouTube(proxy="http://127.0.0.1:9", insecure_tls=True))
        captions = front.blobs.put("inbox/a.vtt", b"WEBVTT")
        file = seen("file-a", kind="file", published_at=NOON).model_copy(update={"captions": captions})
        (stored,) = await front.follow(file)
        assert isinstance(stored, AudioStored)
        assert stored.captions == captions
        episode = seen("e", kind="feed", published_at=NOON, media_url="https://example.org/e.mp3")
        (accepted,) = await front.handle(episode)
        assert isinstance(accepted, VideoAccepted)
