"""A study that is moved from one machine to a cluster continues there, and ends as one that stayed."""

import shutil
from pathlib import Path

import pytest

from infra.kafka import apache_kafka
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.processes import GIVE_UP_S, TALKS, Study, clickhouse, free_port, tables, until

pytestmark = [pytest.mark.kafka, pytest.mark.long]
SIX = [*map(str, sorted(TALKS.glob("*.json"))[:6])]


def test_a_moved_study_ends_as_one_that_stayed(tmp_path: Path) -> None:
    if (why := apache_kafka.missing()) is not None:
        pytest.skip(f"Apache Kafka cannot run here: {why}")
    stayed, moving, cluster = (Study(tmp_path / name, "moved") for name in ("stayed", "moving", "cluster"))
    kafka = apache_kafka.ApacheKafka(tmp_path / "kafka", free_port())
    try:
        for study in (stayed, moving):
            running = study.run()
            assert study.cli("ingest", *SIX).returncode == 0
            if study is moving:
                until(lambda: moving.api("status")["states"].get("assigned", 0) >= 2)
                running.kill()  # broker, log and all
            else:
                study.until_done(len(SIX))
                study.until_settled()
                assert running.stop(seconds=GIVE_UP_S) == 0
        kafka.start()
        with clickhouse(tmp_path / "engine", free_port()) as address:
            cluster.environment |= {
                "GROUNDSWELL_BROKER": kafka.bootstrap,
                "GROUNDSWELL_CLICKHOUSE": address,
                "GROUNDSWELL_BLOBS": str(tmp_path / "blobs"),
                "GROUNDSWELL_PARTITIONS": "1",
            }
            folder = moving.home / "studies" / moving.name
            moved = cluster.cli("migrate", "--from", str(folder))
            assert moved.returncode == 0, moved.stderr
            assert "has the 6 talks of" in moved.stderr
            shutil.rmtree(moving.home)
            running = cluster.run()
            cluster.until_done(len(SIX))
            cluster.until_settled()
            assert running.stop(seconds=GIVE_UP_S) == 0
            settings = Settings(home=cluster.home, study="moved", broker=kafka.bootstrap, clickhouse=address)
            with Warehouse(settings, patience_s=30) as warehouse:
                for table, expected in tables(stayed.home, "moved"):
                    if table == "sightings":  # they have the moment at which a talk was handed in
                        continue
                    rows = warehouse.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")
                    assert [tuple(map(str, row.values())) for row in rows] == expected, table
    finally:
        for study in (stayed, moving, cluster):
            study.end()
        kafka.kill()
