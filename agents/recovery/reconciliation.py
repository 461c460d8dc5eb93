"""Reconciles the outbox, the topic model's ledgers, the log and the database.

A talk that is not finished is somewhere in the log: a message waits for an agent. If no message does, the log
has lost it, and the talk would stay as it is for ever. A finished talk has all its facts in the database, and
so has every step of the topic model; if not, the database has lost rows. In all three cases the first event
of the talk, or the step's own events, are sent again: agents find their earlier work in the blob store, so
nothing is downloaded, transcribed or learned twice, and the store writes the same rows.

Whatever is on its way must not be mistaken for lost. So the database is read twice, and in between the lag of
every agent: only what stayed the same, although no message that could change it was left, is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from agents.recovery.path_lag import PATH, STORE, TRACK, PathLag
from streams.errors import DataError
from streams.events import Event, VideoSeen
from streams.kafka.codec import decode
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox, Unreadable
from streams.state.parked_videos import ParkingLot
from streams.store import writer
from streams.store.operations.completeness import (
    OF_THE_MODEL,
    REPLACED,
    STEPS,
    Completeness,
    StepFact,
    completeness,
    step_facts,
    unfinished,
)
from streams.store.video_progress import STUCK
from streams.store.warehouse import Warehouse
from streams.telemetry import STUCK as METRIC

log = structlog.get_logger()
LEDGERS = "assigned"
"""Blob folder of the topic model's outputs, by model version and step."""
MOST = 1_000_000
"""The most stuck videos to count."""
PAUSE = timedelta(minutes=5)
"""Interval between two looks of the timer."""
RESEND = timedelta(hours=6)
"""Time after which the timer sends a talk again that still stays as it is."""


@dataclass(frozen=True)
class Look:
    """What the database and the outbox had at one moment."""

    database: Completeness
    outbox: frozenset[str]
    """Blob keys."""


@dataclass
class Findings:
    """What is missing, and what to send for it.

    Attributes:
        in_log: by video, the state in which the log lost it.
        in_database: finished videos that the database has lost facts of.
        unknown: videos that the database does not know at all.
        steps: the topic model's outputs that the database has lost.
        unmendable: by video or blob, why nothing can be sent for it.
        underway: by agent, the messages before which nothing can be judged.
        sightings: the first events of the talks, in the order in which they were seen.
        step_events: the topic model's outputs of `steps`.
    """

    in_log: dict[str, str] = field(default_factory=dict)
    in_database: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    steps: list[StepFact] = field(default_factory=list)
    unmendable: dict[str, str] = field(default_factory=dict)
    underway: dict[str, int] = field(default_factory=dict)
    sightings: list[VideoSeen] = field(default_factory=list)
    step_events: list[Event] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """What to send."""
        return [*self.sightings, *self.step_events]


