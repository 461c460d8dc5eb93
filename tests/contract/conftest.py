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
    """Makes an embedded study without a row in a home of its own: a copy takes a third of migrating."""
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
    """A study of the test's own in the embedded engine."""
    settings = copied()
    with Warehouse(settings) as warehouse:
        yield warehouse
    shutil.rmtree(settings.home)  # 300 files


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the engine in another process, over HTTP."""
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
    """A study without a row on the ClickHouse server, that tests use one after the other."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), study="contract", clickhouse=server)
    with Warehouse(settings, patience_s=5) as warehouse:
        warehouse.migrate()
    return settings


@pytest.fixture
def served(emptied: Settings, tmp_path: Path) -> Iterator[Warehouse]:
    """A study on a ClickHouse server, which the test finds without a row."""
    with Warehouse(emptied.model_copy(update={"home": tmp_path}), patience_s=5) as warehouse:
        yield warehouse
        empty(warehouse)


@pytest.fixture(params=["study", pytest.param("served", marks=pytest.mark.long)])
def either(request: pytest.FixtureRequest) -> Warehouse:
    """The same study embedded, and on a server."""
    warehouse: Warehouse = request.getfixturevalue(request.param)
    return warehouse
