"""Health of this process: readiness, consumer lag, and a watchdog that ends a stalled worker.

After an outage a Faust worker can stay alive although its offsets never move (faust-streaming issues 175,
523, 602). So the lag comes from the broker itself, and a process with lag and no progress ends: its
supervisor restarts it, and nothing is lost, because nothing was acknowledged.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import nan
from pathlib import Path
from typing import Any, Literal

import structlog

from agents.consumer.consumer import Consumer
from models.loading import malloc
from streams.errors import Explained, Fatal, Misconfigured
from streams.kafka.admin import Cluster, PartitionLag
from streams.kafka.topics import BY_NAME, FOREVER_MS
from streams.settings import Settings
from streams.telemetry import DISK_FREE, DISK_SIZE, LAG, NOT_READY

log = structlog.get_logger()
STANDBY_FACTOR = 10
"""Factor on the stall time of a worker without a partition: another worker may be busy with a long job."""


@dataclass
class Health:
    """The state behind /healthz and /readyz: ready means that there is no reason against it."""

    reasons: dict[str, str] = field(default_factory=lambda: {"start": "starting"})
    """Why the process is not ready, by what is at fault: start, broker, progress, database, blobs or disk."""
    fatal: BaseException | None = None
    lag: dict[str, int] = field(default_factory=dict)
    """Lag in messages, by agent."""

    @property
    def ready(self) -> bool:
        """Whether the process does its work."""
        return not self.reasons

    @property
    def why_not(self) -> str:
        """The reasons why the process is not ready; empty if it is."""
        return "; ".join(self.reasons.values())

    def tell(self, fault: str, why: str | None) -> None:
        """Say why something keeps the process from its work; None: it does not, or no longer."""
        NOT_READY.labels(fault).set(why is not None)
        told, was_ready = self.reasons.get(fault), self.ready
        if why is not None:
            self.reasons[fault] = why
            if told is None and fault != "start":
                log.warning("not ready" if was_ready else "another fault", fault=fault, why=why)
        elif told is not None:
            del self.reasons[fault]
            if self.ready and not was_ready and fault != "start":
                log.info("ready again")


def measure_disks(settings: Settings) -> None:
    """Let the metrics tell the free space of home, and of the blobs if they are in a folder."""
    folders = {"home": settings.home}
    if "://" not in settings.blobs_url:
        folders["blobs"] = Path(settings.blobs_url)
    for name, folder in folders.items():
        DISK_FREE.labels(name).set_function(partial(_bytes, folder, "free"))
        DISK_SIZE.labels(name).set_function(partial(_bytes, folder, "total"))


def _bytes(folder: Path, which: Literal["free", "total"]) -> float:
    """Return the free or all bytes of the disk that a folder is on; NaN if it cannot be read."""
    while not folder.exists() and folder != folder.parent:  # it is made with the first file
        folder = folder.parent
    try:
        return float(getattr(shutil.disk_usage(folder), which))
    except OSError:
        return nan


@dataclass(slots=True)
class _Group:
    """The agents of one consumer group; they share one consumer, and so their progress."""

    app: Any
    stages: dict[str, Consumer]
    committed: int = -1
    moved_at: float = field(default_factory=time.monotonic)


class ProgressWatch:
    """Checks every agent's lag and every group's progress."""

    def __init__(
        self, cluster: Cluster, health: Health, stall_s: float, stop: Callable[[BaseException], None]
    ) -> None:
        self._cluster = cluster
        self._health = health
        self._stall_s = stall_s
        self._stop = stop
        self._groups: dict[str, _Group] = {}
        self._told_lost: set[tuple[str, str, int]] = set()
        self._refused_at: float | None = None

    def add(self, group: str, app: Any, stages: dict[str, Consumer]) -> None:
        """Watch the agents of a consumer group."""
        self._groups[group] = _Group(app, stages)

    async def run(self, pause_s: float) -> None:
        """Check every `pause_s` seconds, forever."""
        while True:
            await asyncio.sleep(pause_s)
            found = [await self._look(name, group) for name, group in self._groups.items()]
            for fault in ("broker", "progress"):
                why = "; ".join(dict.fromkeys(each[fault] for each in found if fault in each))
                self._health.tell(fault, why or None)
            if self._health.ready and not any(self._health.lag.values()):
                await asyncio.to_thread(malloc.give_back)

    async def _look(self, name: str, group: _Group) -> dict[str, str]:
        """Return why a group does not work, by what is at fault; empty if it does."""
        committed: dict[tuple[str, int], int] = {}
        for agent, stage in group.stages.items():
            try:
                lags = await asyncio.to_thread(self._cluster.lag, name, stage.agent.reads)
            except Exception as error:
                # A client that lost its broker waits up to 30 s before it reconnects; a new one does not.
                with suppress(Exception):
                    await asyncio.to_thread(self._cluster.close)
                self._end_if_refused(error)
                why = (
                    error.cause if isinstance(error, Explained) else f"{type(error).__name__}: {error}"[:160]
                )
                return {"broker": why}
            self._refused_at = None
            for lag in lags:
                self._tell_lost(agent, lag)
                LAG.labels(agent, lag.topic, lag.partition).set(lag.behind)
                committed[lag.topic, lag.partition] = lag.committed
            self._health.lag[agent] = sum(lag.behind for lag in lags)
        why_not = self._judge(group, sum(committed.values()))
        return {"progress": why_not} if why_not else {}

    def _end_if_refused(self, error: Exception) -> None:
        """End the process if the broker keeps refusing this client: it waits for no settings to change."""
        if not isinstance(error, Misconfigured):
            self._refused_at = None
            return
        now = time.monotonic()
        self._refused_at = self._refused_at or now
        if now - self._refused_at > self._stall_s:  # a broker that starts may not know its users yet
            self._stop(error)

    def _tell_lost(self, agent: str, lag: PartitionLag) -> None:
        """Log once that the broker has deleted messages that an agent had not read."""
        where = agent, lag.topic, lag.partition
        if lag.lost and where not in self._told_lost and BY_NAME[lag.topic].retention_ms == FOREVER_MS:
            self._told_lost.add(where)
            log.error(
                "the broker has deleted messages before an agent read them",
                agent=agent,
                topic=lag.topic,
                messages=lag.lost,
                cure="groundswell reconcile sends the talks again; check the topic's retention.ms",
            )

    def _judge(self, group: _Group, committed: int) -> str | None:
        now = time.monotonic()
        behind = {agent: self._health.lag[agent] for agent in group.stages if self._health.lag[agent]}
        busy = any(stage.busy for stage in group.stages.values())
        if committed != group.committed or not behind or busy:
            group.committed, group.moved_at = committed, now
            return None
        quiet_s = now - max(group.moved_at, *(stage.progressed_at for stage in group.stages.values()))
        patience_s = self._stall_s * (1 if self._has_partitions(group) else STANDBY_FACTOR)
        what = ", ".join(f"{agent} has {count} messages to process" for agent, count in behind.items())
        if quiet_s > patience_s:
            self._stop(
                Fatal(
                    f"{what} but made no progress for {quiet_s:.0f} s",
                    "the process ends so that its supervisor restarts it; if this repeats, check the broker",
                )
            )
        return f"{what}; no progress for {quiet_s:.0f} s" if quiet_s > patience_s / 2 else None

    @staticmethod
    def _has_partitions(group: _Group) -> bool:
        consumer = getattr(group.app, "consumer", None)
        return bool(consumer and consumer.assignment())
