"""Fixtures: a separate study per test, in the embedded engine and on a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from event_factories import ROOT, empty

from streams.settings import Settings
from streams.store.warehouse import Warehouse


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Settings]:
    """Return a factory of empty embedded studies, each in its own home; a copy takes 1/3 of migrating."""
    migrated = Settings(home=tmp_path_factory.mktemp("migrated"), study="contract")
    with Warehouse(migrated) as warehouse:
        warehouse.migrate()

    def copy() -> Settings:
        settings = Settings(home=tmp_path_factory.mktemp("home"), study="contract")
        shutil.copytree(migrated.study_home, settings.study_home, symlinks=True)
        return settings

    return copy


@pytest.fixture
def study(copied: Callable[[], Settings]) -> Iterator[Warehouse]:
    """Return an empty study in the embedded engine, separate for each test."""
    settings = copied()
    with Warehouse(settings) as warehouse:
        yield warehouse
    shutil.rmtree(settings.home)  # 300 files


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the engine in another process, and yield its HTTP address."""
    script = ROOT / "infra" / "clickhouse" / "chdb_http.py"
    process = subprocess.Popen(
        [sys.executable, str(script), "--path", str(tmp_path_factory.mktemp("engine")), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GROUNDSWELL_CLICKHOUSE_PASSWORD": ""},
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().rsplit(":", 1)[1].strip()
        yield f"clickhouse://default@127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def emptied(server: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return the settings of an empty study on the ClickHouse server, which tests use in turn."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), study="contract", clickhouse=server)
    with Warehouse(settings, patience_s=5) as warehouse:
        warehouse.migrate()
    return settings


@pytest.fixture
def served(emptied: Settings, tmp_path: Path) -> Iterator[Warehouse]:
    """Yield a study on a ClickHouse server, empty at the start of each test."""
    with Warehouse(emptied.model_copy(update={"home": tmp_path}), patience_s=5) as warehouse:
        yield warehouse
        empty(warehouse)


@pytest.fixture(params=["study", pytest.param("served", marks=pytest.mark.long)])
def either(request: pytest.FixtureRequest) -> Warehouse:
    """Return a study, once embedded and once on a server."""
    warehouse: Warehouse = request.getfixturevalue(request.param)
    return warehouse
