"""Studies in the embedded database; chDB opens one at a time, so each module uses one of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import studies
from chromium import CHROMIUM, SWITCHES

from streams.settings import Settings
from streams.store.warehouse import Warehouse


@pytest.fixture(scope="module")
def lively(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="lively")) as warehouse:
        if warehouse.migrate():
            studies.lively(warehouse)
        yield warehouse


@pytest.fixture(scope="module")
def small(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="small")) as warehouse:
        if warehouse.migrate():
            studies.small(warehouse)
        yield warehouse


@pytest.fixture
def new_study(chdb_home: Path, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A separate study for each test, without tables."""
    name = request.node.name.removeprefix("test_")[:40]
    with Warehouse(Settings(home=chdb_home, study=name)) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()
