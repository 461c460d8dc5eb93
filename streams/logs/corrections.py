"""What people corrected about talks, kept for good: this log is the truth, the database follows it.

The embedded broker forgets when it ends and a cluster's log can be lost, so a correction is kept here before
it is sent. Corrections are only ever added; the latest of a kind holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from streams.events import VideoCorrected
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse

FOLDER = "corrections"


@dataclass(frozen=True, slots=True)
class Standing:
    """The corrections of one talk that hold; None where there is none of the kind."""

    withdrawal: VideoCorrected | None = None
    redating: VideoCorrected | None = None
    keeping: VideoCorrected | None = None
    namings: Mapping[tuple[str, str], VideoCorrected] = field(default_factory=dict)
    """By transcript and speaker, also those that took a name back."""


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
        return sorted(self._of(self.keys()), key=_moment)

    def keys(self) -> list[str]:
        """Return where corrections lie: cheaper than what they say."""
        return list(self._blobs.keys(FOLDER))

    def kept(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return by whom videos are kept that say again what another one said, by the newest decision.

        `keys`: only by what lies there; None: by everything.

        Raises:
            DataError: a file is damaged.
        """
        events = sorted(self._of(self.keys() if keys is None else keys), key=_moment)
        return {event.video_id: event.author for event in events if event.what == "kept"}

    def _of(self, keys: Iterable[str]) -> Iterator[VideoCorrected]:
        events = (decode(self._blobs.get(key)) for key in keys)
        return (event for event in events if isinstance(event, VideoCorrected))


def standing(events: Iterable[VideoCorrected], video_id: str) -> Standing:
    """Return what holds of a talk, in whatever order the corrections come."""
    withdrawal = redating = keeping = None
    namings: dict[tuple[str, str], VideoCorrected] = {}
    for event in sorted((event for event in events if event.video_id == video_id), key=_moment):
        match event.what:
            case "withdrawn":
                withdrawal = event
            case "restored":
                withdrawal = None
            case "redated":
                redating = event
            case "kept":
                keeping = event
            case "named":
                namings[event.transcript_version, event.speaker] = event
    return Standing(withdrawal, redating, keeping, namings)


def missing(corrections: Corrections, warehouse: Warehouse) -> list[VideoCorrected]:
    """Return the corrections that the database lacks, oldest first: what was kept and never arrived."""
    kept = corrections.events()
    if not kept:
        return []
    known = {row["correction_id"] for row in warehouse.rows("SELECT correction_id FROM corrections")}
    return [event for event in kept if event.event_id not in known]


def _moment(event: VideoCorrected) -> tuple[object, ...]:
    return event.corrected_at, event.event_id
