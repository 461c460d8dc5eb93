"""Connectors to sources, one per lane: channel feed, YouTube listing, Data API, podcast, folder.

Each function or generator queries one lane and returns the finds; it sends no events, and stores nothing
except the ingested files of a folder. A visit runs the lanes of the source's kind; a failing lane stops no
other.
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
"""A file modified more recently may still be growing."""


class Find(NamedTuple):
    """A video found by a lane; `rank`: its position in a listing or search, from 1."""

    video: Video
    lane: Lane
    rank: int | None = None


class FeedResponse(NamedTuple):
    """The content of a feed; if `fresh` is False, the feed has not changed and there are no finds."""

    finds: list[Find]
    etag: str
    modified: str
    title: str = ""
    fresh: bool = True


@dataclass
class FolderListing:
    """The files of a folder: ingested, still growing, or refused with a reason."""

    seen: list[VideoSeen] = field(default_factory=list)
    growing: int = 0
    refused: list[RefusedFile] = field(default_factory=list)
    """All refused files: those that have not changed since they were refused, then the newly refused."""
    newly: list[RefusedFile] = field(default_factory=list)
    """The files refused at this visit, new or changed."""
    files: dict[str, str] = field(default_factory=dict)
    """By path, the state of a file when it was ingested; prefixed with `?` when it was found growing, or with
    `!` when it was refused (`talk_files.condition`)."""


@dataclass(frozen=True, slots=True)
class Connectors:
    """The connections of discovery to the outside world. Blocks: call it from a thread."""

    youtube: YouTube
    reader: HttpClient
    api: DataApi | None = None
    feed_address: Callable[[str], str] = atom.feed_address
    """Returns the address of a channel's feed from its id."""

    def feed_of(self, channel_id: str, visits: Visits) -> FeedResponse:
        """Return a channel's feed: its newest 15 entries, including Shorts, with their dates.

        A 404 does not mean that the channel is gone: YouTube's feeds fail for weeks while channels publish.

        Raises:
            DataError: the feed cannot be read.
            Unavailable: the server does not answer now.
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
                "nothing: such failures pass, and the channel's listing is read anyway",
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
        """Return a podcast's feed: all its episodes, each with the address of its audio.

        Raises:
            DataError: the feed cannot be read, or is not a podcast.
            Unavailable: the server does not answer now.
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
        """Yield YouTube's listing of a channel, playlist or search; pages are fetched as needed."""
        lane: Lane = "search" if source.kind == "search" else "listing"
        for found in self.youtube.listing(source, limit):
            yield Find(found.video, lane, found.rank)

    def uploads(self, source: Source, channel_id: str) -> Iterator[Find]:
        """Yield a channel's uploads from the Data API, with their dates."""
        assert self.api is not None, "this lane needs an API key"
        for rank, video in enumerate(self.api.uploads(source.locator, channel_id), 1):
            yield Find(video, "api", rank)


def lanes_of(settings: Settings, youtube: YouTube) -> Connectors:
    """Return the connectors that the settings define."""
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
    """A watched folder of talks, or a single watched file."""

    def __init__(self, blobs: Blobs, source: Source) -> None:
        self._blobs = blobs
        self._source = source
        self._key = f"folders/{source.source_id}.json"
        self._path = Path(source.locator)

    def look(self, now: datetime, known: Sequence[RefusedFile] = ()) -> FolderListing:
        """Ingest new and changed files into the blob store and the outbox.

        A file that was written to within the last minute, or since the last visit, is left for the next
        visit. A refused file is retried when it or its sidecar file changes; it does not delay other files.

        Args:
            now: the present time.
            known: the refused files of the previous visit.

        Raises:
            DataError: the folder does not exist or cannot be read.
            Unavailable: the blob store does not answer.
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
            return True  # do not wait: reading the file reports the error

    def remember(self, looked: FolderListing) -> None:
        """Store the states of the files; call it only after their events are in the outbox."""
        self._blobs.put(self._key, json.dumps(looked.files).encode())

    def talks(self) -> int:
        """Return the number of talk files in the folder.

        Raises:
            DataError: the folder does not exist or cannot be read.
        """
        return len(self._talks())

    def _talks(self) -> list[Path]:
        try:
            if self._path.is_dir():
                next(self._path.iterdir(), None)  # raises if unreadable, instead of finding an empty folder
            elif not self._path.is_file():
                raise FileNotFoundError(2, "it does not exist")
            elif not talk_files.is_talk(self._path):
                raise DataError(f"{self._path} is not a talk", f"watch {talk_files.KNOWN}")
            return list(talk_files.talks_in(self._path))
        except OSError as error:
            raise DataError(
                f"the folder {self._path} cannot be read ({error.strerror or error})",
                "mount it or fix its permissions on the machine that runs discover, or remove the source",
            ) from error

    def _before(self) -> dict[str, str]:
        """Return the stored states of files; if they are missing or damaged, every file is ingested again."""
        if not self._blobs.exists(self._key):
            return {}
        try:
            kept = json.loads(self._blobs.get(self._key))
        except ValueError as error:
            log.error("lost the list of ingested files of a folder", key=self._key, error=str(error))
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
    """Return whether a listing, newest first, has reached videos published before `since`.

    Checks the last two videos: a channel's uploads and streams alternate, and both have to be older. A video
    of unknown date does not end a listing.
    """
    last = video_ids[-2:]
    return bool(last) and all((at := published(each)) is not None and at < since for each in last)
