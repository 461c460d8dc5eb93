"""Parking lot: one small file per waiting video in the blob store, with the event to send again.

An agent that parks a video writes the file first and sends `VideoParked` afterwards, so no waiting video is
lost when a process is killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from streams.errors import DataError
from streams.events import Event, VideoAccepted, VideoParked, VideoSeen, stable_id
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs

log = structlog.get_logger()
FOLDER = "parked"
RESCAN = timedelta(seconds=30)
"""Interval at which `due` lists the folder; it finds a video parked by another process only then."""
WOKEN = "woken"
"""Folder of empty files, one per video that a person asked for before its time, for `due` to read again."""
RESEND = timedelta(hours=6)
"""Time after which a video that was sent but still waits unchanged is sent again."""
SLACK = timedelta(seconds=5)
"""Tolerated difference between the clocks of two machines."""


class Parking(NamedTuple):
    """A video that waits."""

    parked: VideoParked
    again: VideoSeen | VideoAccepted
    """The event to send again when its time has come: to `screen`, or to `fetch` once it was accepted."""
    counts: str
    """The state that `parked.attempt` counts; a pause keeps the earlier one, empty if there was none."""
    pauses: int
    """Number of consecutive pauses that it has waited for."""

    @property
    def given_up(self) -> bool:
        """Return whether all tries failed; the file is kept only so that the video does not start over."""
        return self.parked.state == "recheck" and self.parked.until is None

    def anew(self, event: Event) -> bool:
        """Return whether `event` is a newer request for the video, so that its tries start over.

        That is the case if a person hands its link in again, or if a source shows a video that was given up.
        """
        if not isinstance(event, VideoSeen) or event.sighting.seen_at <= self.parked.parked_at:
            return False
        return self.given_up or event.sighting.kind == "link"

    def looked_at_now(self, event: Event, now: datetime) -> bool:
        """Return whether to try the video now: its time has come, or `event` is a newer request."""
        until = self.parked.until
        return self.anew(event) or (until is not None and until <= now + SLACK)


class ParkingLot:
    """The waiting videos of a study. Safe for several processes if only one at a time handles a video."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._due_at: dict[str, datetime | None] = {}
        self._sent: dict[str, tuple[str, datetime]] = {}
        self._scanned_at: datetime | None = None

    @staticmethod
    def key(video_id: str) -> str:
        """Return the blob key of a video's file."""
        return f"{FOLDER}/{stable_id(video_id)}.json"

    def park(self, parked: VideoParked, again: VideoSeen | VideoAccepted) -> VideoParked:
        """Store durably that a video waits, replacing its earlier file; return `parked`, to be sent.

        Idempotent.
        """
        earlier = self._read(self.key(parked.key), damaged_as_missing=True)
        if earlier is not None and earlier[:2] == (parked, again):
            return parked
        counts, pauses = str(parked.state), 0
        if parked.state == "paused":
            counts, pauses = (earlier.counts, earlier.pauses + 1) if earlier else ("", 1)
        self._write(Parking(parked, again, counts, pauses))
        return parked

    def get(self, video_id: str) -> Parking | None:
        """Return a video's parking, or None.

        Raises:
            DataError: its file is damaged.
        """
        return self._read(self.key(video_id))

    def leave(self, video_id: str) -> None:
        """Delete the file of a video that no longer waits."""
        self._blobs.delete(self.key(video_id))

    def all(self) -> Iterator[Parking]:
        """Yield all waiting videos; damaged files are skipped and logged."""
        for key in self._blobs.keys(FOLDER):
            parking = self._read_or_say(key)
            if parking is not None:
                yield parking

    def wake(self, video_id: str, now: datetime) -> bool:
        """Make a waiting video due now; return False if it does not wait.

        Raises:
            DataError: its file is damaged.
        """
        parking = self.get(video_id)
        if parking is None:
            return False
        self._write(parking._replace(parked=parking.parked.model_copy(update={"until": now})))
        self._blobs.put(f"{WOKEN}/{stable_id(video_id)}.json", b"")
        return True

    def due(self, now: datetime) -> list[Event]:
        """Return the events that are due to be sent again, the longest due first.

        Cheap enough to call every few seconds: the folder is listed every `RESCAN`, and a file is read only
        when it is new or its time has come. An event is returned again only if its video was parked again,
        or still waits unchanged after `RESEND`.
        """
        if self._scanned_at is not None and self._scanned_at <= now < self._scanned_at + RESCAN:
            return []
        self._scanned_at = now
        for woken in list(self._blobs.keys(WOKEN)):
            self._due_at.pop(f"{FOLDER}{woken.removeprefix(WOKEN)}", None)
            self._blobs.delete(woken)
        keys = list(self._blobs.keys(FOLDER))
        self._forget_all_but(set(keys))
        found: list[tuple[datetime, Event]] = []
        for key in keys:
            known = self._due_at.get(key, now)
            if known is None or known > now:
                continue
            parking = self._read_or_say(key)
            until = parking.parked.until if parking else None
            self._due_at[key] = until
            if parking is not None and until is not None and until <= now and self._unsent(key, parking, now):
                self._sent[key] = (_name(parking), now)
                found.append((until, parking.again))
        return [event for _, event in sorted(found, key=lambda one: (one[0], one[1].key))]

    def _unsent(self, key: str, parking: Parking, now: datetime) -> bool:
        name, sent_at = self._sent.get(key, ("", now))
        return name != _name(parking) or now - sent_at >= RESEND

    def _forget_all_but(self, keys: set[str]) -> None:
        for known in (self._due_at, self._sent):
            for key in known.keys() - keys:
                del known[key]

    def _write(self, parking: Parking) -> None:
        content = {
            "parked": json.loads(encode(parking.parked)),
            "again": json.loads(encode(parking.again)),
            "counts": parking.counts,
            "pauses": parking.pauses,
        }
        self._blobs.put(self.key(parking.parked.key), json.dumps(content, ensure_ascii=False).encode())

    def _read_or_say(self, key: str) -> Parking | None:
        try:
            return self._read(key)
        except DataError as error:
            log.error("a parked video cannot be read", cause=error.cause, cure=error.cure)
            return None

    def _read(self, key: str, *, damaged_as_missing: bool = False) -> Parking | None:
        if not self._blobs.exists(key):
            return None
        try:
            content = self._blobs.get(key)
        except DataError:
            return None  # deleted between the two calls
        try:
            kept = json.loads(content)
            parked, again = (decode(json.dumps(kept[part]).encode()) for part in ("parked", "again"))
            if isinstance(parked, VideoParked) and isinstance(again, VideoSeen | VideoAccepted):
                return Parking(parked, again, str(kept["counts"]), int(kept["pauses"]))
            reason = f"it holds {type(parked).__name__} and {type(again).__name__}"
        except (DataError, ValueError, KeyError, TypeError) as error:
            reason = error.cause if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        if damaged_as_missing:
            return None
        raise DataError(
            f"the parked video {key} in {self._blobs.url} is damaged ({reason})",
            "restore it from a backup, or delete it and hand the video in again; no other is affected",
        )


def _name(parking: Parking) -> str:
    """Return an id of this parking, different from the video's next one."""
    return f"{parking.parked.event_id} {parking.parked.until}"
