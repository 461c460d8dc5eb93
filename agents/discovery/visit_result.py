"""The result of one visit to a source: videos found, lanes that worked, and what follows for the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from agents.discovery.connectors import Find, FolderListing
from streams.errors import DataError, Explained
from streams.events import Lane, Source
from streams.state.sources import PUBLISHED, LaneHealth, RefusedFile, Trouble, Visits, Watched

COMPLETE: tuple[str, ...] = ("listing", "api", "")
"""Lanes that show all of a channel; '': its listing, before lanes were told apart."""
NAMED = 5
"""Refused files that a message names; the others are counted."""
MAIN: dict[str, tuple[Lane, ...]] = {
    "channel": ("listing", "api"),
    "playlist": ("listing",),
    "search": ("search",),
    "feed": ("feed",),
    "folder": ("folder",),
}
"""By kind of source the lanes of which one has to work: without it, talks may be missed."""


@dataclass
class VisitResult:
    """The result of one visit. `sighted`: by video, when each lane of the source showed it first."""

    watched: Watched
    sighted: dict[str, dict[str, datetime]]
    finds: list[Find] = field(default_factory=list)
    folder: FolderListing | None = None
    worked: set[Lane] = field(default_factory=set)
    troubles: dict[Lane, Explained] = field(default_factory=dict)
    paused_until: datetime | None = None
    paused_why: str = ""
    learned: dict[str, object] = field(default_factory=dict)
    """Fields of the source's `Visits` that are known now."""
    again: set[str] = field(default_factory=set)
    """Videos to tell of although they were told of: what kept them out no longer holds."""
    goes_on: bool = False
    """A backfill has more to read."""

    @property
    def source(self) -> Source:
        """The source as it was when the visit began."""
        return self.watched.source

    @property
    def channel_id(self) -> str:
        """The channel's id, as soon as anything has said it."""
        return str(self.learned.get("channel_id") or channel_of(self.watched))

    @property
    def failure(self) -> Explained | None:
        """Why nothing vouches for this source now; None: a lane that shows all of it worked, or is paused."""
        main = MAIN[self.source.kind]
        if any(lane in self.worked for lane in main):
            return None
        return next((self.troubles[lane] for lane in main if lane in self.troubles), None)

    def published(self) -> tuple[datetime, ...]:
        """The newest publication times that were ever stated, the newest first."""
        stated = {find.video.published_at for find in self.finds if find.video.published_at is not None}
        return tuple(sorted(stated | set(self.watched.visits.published), reverse=True)[:PUBLISHED])


def refusal(files: Sequence[RefusedFile]) -> DataError:
    """Return what a person is told of files of a folder that could not be handed in."""
    told = "; ".join(f"{each.name}: {each.cause} ({each.cure})" for each in files[-NAMED:])
    more = len(files) - NAMED
    others = f"; and {more} more" if more > 0 else ""
    many = "a file" if len(files) == 1 else f"{len(files)} files"
    return DataError(
        f"{many} of the folder cannot be handed in: {told}{others}",
        "mend or remove them: each is tried again when it changes, and no other waits for it",
    )


def channel_of(watched: Watched) -> str:
    """Return the id of the channel that a source is, as soon as anything has said it; else ''."""
    if watched.source.kind != "channel":
        return ""
    named = watched.source.locator if watched.source.locator.startswith("UC") else ""
    return watched.visits.channel_id or named


def is_unwanted(look: VisitResult, find: Find) -> bool:
    """Whether it is known to be older than what is wanted of the source; it is not sent, so never sighted."""
    since, at = look.source.since, find.video.published_at
    return since is not None and at is not None and at < datetime.combine(since, time(), UTC)


def wanted(look: VisitResult) -> Iterator[Find]:
    """Yield what is worth sending: not what is known to be too old, nor what a playlist only hints at."""
    return (
        find
        for find in look.finds
        if not is_unwanted(look, find) and find.video.title not in ("[Private video]", "[Deleted video]")
    )


def after(look: VisitResult, now: datetime, lettered: bool) -> Visits:
    """Return what is known of a source after a visit, without when the next one is.

    Args:
        look: the visit.
        now: when it ended.
        lettered: whether a dead letter says that it failed.
    """
    before, failure = look.watched.visits, look.failure
    lanes = dict(before.lanes)
    for lane in look.worked:
        lanes[lane] = lanes.get(lane, LaneHealth()).model_copy(update={"worked_at": now, "trouble": None})
    for lane, error in look.troubles.items():
        trouble = Trouble(cause=error.cause, cure=error.cure, at=now)
        lanes[lane] = lanes.get(lane, LaneHealth()).model_copy(update={"trouble": trouble})
    outcome: dict[str, object] = {"failures": before.failures, "failure": before.failure}
    if failure is not None:
        said = Trouble(cause=failure.cause, cure=failure.cure, at=now, lettered=lettered)
        outcome = {"failures": before.failures + 1, "failure": said}
    elif any(lane in look.worked for lane in MAIN[look.source.kind]):
        outcome = {"failures": 0, "failure": None, "last_success": now}
    return before.model_copy(
        update=look.learned
        | outcome
        | {
            "visits": before.visits + 1,
            "last_visit": now,
            "paused_until": look.paused_until,
            "published": look.published(),
            "lanes": lanes,
        }
    )
