"""Last answers of an embedded database that nobody has opened: they hold until it is written to.

Importing and opening chDB takes about a second, and the answer a few milliseconds. So commands keep what it
answered in a file in its folder, and so does the process of a study when it ends. `Warehouse` deletes the
file before it writes; only the process that has locked the database can do that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from streams.settings import Settings
from streams.timestamps import as_json

Question = tuple[str, dict[str, Any]]
"""A view and its parameters."""
STATUS: tuple[Question, ...] = (("status", {}), ("health", {"limit": 2}), ("unfinished", {"limit": 1000}))
"""What `groundswell status` asks."""
SUMMARY: tuple[Question, ...] = (*STATUS, ("topics", {}))
"""What the process of a study answers when it ends: the questions of `groundswell status` and `topics`."""
MOST_BYTES = 1_000_000
"""Maximum size of the file; without room for them, earlier answers are dropped."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Changes whenever the machine starts."""
_PACKAGES = ("agents/queries", "streams/store")
"""Folders whose code the answers depend on."""


class LastAnswer(NamedTuple):
    """An answer of a view; it may be None."""

    answer: Any


class LastAnswers:
    """The file of last answers of one study."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.answers_file
        self._new: dict[str, Any] = {}

    def of(self, view: str, parameters: Mapping[str, Any]) -> LastAnswer | None:
        """Return what the database would answer; None if that is not known."""
        known, question = self._known(), _question(view, parameters)
        return LastAnswer(known[question]) if question in known else None

    def keep(self, view: str, parameters: Mapping[str, Any], answer: Any) -> None:
        """Remember an answer of the open database; `write` writes it."""
        self._new[_question(view, parameters)] = answer

    def write(self) -> None:
        """Write what was kept. Call it before the database is closed, so that it still holds."""
        for answers in (self._known() | self._new, self._new):
            text = json.dumps({"version": self._version(), "answers": answers}, default=as_json)
            if len(text) <= MOST_BYTES:
                break
        else:
            return
        whole = self._path.with_suffix(".new")
        with suppress(OSError):  # the answers cost a second when they are asked again, not more
            whole.write_text(text)
            whole.replace(self._path)

    def _known(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        match found:
            case {"version": version, "answers": dict(answers)} if version == self._version():
                return answers
        return {}

    def _version(self) -> str:
        """Return a text that changes with whatever an answer depends on, except for writes.

        These are the day (UTC), as months end; the code of the views; parts that ClickHouse could not read;
        and the start of the machine, as a power failure may damage parts.
        """
        from models.hashing import digest

        root, store = Path(__file__).parents[2], self._path.parent / "store"
        files = sorted(file for package in _PACKAGES for file in (root / package).rglob("*.py"))
        code = [(str(file), (seen := file.stat()).st_mtime_ns, seen.st_size) for file in files]
        damaged = sorted(part.name for part in store.glob("*/*/detached/*"))
        try:
            started = _BOOT_ID.read_text()
        except OSError:  # not Linux
            started = ""
        return f"{datetime.now(UTC):%Y-%m-%d} {digest(repr((code, damaged, started)))}"


def keep_summary(settings: Settings, ask: Callable[..., Any]) -> None:
    """Keep the answers that `groundswell status` and `topics` need, as an open database gives them."""
    last = LastAnswers(settings)
    for view, parameters in SUMMARY:
        last.keep(view, parameters, ask(view, **parameters))
    last.write()


def _question(view: str, parameters: Mapping[str, Any]) -> str:
    return json.dumps([view, parameters], sort_keys=True, default=str)
