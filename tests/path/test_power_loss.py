"""After a power loss took the newest parts of the tables, a study ends with the tables that it had."""

import json
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.processes import TALKS, Study, tables, until

ZEROED = ("learned", "progress", "transcripts", "paragraphs", "memberships", "epochs", "topic_words")
"""Tables whose newest part is full of zeros, as after a power failure: ClickHouse says so."""
GONE = ("videos", "screenings", "assignments", "topics", "codebook_entries", "video_topics", "sightings")
"""Tables whose newest part is not there at all: ClickHouse does not notice."""
COUNT = 6


def lose_power(study: Study) -> None:
    """Destroy the newest part of each table."""
    with Warehouse(Settings(home=study.home, study=study.name)) as warehouse:
        found = warehouse.rows(
            """
            SELECT table, argMax(name, max_block_number) AS part, argMax(path, max_block_number) AS path
            FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table
            """
        )
        newest = {row["table"]: row for row in found}
        for table in GONE:
            warehouse.command(f"ALTER TABLE {table} DROP PART '{newest[table]['part']}'")
    for table in ZEROED:
        for file in Path(newest[table]["path"]).iterdir():
            file.write_bytes(bytes(file.stat().st_size))


def reconcile(study: Study, *options: str) -> dict[str, object]:
    answer = study.cli("reconcile", *options, "--json")
    assert answer.returncode == 0, answer.stderr
    told: dict[str, object] = json.loads(answer.stdout)
    return told


@pytest.mark.long
def test_a_power_loss_is_found_and_mended(study: Study) -> None:
    process = study.run()
    assert study.cli("ingest", *map(str, sorted(TALKS.glob("*.json"))[:COUNT])).returncode == 0
    study.until_done(COUNT)
    nothing = study.cli("reconcile", "--dry-run")
    assert nothing.stdout.splitlines()[0] == "nothing is missing", nothing.stdout
    assert process.stop() == 0
    before = dict(tables(study.home, study.name))

    lose_power(study)
    assert {each["table"] for each in study.ask("status")["damaged_parts"]} == set(ZEROED)
    lost = reconcile(study, "--dry-run")
    assert lost["unknown_to_database"] or lost["lost_by_database"] or lost["lost_by_log"], lost
    assert lost["lost_steps"] and not lost["not_mendable"], lost
    assert reconcile(study)["sent"], "the topic model's outputs are written at once"
    assert reconcile(study, "--dry-run")["lost_steps"] == {}

    process = study.run()  # which sends the talks again

    def mended() -> bool:
        told = reconcile(study, "--dry-run")
        return not any(
            told[what] for what in ("lost_by_log", "lost_by_database", "unknown_to_database")
        ) and (study.api("status")["states"] == {"assigned": COUNT})

    until(mended)
    assert reconcile(study)["sent"] == 0
    assert process.stop() == 0
    after = dict(tables(study.home, study.name))
    for table, rows in before.items():
        assert after[table] == rows, table
