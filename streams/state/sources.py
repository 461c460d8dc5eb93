"""Watched sources: small files in the blob store, so that they survive every process.

Each source has two files, because there are two writers: `sources/<id>.json` has people's choices (its kind,
whether it is paused, how far back it is wanted), `visits/<id>` has the results of visits. Neither writer
touches the other's file, so no pause is lost to a visit that ends at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import structlog
from pydantic import AwareDatetime, Field, ValidationError

from streams.errors import DataError
from streams.events import Source, stable_id
from streams.events.base import Fact
from streams.state.blobs import Blobs, shown

log = structlog.get_logger()
PUBLISHED = 20
"""Number of publication times kept per source: enough to estimate its pace."""
REFUSED = 100
"""Number of a folder's refused files that are kept with their errors; the newest."""
REMOVED = "removed-sources"


class Trouble(Fact):
    """A failure of a source, with its cure."""

    cause: str
    cure: str
    at: AwareDatetime
    lettered: bool = False
    """Whether there is a dead letter about it."""


class RefusedFile(Fact):
    """A file of a folder that could not be ingested; it is tried again when it changes.

    `path` is in printable form; `name` is that of the file, or of the line of a collection.
    """

    path: str
    name: str
    cause: str
    cure: str
    at: AwareDatetime


class LaneHealth(Fact):
    """The health of a source's lane: when it last worked, and the failure since."""

    worked_at: AwareDatetime | None = None
    trouble: Trouble | None = None


class Backfill(Fact):
    """Progress of reading a channel's old listing in slices, so that a kill loses at most one."""

    asked_at: AwareDatetime
    """When somebody asked for it, or the source was added; another time means another backfill."""
    since: date | None = None
    """It ends at videos published before that day; None: at the end of the listing."""
    rank: int = 0
    """The rank in the listing that was reached."""
    last_id: str = ""
    """Id of the video at that rank."""
    found: int = 0
    done_at: AwareDatetime | None = None


class Visits(Fact):
    """Results of all visits to a source so far."""

    visits: int = 0
    last_visit: AwareDatetime | None = None
    last_success: AwareDatetime | None = None
    """When every attempted lane last worked or was merely paused."""
    next_visit: AwareDatetime | None = None
    failures: int = 0
    """Number of failed visits in a row."""
    failure: Trouble | None = None
    paused_until: AwareDatetime | None = None
    """End of a pause of requests to YouTube; lanes to other hosts continue."""
    found: int = 0
    """Number of videos found, by any lane."""
    title: str = ""
    channel_id: str = ""
    etag: str = ""
    modified: str = ""
    published: tuple[AwareDatetime, ...] = ()
    """The newest publication times that the source stated, newest first."""
    listed_at: AwareDatetime | None = None
    """When its listing was last read far enough to miss nothing."""
    backfill: Backfill | None = None
    lanes: dict[str, LaneHealth] = Field(default_factory=dict)
    refused: tuple[RefusedFile, ...] = ()
    """Files of a folder that could not be ingested."""


class Watched(Fact):
    """A source with people's choices about it and the results of its visits."""

    source: Source
    paused: bool = False
    backfill_at: AwareDatetime | None = None
    """When a backfill was last asked for."""
    visits: Visits = Visits()

    @property
    def source_id(self) -> str:
        """Id of the source."""
        return self.source.source_id

    @property
    def health(self) -> str:
        """Health in one word: paused, new, failing, troubled (one of several lanes fails), waiting, ok."""
        if self.paused:
            return "paused"
        seen = self.visits
        if seen.failures:
            return "failing"
        if seen.last_visit is None:
            return "new"
        if any(lane.trouble for lane in seen.lanes.values()):
            return "troubled"
        waits = seen.paused_until is not None and seen.paused_until > seen.last_visit
        return "waiting" if waits else "ok"


