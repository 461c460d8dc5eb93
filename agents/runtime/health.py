"""Health of this process: readiness, consumer lag, and a watchdog that ends a stalled worker.

After an outage a Faust worker can stay alive although its offsets never move (faust-streaming issues 175,
523, 602). So the lag comes from the broker itself, and a process with lag and no progress ends: its
supervisor restarts it, and nothing is lost, because nothing was acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from agents.consumer.consumer import Consumer
from models.loading import malloc
from streams.errors import Fatal
from streams.kafka.admin import Cluster, PartitionLag
from streams.kafka.topics import BY_NAME, FOREVER_MS
from streams.telemetry import LAG

log = structlog.get_logger()
STANDBY_FACTOR = 10
"""Factor on the stall time of a worker without a partition: another worker may be busy with a long job."""


@dataclass
class Health:
    """The state behind /healthz and /readyz."""

    ready: bool = False
    why_not: str = "starting"
    fatal: BaseException | None = None
    lag: dict[str, int] = field(default_factory=dict)
    """Lag in messages, by agent."""

    def is_ready(self) -> None:
        """Mark the process as ready."""
        self.ready, self.why_not = True, ""

    def not_ready(self, why: str) -> None:
        """Mark the process as not ready, with the reason."""
        self.ready, self.why_not = False, why


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

    def add(self, group: str, app: Any, stages: dict[str, Consumer]) -> None:
        """Watch the agents of a consumer group."""
        self._groups[group] = _Group(app, stages)

    async def run(self, pause_s: float) -> None:
        """Check every `pause_s` seconds, forever."""
        while True:
            await asyncio.sleep(pause_s)
            unwell = [why for name, group in self._groups.items() if (why := await self._look(name, group))]
            if unwell:
                if self._health.ready:
                    log.warning("not ready", why="; ".join(unwell))
                self._health.not_ready("; ".join(unwell))
            elif self._health.fatal is None:
                if not any(self._health.lag.values()):
                    await asyncio.to_thread(malloc.give_back)
                if not self._health.ready:
                    log.info("ready again")
                self._health.is_ready()

    async def _look(self, name: str, group: _Group) -> str | None:
        """Return why a group is not healthy, or None."""
        committed: dict[tuple[str, int], int] = {}
        for agent, stage in group.stages.items():
            try:
                lags = await asyncio.to_thread(self._cluster.lag, name, stage.agent.reads)
            except Exception as error:
                log.debug("lag unknown", agent=agent, error=str(error)[:160])
                # A client that lost its broker waits up to 30 s before it reconnects; a new one does not.
                with suppress(Exception):
                    await asyncio.to_thread(self._cluster.close)
                return f"{agent}: Kafka does not answer"
            for lag in lags:
                self._tell_lost(agent, lag)
                LAG.labels(agent, lag.topic, lag.partition).set(lag.behind)
                committed[lag.topic, lag.partition] = lag.committed
            self._health.lag[agent] = sum(lag.behind for lag in lags)
        return self._judge(group, sum(committed.values()))

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