class Reconciliation:
    """Finds what the log and the database have lost.

    Args:
        blobs: the study's blob store.
        warehouse: the study's database.
        lag: returns the lag of the agents on the path; None: no broker runs, so nothing is on its way.
        now: the clock.
    """

    def __init__(
        self,
        blobs: Blobs,
        warehouse: Warehouse,
        lag: Callable[[], PathLag] | None,
        now: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._warehouse = warehouse
        self._lag = lag
        self._now = now
        self._outbox = Outbox(blobs)
        self._last: tuple[datetime, Look] | None = None
        self._sent: dict[str, datetime] = {}

    def look(self) -> Look:
        """Return what the database and the outbox have now."""
        keys = frozenset(self._outbox.keys())  # first: an entry is written before its event is sent
        return Look(completeness(self._warehouse), keys)

    def judge(self, before: Look, *, ledgers: bool = True) -> Findings:
        """Return what is missing now and was missing at the look before.

        Args:
            before: an earlier look.
            ledgers: also compare the topic model's ledgers with the database, which reads all of them.

        Raises:
            KafkaError, Unavailable: broker or database do not answer.
        """
        return self._judge(before, self._lag() if self._lag else PathLag({}, {}), self.look(), ledgers)

    def due(self) -> list[Event]:
        """Return what is to be sent now; called again and again, it looks every `PAUSE`."""
        now = self._now()
        if self._last is not None and now - self._last[0] < PAUSE:
            return []
        self._measure(now)
        if self._last is None:
            self._last = now, self.look()
            return []
        assert self._lag is not None
        try:
            lag = self._lag()
        except Exception as error:  # the next look asks the broker again
            log.debug("lag is unknown", error=str(error)[:160])
            return []
        after = self.look()
        found = self._judge(self._last[1], lag, after, ledgers=False)
        self._last = now, after
        return self._not_lately(found, now)

    def _measure(self, now: datetime) -> None:
        """Set the metric of stuck videos."""
        states = Counter(row["state"] for row in unfinished(self._warehouse, now - STUCK, MOST))
        for state in PATH:
            METRIC.labels(state).set(states[state])

    def _not_lately(self, found: Findings, now: datetime) -> list[Event]:
        events = [
            event
            for event in found.events
            if event.event_id not in self._sent or now - self._sent[event.event_id] >= RESEND
        ]
        self._sent |= {event.event_id: now for event in events}
        if events:
            log.warning(
                "sending talks again that log or database have lost",
                lost_by_log=len(found.in_log),
                lost_by_database=len(found.in_database) + len(found.unknown),
                sent=len(events),
            )
        return events

    def _judge(self, before: Look, lag: PathLag, after: Look, ledgers: bool) -> Findings:
        found = Findings()
        if lag.behind.get(STORE):
            found.underway[STORE] = lag.behind[STORE]
            return found
        for video_id, state in after.database.moving.items():
            agent, _ = PATH[state]
            if before.database.moving.get(video_id) != state or self._blobs.exists(ParkingLot.key(video_id)):
                continue
            if lag.behind.get(agent):
                found.underway[agent] = lag.behind[agent]
            else:
                found.in_log[video_id] = state
        found.in_database = sorted(after.database.lacking & before.database.lacking)
        known = {Outbox.key(video_id) for video_id in after.database.known | before.database.known}
        new = (after.outbox & before.outbox) - known
        found.sightings = list(self._sightings(found, new))
        found.unknown = [each.key for each in found.sightings if Outbox.key(each.key) in new]
        if ledgers and not lag.behind.get(TRACK):
            found.step_events = list(self._lost_steps(found))
        return found

    def _sightings(self, found: Findings, new: frozenset[str]) -> Iterator[VideoSeen]:
        by_key = {Outbox.key(video_id): video_id for video_id in (*found.in_log, *found.in_database)}
        kept = by_key.keys() & self._outbox.keys()
        for key in sorted(by_key.keys() - kept):
            found.unmendable[by_key[key]] = "it has no entry in the outbox: hand the talk in again"
        unreadable: list[Unreadable] = []
        yield from self._outbox.entries(kept | new, unreadable)
        found.unmendable |= {each.key: f"{each.error.cause}: {each.error.cure}" for each in unreadable}

    def _lost_steps(self, found: Findings) -> Iterator[Event]:
        """Yield the events of the ledgers whose rows the database does not have."""
        facts = step_facts(self._warehouse)
        highest = _highest(facts)
        for key in self._blobs.keys(LEDGERS):
            if not key.endswith(".jsonl"):
                continue
            try:
                events = [decode(line) for line in self._blobs.get(key).splitlines()]
            except DataError as error:
                found.unmendable[key] = f"{error.cause}: {error.cure}"
                continue
            for event in events:
                lost = [each for each in facts_of(event) if not _is_stored(each, facts, highest)]
                if lost:
                    found.steps += lost
                    yield event


def facts_of(event: Event) -> Iterator[StepFact]:
    """Yield the rows of an event that `step_facts` would list."""
    for table, row in writer.rows_of(event):
        if table in STEPS:
            about = row["video_id"] if table == "learned" else str(row["topic_id"])
            yield StepFact(table, row["model_version"], about, row[STEPS[table]])
        elif table in OF_THE_MODEL:
            yield StepFact(table, row["model_version"], "", row[OF_THE_MODEL[table]])


def _highest(facts: set[StepFact]) -> dict[tuple[str, str, str], int]:
    highest: dict[tuple[str, str, str], int] = {}
    for table, version, about, number in facts:
        if table in REPLACED:
            highest[table, version, about] = max(number, highest.get((table, version, about), number))
    return highest


def _is_stored(fact: StepFact, facts: set[StepFact], highest: dict[tuple[str, str, str], int]) -> bool:
    if fact.table in REPLACED:
        return highest.get(fact[:3], -1) >= fact.number
    return fact in facts
