"""Killed at random, the system ends with the tables of an undisturbed run: row by row.

Longer: GROUNDSWELL_CHAOS_KILLS=200 GROUNDSWELL_CHAOS_TALKS=120 python3 infra/bootstrap.py test tests/chaos
"""

import os
import random
import time
from pathlib import Path

import pytest

from infra.kafka import apache_kafka
from tests.chaos.harness import Distributed, Fire, Tables, real_talks
from tests.processes import TALKS, Study, tables, until
from tests.realdata import shared

KILLS = int(os.environ.get("GROUNDSWELL_CHAOS_KILLS", "6"))
COUNT = int(os.environ.get("GROUNDSWELL_CHAOS_TALKS", "14"))
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 + 60 * KILLS)]


def assert_equal(disturbed: Tables, calm: Tables) -> None:
    for table, rows in calm.items():
        assert len(disturbed[table]) == len(rows), f"{table}: {len(disturbed[table])} rows, not {len(rows)}"
        for ours, theirs in zip(disturbed[table], rows, strict=True):
            assert ours == theirs, table


@pytest.fixture(scope="module")
def talks() -> list[bytes]:
    if (why := apache_kafka.missing()) is not None:
        pytest.skip(f"Apache Kafka cannot run here: {why}")
    return real_talks(shared("talks"), COUNT)


@pytest.fixture(scope="module")
def calm(talks: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The tables of an undisturbed run."""
    tables = Distributed(tmp_path_factory.mktemp("calm") / "home", talks).run(Fire(), 600)
    assert len(tables["progress"]) == COUNT
    assert {row[1] for row in tables["progress"]} == {"assigned"}
    assert tables["dead_letters"] == []
    return tables


@pytest.mark.kafka
def test_random_kills_of_workers_and_broker_change_no_table(
    talks: list[bytes], calm: Tables, tmp_path: Path
) -> None:
    # The fire is followed by a replay of every topic from its beginning: that must change no table either.
    fire = Fire(kills=KILLS, broker_kills=max(3, KILLS // 7), seed=int(time.time()))
    disturbed = Distributed(tmp_path / "fire", talks).run(fire, 900, replay=True)
    print(f"seed {fire.seed}: {len(fire.killed)} kills, {fire.restarted} workers ended by themselves")
    assert len(fire.killed) >= KILLS + 3
    assert_equal(disturbed, calm)


@pytest.mark.kafka
def test_one_of_three_brokers_can_be_away_while_talks_flow(
    talks: list[bytes], calm: Tables, tmp_path: Path
) -> None:
    fire = Fire(broker_kills=1, broker_restarts=1, seed=int(time.time()))
    disturbed = Distributed(tmp_path / "fire", talks, brokers=3).run(fire, 900)
    print(f"seed {fire.seed}: {fire.killed}, {fire.restarted} workers ended by themselves")
    assert sorted(fire.killed) == ["broker", "restart"]
    assert_equal(disturbed, calm)


def test_killing_one_process_with_its_broker_changes_no_table(tmp_path: Path) -> None:
    """The embedded way: every kill -9 takes the broker and its whole log with it."""
    talks = sorted(TALKS.glob("*.json"))[:30]

    calm, fire = (Study(tmp_path / name, "chaos") for name in ("calm", "fire"))
    chance = random.Random(7)
    try:
        for each, kills in ((calm, 0), (fire, 4)):
            process = each.run()
            assert each.cli("ingest", *map(str, talks)).returncode == 0
            for kill in range(kills):
                reached = kill * len(talks) // (kills + 1)
                until(lambda each=each, reached=reached: _finished(each) >= reached, 0.1)
                time.sleep(chance.uniform(0, 1.5))
                process.kill()
                process = each.run()
            each.until_done(len(talks))
            each.until_settled()
            assert process.stop() == 0
    finally:
        calm.end()
        fire.end()
    # A sighting's moment is that of the handing in, which differs between the two.
    expected = {table: rows for table, rows in tables(calm.home, "chaos") if table != "sightings"}
    assert_equal(dict(tables(fire.home, "chaos")), expected)


def _finished(study: Study) -> int:
    return int(study.api("status")["states"].get("assigned", 0))
