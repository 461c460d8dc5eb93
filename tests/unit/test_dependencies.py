"""What a process depends on: a failure makes it not ready, with the reason, and it recovers by itself."""

import asyncio
import shutil
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from agents.runtime import dependencies
from agents.runtime.health import Health
from streams.settings import Settings
from streams.telemetry import NOT_READY

NOBODY = "clickhouse://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "LOOK_S", 0.02)
    monkeypatch.setattr(dependencies, "GRACE_S", 0.1)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_failing_blob_store_is_told_until_it_works(tmp_path: Path) -> None:
    health, blobs = Health(reasons={}), tmp_path / "blobs"
    async with AsyncExitStack() as stack:
        settings = Settings(home=tmp_path, blobs=str(blobs))
        found = dependencies.checks(settings, ("split",), False, stack)
        assert set(found) == {"blobs", "disk"}
        watching = asyncio.create_task(dependencies.watch(health, found))
        await asyncio.sleep(0.3)
        await until(lambda: health.ready)  # on a busy machine an answer comes late, which is told as well
        while not blobs.is_file():  # whoever watches may write there at that moment
            shutil.rmtree(blobs, ignore_errors=True)
            with suppress(IsADirectoryError):
                blobs.write_text("a file where the folder was")
        await until(lambda: f"the blob store {blobs}/main cannot be read or written" in health.why_not)
        assert NOT_READY.labels("blobs")._value.get() == 1
        blobs.unlink()
        await until(lambda: health.ready)
        assert NOT_READY.labels("blobs")._value.get() == 0
        watching.cancel()


async def test_a_dependency_that_hangs_is_told_too() -> None:
    health, answer = Health(reasons={}), threading.Event()

    def hangs() -> str | None:
        answer.wait(60)
        return None

    watching = asyncio.create_task(dependencies.watch(health, {"database": hangs}))
    await until(lambda: not health.ready)
    assert health.why_not.startswith("no answer for")
    answer.set()
    await until(lambda: health.ready)
    watching.cancel()


async def test_only_what_a_process_needs_is_watched(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, clickhouse=NOBODY, min_free_gb=1_000_000.0)
    async with AsyncExitStack() as stack:
        split = dependencies.checks(settings, ("split",), False, stack)
        fetch = dependencies.checks(settings, ("fetch",), False, stack)
        store = dependencies.checks(settings, ("store",), False, stack)
        page = dependencies.checks(settings, (), True, stack)
        assert "database" not in split and "database" not in fetch
        for needing in (store, page):
            assert needing["database"]() == "cannot reach ClickHouse at 127.0.0.1:9 (connection refused)"
        assert split["disk"]() is None
        assert "less than 1e+06 GB" in str(fetch["disk"]())
