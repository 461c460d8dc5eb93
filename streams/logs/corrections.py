"""The log of people's corrections of talks; the latest correction of a kind holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streams.events import VideoCorrected
from streams.logs.event_log import EventLog


@dataclass(frozen=True, slots=True)
class ActiveCorrections:
    """The corrections of one talk that hold; None where there is none of the kind."""

    withdrawal: VideoCorrected | None = None
    redating: VideoCorrected | None = None
    keeping: VideoCorrected | None = None
    namings: Mapping[tuple[str, str], VideoCorrected] = field(default_factory=dict)
    """By transcript and speaker, also those that took a name back."""


class Corrections(EventLog[VideoCorrected]):
    """Every `VideoCorrected` of a study."""

    kind = VideoCorrected
    folder = "corrections"
    timestamp = "corrected_at"

    def kept(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return by whom videos are kept that say again what another one said, by the newest decision.

        `keys`: only by what lies there; None: by everything.

        Raises:
            DataError: a file is damaged.
        """
        events = self.ordered(self._read(self.keys() if keys is None else keys))
        return {event.video_id: event.author for event in events if event.what == "kept"}


def active(events: Iterable[VideoCorrected], video_id: str) -> ActiveCorrections:
    """Return what holds of a talk, in whatever order the corrections come."""
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
