"""An embedded study that is copied to a server has every row and every blob there, and is left as it was."""

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from event_factories import NOON, STORY, empty, write

from agents.recovery.study_copy import COPIED_FROM, copy_study, source_of
from streams.errors import DataError, Misconfigured
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.curators import Curators
from streams.state.leases import Lease
from streams.store.data_dictionary import LEFT_OUT, TABLES
from streams.store.process_lock import DatabaseBusy
from streams.store.warehouse import Warehouse

pytestmark = pytest.mark.long
HOSTILE = "inbox/ü '\N{SNOWMAN}'.json"


def quiet(_: str) -> None:
    pass


def interrupted(said: str) -> None:
    if said.startswith("paragraphs"):
        raise KeyboardInterrupt


def every_row(warehouse: Warehouse) -> dict[str, list[tuple[str, ...]]]:
    return {
        table: [
            tuple(map(str, row.values()))
            for row in warehouse.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")
        ]
        for table in sorted((TABLES.keys() | LEFT_OUT.keys()) - {"schema_versions", "warm_up"})
    }


@pytest.fixture
def source(study: Warehouse) -> Settings:
    """Return a stopped embedded study with rows in its tables, blobs, curators and rules of alerts."""
    write(study, STORY)
    blobs = Blobs(study.settings.blobs_url)
    blobs.put("audio/large.ogg", b"x" * 1_500_000)
    blobs.put("audio/cut.ogg", b"x" * 1_200_000)
    blobs.put(HOSTILE, b"{}")
    Lease(blobs, "track", "a worker", 60.0, lambda: 0.0).acquire()
    Curators(study.settings.curators_file).add("Ottilie", NOON)
    study.settings.alerts_file.write_text("rules: []\n")
    study.close()
    return study.settings


@pytest.fixture
def target(emptied: Settings, tmp_path: Path) -> Iterator[Settings]:
    settings = emptied.model_copy(update={"home": tmp_path / "home", "blobs": str(tmp_path / "blobs")})
    yield settings
    with Warehouse(settings, patience_s=5) as warehouse:
        empty(warehouse)


def copy(source: Settings, target: Settings) -> Any:
    return copy_study(source_of(source.study_home, "", target), target, quiet)


def test_every_row_and_every_blob_is_copied(source: Settings, target: Settings) -> None:
    with Warehouse(source) as here:
        expected = every_row(here)
    assert sum(map(bool, expected.values())) > 15, "many tables have rows"
    copied = copy(source, target)
    with Warehouse(target, patience_s=5) as there:
        assert every_row(there) == expected
    assert copied.rows == {name: len(expected[name]) for name in copied.rows}
    with Warehouse(source) as here:
        assert every_row(here) == expected, "it is left as it was"
    ours, theirs = Blobs(source.blobs_url), Blobs(target.blobs_url)
    kept = [key for key in ours.keys("") if not key.startswith("leases/")]
    assert sorted(theirs.keys("")) == sorted([*kept, COPIED_FROM]), "leases belong to processes"
    assert all(theirs.get(key) == ours.get(key) for key in kept) and HOSTILE in kept
    assert Curators(target.curators_file).all()[0].name == "Ottilie"
    assert target.alerts_file.read_text() == "rules: []\n"


def test_an_interrupted_copy_is_continued(source: Settings, target: Settings) -> None:
    with Warehouse(source) as here:
        expected = every_row(here)
    with pytest.raises(KeyboardInterrupt):
        copy_study(source_of(source.study_home, "", target), target, interrupted)
    ours, theirs = Blobs(source.blobs_url), Blobs(target.blobs_url)
    theirs.put("audio/large.ogg", b"y" * 1_500_000)
    theirs.put("audio/cut.ogg", b"y")
    theirs.put(HOSTILE, b"[]")
    copy(source, target)
    with Warehouse(target, patience_s=5) as there:
        assert every_row(there) == expected
    assert theirs.get("audio/large.ogg").startswith(b"y"), "it has its size, so it was not copied again"
    for key in ("audio/cut.ogg", HOSTILE):
        assert theirs.get(key) == ours.get(key)


def test_a_complete_copy_is_not_repeated(source: Settings, target: Settings) -> None:
    copy(source, target)
    theirs = Blobs(target.blobs_url)
    theirs.put(HOSTILE, b"what the cluster did since")
    with pytest.raises(Misconfigured, match="copied completely already"):
        copy(source, target)
    assert theirs.get(HOSTILE) == b"what the cluster did since"


def test_a_study_that_is_another_is_not_overwritten(source: Settings, target: Settings) -> None:
    theirs = Blobs(target.blobs_url)
    theirs.put("codebook/0001.json", b"{}")
    with pytest.raises(Misconfigured, match="already has blobs in"):
        copy(source, target)
    theirs.delete("codebook/0001.json")
    with Warehouse(target, patience_s=5) as there:
        write(there, STORY)
        before = every_row(there)
    with pytest.raises(Misconfigured, match=r"already has \d+ talks"):
        copy(source, target)
    with Warehouse(target, patience_s=5) as there:
        assert every_row(there) == before
    assert list(theirs.keys("")) == []


def test_what_cannot_be_copied_is_refused_with_the_reason(
    source: Settings, target: Settings, tmp_path: Path
) -> None:
    with pytest.raises(Misconfigured, match="names no server"):
        copy(source, source)
    for folder in (tmp_path, source.home, source.study_home / "blobs", tmp_path / "absent"):
        with pytest.raises(DataError, match="is not the folder of an embedded study"):
            source_of(folder, "", target)
    with source.lock_file.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DatabaseBusy, match="only one process can"):
            copy(source, target)
    with Warehouse(source) as here:
        here.command("ALTER TABLE schema_versions DELETE WHERE version = 14 SETTINGS mutations_sync = 2")
    with pytest.raises(Misconfigured, match="an older version"):
        copy(source, target)


def test_blobs_in_a_common_store_stay_where_they_are(source: Settings, target: Settings) -> None:
    common = target.model_copy(update={"blobs": target.blobs, "study": source.study})
    Blobs(common.blobs_url).put("outbox/a.json", b"{}")
    said: list[str] = []
    copied = copy_study(source_of(source.study_home, common.blobs, common), common, said.append)
    assert said[0].startswith("blobs: already in") and copied.rows["videos"] > 0
