"""Kafka or ClickHouse is away, or data is lost: workers wait and say so, or end and say why.

Apache Kafka and the ClickHouse engine over HTTP, in processes of their own, with real workers.
"""

import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from agents.recovery.path_lag import path_lag
from infra.kafka import apache_kafka
from streams.errors import Explained
from streams.kafka.admin import Cluster
from streams.kafka.topics import PARAGRAPHS_EMBEDDED
from streams.settings import Settings
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse
from streams.store.writer import ORDER
from tests.processes import GIVE_UP_S, ROOT, TALKS, Process, Study, free_port, until

pytestmark = [pytest.mark.kafka, pytest.mark.long]
SOME = sorted(TALKS.glob("*.json"))[:11]
FRONT = ("screen", "fetch", "transcribe", "split")
GROUPS = (FRONT, ("store",), ("discover", "track", "alert"))
BACKUPS = "/var/lib/clickhouse/backups/"
"""Where a ClickHouse server writes backups, by the configuration in infra."""


class Outside:
    """A study whose Kafka and ClickHouse can be started and stopped, and its workers."""

    def __init__(self, home: Path) -> None:
        self.kafka = apache_kafka.ApacheKafka(home / "kafka", free_port())
        self._clickhouse_port = free_port()
        self._clickhouse: subprocess.Popen[bytes] | None = None
        clickhouse = f"clickhouse://default@127.0.0.1:{self._clickhouse_port}"
        bootstrap = f"127.0.0.1:{self.kafka.port}"
        self.settings = Settings(
            home=home, study="test", broker=bootstrap, clickhouse=clickhouse, partitions=2, min_duration_s=1.0
        )
        self.study = Study(
            home,
            environment={
                "GROUNDSWELL_BROKER": bootstrap,
                "GROUNDSWELL_CLICKHOUSE": clickhouse,
                "GROUNDSWELL_PARTITIONS": "2",
                "GROUNDSWELL_STALL_S": "20",
            },
        )
        self.handed_in = 0

    def start_clickhouse(self) -> None:
        if self._clickhouse is not None:
            return
        command = [sys.executable, str(ROOT / "infra" / "clickhouse" / "chdb_http.py")]
        command += ["--path", str(self.settings.home / "engine"), "--port", str(self._clickhouse_port)]
        command += ["--config", str(self._backups())]
        with (self.settings.home / "clickhouse.log").open("wb") as log:
            self._clickhouse = subprocess.Popen(command, stdout=log, stderr=log)

    def _backups(self) -> Path:
        """Return the configuration of infra, with a folder of this test for the backups."""
        configured = (ROOT / "infra" / "clickhouse" / "config.d" / "backups.xml").read_text()
        assert BACKUPS in configured
        written = self.settings.home / "backups.xml"
        written.write_text(configured.replace(BACKUPS, f"{self.settings.home}/backups/"))
        return written

    def documented(self, heading: str) -> list[str]:
        """Return the SQL statements of a section of the runbook, for this test's study and folder."""
        (sql,) = re.findall(r'<<<"(.*)"', _runbook(heading))
        sql = sql.replace(BACKUPS, f"{self.settings.home}/backups/").replace("DATABASE main", "DATABASE test")
        sql = sql.replace("IF EXISTS main", "IF EXISTS test")
        return re.sub(r"[\w-]+\.tar\.zst", "study.tar.zst", sql).split("; ")

    def delete_topics(self) -> None:
        """Run the command of the runbook that deletes a study's topics, with Kafka's own tool."""
        (said,) = re.findall(r"kafka-topics\.sh (.*)", _runbook("Restore"))
        said = said.replace("localhost:9092", self.settings.broker).replace("main", "test")
        tool = ["java", "-cp", f"{apache_kafka.jars_folder()}/*", "org.apache.kafka.tools.TopicCommand"]
        command = [*tool, *shlex.split(said)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP_S, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def sql(self, statement: str) -> None:
        """Run a statement, without a database, as an operator does."""
        answer = httpx.post(
            f"http://127.0.0.1:{self._clickhouse_port}/",
            content=statement,
            timeout=GIVE_UP_S,
            trust_env=False,
        )
        assert answer.status_code == 200, f"{statement}: {answer.text}"

    def tables(self) -> dict[str, list[dict[str, object]]]:
        """Return the rows of every table."""
        with Warehouse(self.settings, patience_s=5) as warehouse:
            return {
                table: warehouse.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")
                for table in (*ORDER, "video_topics")
            }

    def stop_clickhouse(self) -> None:
        if self._clickhouse is not None:
            self._clickhouse.terminate()
            self._clickhouse.wait(GIVE_UP_S)
            self._clickhouse = None

    def worker(self, *names: str) -> Process:
        """Return the worker of these agents; start it if it does not run."""
        name = "-".join(("worker", *names))
        running = (process for process in self.study.processes if process.name == name and process.alive)
        return next(running, None) or self.study.start("worker", *names)

    def hand_in(self, count: int) -> None:
        """Hand in `count` more talks."""
        talks = SOME[self.handed_in : self.handed_in + count]
        handed = self.study.cli("ingest", *map(str, talks))
        assert handed.returncode == 0, handed.stderr
        self.handed_in += count

    def states(self) -> dict[str, int]:
        """Return the number of talks in each state; nothing while the warehouse cannot answer."""
        try:
            with Warehouse(self.settings, patience_s=0) as warehouse:
                states: dict[str, int] = (
                    {} if warehouse.missing_migrations() else talk_queries.status(warehouse)["states"]
                )
                return states
        except Explained:
            return {}

    def settled(self) -> bool:
        """Return whether every talk has its topics, and everything that was sent is stored."""
        return self.states() == {"assigned": self.handed_in} and not any(
            path_lag(self.settings, self.settings.broker).behind.values()
        )

    def stored(self) -> int:
        return sum(self.states().values())

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Add the talks' states and the workers' last output to a failure."""
        try:
            yield
        except AssertionError as error:
            said = "\n".join(f"--- {each.name}\n{each.said()[-3000:]}" for each in self.study.processes)
            raise AssertionError(f"{error}: {self.states()}\n{said}") from None

    def end(self) -> None:
        self.study.end()
        self.kafka.kill()
        self.stop_clickhouse()


def asked(worker: Process, path: str) -> str:
    """Return what a worker answers at a path, also with an error's status."""
    url = worker.said().rsplit("health and metrics at ", 1)[1].split()[0]
    return httpx.get(f"{url}/{path}", timeout=GIVE_UP_S, trust_env=False).text


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """One study for all tests here: each starts what it needs and leaves it running."""
    if (why := apache_kafka.missing()) is not None:
        pytest.skip(f"Apache Kafka cannot run here: {why}")
    outside = Outside(tmp_path_factory.mktemp("outages"))
    yield outside
    outside.end()


def test_workers_started_before_kafka_wait_say_so_and_then_work(outside: Outside) -> None:
    worker = outside.worker(*FRONT)
    with outside.explained():
        until(lambda: worker.said().count("Kafka does not answer") >= 2)
        assert worker.alive
        outside.kafka.start()
        outside.hand_in(2)
        with Cluster(outside.settings, outside.settings.broker) as cluster:
            until(lambda: sum(lag.end for lag in cluster.lag("nobody", [PARAGRAPHS_EMBEDDED])) == 2)


def test_a_store_without_clickhouse_waits_and_then_stores_all(outside: Outside) -> None:
    outside.kafka.start()
    began = time.monotonic()
    store = outside.worker("store")
    with outside.explained():
        outside.hand_in(2)
        until(lambda: store.said().count("ClickHouse does not answer") >= 2)
        assert "connection refused" in store.said()
        time.sleep(max(0.0, 12 - (time.monotonic() - began)))
        assert store.alive
        outside.start_clickhouse()
        until(lambda: outside.stored() == outside.handed_in)

        # Away in the middle of its work: the same.
        outside.stop_clickhouse()
        complaints = store.said().count("ClickHouse does not answer")
        outside.hand_in(1)
        until(lambda: store.said().count("ClickHouse does not answer") >= complaints + 2)
        until(lambda: not asked(store, "readyz").startswith('{"ready":true'))
        assert "cannot reach ClickHouse at 127.0.0.1" in asked(store, "readyz")
        assert 'groundswell_not_ready{fault="database"} 1.0' in asked(store, "metrics")
        outside.start_clickhouse()
        until(lambda: asked(store, "readyz").startswith('{"ready":true'))
        assert 'groundswell_not_ready{fault="database"} 0.0' in asked(store, "metrics")
        until(lambda: outside.stored() == outside.handed_in)
        assert store.alive


def test_talks_survive_eight_seconds_without_kafka(outside: Outside) -> None:
    """Each worker recovers, or ends with cause and cure and is started again, as a supervisor does."""
    outside.kafka.start()
    outside.start_clickhouse()
    workers = [outside.worker(*names) for names in GROUPS]
    ended: list[str] = []

    def supervised() -> bool:
        for number, worker in enumerate(workers):
            if not worker.alive:
                ended.append(worker.name)
                last_words = worker.said().rsplit("error: ", 1)[1:]
                assert "cure: " in "".join(last_words), f"{worker.name} ended without saying why"
                workers[number] = outside.worker(*GROUPS[number])
        return True

    with outside.explained():
        if not outside.handed_in:
            outside.hand_in(5)
        until(lambda: supervised() and outside.states().get("assigned", 0) >= 1)
        outside.hand_in(5)
        assert outside.kafka.stop(), "a clean stop"
        time.sleep(8)
        outside.kafka.start()
        until(lambda: supervised() and outside.states() == {"assigned": outside.handed_in})
        with Warehouse(outside.settings, patience_s=5) as warehouse:
            assert talk_queries.status(warehouse)["dead_letters"] == 0
        for worker in workers:  # each worker that noticed the outage also reports its end
            until(lambda w=worker: _ready(w.said()))
    print(f"ended by themselves: {ended or 'none'}")


def test_a_restored_backup_has_every_row_and_goes_on(outside: Outside) -> None:
    """BACKUP and RESTORE of ClickHouse's engine, with the statements of the runbook."""
    outside.kafka.start()
    outside.start_clickhouse()
    folder, saved = outside.settings.study_home, outside.settings.home / "saved"
    (backup,), restore = outside.documented("Back up"), outside.documented("Restore")
    with outside.explained():
        workers = [outside.worker(*names) for names in GROUPS]
        if not outside.handed_in:
            outside.hand_in(3)
        until(outside.settled)
        outside.sql(backup)
        shutil.copytree(folder, saved)
        before = outside.tables()
        outside.hand_in(1)
        until(outside.settled)

        for worker in workers:
            worker.stop()
        shutil.rmtree(folder)
        shutil.copytree(saved, folder)
        for statement in restore:
            outside.sql(statement)
        assert outside.tables() == before
        outside.delete_topics()
        for names in GROUPS:
            outside.worker(*names)
        outside.handed_in -= 1
        outside.hand_in(1)
        until(outside.settled)
        until(lambda: "nothing is missing" in outside.study.cli("reconcile", "--dry-run").stdout)
        assert outside.study.ask("dead-letters", "list") == []
        after = outside.tables()
        assert {row["video_id"] for row in before["videos"]} < {row["video_id"] for row in after["videos"]}
        assert len(after["paragraphs"]) > len(before["paragraphs"])


def _runbook(heading: str) -> str:
    """Return a section of the runbook."""
    runbook = (ROOT / "docs" / "how-to" / "operate.md").read_text()
    return runbook.split(f"## {heading}\n")[1].split("\n## ")[0]


def _ready(said: str) -> bool:
    """Return whether a worker's last message about its readiness is that it is ready again.

    If a worker ended while it was not ready, the worker started after it reports in the same log.
    """
    since_start = said.rpartition("stopping")[2]
    return since_start.count("not ready") == since_start.count("ready again")
