"""Ingests talks by hand: media files, ready transcripts, single YouTube videos.

Bytes go to the blob store first, then the sighting to the outbox, then the event to the broker; so an
acknowledged talk is never lost, even if no broker is running.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from streams import intake
from streams.child_process import apart
from streams.errors import DataError, Explained
from streams.events import Sighting, Video, VideoSeen
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.talks import talk_files
from streams.talks.talk_files import KNOWN, TRANSCRIPTS

log = structlog.get_logger()
SOURCE_ID = "ingest"
ID_CHARS = 500
BEGIN = 64 * 1024
"""Leading bytes of which at least one must not be zero."""
PROBE_S, PROBE_MB = 60.0, 4_000
"""Limits of the process that probes a recording: seconds and megabytes of memory."""


@dataclass(frozen=True, slots=True)
class Given:
    """Metadata that the person states for the talks; they override the metadata in the files."""

    published_at: datetime | None = None
    title: str = ""
    show: str = ""


@dataclass(slots=True)
class Handed:
    """The result for one talk: its id and title, or the error it was refused with."""

    name: str
    video_id: str | None = None
    title: str = ""
    refused: DataError | None = None


@dataclass
class Ingest:
    """Ingests talks one after the other; each gets a later timestamp, so that their order is kept."""

    blobs: Blobs
    send: Callable[[VideoSeen], None] | None
    """Sends an event to the broker; None if no broker runs: the outbox keeps the event for the next run."""
    now: datetime
    given: Given = field(default_factory=Given)
    folder_id: str = ""
    """The id of the watched folder that the talks come from; empty: a person hands them in."""
    _count: int = 0

    def files(self, paths: list[Path]) -> Iterator[Handed]:
        """Yield the result for each talk in files and folders, as each one is ingested.

        An error in one file refuses that file only.

        Raises:
            Unavailable: the blob store or the broker does not answer.
        """
        for path in paths:
            try:
                found = list(talk_files.talks_in(path))
            except OSError as error:
                why = f"the folder {talk_files.shown(path)} cannot be read ({error.strerror or error})"
                yield Handed(talk_files.shown(path), refused=DataError(why, "fix its permissions"))
                continue
            if not found:
                why = f"there is no talk in the folder {talk_files.shown(path)}"
                yield Handed(_name(path), refused=DataError(why, f"put {KNOWN} into it"))
            for file in found:
                try:
                    yield from self._file(file)
                except DataError as error:
                    yield Handed(_name(file), refused=error)
                except Explained:
                    raise
                except Exception as error:
                    # Files are untrusted input: an unexpected error refuses this one, not the next.
                    log.exception("reading a file broke", file=talk_files.shown(file))
                    why = f"reading {talk_files.shown(file)} broke ({type(error).__name__}: {error})"[:500]
                    yield Handed(_name(file), refused=DataError(why, "report it with the log and the file"))

    def link(self, video_id: str, url: str) -> Handed:
        """Ingest one YouTube video."""
        video = Video(
            video_id=video_id, url=url, published_at=self.given.published_at, title=self.given.title
        )
        return self._hand(url, VideoSeen(video=video, sighting=self._sighting("link")))

    def _file(self, path: Path) -> Iterator[Handed]:
        if talk_files.is_collection(path):
            yield from self._collection(path)
            return
        suffix, about = path.suffix.lower(), _sidecar(path)
        if suffix in TRANSCRIPTS:
            content = talk_files.read(path)
            digest = talk_files.digest_of(hashlib.sha256(content).digest())
            about |= _metadata(content, path.name) if suffix == ".json" else {}
            video = self._video(path.stem, digest, about)
            captions = self.blobs.put(f"inbox/{digest}{suffix}", content)
            seen = VideoSeen(video=video, sighting=self._sighting("file"), captions=captions)
        else:
            with talk_files.opened(path) as file:
                if not any(file.read(BEGIN)):  # FFmpeg would search the whole file for a header
                    why = f"{_name(path)} is empty, or begins with nothing but zeros"
                    raise DataError(why, "fetch or export it again: it was not written completely")
                length = apart(PROBE_S, PROBE_MB, talk_files.shown(path), _length, path)
            digest = talk_files.digest(path)
            video = self._video(path.stem, digest, about)
            media = self.blobs.put_file(f"inbox/{digest}{suffix}", path)
            video = video.model_copy(update={"duration_s": video.duration_s or length})
            seen = VideoSeen(video=video, sighting=self._sighting("file"), media=media)
        yield self._hand(_name(path), seen)

    def _collection(self, path: Path) -> Iterator[Handed]:
        empty, refused = True, 0
        for number, content, error in talk_files.lines(path):
            empty, name = False, f"{_name(path)}:{number}"
            try:
                if error is not None:
                    raise error
                yield self._line(path, number, content)
                refused = 0
            except DataError as why:
                yield Handed(name, refused=why)
                refused += 1
            if refused >= talk_files.NO_TALKS:
                raise DataError(
                    f"{talk_files.shown(path)} has {refused:,} lines in a row that are not talks, up to line "
                    f"{number:,}",
                    "check the program that wrote it: a collection has one JSON talk on each line",
                )
        if empty:
            raise DataError(f"{talk_files.shown(path)} has no talks", "write one JSON talk on each line")

    def _line(self, path: Path, number: int, content: bytes) -> Handed:
        name = f"{_name(path)}:{number}"
        digest = talk_files.digest_of(hashlib.sha256(content).digest())
        video = self._video(f"{path.stem}-{number}", digest, _metadata(content, name))
        captions = self.blobs.put(f"inbox/{digest}.json", content)
        seen = VideoSeen(video=video, sighting=self._sighting("file"), captions=captions)
        return self._hand(name, seen)

    def _video(self, name: str, digest: str, about: dict[str, Any]) -> Video:
        published_at = self.given.published_at or _published_at(about.get("published_at"), name)
        if published_at is None:
            raise DataError(
                f"the publication date of {intake.text(name)} is unknown, so it belongs to no month",
                "say --published-at YYYY-MM-DD (on the page: Published on), or put a file with the same name "
                'and the suffix .json beside it that holds {"published_at": "…"}',
            )

        def said(*fields: str) -> str:
            return str(next(filter(None, map(about.get, fields)), ""))

        video_id = said("video_id", "id") or f"file-{digest}"
        if len(video_id) > ID_CHARS:
            raise DataError(
                f"the id of {intake.text(name)} has {len(video_id):,} characters, more than {ID_CHARS}",
                "give it a shorter one, or none: groundswell then derives the id from the content",
            )
        try:
            video = Video(
                video_id=video_id,
                title=(self.given.title or said("title") or intake.text(name))[: intake.TITLE_CHARS],
                description=said("description")[:5000],
                channel=said("channel", "source"),
                show=self.given.show or said("show"),
                url=said("url"),
                published_at=published_at,
                duration_s=about.get("duration_s"),
                language=about.get("language"),
                speakers=about.get("speakers") or (),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise DataError(
                f"the metadata of {intake.text(name)} are wrong ({first['loc'][0]}: {first['msg']})",
                "correct its .json",
            ) from error
        if video.duration_s is not None and not 0 <= video.duration_s < math.inf:
            raise DataError(
                f"the metadata of {intake.text(name)} are wrong (duration_s: {video.duration_s})",
                "correct its .json",
            )
        return video

    def _sighting(self, kind: Any) -> Sighting:
        self._count += 1
        seen_at = self.now + timedelta(microseconds=1000 * self._count)
        if self.folder_id:
            return Sighting(source_id=self.folder_id, kind="folder", lane="folder", seen_at=seen_at)
        return Sighting(source_id=SOURCE_ID, kind=kind, seen_at=seen_at)

    def _hand(self, name: str, seen: VideoSeen) -> Handed:
        Outbox(self.blobs).renew(seen)
        if self.send is not None:
            self.send(seen)
        return Handed(name, seen.key, seen.video.title)


def _name(path: Path) -> str:
    """Return a file's name in printable form."""
    return talk_files.shown(Path(path.name or path))


