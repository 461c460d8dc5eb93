"""The lanes by which a source shows its talks: feed, listing, Data API, podcast, folder.

Each is a function or generator that asks and says what it found; it sends nothing, and keeps nothing but what
is handed to it. Whoever looks at a source runs those that its kind has: one that fails stops no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog

from agents.acquisition.ingest import Handed, Ingest
from streams.errors import DataError
from streams.events import Lane, Source, Video, VideoSeen
from streams.feeds import atom
from streams.feeds.podcasts import podcast_apart
from streams.http.client import HttpClient, NotModified, NotServed
from streams.intake import PODCAST_FEED_BYTES, YOUTUBE_FEED_BYTES
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.sources import REFUSED, RefusedFile, Visits
from streams.talks import talk_files
from streams.youtube.client import YouTube
from streams.youtube.data_api import DataApi

log = structlog.get_logger()
SETTLED = timedelta(seconds=60)
"""A file that was written to more recently may still be growing."""


class Find(NamedTuple):
    """A video that a lane showed; `rank`: its place in a listing or search, from 1."""

    video: Video
    lane: Lane
    rank: int | None = None


class FeedResponse(NamedTuple):
    """The content of a feed; `fresh` False: that it is what it was, and nothing else."""

    finds: list[Find]
    etag: str
    modified: str
    title: str = ""
    fresh: bool = True


@dataclass
class FolderListing:
    """The content of a folder: handed in, still growing, or refused with its reason."""

    seen: list[VideoSeen] = field(default_factory=list)
    growing: int = 0
    refused: list[RefusedFile] = field(default_factory=list)
    """What is wrong with files that did not change since they were refused, the new ones last."""
    newly: list[RefusedFile] = field(default_factory=list)
    """Those of them that are refused for the first time as they are."""
    files: dict[str, str] = field(default_factory=dict)
    """By path: the state in which a file was handed in; with a `?` in which it was met growing, with a `!`
    in which it was refused (`talk_files.condition`)."""


@dataclass(frozen=True, slots=True)
class Connectors:
    """The outside world, as discovery asks it. Blocks: call it from a thread."""

    youtube: YouTube
    reader: HttpClient
    api: DataApi | None = None
    feed_address: Callable[[str], str] = atom.feed_address
    """Where a channel's feed is, by its id."""

    def feed_of(self, channel_id: str, visits: Visits) -> FeedResponse:
        """Read a channel's feed: its newest 15 entries, Shorts among them, with their dates.

        A 404 never means that the channel is gone: YouTube's feeds fail for weeks while channels go on.

        Raises:
            DataError: it cannot be read as it is.
            Unavailable: it does not answer now.
        """
        try:
            page = self.reader.get(
                self.feed_address(channel_id),
                max_bytes=YOUTUBE_FEED_BYTES,
                etag=visits.etag,
                modified=visits.modified,
            )
        except NotServed as error:
            raise DataError(
                f"YouTube's feed of the channel answers HTTP {error.status}",
                "nothing: such spells pass, and the channel's listing is read all the same",
            ) from error
        if isinstance(page, NotModified):
            return FeedResponse([], page.etag, page.modified, fresh=False)
        finds = [
            Find(_entry(entry, channel_id), "rss")
            for entry in atom.youtube_entries(page.body)
            if not entry.deleted and entry.channel_id in ("", channel_id)
        ]
        return FeedResponse(finds, page.etag, page.modified)

    def podcast(self, source: Source, visits: Visits) -> FeedResponse:
        """Read a podcast's feed: all its episodes, each with where its audio lies.

        Raises:
            DataError: it cannot be read as it is, or is no podcast.
            Unavailable: it does not answer now.
        """
        page = self.reader.get(
            source.locator, max_bytes=PODCAST_FEED_BYTES, etag=visits.etag, modified=visits.modified
        )
        if isinstance(page, NotModified):
            return FeedResponse([], page.etag, page.modified, fresh=False)
        said = podcast_apart(page.body, source.locator)
        finds = [Find(episode, "feed") for episode in said.episodes]
        return FeedResponse(finds, page.etag, page.modified, said.title)

    def listing(self, source: Source, limit: int | None) -> Iterator[Find]:
        """Yield what YouTube lists of a channel, playlist or search, page by page as one asks for more."""
        lane: Lane = "search" if source.kind == "search" else "listing"
        for found in self.youtube.listing(source, limit):
            yield Find(found.video, lane, found.rank)

    def uploads(self, source: Source, channel_id: str) -> Iterator[Find]:
        """Yield a channel's uploads as the Data API lists them, with their dates."""
        assert self.api is not None, "the lane is only there with a key"
        for rank, video in enumerate(self.api.uploads(source.locator, channel_id), 1):
            yield Find(video, "api", rank)


