"""screen: videos.seen → videos.accepted or videos.rejected. Rules first; every rejection says why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from agents.patience import patiently
from agents.stage import Agent, Position
from models.language import identify
from streams.errors import DataError
from streams.events import Event, Video, VideoAccepted, VideoRejected, VideoSeen
from streams.settings import Settings
from streams.topics import VIDEOS_SEEN, Topic
from streams.youtube import YouTube

LIVE = {"is_live": "it is live now", "is_upcoming": "it has not begun", "post_live": "it has only just ended"}


class Screen(Agent):
    """Completes a video's metadata and judges it by rule."""

    name: ClassVar[str] = "screen"
    reads: ClassVar[tuple[Topic, ...]] = (VIDEOS_SEEN,)

    def __init__(self, settings: Settings, youtube: YouTube) -> None:
        self._settings = settings
        self._youtube = youtube

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return the verdict."""
        if not isinstance(event, VideoSeen):
            raise DataError(f"{type(event).__name__} is not for screen", "drop it")
        video = event.video
        if event.media is None and event.captions is None:
            found = await patiently(lambda: self._youtube.metadata(video.video_id))
            video = _complete(video, found)
        language, _ = await asyncio.to_thread(identify, f"{video.title}. {video.description}")
        video = video.model_copy(update={"language": video.language or language})
        for rule in RULES:
            if (rejected := rule(video, self._settings)) is not None:
                return [rejected]
        return [VideoAccepted(video=video, media=event.media, captions=event.captions)]


def _complete(seen: Video, found: Video) -> Video:
    """Return `found` with what only the listing knew; a known date is never replaced by an unknown one."""
    missing = {name: getattr(seen, name) for name in Video.model_fields if not getattr(found, name)}
    return found.model_copy(update=missing)


def _dated(video: Video, settings: Settings) -> VideoRejected | None:
    if video.published_at is not None:
        return None
    return VideoRejected(
        video=video, rule="no date", reason="its publication date is unknown, so it belongs to no month"
    )


def _not_live(video: Video, settings: Settings) -> VideoRejected | None:
    if video.live_status not in LIVE:
        return None
    return VideoRejected(video=video, rule="live", reason=f"{LIVE[video.live_status]}: no full recording yet")


def _long_enough(video: Video, settings: Settings) -> VideoRejected | None:
    if video.duration_s is None or video.duration_s >= settings.min_duration_s:
        return None
    reason = f"it lasts {video.duration_s:.0f} s, less than {settings.min_duration_s:.0f} s"
    return VideoRejected(video=video, rule="too short", reason=reason)


def _short_enough(video: Video, settings: Settings) -> VideoRejected | None:
    if video.duration_s is None or video.duration_s <= settings.max_duration_s:
        return None
    reason = f"it lasts {video.duration_s:.0f} s, more than {settings.max_duration_s:.0f} s"
    return VideoRejected(video=video, rule="too long", reason=reason)


def _in_language(video: Video, settings: Settings) -> VideoRejected | None:
    if video.language is None or video.language.split("-")[0].lower() in settings.languages:
        return None
    wanted = ", ".join(settings.languages)
    reason = f"title and description are in {video.language!r}, not in {wanted}"
    return VideoRejected(video=video, rule="language", reason=reason)


RULES: tuple[Callable[[Video, Settings], VideoRejected | None], ...] = (
    _dated,
    _not_live,
    _long_enough,
    _short_enough,
    _in_language,
)
