"""Tests of the YouTube Data API client: a server with its answers, an exhausted quota, a secret key."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from discovery_harness import Answer, Discovery, Web, discovery, seen

from streams.errors import DataError, Unavailable
from streams.events import VideoSeen
from streams.youtube.data_api import DataApi, QuotaSpent, seconds
from tests.loopback_youtube import FakeVideo

KEY = "AIza-this-is-a-secret"
CHANNEL = FakeVideo("abcdefghijk").channel_id


class Api(Web):
    """The API's two calls that list a channel's uploads, for the given videos (the newest first)."""

    def __init__(self) -> None:
        super().__init__()
        self.videos: list[FakeVideo] = []
        self.live: dict[str, dict[str, object]] = {}

    def answer(self, path: str) -> Answer:
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if any(path.startswith(known) for known in self.answers):
            return super().answer(path)
        match url.path:
            case "/v3/channels":
                known = [{"id": CHANNEL}] if asked.get("forHandle") == "@Meetup" else []
                return Answer(json.dumps({"items": known}).encode())
            case "/v3/playlistItems":
                start = int(asked.get("pageToken", 0))
                items = [{"contentDetails": {"videoId": each.id}} for each in self.videos[start : start + 50]]
                more = {"nextPageToken": str(start + 50)} if len(self.videos) > start + 50 else {}
                return Answer(json.dumps({"items": items} | more).encode())
            case "/v3/videos":
                by_id = {each.id: each for each in self.videos}
                items = [self._about(by_id[each]) for each in asked["id"].split(",")]
                return Answer(json.dumps({"items": items}).encode())
        return Answer(status=404)

    def _about(self, video: FakeVideo) -> dict[str, object]:
        assert video.published_at is not None
        snippet = {
            "title": video.title,
            "channelTitle": video.channel,
            "channelId": video.channel_id,
            "publishedAt": video.published_at.isoformat().replace("+00:00", "Z"),
            "defaultAudioLanguage": "en-US",
            "liveBroadcastContent": "none",
        }
        length = f"PT{video.duration_s // 60}M{video.duration_s % 60}S"
        live = self.live.get(video.id, {})
        return {
            "id": video.id,
            "snippet": snippet | {name: value for name, value in live.items() if name in snippet},
            "contentDetails": {"duration": length},
            "liveStreamingDetails": {name: value for name, value in live.items() if name not in snippet},
        }


def refusal(status: int, reason: str, message: str) -> Answer:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return Answer(json.dumps({"error": error}).encode(), status)


@pytest.fixture
def web() -> Iterator[Api]:
    with Api() as web:
        yield web


@pytest.fixture
def api(web: Api) -> DataApi:
    return DataApi(KEY, base=f"{web.url}/v3")


@pytest.fixture
def study(chdb_home: Path, tmp_path: Path, web: Api) -> Iterator[Discovery]:
    with discovery(chdb_home, tmp_path / "blobs") as study:
        study.web, study.api_key = web, KEY
        study.restart()
        yield study


def talks(count: int) -> list[FakeVideo]:
    return [FakeVideo(f"talk{n:07}", f"RAG, part {n}") for n in range(count, 0, -1)]


def test_uploads_come_with_dates_and_lengths_page_by_page(api: DataApi, web: Api) -> None:
    web.videos = talks(120)
    uploads = api.uploads("@Meetup")
    first = next(uploads)
    assert len(web.asked) == 3  # for the channel's id, a page, and the page's videos
    assert (first.video_id, first.channel_id, first.language) == ("talk0000120", CHANNEL, "en")
    assert (first.published_at, first.duration_s) == (datetime(2026, 3, 1, 12, tzinfo=UTC), 1200)
    assert len(list(uploads)) == 119
    assert len(web.asked) == 7


def test_what_is_to_come_or_live_is_told_apart(api: DataApi, web: Api) -> None:
    web.videos = talks(3)
    begins = "2026-03-05T18:00:00Z"
    web.live = {
        "talk0000003": {"liveBroadcastContent": "upcoming", "scheduledStartTime": begins},
        "talk0000002": {"liveBroadcastContent": "live"},
        "talk0000001": {"actualEndTime": begins},
    }
    upcoming, live, ended = api.uploads(CHANNEL)
    assert (upcoming.live_status, live.live_status, ended.live_status) == (
        "is_upcoming",
        "is_live",
        "was_live",
    )
    assert upcoming.begins_at == datetime(2026, 3, 5, 18, tzinfo=UTC)
    assert (upcoming.duration_s, ended.duration_s) == (None, 1200)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refusal(403, "quotaExceeded", f"quota of {KEY}"), QuotaSpent, "quota .* is used up"),
        (refusal(429, "rateLimitExceeded", "slow down"), QuotaSpent, "used up"),
        (refusal(400, "badRequest", f"API key not valid: {KEY}"), DataError, "GROUNDSWELL_YOUTUBE_API_KEY"),
        (refusal(403, "accessNotConfigured", "enable it"), DataError, "enabled for it"),
        (refusal(404, "playlistNotFound", "no such list"), DataError, "does not find"),
        (Answer(b"<html>down</html>", 503), Unavailable, "cannot answer"),
        (Answer(b"<html>a page</html>"), DataError, "no reason given"),
        (Answer(status=302, headers={"Location": "http://169.254.169.254/"}), DataError, "HTTP 302"),
    ],
)
def test_a_refusal_is_explained_and_shows_no_key(
    *,
    api: DataApi,
    web: Api,
    answer: Answer,
    error: type[Exception],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    web.answers["/v3/playlistItems"] = answer
    with pytest.raises(error, match=words) as raised:
        list(api.uploads(CHANNEL))
    assert KEY not in str(raised.value)
    assert KEY not in caplog.text
    assert all(KEY not in path and headers["x-goog-api-key"] == KEY for path, headers in web.asked)


def test_an_api_that_does_not_answer_is_tried_later() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        list(DataApi(KEY, base="http://127.0.0.1:9/v3").uploads(CHANNEL))


def test_an_unknown_handle_is_said(api: DataApi) -> None:
    with pytest.raises(DataError, match="finds no channel @Nobody"):
        list(api.uploads("@Nobody"))


@pytest.mark.parametrize(
    ("text", "length"), [("PT45S", 45), ("P1DT2H", 93_600), ("P0D", None), ("", None), ("an hour", None)]
)
def test_lengths(text: str, length: float | None) -> None:
    assert seconds(text) == length


async def test_with_a_key_a_channel_is_listed_by_the_api_alone(study: Discovery, web: Api) -> None:
    web.videos = talks(70)
    channel = study.add("@Meetup")
    found = [event for event in await study.look() if isinstance(event, VideoSeen)]
    assert {event.sighting.lane for event in found} == {"api"}
    assert len(found) == 70 and all(event.video.published_at for event in found)
    assert not study.loopback.requests
    asked = len([path for path, _ in web.asked if path.startswith("/v3/")])
    assert await study.next(channel) == []
    assert len([path for path, _ in web.asked if path.startswith("/v3/")]) - asked == 2


@pytest.mark.long
async def test_a_quota_that_is_used_up_falls_back_to_the_listing(study: Discovery, web: Api) -> None:
    web.videos = talks(195)
    study.loopback.add(*reversed(web.videos))
    channel = study.add("@Meetup")
    await study.look()
    web.answers["/v3/playlistItems"] = refusal(403, "quotaExceeded", "The request exceeded your quota")
    new = FakeVideo("brandnew000", "RAG, once more")
    study.loopback.add(new)
    found = await study.next(channel)
    assert new.id in seen(found, "listing")
    assert len(study.loopback.requests) == 3, "what the API has listed is known to the listing"
    watched = study.watched(channel)
    trouble = watched.visits.lanes["api"].trouble
    assert (watched.visits.failures, watched.health) == (0, "troubled")
    assert trouble is not None and "quota" in trouble.cause
    asked = len(web.asked)
    study.clock.now = watched.visits.last_visit or study.clock.now
    study.clock.forward(minutes=30)
    study.sources.want(channel, None, study.clock.now)
    await study.look()
    assert not [path for path, _ in web.asked[asked:] if path.startswith("/v3/")], "it rests for an hour"
