"""A study under fire: real talks through processes that are killed at random, and its tables after that."""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from agents.acquisition.fetch import Fetch
from agents.acquisition.ingest import Ingest
from agents.alerting.alert import Alert
from agents.consumer.consumer import Agent
from agents.screening.screen import Screen
from agents.storage.store import Store
from agents.topics.split import Split
from agents.topics.track import Track
from agents.transcription.transcribe import Transcribe
from infra.kafka.apache_kafka import ApacheKafka
from infra.kafka.kafka_cluster import KafkaCluster
from streams.errors import Unavailable
from streams.events import VideoSeen
from streams.kafka.admin import Cluster
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.store.writer import ORDER
from tests.processes import Process, Study, clickhouse, free_port, until

WORKERS = (("discover", "screen", "fetch", "transcribe", "alert"), ("split",), ("track",), ("store",))
"""One process each; the light agents share one."""
AGENTS: tuple[type[Agent], ...] = (Screen, Fetch, Transcribe, Split, Track, Store, Alert)
BEGIN = datetime.now(UTC).replace(microsecond=0)
"""When talks are handed in: the same in each run, and not so long ago that they are reported as stuck."""
Tables = dict[str, list[tuple[str, ...]]]


def real_talks(folder: Path, count: int) -> list[bytes]:
    """The first talks of a real show that are no copies of another, a record each."""
    found = []
    with gzip.open(folder / "changelog_practicalai.jsonl.gz", "rt") as lines:
        for line in lines:
            record = json.loads(line)
            if not record.get("dup_of"):
                record["segments"] = record["segments"][:60]
                found.append(json.dumps(record).encode())
            if len(found) == count:
                return found
    raise AssertionError(f"only {len(found)} talks in {folder}")


@dataclass
class Fire:
    """Kills and restarts of the processes while talks flow."""

    kills: int = 0
    broker_kills: int = 0
    broker_restarts: int = 0
    """Orderly restarts of a broker, as in an upgrade."""
    seed: int = 0
    killed: list[str] = field(default_factory=list)
    restarted: int = 0
    """Workers that ended by themselves (the watchdog) and were started again, as a supervisor does."""


def tables_of(settings: Settings) -> Tables:
    """Return every table, read with FINAL."""
    with Warehouse(settings, patience_s=30) as warehouse:
        found: Tables = {}
        for table in (*ORDER, "video_topics"):
            rows = warehouse.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")
            found[table] = [tuple(map(str, row.values())) for row in rows]
        return found


