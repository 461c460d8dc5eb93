"""What people corrected about talks, kept for good: this log is the truth, the database follows it.

The embedded broker forgets when it ends and a cluster's log can be lost, so a correction is kept here before
it is sent. Corrections are only ever added; the latest of a kind holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streams.blobs import Blobs
from streams.events import VideoCorrected
from streams.store.warehouse import Warehouse
from streams.wire import decode, encode

FOLDER = "corrections"


@dataclass(frozen=True, slots=True)
class Standing:
    """The corrections of one talk that hold; None where there is none of the kind."""

    withdrawal: VideoCorrected | None = None
    redating: VideoCorrected | None = None


class Corrections:
    """Every `VideoCorrected` of a study, in the blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def keep(self, event: VideoCorrected) -> None:
        """Keep a correction durably. Keeping it twice is keeping it once."""
        self._blobs.put(f"{FOLDER}/{event.event_id}.json", encode(event))

    def events(self) -> list[VideoCorrected]:
        """Return every correction, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        kept = (decode(self._blobs.get(key)) for key in self._blobs.keys(FOLDER))
        return sorted((event for event in kept if isinstance(event, VideoCorrected)), key=_moment)


def standing(events: Iterable[VideoCorrected], video_id: str) -> Standing:
    """Return what holds of a talk, in whatever order the corrections come."""
    withdrawal = redating = None
    for event in sorted((event for event in events if event.video_id == video_id), key=_moment):
        match event.what:
            case "withdrawn":
                withdrawal = event
            case "restored":
                withdrawal = None
            case "redated":
                redating = event
    return Standing(withdrawal, redating)


def missing(corrections: Corrections, warehouse: Warehouse) -> list[VideoCorrected]:
    """Return the corrections that the database lacks, oldest first: what was kept and never arrived."""
    kept = corrections.events()
    if not kept:
        return []
    known = {row["correction_id"] for row in warehouse.rows("SELECT correction_id FROM corrections")}
    return [event for event in kept if event.event_id not in known]


def _moment(event: VideoCorrected) -> tuple[object, ...]:
    return event.corrected_at, event.event_id