def lanes_of(settings: Settings, youtube: YouTube) -> Connectors:
    """Return the outside world as the settings say."""
    reader = HttpClient(settings.proxy, settings.internal_addresses, settings.insecure_tls)
    key = settings.youtube_api_key.get_secret_value()
    api = DataApi(key, settings.proxy, insecure_tls=settings.insecure_tls) if key else None
    return Connectors(youtube, reader, api)


def _entry(entry: atom.FeedEntry, channel_id: str) -> Video:
    return Video(
        video_id=entry.video_id,
        title=entry.title,
        description=entry.description,
        channel=entry.channel,
        channel_id=channel_id,
        url=entry.url,
        published_at=entry.published_at,
        short_form=entry.short_form,
    )


class Folder:
    """A folder of talks, or one file of them, that is looked at again and again."""

    def __init__(self, blobs: Blobs, source: Source) -> None:
        self._blobs = blobs
        self._source = source
        self._key = f"folders/{source.source_id}.json"
        self._path = Path(source.locator)

    def look(self, now: datetime, known: Sequence[RefusedFile] = ()) -> FolderListing:
        """Hand in what is new or was changed, to the blobs and the outbox.

        A file that was written to within the last minute, or since it was looked at last, is left for the
        next visit. One that is refused is tried again when it changes, or the file beside it that says when
        it was published; no other file waits for it.

        Args:
            now: the moment it is.
            known: what was wrong with files at the visit before.

        Raises:
            DataError: the folder is not there, or may not be read.
            Unavailable: the blobs do not answer.
        """
        before, looked = self._before(), FolderListing()
        ingest = Ingest(self._blobs, looked.seen.append, now, folder_id=self._source.source_id)
        for file in self._talks():
            name, state = str(file), talk_files.state(file)
            refused_as = f"!{talk_files.condition(file)}"
            if before.get(name) in (state, refused_as):
                looked.files[name] = before[name]
                looked.refused += [each for each in known if each.path == talk_files.shown(file)]
                continue
            if not self._settled(file, now) and before.get(name) != f"?{state}":
                looked.growing += 1
                looked.files[name] = f"?{state}"
                continue
            told = list(ingest.files([file]))
            refused = [_refused(file, each, now) for each in told if each.refused is not None]
            looked.newly += refused
            looked.files[name] = refused_as if len(refused) == len(told) else state
        looked.refused = [*looked.refused, *looked.newly][-REFUSED:]
        return looked

    @staticmethod
    def _settled(file: Path, now: datetime) -> bool:
        try:
            return datetime.fromtimestamp(file.stat().st_mtime, now.tzinfo) <= now - SETTLED
        except (OSError, ValueError, OverflowError):
            return True  # there is nothing to wait for: reading it says what is wrong

    def remember(self, looked: FolderListing) -> None:
        """Keep which files were handed in; only after what they led to is safe."""
        self._blobs.put(self._key, json.dumps(looked.files).encode())

    def talks(self) -> int:
        """Return how many files of talks lie there.

        Raises:
            DataError: the folder is not there, or may not be read.
        """
        return len(self._talks())

    def _talks(self) -> list[Path]:
        try:
            if self._path.is_dir():
                next(self._path.iterdir(), None)  # what may not be read is an error, not an empty folder
            elif not self._path.is_file():
                raise FileNotFoundError(2, "it is not there")
            elif not talk_files.is_talk(self._path):
                raise DataError(f"{self._path} is no talk", f"watch {talk_files.KNOWN}")
            return list(talk_files.talks_in(self._path))
        except OSError as error:
            raise DataError(
                f"the folder {self._path} cannot be read ({error.strerror or error})",
                "mount it or mend its permissions on the machine that runs discover, or remove the source",
            ) from error

    def _before(self) -> dict[str, str]:
        """Return what is remembered; without it, or where it is damaged, every file is handed in again."""
        if not self._blobs.exists(self._key):
            return {}
        try:
            kept = json.loads(self._blobs.get(self._key))
        except ValueError as error:
            log.error("which files of a folder were handed in is lost", key=self._key, error=str(error))
            return {}
        return kept if isinstance(kept, dict) else {}


def _refused(file: Path, told: Handed, now: datetime) -> RefusedFile:
    assert told.refused is not None
    return RefusedFile(
        path=talk_files.shown(file),
        name=told.name,
        cause=told.refused.cause[:500],
        cure=told.refused.cure[:500],
        at=now,
    )


def ended(video_ids: list[str], published: Callable[[str], datetime | None], since: datetime) -> bool:
    """Whether a listing, newest first, has come to videos from before `since`.

    The last two of them are asked for: a channel's uploads and streams come in turn, and both have to be
    older. One whose date nobody states does not end a listing.
    """
    last = video_ids[-2:]
    return bool(last) and all((at := published(each)) is not None and at < since for each in last)
