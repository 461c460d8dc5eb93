"""The result of one visit to a source: videos found, lanes that worked, and the source's new state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from agents.discovery.connectors import Find, FolderListing
from streams.errors import DataError, Explained
from streams.events import Lane, Source
from streams.state.sources import PUBLISHED, LaneHealth, RefusedFile, Trouble, Visits, Watched

COMPLETE: tuple[str, ...] = ("listing", "api", "")
"""Lanes that show all videos of a channel; '' is its listing, as stored before lanes were distinguished."""
NAMED = 5
"""Maximum number of refused files that a message names; the others are counted."""
MAIN: dict[str, tuple[Lane, ...]] = {
    "channel": ("listing", "api"),
    "playlist": ("listing",),
    "search": ("search",),
    "feed": ("feed",),
    "folder": ("folder",),
}
"""The main lanes by kind of source: one of them has to work, otherwise talks may be missed."""


@dataclass
class VisitResult:
    """The result of one visit. `sighted`: by video, when each lane of the source first showed it."""

    watched: Watched
    sighted: dict[str, dict[str, datetime]]
    finds: list[Find] = field(default_factory=list)
    folder: FolderListing | None = None
    worked: set[Lane] = field(default_factory=set)
    troubles: dict[Lane, Explained] = field(default_factory=dict)
    paused_until: datetime | None = None
    paused_why: str = ""
    learned: dict[str, object] = field(default_factory=dict)
    """New values for fields of the source's `Visits`."""
    again: set[str] = field(default_factory=set)
    """Videos to send again, because the reason for their rejection no longer applies."""
    goes_on: bool = False
    """A backfill has more slices to read."""

    @property
    def source(self) -> Source:
        """The source at the start of the visit."""
        return self.watched.source

    @property
    def channel_id(self) -> str:
        """The channel's id, or an empty string while it is unknown."""
        return str(self.learned.get("channel_id") or channel_of(self.watched))

    @property
    def failure(self) -> Explained | None:
        """The error of the main lanes; None: one of them worked, or none of them failed (a pause)."""
        main = MAIN[self.source.kind]
        if any(lane in self.worked for lane in main):
            return None
        return next((self.troubles[lane] for lane in main if lane in self.troubles), None)

    def published(self) -> tuple[datetime, ...]:
        """Return the newest publication times that were ever stated, newest first."""
        stated = {find.video.published_at for find in self.finds if find.video.published_at is not None}
        return tuple(sorted(stated | set(self.watched.visits.published), reverse=True)[:PUBLISHED])


def refusal(files: Sequence[RefusedFile]) -> DataError:
    """Return the error that lists the refused files of a folder."""
    told = "; ".join(f"{each.name}: {each.cause} ({each.cure})" for each in files[-NAMED:])
    more = len(files) - NAMED
    others = f"; and {more} more" if more > 0 else ""
    many = "a file" if len(files) == 1 else f"{len(files)} files"
    return DataError(
        f"{many} of the folder cannot be handed in: {told}{others}",
        "fix or remove them: each is retried when it changes, and does not delay the others",
    )


def channel_of(watched: Watched) -> str:
    """Return the channel id of a source; '' if it is unknown or the source is not a channel."""
    if watched.source.kind != "channel":
        return ""
    named = watched.source.locator if watched.source.locator.startswith("UC") else ""
    return watched.visits.channel_id or named


def is_unwanted(look: VisitResult, find: Find) -> bool:
    """Return whether a find is known to be too old for its source; it is not sent, so it is never sighted."""
    since, at = look.source.since, find.video.published_at
    return since is not None and at is not None and at < datetime.combine(since, time(), UTC)


def wanted(look: VisitResult) -> Iterator[Find]:
    """Yield the finds to send: without those known to be too old, and private or deleted playlist entries."""
    return (
        find
        for find in look.finds
        if not is_unwanted(look, find) and find.video.title not in ("[Private video]", "[Deleted video]")
    )


def after(look: VisitResult, now: datetime, lettered: bool) -> Visits:
    """Return the state of a source after a visit, without the time of the next visit.

    Args:
        look: the visit.
        now: when it ended.
        lettered: whether a dead letter reports the failure.
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
