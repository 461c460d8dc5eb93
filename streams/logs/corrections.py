"""Log of people's corrections of talks; the latest correction of each kind counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streams.events import VideoCorrected
from streams.logs.event_log import EventLog


@dataclass(frozen=True, slots=True)
class ActiveCorrections:
    """The corrections of one talk that are in force; None if there is none of the kind."""

    withdrawal: VideoCorrected | None = None
    redating: VideoCorrected | None = None
    keeping: VideoCorrected | None = None
    namings: Mapping[tuple[str, str], VideoCorrected] = field(default_factory=dict)
    """By transcript version and speaker, including those that withdrew a name."""


class Corrections(EventLog[VideoCorrected]):
    """Every `VideoCorrected` of a study."""

    kind = VideoCorrected
    folder = "corrections"
    timestamp = "corrected_at"

    def kept(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return who kept each video that repeats another one, by the newest decision (video id: author).

        `keys`: read only these files; None: read all.

        Raises:
            DataError: a file is damaged.
        """
        events = self.ordered(self._read(self.keys() if keys is None else keys))
        return {event.video_id: event.author for event in events if event.what == "kept"}


def active(events: Iterable[VideoCorrected], video_id: str) -> ActiveCorrections:
    """Return the corrections of a talk that are in force; the order of `events` does not matter."""
    withdrawal = redating = keeping = None
    namings: dict[tuple[str, str], VideoCorrected] = {}
    for event in Corrections.ordered(event for event in events if event.video_id == video_id):
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
    return ActiveCorrections(withdrawal, redating, keeping, namings)
