"""Watches what this process depends on: the database, the blob store, and space on its disks.

The broker is watched with the lag (`agents.runtime.health`). While a dependency fails, the process is not
ready, with the reason; it recovers by itself.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from agents.consumer.error_attribution import describe_error
from agents.runtime.health import Health
from agents.runtime.wiring import WITH_DATABASE
from streams.errors import Explained
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse

LOOK_S = 5.0
"""Interval of the checks (seconds)."""
GRACE_S = 15.0
"""How long a dependency may fail before the process is not ready (seconds): a server may be restarting."""
RESERVE_GB = 0.2
"""Free disk space that every process needs: what is written anew lies beside the old for a while."""

Check = Callable[[], str | None]
"""Returns why a dependency fails, or None. May block."""


def checks(settings: Settings, names: tuple[str, ...], page: bool, stack: AsyncExitStack) -> dict[str, Check]:
    """Return the checks of a process, by the name of the dependency.

    Args:
        settings: the study's settings.
        names: the agents of the process.
        page: whether it serves the page.
        stack: closes the connections of the checks.
    """
    found: dict[str, Check] = {
        "blobs": lambda: _explained(Blobs(settings.blobs_url).check),
        "disk": lambda: _disk(settings, settings.min_free_gb if "fetch" in names else RESERVE_GB),
    }
    # The embedded database is open in this process: its failures end what uses it.
    if not settings.embedded_clickhouse and (page or {*WITH_DATABASE, "alert"} & set(names)):
        warehouse = Warehouse(settings, patience_s=0)
        stack.callback(warehouse.close)
        found["database"] = lambda: _explained(lambda: warehouse.rows("SELECT 1"))
    return found


def _disk(settings: Settings, needed_gb: float) -> str | None:
    for place in _places(settings):
        free_gb = shutil.disk_usage(place).free / 1e9
        if free_gb < needed_gb:
            return f"only {free_gb:.1f} GB are free in {place}, less than {needed_gb:g} GB"
    return None


def _places(settings: Settings) -> Iterator[Path]:
    yield settings.home
    if "://" not in settings.blobs_url and (blobs := Path(settings.blobs_url)).is_dir():
        yield blobs


def _explained(action: Callable[[], object]) -> str | None:
    try:
        action()
    except Explained as error:
        return error.cause
    return None


async def watch(health: Health, found: Mapping[str, Check]) -> None:
    """Check every dependency every `LOOK_S` seconds, each on its own, forever."""
    await asyncio.gather(*(_watch(health, name, check) for name, check in found.items()))


async def _watch(health: Health, name: str, check: Check) -> None:
    worked_at = time.monotonic()
    while True:
        asking = asyncio.create_task(asyncio.to_thread(check))
        while not (await asyncio.wait({asking}, timeout=LOOK_S))[0]:  # the next check waits for a hanging one
            if (quiet_s := time.monotonic() - worked_at) > GRACE_S:
                health.tell(name, f"no answer for {quiet_s:.0f} s")
        try:
            why = asking.result()
        except Exception as error:
            why = describe_error(error)
        now = time.monotonic()
        if why is None:
            worked_at = now
            health.tell(name, None)
        elif now - worked_at > GRACE_S:
            health.tell(name, why)
        await asyncio.sleep(LOOK_S)
