"""What tests of several folders share."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from streams.settings import Settings
from streams.store.warehouse import Warehouse

# By hand every run tries other examples; a machine that judges a change tries the same ones each time.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


MEMORY, ROOM = Path("/dev/shm"), 6_000_000_000
"""A folder in memory, and the free bytes that it needs for the folders of a whole run."""


def pytest_configure() -> None:
    """Put the tests' folders into memory where there is room: ClickHouse makes very many files."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        here = os.statvfs(MEMORY)
        if here.f_bavail * here.f_frsize > ROOM and not here.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs Apache Kafka or kills processes for a living belongs to the long part."""
    for item in items:
        if item.get_closest_marker("kafka") or item.get_closest_marker("chaos"):
            item.add_marker("long")


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command that a test runs in this process sends log lines to a stream that is closed after it."""
    handlers = logging.root.handlers[:]
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


@pytest.fixture(scope="session")
def chdb_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for embedded studies that lasts as long as the test run.

    chDB holds one folder per process, and every study has its own. Closing a warehouse lets the folder
    go, what it holds stays, so tests open one study at a time:
    `with Warehouse(Settings(home=chdb_home, study="…")) as warehouse`.
    """
    return tmp_path_factory.mktemp("home")


Hold = Callable[[Settings], Warehouse]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Makes a study's tables and keeps its embedded engine open for the time of a test.

    Else every command that the test runs in this process starts and ends the engine.
    """
    with ExitStack() as held:

        def open_and_migrate(settings: Settings) -> Warehouse:
            warehouse = held.enter_context(Warehouse(settings))
            warehouse.migrate()
            return warehouse

        yield open_and_migrate
