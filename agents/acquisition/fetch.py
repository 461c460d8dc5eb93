"""fetch: videos.accepted → audio.stored. Bytes go to the blob store; Kafka carries a pointer.

A recording is decoded to its end before its event is sent. A video that is unavailable for now waits in the
parking lot; discover sends it again when it is due.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import structlog

from agents.acquisition.audio_retention import retain
from agents.acquisition.verify_recording import RecordingError, verify
from agents.consumer.consumer import Agent, Position
from agents.consumer.retry import with_retries
from agents.screening.availability_policy import LOCAL, EarlierChecks, GiveUp, after
from streams.errors import DataError, Explained, Paused, Unavailable
from streams.events import (
    AudioStored,
    Blob,
    Event,
    Video,
    VideoAccepted,
    VideoParked,
    VideoRejected,
    stable_id,
)
from streams.http.client import HttpClient
from streams.kafka.topics import VIDEOS_ACCEPTED, KafkaTopic
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.parked_videos import ParkingLot
from streams.talks.audio_index import ledger_of
from streams.talks.caption_drafts import Drafts
from streams.youtube.client import YouTube

log = structlog.get_logger()
TRIES = 2
"""Downloads of a recording; if the first fails verification, it is deleted and fetched once more."""
EPISODE_LIMIT = 2 * 10**9
"""Maximum bytes of a podcast episode: ten hours at 400 kbit/s."""
SUFFIXES = frozenset({".mp3", ".m4a", ".mp4", ".ogg", ".opus", ".wav", ".flac", ".webm", ".aac", ".mov"})
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
VERIFIED = "verified.json"
"""File beside a verified download: {name, duration_s}. After a crash that download is not fetched again."""


class Fetch(Agent):
    """Downloads audio once per video; a ledger entry records that it is stored."""

    name: ClassVar[str] = "fetch"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (VIDEOS_ACCEPTED,)
    tick_s: ClassVar[float | None] = 3600.0

    def __init__(
        self,
        settings: Settings,
        blobs: Blobs,
        youtube: YouTube,
        reader: HttpClient,
        lot: ParkingLot,
        *,
        folder: Path,
        now: Callable[[], datetime],
    ) -> None:
        """Keep the dependencies; an incomplete download stays in `folder` and resumes there after a crash."""
        self._settings = settings
        self._blobs = blobs
        self._youtube = youtube
        self._reader = reader
        self._lot = lot
        self._folder = folder
        self._now = now

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return the location of the talk's audio or captions, or the parked or rejected video."""
        if not isinstance(event, VideoAccepted):
            raise DataError(f"{type(event).__name__} is not for fetch", "drop it")
        if event.media is not None or event.captions is not None:
            await asyncio.to_thread(self._lot.leave, event.key)
            return [AudioStored(video=event.video, audio=event.media, captions=event.captions)]
        before = EarlierChecks(event.key)
        parking = await asyncio.to_thread(self._lot.get, event.key)
        if parking is not None and isinstance(parking.again, VideoAccepted):
            if parking.given_up:
                return [await asyncio.to_thread(self._gone, parking.parked)]
            if not parking.looked_at_now(event, self._now()):
                return [parking.parked]
            before = EarlierChecks(event.key, parking.counts, parking.parked.attempt, parking.pauses)
        try:
            stored = await with_retries(lambda: self._stored(event.video))
        except (DataError, Unavailable) as error:
            return [await asyncio.to_thread(self._refused, event, error, before)]
        await asyncio.to_thread(self._lot.leave, event.key)
        return [stored]

    async def tick(self) -> Sequence[Event]:
        """Delete the audio of transcribed talks after `keep_audio_days`, if that setting is not 0."""
        await asyncio.to_thread(retain, self._blobs, self._settings.keep_audio_days, self._now())
        return ()

    def _refused(self, event: VideoAccepted, error: DataError | Unavailable, before: EarlierChecks) -> Event:
        """Return the parked video or, when it is given up, its captions or rejection.

        Raises:
            DataError, Unavailable: the error itself, if it has to become a dead letter.
        """
        decision = after(error, before, self._now())
        if isinstance(decision, GiveUp) and decision.rule is None:
            self._lot.leave(event.key)
            raise error
        parked = VideoParked(
            video=event.video,
            state="recheck" if isinstance(decision, GiveUp) else decision.state,
            reason=decision.reason,
            until=None if isinstance(decision, GiveUp) else decision.until,
            attempt=decision.attempt,
            parked_at=self._now(),
            relevance=event.relevance,
        )
        log.info("waits", video=event.key, state=parked.state, until=str(parked.until), reason=parked.reason)
        if isinstance(decision, GiveUp) and not decision.attempt:
            self._lot.leave(event.key)
        else:  # a video given up after several checks stays too, so that a crash does not restart the checks
            self._lot.park(parked, event)
        return self._gone(parked) if isinstance(decision, GiveUp) else parked

    def _gone(self, parked: VideoParked) -> Event:
        """Return the human captions, which replace the audio for good; if there are none, the rejection."""
        captions = Drafts(self._blobs).kept(parked.key)
        if captions is not None:
            log.info("captions replace the missing audio", video=parked.key, reason=parked.reason)
            return AudioStored(video=parked.video, captions=captions)
        return VideoRejected(
            video=parked.video, rule="gone", reason=parked.reason, relevance=parked.relevance
        )

    def _stored(self, video: Video) -> AudioStored:
        ledger, folder = ledger_of(video.video_id), self._folder / stable_id(video.video_id)
        if not self._blobs.exists(ledger):
            self._check_space()
            try:
                self._fetch(video, folder, ledger)
            except (OSError, DataError, Unavailable) as error:
                if not _is_full(error):
                    raise
                cause = error.cause if isinstance(error, Explained) else str(error)
                raise self._full(f"the disk is full ({cause})") from error
        shutil.rmtree(folder, ignore_errors=True)
        entry = self._blobs.get(ledger)
        lasts_s = video.duration_s or json.loads(entry).get("duration_s")
        return AudioStored(
            video=video.model_copy(update={"duration_s": lasts_s}), audio=Blob.model_validate_json(entry)
        )

    def _fetch(self, video: Video, folder: Path, ledger: str) -> None:
        done = _verified(folder)
        if done is None or not (done[0].exists() or self._blobs.exists(_audio_key(ledger, done[0]))):
            done = self._whole(video, folder)
            _keep_verified(*done)
        path, lasts_s = done
        key = _audio_key(ledger, path)
        # Killed after the move and before the ledger entry: the audio is there and not fetched again.
        found = None if path.exists() else self._blobs.find(key)
        audio = found or self._blobs.put_file(key, path, move=True)
        entry = audio.model_dump() | {"duration_s": lasts_s, "stored_at": self._now().isoformat()}
        self._blobs.put(ledger, json.dumps(entry).encode())

    def _whole(self, video: Video, folder: Path) -> tuple[Path, float]:
        """Return a verified recording and its length (seconds).

        Raises:
            DataError: the recording failed verification twice.
        """
        for attempt in range(1, TRIES + 1):
            path = self._download(video, folder)
            try:
                return path, verify(path, video.duration_s)
            except RecordingError as error:
                log.warning("wrong recording", video=video.video_id, attempt=attempt, cause=error.cause)
                path.unlink()
                if attempt == TRIES:
                    raise DataError(f"{error.cause}; fetched {TRIES} times", error.cure) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _download(self, video: Video, folder: Path) -> Path:
        if not video.media_url:
            return self._youtube.download_audio(video.video_id, folder)
        folder.mkdir(parents=True, exist_ok=True)
        suffix = Path(urlsplit(video.media_url).path).suffix.lower()
        path = folder / f"{stable_id(video.media_url)}{suffix if suffix in SUFFIXES else '.audio'}"
        if path.exists():  # downloaded completely, but the process was killed before verification
            return path
        return self._reader.download(video.media_url, path, max_bytes=EPISODE_LIMIT)

    def _check_space(self) -> None:
        """Raise `Paused` if the disk of the downloads or of the blobs is nearly full."""
        places = [self._folder] if "://" in self._blobs.url else [self._folder, Path(self._blobs.url)]
        for place in places:
            there = next(
                folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists()
            )
            free_gb = shutil.disk_usage(there).free / 1e9
            if free_gb < self._settings.min_free_gb:
                raise self._full(
                    f"only {free_gb:.1f} GB are free in {place}, less than {self._settings.min_free_gb:g} GB"
                )

    def _full(self, cause: str) -> Paused:
        cure = "free disk space, or set GROUNDSWELL_MIN_FREE_GB or GROUNDSWELL_KEEP_AUDIO_DAYS"
        log.error("fetching is paused", cause=cause, cure=cure)
        return Paused(f"{cause}: {cure}", cure, self._now() + LOCAL)


def _audio_key(ledger: str, path: Path) -> str:
    return f"{ledger.removesuffix('.json')}{path.suffix}"


def _is_full(error: BaseException) -> bool:
    """Return whether a full disk caused an error; yt-dlp keeps the original in its own `exc_info`."""
    seen: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in seen:
        if isinstance(inner, OSError) and inner.errno in FULL:
            return True
        seen.append(inner)
        inner = inner.__cause__ or (getattr(inner, "exc_info", None) or (None, None))[1] or inner.__context__
    return False


def _verified(folder: Path) -> tuple[Path, float] | None:
    try:
        kept = json.loads((folder / VERIFIED).read_bytes())
        return folder / str(kept["name"]), float(kept["duration_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep_verified(path: Path, lasts_s: float) -> None:
    """Record that a recording is verified, once its bytes are on the disk."""
    temporary, said = path.with_name(f"{VERIFIED}.tmp"), {"name": path.name, "duration_s": lasts_s}
    temporary.write_text(json.dumps(said))
    for file in (path, temporary):
        with file.open("rb") as written:
            os.fsync(written.fileno())
    temporary.replace(path.with_name(VERIFIED))