def _metadata(content: bytes, name: str) -> dict[str, Any]:
    """Return the top level of a JSON talk without its segments.

    Raises:
        DataError: it is not a JSON talk: too large, in another encoding, broken, or nested too deeply.
    """
    about = intake.json_object(content, name)
    return {key: _admitted(value) for key, value in about.items() if key != "segments"}


def _admitted(value: Any) -> Any:
    return [*map(_admitted, value)] if isinstance(value, list) else intake.admitted(value)


def _sidecar(path: Path) -> dict[str, Any]:
    beside = talk_files.sidecar_of(path)
    if beside is None:
        return {}
    return _metadata(talk_files.read(beside, talk_files.SIDECAR_BYTES), _name(beside))


def _published_at(stated: Any, name: str) -> datetime | None:
    if not stated:
        return None
    try:
        moment = datetime.fromisoformat(str(stated))
    except ValueError:
        raise DataError(
            f"the publication date of {intake.text(name)} is {str(stated)[:80]!r}",
            "write it as 2025-03-14 or 2025-03-14T09:30:00Z",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def midnight(day: date) -> datetime:
    """Return the start of a day (UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _length(path: Path) -> float:
    """Return the length that a recording's container states (seconds).

    Runs in a child process, because FFmpeg reads the file.

    Raises:
        DataError: the file is not a recording, or it is damaged.
    """
    from models.audio.samples import probe
    from models.errors import BadInput

    try:
        return probe(path)
    except BadInput as error:
        raise DataError(error.cause, error.cure) from error