class Distributed:
    """Apache Kafka, the ClickHouse engine over HTTP, and a process per group of agents."""

    def __init__(self, home: Path, talks: list[bytes], brokers: int = 1) -> None:
        self._talks = home / "talks"
        self._talks.mkdir(parents=True)
        for number, talk in enumerate(talks):
            (self._talks / f"{number:04}.json").write_bytes(talk)
        self.count = len(talks)
        ports = [free_port() for _ in range(2 * brokers)]
        self.kafka = KafkaCluster(home / "kafka", ports[:brokers], ports[brokers:])
        clickhouse = free_port()
        self.settings = Settings(
            home=home,
            study="chaos",
            broker=self.kafka.bootstrap,
            clickhouse=f"clickhouse://default@127.0.0.1:{clickhouse}",
            blobs=str(home / "blobs"),
            partitions=1,
            min_duration_s=1.0,
        )
        self.study = Study(
            home,
            "chaos",
            {
                "GROUNDSWELL_BROKER": self.kafka.bootstrap,
                "GROUNDSWELL_CLICKHOUSE": self.settings.clickhouse,
                "GROUNDSWELL_BLOBS": self.settings.blobs,
                "GROUNDSWELL_PARTITIONS": "1",
                "GROUNDSWELL_STALL_S": "25",
            },
        )
        self._clickhouse_port = clickhouse

    def run(self, fire: Fire, seconds: float, *, replay: bool = False) -> Tables:
        """Feed every talk while `fire` rages, wait until all is done, and return the tables.

        With `replay` every topic is then read again from its beginning by every agent.
        """
        with clickhouse(self.settings.home / "engine", self._clickhouse_port):
            self.kafka.start()
            try:
                workers = [self.study.start("worker", *names) for names in WORKERS]
                feeding = threading.Thread(target=self._feed, args=(fire.kills + fire.broker_kills > 0,))
                feeding.start()
                self._rage(fire, workers)
                feeding.join(seconds)
                self._finish(workers, fire, seconds)
                for worker in workers:
                    worker.stop()
                if replay:
                    self._rewind()
                    workers = [self.study.start("worker", *names) for names in WORKERS]
                    self._finish(workers, fire, seconds)
                return tables_of(self.settings)
            finally:
                self.study.end()
                self.kafka.kill()

    def _feed(self, slowly: bool) -> None:
        """Hand talks in, in order; while the broker is away, try again."""
        with Cluster(self.settings, self.kafka.bootstrap) as cluster:
            cluster.wait(60)
            cluster.ensure_topics()

            def send(seen: VideoSeen) -> None:
                while True:
                    try:
                        return cluster.send(seen)
                    except Unavailable:
                        cluster.close()
                        time.sleep(1)

            for handed in Ingest(Blobs(self.settings.blobs_url), send, BEGIN).files([self._talks]):
                assert handed.refused is None, handed
                if slowly:
                    time.sleep(3.0)

    def _rage(self, fire: Fire, workers: list[Process]) -> None:
        chance = random.Random(fire.seed)
        until(lambda: self._stored() > 0)  # the first event has gone the whole way in
        blows = ["worker"] * fire.kills + ["broker"] * fire.broker_kills + ["restart"] * fire.broker_restarts
        chance.shuffle(blows)
        for blow in blows:
            time.sleep(chance.uniform(1.0, 5.0))
            assert not self._all_done(), "every talk was done before the last blow: feed more talks"
            if blow != "worker":
                self._strike(chance.choice(self.kafka.brokers), chance, orderly=blow == "restart")
                fire.killed.append(blow)
            else:
                number = chance.randrange(len(workers))
                fire.killed.append(workers[number].name)
                workers[number].kill()
                workers[number] = self.study.start("worker", *WORKERS[number])
            self._supervise(workers, fire)

    def _strike(self, broker: ApacheKafka, chance: random.Random, *, orderly: bool) -> None:
        """End a broker and start it again; while others are left, talks go on without it."""
        if orderly:
            broker.stop()
        else:
            broker.kill()
        if len(self.kafka.brokers) > 1:
            before = self._assigned()
            until(lambda: self._assigned() > before or self._all_done())
        else:
            time.sleep(chance.uniform(0.2, 3.0))
        broker.start()

    def _supervise(self, workers: list[Process], fire: Fire) -> None:
        for number, worker in enumerate(workers):
            if not worker.alive:
                fire.restarted += 1
                workers[number] = self.study.start("worker", *WORKERS[number])

    def _finish(self, workers: list[Process], fire: Fire, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        quiet = 0
        while quiet < 3:
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {worker.name}\n{worker.said()[-2500:]}" for worker in workers)
                raise AssertionError(f"not done after {seconds:.0f} s, killed {fire.killed}\n{logs}")
            self._supervise(workers, fire)
            quiet = quiet + 1 if self._all_done() and not self._behind() else 0
            time.sleep(2)

    def _stored(self) -> int:
        try:
            with Warehouse(self.settings, patience_s=0) as warehouse:
                if warehouse.missing_migrations():
                    return 0
                return int(warehouse.rows("SELECT count() AS n FROM progress FINAL")[0]["n"])
        except Unavailable:
            return 0

    def _all_done(self) -> bool:
        return self._assigned() == self.count

    def _assigned(self) -> int:
        with Warehouse(self.settings, patience_s=30) as warehouse:
            rows = warehouse.rows("SELECT count() AS n FROM progress FINAL WHERE state = 'assigned'")
            return int(rows[0]["n"])

    def _behind(self) -> int:
        """Return the number of messages that some agent has not acknowledged; 1 while Kafka cannot answer."""
        try:
            with Cluster(self.settings, self.kafka.bootstrap) as cluster:
                return sum(
                    lag.behind for agent in AGENTS for lag in cluster.lag(f"chaos.{agent.name}", agent.reads)
                )
        except (Unavailable, KafkaError):
            return 1

    def _rewind(self) -> None:
        """Set every agent's group back to the beginning of its topics; no agent may be running."""
        with KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap) as admin:
            for agent in AGENTS:
                beginning = {
                    TopicPartition(topic.full_name("chaos"), 0): OffsetSpec.EARLIEST for topic in agent.reads
                }
                admin.reset_group_offsets(f"chaos.{agent.name}", beginning)
