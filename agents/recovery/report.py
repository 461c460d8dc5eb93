"""Reports of a reconciliation, and requests for one to the process that holds the embedded database."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from agents.recovery.reconciliation import Findings, Reconciliation
from streams.errors import Unavailable
from streams.events import Event
from streams.state.blobs import Blobs

WANTED, REPORTS = "reconcile/wanted", "reconcile/reports"
PATIENCE_S, PAUSE_S = 180.0, 0.5


def report(found: Findings, *, dry_run: bool, sent: int = 0) -> dict[str, Any]:
    """Return findings as a JSON object; `sent`: the number of events that were sent or written for them."""
    return {
        "dry_run": dry_run,
        "lost_by_log": [{"video_id": video, "state": state} for video, state in found.in_log.items()],
        "lost_by_database": found.in_database,
        "unknown_to_database": found.unknown,
        "lost_steps": dict(Counter(each.table for each in found.steps)),
        "not_mendable": [{"what": what, "why": why} for what, why in found.unmendable.items()],
        "not_judged": found.underway,
        "sent": sent,
    }


def sentences(told: dict[str, Any]) -> list[str]:
    """Return a report in plain words.

    Example:
        >>> told = report(Findings(in_log={"a": "fetched"}), dry_run=True)
        >>> sentences(told)[0]
        '1 talk has no message in the log any more: 1 fetched'
    """
    said = []
    if lost := told["lost_by_log"]:
        states = Counter(each["state"] for each in lost)
        which = ", ".join(f"{count} {state}" for state, count in states.items())
        said.append(f"{_talks(len(lost))} no message in the log any more: {which}")
    if lost := told["lost_by_database"]:
        said.append(f"{_talks(len(lost))} facts that the database has lost")
    if lost := told["unknown_to_database"]:
        said.append(f"{_talks(len(lost))} no row in the database at all")
    if lost := told["lost_steps"]:
        rows = ", ".join(f"{count} of {table}" for table, count in lost.items())
        said.append(f"the database has lost rows of the topic model: {rows}")
    if not said:
        said.append("nothing is missing")
    said += [f"cannot be mended: {each['what']}, because {each['why']}" for each in told["not_mendable"]]
    for agent, count in told["not_judged"].items():
        said.append(
            f"what waits for {agent} was not judged: {count} message{'s' * (count != 1)} to process first"
        )
    if told["dry_run"]:
        said.append("nothing was sent, as this was a dry run")
    elif told["sent"]:
        said.append(f"{told['sent']} event{'s' * (told['sent'] != 1)} sent again; work that exists is reused")
    return said


def _talks(count: int) -> str:
    return f"{count} talk has" if count == 1 else f"{count} talks have"


class Requests:
    """Requests of the command line to a running process, which alone can open the embedded database."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def ask(self, *, dry_run: bool, pause: Callable[[float], None]) -> dict[str, Any]:
        """Request a reconciliation, and return its report.

        Raises:
            Unavailable: there is no report in time.
        """
        name = f"{uuid.uuid4().hex}.json"
        wanted, reported = f"{WANTED}/{name}", f"{REPORTS}/{name}"
        self._blobs.put(wanted, json.dumps({"dry_run": dry_run}).encode())
        try:
            for _ in range(int(PATIENCE_S / PAUSE_S)):
                pause(PAUSE_S)
                if self._blobs.exists(reported):
                    told: dict[str, Any] = json.loads(self._blobs.get(reported))
                    return told
        finally:
            self._blobs.delete(wanted)
            self._blobs.delete(reported)
        raise Unavailable(
            "the running groundswell has not reported within three minutes",
            "see its log; it carries the request out as soon as it can",
        )

    def carry_out(self, reconciliation: Reconciliation) -> list[Event]:
        """Carry out the requests that there are, and return what is to be sent for them."""
        wanted = {key: json.loads(self._blobs.get(key))["dry_run"] for key in self._blobs.keys(WANTED)}
        if not wanted:
            return []
        found = reconciliation.judge(reconciliation.look())
        for key, dry_run in wanted.items():
            told = report(found, dry_run=dry_run, sent=0 if dry_run else len(found.events))
            self._blobs.put(key.replace(WANTED, REPORTS, 1), json.dumps(told).encode())
            self._blobs.delete(key)
        return [] if all(wanted.values()) else found.events
