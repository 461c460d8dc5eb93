"""caption: videos.accepted → audio.stored. Captions that people wrote are a draft until the audio is heard.

A job of its own, so that whatever YouTube says to it holds up no audio: what it does not get in a few tries
it leaves. No dead letter, no rejection, nothing parked; the talk then simply has no draft.
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
"""Seconds apart: who comes after this talk does not wait for long."""


class Caption(Agent):
    """Fetches captions once; a ledger entry beside them says so, also where there are none."""

    name: ClassVar[str] = "caption"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (VIDEOS_ACCEPTED,)

    def __init__(self, settings: Settings, blobs: Blobs, youtube: YouTube) -> None:
        self._settings = settings
        self._drafts = Drafts(blobs)
        self._youtube = youtube

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return where the talk's captions lie, as a draft; nothing where there are none to be had."""
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
        """Keep the captions, or that there are none; if YouTube says neither, leave it at that."""
        # Captions in another language than is spoken are a translation: not what was said.
        languages = [video.language] if video.language else self._settings.languages
        try:
            captions = await with_retries(
                lambda: self._youtube.captions(video.video_id, languages), attempts=TRIES
            )
        except (DataError, Unavailable) as error:
            log.warning("no draft: its captions cannot be had", video=video.video_id, cause=error.cause)
            return
        if captions is None:
            await asyncio.to_thread(self._drafts.keep_none, video.video_id)
            return
        try:
            await asyncio.to_thread(parse, captions.content, f"{video.video_id}{captions.suffix}")
        except BadInput as error:
            log.warning("no draft: its captions are of no use", video=video.video_id, cause=error.cause)
            await asyncio.to_thread(self._drafts.keep_none, video.video_id)
            return
        await asyncio.to_thread(self._drafts.keep, video.video_id, captions.suffix, captions.content)
        log.info("has captions as a draft", video=video.video_id, language=captions.language)
