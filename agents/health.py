"""Whether this process is well: readiness, true lag, and an end to a worker that is alive and silent.

After an outage a Faust worker can stay alive with its offsets never moving (faust-streaming issues 175,
523, 602). So lag is asked of the broker itself, and a process with lag and no progress ends: its
supervisor restarts it, and nothing is lost, because nothing was acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from agents.stage import Stage
from streams.cluster import Cluster
from streams.errors import Fatal
from streams.telemetry import LAG

log = structlog.get_logger()
STANDBY_FACTOR = 10
"""A worker without a partition waits so many times longer: another worker may be busy with a long job."""


@dataclass
class Health:
    """What /healthz and /readyz say."""

    ready: bool = False
    why_not: str = "starting"
    fatal: BaseException | None = None
    lag: dict[str, int] = field(default_factory=dict)
    """Messages behind, by agent."""

    def is_ready(self) -> None:
        """Everything runs."""
        self.ready, self.why_not = True, ""

    def not_ready(self, why: str) -> None:
        """Do not send traffic here, because…"""
        self.ready, self.why_not = False, why


@dataclass(slots=True)
class _Watched:
    stage: Stage
    app: Any
    group: str
    committed: int = -1
    moved_at: float = 0.0


class Watch:
    """Looks at every agent's lag and progress."""

    def __init__(
        self, cluster: Cluster, health: Health, stall_s: float, stop: Callable[[BaseException], None]
    ) -> None:
        self._cluster = cluster
        self._health = health
        self._stall_s = stall_s
        self._stop = stop
        self._watched: dict[str, _Watched] = {}

    def add(self, name: str, stage: Stage, app: Any, group: str) -> None:
        """Watch an agent."""
        self._watched[name] = _Watched(stage, app, group, moved_at=time.monotonic())

    async def run(self, pause_s: float) -> None:
        """Look every `pause_s` seconds, for ever."""
        while True:
            await asyncio.sleep(pause_s)
            stalled = [why for name, each in self._watched.items() if (why := await self._look(name, each))]
            if stalled:
                self._health.not_ready("; ".join(stalled))
            elif self._health.fatal is None:
                self._health.is_ready()

    async def _look(self, name: str, watched: _Watched) -> str | None:
        """Return why the agent is not well, or None."""
        try:
            lags = await asyncio.to_thread(self._cluster.lag, watched.group, watched.stage.agent.reads)
        except Exception as error:
            log.debug("lag unknown", agent=name, error=str(error)[:160])
            return f"{name}: Kafka does not answer"
        for lag in lags:
            LAG.labels(name, lag.topic, lag.partition).set(lag.behind)
        behind = sum(lag.behind for lag in lags)
        self._health.lag[name] = behind
        committed, now = sum(lag.committed for lag in lags), time.monotonic()
        if committed != watched.committed or not behind or watched.stage.busy:
            watched.committed, watched.moved_at = committed, now
            return None
        quiet_s = now - max(watched.moved_at, watched.stage.progressed_at)
        patience_s = self._stall_s * (1 if self._has_partitions(watched) else STANDBY_FACTOR)
        if quiet_s > patience_s:
            self._stop(
                Fatal(
                    f"{name} has {behind} messages to process but nothing moved for {quiet_s:.0f} s",
                    "it ends so that its supervisor restarts it; if it happens again, look at the broker",
                )
            )
        return f"{name}: nothing moved for {quiet_s:.0f} s" if quiet_s > patience_s / 2 else None

    @staticmethod
    def _has_partitions(watched: _Watched) -> bool:
        consumer = getattr(watched.app, "consumer", None)
        return bool(consumer and consumer.assignment())
