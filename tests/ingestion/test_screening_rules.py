"""Tests of the screening rules: accepted videos, rejections with reasons, and videos that need no request."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from streams.errors import DataError
from streams.events import (
    Event,
    Relevance,
    Source,
    SourceDue,
    Video,
    VideoAccepted,
    VideoParked,
    VideoRejected,
    VideoReviewed,
    VideoSeen,
)
from streams.youtube.client import YouTube
from tests.ingestion.moving_clock import NOON, TALK, Front, seen
from tests.loopback_youtube import FakeVideo, LoopbackYouTube

HOUR = timedelta(hours=1)
RELEVANCE = Relevance(score=0.4, talk_kind="tutorial", reasons=("how to",), model="test")


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    stamina.set_testing(True, attempts=1)
    yield
    stamina.set_testing(False)


@pytest.fixture
def front(tmp_path: Path, youtube: YouTube) -> Front:
    return Front(tmp_path, youtube)


async def verdict(front: Front, event: Event) -> VideoAccepted | VideoRejected:
    (said,) = await front.handle(event)
    assert isinstance(said, VideoAccepted | VideoRejected)
    assert await front.handle(event) == [said]  # after a kill, the same event is sent again
    return said


async def rule(front: Front, event: Event) -> str:
    said = await verdict(front, event)
    assert isinstance(said, VideoRejected)
    assert said.reason
    return said.rule


def episode(**about: Any) -> VideoSeen:
    given = {"title": "Evaluating agents", "published_at": NOON, "media_url": "https://example.org/e.mp3"}
    return seen("episode-1", kind="feed", **(given | about))


class TestRules:
    async def test_a_talk_passes_with_all_that_youtube_says_of_it(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, "Agents in production", description="What we learned.", audio=b"x"))
        said = await verdict(front, seen(title="Agents…"))
        assert isinstance(said, VideoAccepted)
        assert (said.video.title, said.video.language) == ("Agents in production", "en")

    async def test_a_known_date_is_never_replaced_by_an_unknown_one(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, published_at=None, audio=b"x"))
        said = await verdict(front, seen(published_at=NOON))
        assert isinstance(said, VideoAccepted)
        assert said.video.published_at == NOON

    async def test_a_talk_without_a_date_belongs_to_no_month(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, published_at=None, audio=b"x"))
        assert await rule(front, seen()) == "no date"

    async def test_too_short_and_too_long(self, front: Front, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, duration_s=100, audio=b"x"))
        assert await rule(front, seen()) == "too short"
        loopback.add(FakeVideo(TALK, duration_s=100_000, audio=b"x"))
        assert await rule(front, seen()) == "too long"

    async def test_another_language_is_told_by_title_and_description(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        german = "Große Sprachmodelle im Betrieb: was wir in zwei Jahren gelernt haben"
        loopback.add(FakeVideo(TALK, german, audio=b"x"))
        assert await rule(front, seen()) == "language"

    async def test_a_language_that_cannot_be_told_passes(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, "1234 5678", audio=b"x"))
        assert isinstance(await verdict(front, seen()), VideoAccepted)

    async def test_a_short_is_no_talk(self, front: Front, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, duration_s=170, audio=b"x"))
        assert await rule(front, seen(short_form=True)) == "short form"

    async def test_hostile_text_is_but_text(self, front: Front, loopback: LoopbackYouTube) -> None:
        hostile = "<script>alert(1)</script>\u202e\u0000{{7*7}} '; DROP TABLE videos; -- " * 200
        loopback.add(FakeVideo(TALK, hostile, description=hostile, audio=b"x"))
        said = await verdict(front, seen())
        assert said.video.title == hostile.replace("\0", "")


class TestSince:
    @pytest.fixture
    def front(self, tmp_path: Path, youtube: YouTube) -> Front:
        return Front(tmp_path, youtube, since=date(2026, 3, 1))

    @pytest.mark.parametrize(
        ("published_at", "passes"),
        [
            (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), False),
            (datetime(2026, 3, 1, tzinfo=UTC), True),
            (datetime.fromisoformat("2026-03-01T00:30:00+02:00"), False),  # UTC decides, as for months
            (datetime.fromisoformat("2026-02-28T23:30:00-05:00"), True),
        ],
    )
    async def test_what_is_older_than_since_is_rejected(
        self, published_at: datetime, passes: bool, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, published_at=published_at, audio=b"x"))
        said = await verdict(front, seen())
        if passes:
            assert isinstance(said, VideoAccepted)
        else:
            assert isinstance(said, VideoRejected)
            assert said.rule == "too old"
            assert "2026-02-28" in said.reason and "2026-03-01" in said.reason


class TestNobodyIsAsked:
    async def test_about_a_local_file(self, front: Front, loopback: LoopbackYouTube) -> None:
        media = front.blobs.put("inbox/a.m4a", b"sound")
        event = seen("file-a", kind="file", published_at=NOON).model_copy(update={"media": media})
        said = await verdict(front, event)
        assert isinstance(said, VideoAccepted)
        assert said.media == media
        assert not loopback.requests

    async def test_about_a_podcasts_episode(self, front: Front, loopback: LoopbackYouTube) -> None:
        said = await verdict(front, episode(duration_s=3000.0))
        assert isinstance(said, VideoAccepted)
        assert said.video.media_url
        assert await rule(front, episode(duration_s=20.0)) == "too short"
        assert await rule(front, episode(published_at=None)) == "no date"
        assert not loopback.requests

    async def test_about_what_is_no_video_of_youtube(self, front: Front, loopback: LoopbackYouTube) -> None:
        with pytest.raises(DataError, match="not the id of a YouTube video"):
            await front.handle(seen("../../etc/passwd"))
        assert not loopback.requests
        assert list(front.lot.all()) == []


class TestWaiting:
    async def test_what_would_be_rejected_anyway_is_not_waited_for(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        german = "Große Sprachmodelle im Betrieb: was wir in zwei Jahren gelernt haben"
        loopback.add(FakeVideo(TALK, german, live_now=True))
        assert await rule(front, seen()) == "language"
        assert list(front.lot.all()) == []

    async def test_a_rejection_ends_the_waiting(self, front: Front, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, live_now=True))
        (said,) = await front.handle(seen())
        assert isinstance(said, VideoParked)
        loopback.add(FakeVideo(TALK, duration_s=60, streamed=True, audio=b"x"))
        await front.wait(hours=1)  # its recording may not be complete yet
        (said,) = await front.wait(hours=4)
        assert isinstance(said, VideoRejected)
        assert said.rule == "too short"
        assert list(front.lot.all()) == []

    async def test_a_damaged_parking_is_a_dead_letter_of_its_video_alone(
        self, front: Front, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, live_now=True), FakeVideo("otherotheri", audio=b"x"))
        await front.handle(seen())
        front.blobs.put(front.lot.key(TALK), b"{")
        with pytest.raises(DataError, match=r"parked/\w+\.json .* is damaged"):
            await front.handle(seen())
        assert isinstance(await verdict(front, seen("otherotheri")), VideoAccepted)


class AsReviewersSay:
    """A gate that accepts the videos that one reviewer keeps."""

    def __init__(self) -> None:
        self.judged: list[str] = []
        self.video: Video | None = None
        self.besides: list[Event] = []
        """What follows from a review for other videos."""

    async def judge(self, video: Video, event: VideoSeen) -> Event:
        self.judged.append(video.video_id)
        self.video = video
        return VideoParked(
            video=video,
            state="in review",
            reason="nobody has reviewed it",
            parked_at=NOON,
            relevance=RELEVANCE,
        )

    async def reviewed(self, event: VideoReviewed) -> Sequence[Event]:
        assert self.video is not None
        if event.verdict == "keep":
            return [VideoAccepted(video=self.video, relevance=RELEVANCE), *self.besides]
        return [VideoRejected(video=self.video, rule="not relevant", reason="a tutorial"), *self.besides]

    async def overdue(self) -> Sequence[Event]:
        return [VideoRejected(video=Video(video_id="late"), rule="not relevant", reason="a lecture")]


def review(kept: bool) -> VideoReviewed:
    return VideoReviewed(
        video_id=TALK,
        reviewer="ada",
        verdict="keep" if kept else "exclude",
        talk_kind="experience report",
        reviewed_at=NOON + HOUR,
    )


class TestGate:
    @pytest.fixture
    def gate(self) -> AsReviewersSay:
        return AsReviewersSay()

    @pytest.fixture
    def front(self, tmp_path: Path, youtube: YouTube, gate: AsReviewersSay) -> Front:
        return Front(tmp_path, youtube, gate=gate)

    async def test_what_a_rule_rejects_never_comes_to_the_gate(
        self, front: Front, gate: AsReviewersSay, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, duration_s=10, audio=b"x"))
        assert await rule(front, seen()) == "too short"
        assert gate.judged == []

    @pytest.mark.parametrize("kept", [True, False])
    async def test_what_waits_for_reviewers_is_parked_until_they_have_said(
        self, kept: bool, front: Front, gate: AsReviewersSay, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=b"x"))
        first = await front.handle(seen())
        parking = front.lot.get(TALK)
        assert parking is not None
        assert first == [parking.parked]
        assert (parking.parked.state, parking.again) == ("in review", seen())
        assert await front.handle(seen()) == first
        assert await front.wait(days=100) == []
        assert gate.judged == [TALK]

        (said,) = await front.handle(review(kept))
        assert isinstance(said, VideoAccepted if kept else VideoRejected)
        assert front.lot.get(TALK) is None
        assert await front.handle(review(kept)) == [said]

    async def test_acceptance_by_anothers_review_repeats_until_fetched(
        self, front: Front, gate: AsReviewersSay, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=b"x"), FakeVideo("otherotheri", audio=b"x"))
        (other,) = await front.handle(seen("otherotheri"))
        assert isinstance(other, VideoParked)
        await front.handle(seen())
        gate.besides = [VideoAccepted(video=other.video)]
        await front.handle(review(True))
        assert front.lot.get(TALK) is None
        parking = front.lot.get("otherotheri")
        assert parking is not None
        assert parking.again == seen("otherotheri")

    async def test_what_was_decided_meanwhile_is_sent_first(self, front: Front) -> None:
        (late,) = await front.screen.start()
        assert late.key == "late"

    async def test_without_a_gate_a_review_changes_nothing(self, tmp_path: Path, youtube: YouTube) -> None:
        front = Front(tmp_path, youtube)
        assert await front.handle(review(True)) == []


class TestPassed:
    async def test_what_passed_passes_again_without_asking_anybody(
        self, tmp_path: Path, loopback: LoopbackYouTube
    ) -> None:
        youtube = YouTube(proxy=loopback.proxy, insecure_tls=True)
        before: dict[str, VideoAccepted] = {}
        front = Front(tmp_path, youtube, since=date(2026, 3, 3), passed=before.get)
        loopback.add(FakeVideo(TALK, published_at=datetime(2026, 3, 1, tzinfo=UTC), audio=b"x"))
        assert await rule(front, seen()) == "too old"
        before[TALK] = VideoAccepted(video=Video(video_id=TALK, published_at=NOON))  # by another source
        loopback.fail(TALK, "removed")
        asked = len(loopback.requests)
        assert await verdict(front, seen()) == before[TALK]
        assert len(loopback.requests) == asked

    async def test_a_person_who_hands_it_in_again_has_it_judged_anew(
        self, tmp_path: Path, loopback: LoopbackYouTube
    ) -> None:
        youtube = YouTube(proxy=loopback.proxy, insecure_tls=True)
        before = VideoAccepted(video=Video(video_id=TALK, title="Before", published_at=NOON))
        front = Front(tmp_path, youtube, passed=lambda _: before)
        loopback.add(FakeVideo(TALK, "After", audio=b"x"))
        assert (await verdict(front, seen(kind="link"))).video.title == "After"


async def test_what_is_not_for_screen_is_named(front: Front) -> None:
    source = Source(source_id="s", kind="channel", locator="@Meetup", added_at=NOON)
    with pytest.raises(DataError, match="SourceDue is not for screen"):
        await front.handle(SourceDue(source=source, slot=NOON))
