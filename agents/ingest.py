"""Hand in talks: media files, ready transcripts, single YouTube videos.

Bytes go to the blob store first, then the sighting to the outbox, then the event to the broker; so a talk
that was acknowledged is never lost, also when no broker runs yet.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from streams import intake
from streams.blobs import Blobs
from streams.errors import DataError
from streams.events import Sighting, Video, VideoSeen
from streams.outbox import Outbox

TRANSCRIPTS = frozenset({".vtt", ".srt", ".json3", ".json", ".xml"})
COLLECTIONS = (".jsonl", ".jsonl.gz")
MEDIA = frozenset(
    {".mp3", ".m4a", ".mp4", ".ogg", ".opus", ".wav", ".flac", ".webm", ".mkv", ".mov", ".aac", ".ts", ".avi"}
)
KNOWN = "recordings, transcripts (.vtt, .srt, .json3, .json, .xml) or collections (.jsonl, .jsonl.gz)"
SOURCE_ID = "ingest"
DIGEST = 16
"""Hex digits of a file's sha256 that name it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the person said about the talks; it wins over what the files say."""

    published_at: datetime | None = None
    title: str = ""
    show: str = ""


@dataclass(slots=True)
class Handed:
    """What became of one talk."""

    name: str
    video_id: str | None = None
    title: str = ""
    refused: DataError | None = None


@dataclass
class Ingest:
    """Hands talks in, one after the other; each gets a later moment, so that their order is kept."""

    blobs: Blobs
    send: Callable[[VideoSeen], None] | None
    """Sends an event to the broker; None when none runs: the outbox keeps it for the next run."""
    now: datetime
    given: Given = field(default_factory=Given)
    folder_id: str = ""
    """The watched folder that the talks come from; empty: a person hands them in."""
    _count: int = 0

    def files(self, paths: list[Path]) -> Iterator[Handed]:
        """Hand in files and folders; yield what became of each talk."""
        for path in paths:
            found = list(talks_in(path))
            if not found:
                nothing = DataError(f"there is no talk in the folder {path}", f"put {KNOWN} into it")
                yield Handed(path.name, refused=nothing)
            for file in found:
                try:
                    yield from self._file(file)
                except DataError as error:
                    yield Handed(file.name, refused=error)

    def link(self, video_id: str, url: str) -> Handed:
        """Hand in one video of YouTube."""
        video = Video(
            video_id=video_id, url=url, published_at=self.given.published_at, title=self.given.title
        )
        return self._hand(url, VideoSeen(video=video, sighting=self._sighting("link")))

    def _file(self, path: Path) -> Iterator[Handed]:
        if path.name.endswith(COLLECTIONS):
            yield from self._collection(path)
            return
        suffix, digest = path.suffix.lower(), _digest(path)
        about = _sidecar(path)
        if suffix in TRANSCRIPTS:
            content = path.read_bytes()
            video = self._video(
                path.stem, digest, about | (_metadata(content, path.name) if suffix == ".json" else {})
            )
            captions = self.blobs.put(f"inbox/{digest}{suffix}", content)
            seen = VideoSeen(video=video, sighting=self._sighting("file"), captions=captions)
        else:
            video = self._video(path.stem, digest, about)
            media = self.blobs.put_file(f"inbox/{digest}{suffix}", path)
            video = video.model_copy(update={"duration_s": video.duration_s or _duration(path)})
            seen = VideoSeen(video=video, sighting=self._sighting("file"), media=media)
        yield self._hand(path.name, seen)

    def _collection(self, path: Path) -> Iterator[Handed]:
        opener = gzip.open if path.suffix == ".gz" else open
        empty = True
        try:
            with opener(path, "rb") as file:
                for number, line in enumerate(file, 1):
                    if not line.strip():
                        continue
                    empty = False
                    name = f"{path.name}:{number}"
                    try:
                        digest = hashlib.sha256(line).hexdigest()[:DIGEST]
                        video = self._video(f"{path.stem}-{number}", digest, _metadata(line, name))
                        captions = self.blobs.put(f"inbox/{digest}.json", line)
                        seen = VideoSeen(video=video, sighting=self._sighting("file"), captions=captions)
                        yield self._hand(name, seen)
                    except DataError as error:
                        yield Handed(name, refused=error)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(
                f"{path} cannot be read ({reason})", "check the file and its permissions"
            ) from error
        if empty:
            raise DataError(f"{path} has no talks", "write one JSON talk on each line")

    def _video(self, name: str, digest: str, about: dict[str, Any]) -> Video:
        published_at = self.given.published_at or _moment(about.get("published_at"), name)
        if published_at is None:
            raise DataError(
                f"the publication date of {name} is unknown, so it belongs to no month",
                "say --published-at YYYY-MM-DD, or put a file with the same name and .json beside it "
                'that holds {"published_at": "…"}',
            )
        try:
            return Video(
                video_id=str(about.get("video_id") or about.get("id") or f"file-{digest}"),
                title=self.given.title or str(about.get("title") or name),
                description=str(about.get("description") or "")[:5000],
                channel=str(about.get("channel") or about.get("source") or ""),
                show=self.given.show or str(about.get("show") or ""),
                url=str(about.get("url") or ""),
                published_at=published_at,
                duration_s=about.get("duration_s"),
                language=about.get("language"),
                speakers=about.get("speakers") or (),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise DataError(
                f"what is said about {name} is wrong ({first['loc'][0]}: {first['msg']})", "correct its .json"
            ) from error

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


def talks_in(path: Path) -> Iterator[Path]:
    """Yield a file, or a folder's files in order of name; a .json that describes another one is no talk."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(each for each in path.rglob("*") if each.is_file()):
        known = file.suffix.lower() in TRANSCRIPTS | MEDIA or file.name.endswith(COLLECTIONS)
        if known and not (file.suffix == ".json" and _describes_another(file)):
            yield file


def _describes_another(file: Path) -> bool:
    beside = (file.with_suffix(suffix) for suffix in (MEDIA | TRANSCRIPTS) - {".json"})
    return any(each.exists() for each in beside)


def _digest(path: Path) -> str:
    """Return what names a file by its content; read piece by piece, a video may be large."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            empty = file.tell() == 0
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path} cannot be read ({reason})", "check the path and its permissions") from error
    if empty:  # all empty files would be one talk
        raise DataError(f"{path.name} is empty", "fetch or export it again")
    return digest.hexdigest()[:DIGEST]


def _metadata(content: bytes, name: str) -> dict[str, Any]:
    """Return the top level of a JSON talk without its segments.

    Raises:
        DataError: it is none: in another encoding, broken, or nested too deep.
    """
    about = intake.json_object(content, name)
    return {key: value for key, value in about.items() if key != "segments"}


def _sidecar(path: Path) -> dict[str, Any]:
    beside = path.with_suffix(".json")
    return _metadata(beside.read_bytes(), beside.name) if beside != path and beside.exists() else {}


def _moment(stated: Any, name: str) -> datetime | None:
    if not stated:
        return None
    try:
        moment = datetime.fromisoformat(str(stated))
    except ValueError:
        raise DataError(
            f"the publication date of {name} is {stated!r}", "write it as 2025-03-14 or 2025-03-14T09:30:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def midnight(day: date) -> datetime:
    """Return the beginning of a day (UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _duration(path: Path) -> float | None:
    """Return the length that the container states; None when it is damaged (a dead letter later)."""
    from models.audio import probe
    from models.errors import BadInput

    try:
        return probe(path)
    except BadInput:
        return None
