"""Studies of a test's own: in the embedded engine, and on a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from said import ROOT, numbers

from streams.settings import Settings
from streams.store.warehouse import Warehouse


@pytest.fixture
def study(chdb_home: Path) -> Iterator[Warehouse]:
    """A study of the test's own in the embedded engine."""
    with Warehouse(Settings(home=chdb_home, study=f"contract_{next(numbers)}")) as warehouse:
        warehouse.migrate()
        yield warehouse
        warehouse.command(f"DROP DATABASE {warehouse.database} SYNC")  # 300 files that somebody has to delete


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


@pytest.fixture
def served(server: str, tmp_path: Path) -> Iterator[Warehouse]:
    """A study of the test's own on a ClickHouse server."""
    name = f"contract_{next(numbers)}"
    with Warehouse(Settings(home=tmp_path, study=name, clickhouse=server), patience_s=5) as warehouse:
        warehouse.migrate()
        yield warehouse
        warehouse.command(f"DROP DATABASE {name} SYNC")  # forty tables a test would add up


@pytest.fixture(params=["study", "served"])
def either(request: pytest.FixtureRequest) -> Warehouse:
    """The same study embedded, and on a server."""
    warehouse: Warehouse = request.getfixturevalue(request.param)
    return warehouse