class Sources:
    """Store of the sources (add, change, remove, list) and of the results of their visits."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def add(self, source: Source) -> bool:
        """Watch a source, resuming a removed one where it was; return False if it is watched already."""
        if self._blobs.exists(_key(source.source_id)):
            return False
        try:
            before = self._read(f"{REMOVED}/{source.source_id}.json")
            visits = Visits.model_validate(before.get("visits") or {})
        except (ValidationError, DataError) as error:  # the source is then read from its beginning
            log.error("the visits of a removed source are lost", error=_first(error))
            visits = Visits()
        if visits != Visits():
            self.remember(source.source_id, visits)
        self._write(Watched(source=source))
        return True

    def remove(self, source_id: str) -> None:
        """Stop watching a source; its talks stay, and its visits are kept in case it is added again."""
        watched = self.get(source_id)
        if watched is None:
            return
        self._blobs.put(f"{REMOVED}/{source_id}.json", watched.model_dump_json().encode())
        self._blobs.delete(_key(source_id))
        self._blobs.delete(f"visits/{source_id}")

    def restore(self, source_id: str) -> bool:
        """Undo `remove`, restoring also a pause; return False if the source was not removed."""
        before = self._read(f"{REMOVED}/{source_id}.json")
        if not before or self._blobs.exists(_key(source_id)):
            return False
        try:
            watched = Watched.model_validate(before)
        except (ValidationError, DataError) as error:
            raise self._damaged(f"{REMOVED}/{source_id}.json", _first(error)) from error
        self.remember(source_id, watched.visits)
        self._write(watched)
        return True

    def pause(self, source_id: str) -> bool:
        """Pause visits to a source until `resume`; return False if it is paused already."""
        return self._change(source_id, paused=True)

    def resume(self, source_id: str) -> bool:
        """Resume visits to a source; return False if it is not paused."""
        return self._change(source_id, paused=False)

    def want(self, source_id: str, since: date | None, at: datetime) -> Watched:
        """Request a backfill of all talks published since a day (None: all), and return the source."""
        watched = self.named(source_id)
        source = watched.source.model_copy(update={"since": since})
        wanted = watched.model_copy(update={"source": source, "backfill_at": at})
        self._write(wanted)
        return wanted

    def all(self) -> Iterator[Source]:
        """Yield every source in order of id."""
        for watched in self.watched():
            yield watched.source

    def watched(self) -> Iterator[Watched]:
        """Yield every source in order of id with its visits; damaged files are skipped and logged."""
        for key in self._blobs.keys("sources"):
            try:
                watched = self.get(key.removeprefix("sources/").removesuffix(".json"))
            except DataError as error:
                log.error("a source cannot be read", cause=error.cause, cure=error.cure)
                continue
            if watched is not None:  # removed meanwhile
                yield watched

    def get(self, source_id: str) -> Watched | None:
        """Return a source with its visits, or None.

        Raises:
            DataError: its file is damaged.
        """
        said = self._read(_key(source_id))
        if not said:
            return None
        told = {name: said[name] for name in ("paused", "backfill_at") if name in said}
        try:
            return Watched(source=Source.model_validate(said), visits=self.visits(source_id), **told)
        except (ValidationError, DataError) as error:
            raise self._damaged(_key(source_id), _first(error)) from error

    def named(self, source_id: str) -> Watched:
        """Return a source with its visits.

        Raises:
            DataError: there is no source with that id.
        """
        watched = self.get(source_id)
        if watched is None:
            raise DataError(f"there is no source {source_id!r}", "see groundswell sources list")
        return watched

    def visits(self, source_id: str) -> Visits:
        """Return the results of visits to a source.

        The file of an earlier version has only the time of the last visit, which read the whole listing.
        """
        try:
            content = self._blobs.get(f"visits/{source_id}")
        except DataError:
            return Visits()
        try:
            if content.startswith(b"{"):
                return Visits.model_validate_json(content)
            at = datetime.fromisoformat(content.decode())
        except (ValueError, DataError) as error:  # the source is then read from its beginning
            log.error("the visits of a source are lost", source=source_id, error=str(error))
            return Visits()
        return Visits(visits=1, last_visit=at, last_success=at, listed_at=at)

    def remember(self, source_id: str, visits: Visits) -> None:
        """Store the results of visits to a source."""
        self._blobs.put(f"visits/{source_id}", visits.model_dump_json(exclude_defaults=True).encode())

    def _change(self, source_id: str, *, paused: bool) -> bool:
        watched = self.named(source_id)
        if watched.paused == paused:
            return False
        self._write(watched.model_copy(update={"paused": paused}))
        return True

    def _write(self, watched: Watched) -> None:
        said = watched.source.model_dump(mode="json")
        said |= watched.model_dump(mode="json", include={"paused", "backfill_at"}, exclude_defaults=True)
        self._blobs.put(_key(watched.source_id), json.dumps(said).encode())

    def _read(self, key: str) -> dict[str, Any]:
        """Return the JSON object under a key, or {} if there is none."""
        try:
            content = self._blobs.get(key)
        except DataError:
            return {}
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._damaged(key, type(error).__name__) from error
        if not isinstance(found, dict):
            raise self._damaged(key, "it is not a JSON object")
        return found

    def _damaged(self, key: str, reason: str) -> DataError:
        return DataError(
            f"the file {key} in {shown(self._blobs.url)} is damaged ({reason})",
            "restore it from a backup, or delete it and add the source again; no other is affected",
        )


def _first(error: ValidationError | DataError) -> str:
    """Return the first error of a file in a few words."""
    if isinstance(error, DataError):
        return error.cause
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _key(source_id: str) -> str:
    return f"sources/{source_id}.json"


def source_id(kind: str, locator: str) -> str:
    """Return the id of a source, which is the same for equal sources.

    Example:
        >>> source_id("search", "LLMOps")
        'search-fe9ba3'
    """
    return f"{kind}-{stable_id(kind, locator if kind in _EXACT else locator.casefold())[:6]}"


_EXACT = ("feed", "folder")
"""Kinds whose locators are case-sensitive."""
