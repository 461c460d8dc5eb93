"""fetch: videos.accepted → audio.stored. Bytes go to the blob store; Kafka carries a pointer."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from agents.patience import patiently
from agents.stage import Agent, Position
from streams.blobs import Blobs
from streams.errors import DataError
from streams.events import AudioStored, Blob, Event, VideoAccepted, stable_id
from streams.topics import VIDEOS_ACCEPTED, Topic
from streams.youtube import YouTube


class Fetch(Agent):
    """Downloads audio once; a ledger entry beside it says that it is there."""

    name: ClassVar[str] = "fetch"
    reads: ClassVar[tuple[Topic, ...]] = (VIDEOS_ACCEPTED,)

    def __init__(self, blobs: Blobs, youtube: YouTube, folder: Path) -> None:
        """`folder`: where a download waits until it is whole; it resumes there after a crash."""
        self._blobs = blobs
        self._youtube = youtube
        self._folder = folder

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return where the talk's audio (or what came with it) lies."""
        if not isinstance(event, VideoAccepted):
            raise DataError(f"{type(event).__name__} is not for fetch", "drop it")
        if event.media is not None or event.captions is not None:
            return [AudioStored(video=event.video, audio=event.media, captions=event.captions)]
        audio = await patiently(lambda: self._fetch(event.video.video_id))
        return [AudioStored(video=event.video, audio=audio)]

    def _fetch(self, video_id: str) -> Blob:
        name = stable_id(video_id)
        ledger = f"audio/{name}.json"
        if self._blobs.exists(ledger):
            return Blob.model_validate_json(self._blobs.get(ledger))
        folder = self._folder / name
        path = self._youtube.download_audio(video_id, folder)
        audio = self._blobs.put_file(f"audio/{name}{path.suffix}", path, move=True)
        self._blobs.put(ledger, audio.model_dump_json().encode())
        shutil.rmtree(folder, ignore_errors=True)
        return audio
