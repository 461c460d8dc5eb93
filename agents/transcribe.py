"""transcribe: audio.stored → transcripts.ready. Words, seconds and speakers; ready captions are only parsed.

The models live in a child process: it may take the GPU, gigabytes and hours, and a crash in native code
kills nothing else. A lease keeps two workers off one talk; the artefact is its own ledger, so what was
transcribed once is never transcribed again.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import structlog

from agents.stage import Agent, Position
from models.captions import parse
from models.language import identify
from models.speech import SpeechModels
from models.transcript import Transcript
from streams.blobs import Blobs
from streams.errors import DataError
from streams.events import AudioStored, Blob, Event, TranscriptReady, Video, VideoRejected, stable_id
from streams.leases import Lease
from streams.settings import EMBEDDED, Settings
from streams.topics import AUDIO_STORED, Topic

log = structlog.get_logger()
CAPTIONS_VERSION = "captions-1"
"""Part of the version of transcripts that came ready; raise it when `models.captions` reads otherwise."""
CRASHES = 2
"""A file that kills the speech process so many times is a dead letter."""

_speech: SpeechModels | None = None


def _begin() -> None:
    """Prepare the child process: Ctrl-C is for its parent, and waiting threads must not burn a core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")


def _transcribe(speech: SpeechModels, blobs_url: str, audio: Blob, folder: Path) -> Transcript:
    """Run in the child process; the models stay loaded there between talks."""
    global _speech  # noqa: PLW0603 - one per child process
    if _speech is None or _speech.version != speech.version:
        _speech = speech
    with Blobs(blobs_url).local_file(audio, folder) as path:
        return _speech.transcribe(path)


class Transcribe(Agent):
    """Turns recordings and ready captions into transcript artefacts."""

    name: ClassVar[str] = "transcribe"
    reads: ClassVar[tuple[Topic, ...]] = (AUDIO_STORED,)

    def __init__(
        self,
        settings: Settings,
        blobs: Blobs,
        speech: Callable[[], SpeechModels],
        folder: Path,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`speech` is called for the first recording; `folder`: local copies of audio from a remote store."""
        self._settings = settings
        self._blobs = blobs
        self._speech = speech
        self._folder = folder
        self._now = now
        # The one process of an embedded study finds its own lease again after a kill -9.
        self._owner = EMBEDDED if settings.embedded_broker else uuid.uuid4().hex
        self._pool: ProcessPoolExecutor | None = None

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return where the transcript lies, or a rejection when the talk is in another language."""
        if not isinstance(event, AudioStored):
            raise DataError(f"{type(event).__name__} is not for transcribe", "drop it")
        version, source = await asyncio.to_thread(self._version, event)
        key = f"transcripts/{stable_id(event.key)}/{version}.json"
        blob = await asyncio.to_thread(self._blobs.find, key)
        if blob is None:
            blob = await self._make(event, source, key)
        transcript = Transcript.model_validate_json(await asyncio.to_thread(self._blobs.read, blob))
        video = event.video.model_copy(
            update={
                "duration_s": event.video.duration_s or transcript.duration_s,
                "language": transcript.language,
            }
        )
        if (rejected := self._in_another_language(video)) is not None:
            return [rejected]
        speakers = {segment.speaker for segment in transcript.segments if segment.speaker is not None}
        return [
            TranscriptReady(
                video=video,
                transcript=blob,
                transcript_version=version,
                language=transcript.language,
                duration_s=transcript.duration_s,
                words=transcript.words_total,
                speakers=len(speakers),
            )
        ]

    def _version(self, event: AudioStored) -> tuple[str, Blob]:
        if event.captions is not None:
            return f"{CAPTIONS_VERSION}-{event.captions.sha256[:12]}", event.captions
        if event.audio is not None:
            return f"{self._speech().version}-{event.audio.sha256[:12]}", event.audio
        raise DataError(
            "the talk has neither audio nor captions", "ingest its file again, then drop this one"
        )

    async def _make(self, event: AudioStored, source: Blob, key: str) -> Blob:
        if event.captions is not None:
            return await asyncio.to_thread(self._read_captions, event.video, source, key)
        lease = Lease(self._blobs, stable_id(key), self._owner, self._settings.lease_s, self._now)
        while not await asyncio.to_thread(lease.acquire):
            log.info("another worker is transcribing this talk", video=event.key)
            await asyncio.sleep(min(5.0, self._settings.lease_s / 4))
            if (made := await asyncio.to_thread(self._blobs.find, key)) is not None:
                return made
        renewing = asyncio.create_task(self._renew(lease))
        try:
            log.info("transcribing", video=event.key, title=event.video.title)
            transcript = await self._in_child(source)
            return await asyncio.to_thread(self._blobs.put, key, transcript.model_dump_json().encode())
        finally:
            renewing.cancel()
            await asyncio.to_thread(lease.release)

    def _read_captions(self, video: Video, source: Blob, key: str) -> Blob:
        captions = parse(self._blobs.read(source), source.key)
        text = " ".join(segment.text for segment in captions.segments[:200])
        language, probability = identify(text)
        transcript = Transcript(
            language=captions.language or language or video.language or "und",
            language_probability=None if captions.language else probability,
            duration_s=captions.duration_s,
            segments=captions.segments,
            made_by={"captions": CAPTIONS_VERSION},
        )
        return self._blobs.put(key, transcript.model_dump_json().encode())

    async def _in_child(self, audio: Blob) -> Transcript:
        for _ in range(CRASHES):
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._pool, _transcribe, self._speech(), self._blobs.url, audio, self._folder
                )
            except BrokenProcessPool:
                log.warning("the speech process died", audio=audio.key)
                self._pool = None
        raise DataError(
            f"the speech process died {CRASHES} times on this recording (out of memory, or a codec crashed)",
            "convert it to another format or give the worker more memory, then replay",
        )

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(lease.ttl_s / 4)
            await asyncio.to_thread(lease.renew)

    def _in_another_language(self, video: Video) -> VideoRejected | None:
        language = (video.language or "und").split("-")[0].lower()
        if language in (*self._settings.languages, "und"):
            return None
        wanted = ", ".join(self._settings.languages)
        return VideoRejected(
            video=video, rule="language", reason=f"it is spoken in {language!r}, not in {wanted}"
        )

    async def stop(self) -> None:
        """End the child process, also in the middle of a talk: it will be transcribed again."""
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            with suppress(ProcessLookupError):
                os.kill(process.pid or 0, 9)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None
