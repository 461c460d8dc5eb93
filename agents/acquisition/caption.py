"""caption: videos.accepted → audio.stored. Human captions serve as a draft until the audio is transcribed.

A separate agent, so that a refused request for captions never delays audio. After a few attempts it gives up
on a video, without a dead letter, a rejection or a parked video; the talk then has no draft.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

import structlog

from agents.consumer.consumer import Agent, Position
from agents.consumer.retry import with_retries
from models.errors import BadInput
from models.transcripts.captions import parse
from streams.errors import DataError, Unavailable
from streams.events import AudioStored, Event, Video, VideoAccepted
from streams.kafka.topics import VIDEOS_ACCEPTED, KafkaTopic
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.talks.caption_drafts import Drafts
from streams.youtube.client import YouTube

log = structlog.get_logger()
TRIES = 3
"""Attempts for each video; few and seconds apart, so that the next talk does not wait long."""


class Caption(Agent):
    """Fetches captions once per video; a ledger entry records the request, even if there are none."""

    name: ClassVar[str] = "caption"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (VIDEOS_ACCEPTED,)

    def __init__(self, settings: Settings, blobs: Blobs, youtube: YouTube) -> None:
        self._settings = settings
        self._drafts = Drafts(blobs)
        self._youtube = youtube

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return the location of the talk's captions as a draft, or nothing if no captions are available."""
        if not isinstance(event, VideoAccepted):
            raise DataError(f"{type(event).__name__} is not for caption", "drop it")
        came_along = event.media is not None or event.captions is not None
        if self._settings.captions == "never" or came_along or event.video.media_url:
            return ()
        if await asyncio.to_thread(self._drafts.superseded, event.key):
            return ()
        if not await asyncio.to_thread(self._drafts.asked, event.key):
            await self._ask(event.video)
        captions = await asyncio.to_thread(self._drafts.kept, event.key)
        return () if captions is None else [AudioStored(video=event.video, captions=captions, draft=True)]

    async def _ask(self, video: Video) -> None:
        """Store the captions, or record that there are none; record nothing if YouTube does not answer."""
        # Captions in another language than the spoken one are a translation, not the speaker's words.
        languages = [video.language] if video.language else self._settings.languages
        try:
            captions = await with_retries(
                lambda: self._youtube.captions(video.video_id, languages), attempts=TRIES
            )
        except (DataError, Unavailable) as error:
            log.warning("no draft: cannot fetch captions", video=video.video_id, cause=error.cause)
            return
        if captions is None:
            await asyncio.to_thread(self._drafts.keep_none, video.video_id)
            return
        try:
            await asyncio.to_thread(parse, captions.content, f"{video.video_id}{captions.suffix}")
        except BadInput as error:
            log.warning("no draft: cannot parse captions", video=video.video_id, cause=error.cause)
            await asyncio.to_thread(self._drafts.keep_none, video.video_id)
            return
        await asyncio.to_thread(self._drafts.keep, video.video_id, captions.suffix, captions.content)
        log.info("stored captions as a draft", video=video.video_id, language=captions.language)
