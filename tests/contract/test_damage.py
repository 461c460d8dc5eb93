"""Every command and page about the study's state reports rows that a broken disk destroyed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.cli import app
from agents.runtime.doctor import examine
from streams.settings import Settings
from streams.store.operations.damage import CURE, damaged_parts
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse


@pytest.fixture
def damaged(copied: Callable[[], Settings]) -> Settings:
    """Return a study with a table part whose files are damaged, as after a power failure."""
    settings = copied()
    with Warehouse(settings) as warehouse:
        warehouse.insert(
            "epochs", [{"model_version": "m", "epoch": 1, "embedding_model": "e", "codebook": "c"}]
        )
        assert damaged_parts(warehouse) == []
        (part,) = warehouse.rows(
            "SELECT path FROM system.parts WHERE table = 'epochs' AND active AND database = currentDatabase()"
        )
    for file in Path(part["path"]).iterdir():
        file.write_bytes(bytes(file.stat().st_size))
    return settings


def test_lost_rows_are_said_until_somebody_put_it_right(
    damaged: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(damaged.home))
    monkeypatch.setenv("GROUNDSWELL_STUDY", damaged.study)
    with Warehouse(damaged) as warehouse:
        (part,) = talk_queries.status(warehouse)["damaged_parts"]
        assert part["table"] == "epochs"
        assert Path(part["path"]).is_dir()

    said = CliRunner().invoke(app, ["status"])
    assert "rows are missing from epochs" in said.stdout
    assert part["path"] in said.stdout
    assert CURE in said.stderr
    as_json = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert as_json["damaged_parts"] == [part]
    (found,) = (each for each in examine(damaged) if each.what == "clickhouse")
    assert (found.verdict, found.cure) == ("fail", CURE)

    shutil.rmtree(part["path"])
    with Warehouse(damaged) as warehouse:
        assert damaged_parts(warehouse) == []
