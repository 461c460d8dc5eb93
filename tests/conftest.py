"""Fixtures and settings that tests of several folders share."""

import faulthandler
import logging
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import stamina
import structlog
from _pytest.faulthandler import fault_handler_stderr_fd_key as uncaptured
from hypothesis import settings

from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.chat_endpoint import Endpoint

# A local run tries new examples each time; CI, which judges a change, always tries the same ones.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


MEMORY, ROOM = Path("/dev/shm"), 6_000_000_000
"""A folder in memory, and the free bytes that it needs for the folders of a whole run."""


def pytest_configure() -> None:
    """Put the tests' folders into memory if there is room, because ClickHouse makes very many files."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        here = os.statvfs(MEMORY)
        if here.f_bavail * here.f_frsize > ROOM and not here.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Bound a teardown as well: a test that failed has spent its `timeout` and pytest's own watch."""
    seconds = float(item.config.getini("faulthandler_timeout"))
    faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[uncaptured])
    return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need Apache Kafka or that kill processes as `long`."""
    for item in items:
        if item.get_closest_marker("kafka") or item.get_closest_marker("chaos"):
            item.add_marker("long")


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Restore logging after a test: a command run in this process logs to a stream that closes after it."""
    handlers = logging.root.handlers[:]
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


@pytest.fixture(scope="session")
def chdb_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home for embedded studies that lasts for the whole test run.

    chDB opens one folder per process, and every study has its own. Closing a warehouse releases the folder
    and keeps its data, so tests open one study at a time:
    `with Warehouse(Settings(home=chdb_home, study="…")) as warehouse`.
    """
    return tmp_path_factory.mktemp("home")


Hold = Callable[[Settings], Warehouse]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Yield a function that makes a study's tables and keeps its embedded engine open during the test.

    Otherwise every command that the test runs in this process would start and stop the engine.
    """
    with ExitStack() as held:

        def open_and_migrate(settings: Settings) -> Warehouse:
            warehouse = held.enter_context(Warehouse(settings))
            warehouse.migrate()
            return warehouse

        yield open_and_migrate


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """Yield a chat completions server; calls that fail are tried again at once, three times in all."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Endpoint()
    with stamina.set_testing(True, attempts=3, cap=True):  # as patient, without the waiting
        yield made
    made.close()
