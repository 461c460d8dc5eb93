"""groundswell demo: processes sample talks in a study of their own and prints the results.

It starts `groundswell run` in the background, ingests the sample talks, shows progress while they are
processed, prints themes and new topics, and leaves the page running. A second run finds everything done.
The talks were written for the demo: their shows, people and companies are invented.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.cli.asking import ask
from agents.cli.console import load_settings, print_rows, say, state, tell
from agents.instance.background import DEMO, last_error, start_detached
from agents.instance.running_instance import START_S, RunningInstance, find, open_cluster, serving
from agents.queries.wording import percent
from streams.errors import Unavailable
from streams.settings import Settings
from streams.store.rows.corpus import Status

SAMPLES = Path(__file__).parent
SETTINGS = {"GROUNDSWELL_MIN_DURATION_S": "20", "GROUNDSWELL_WEB_PORT": "0"}
"""The samples are shorter than the default minimum; port 0 picks any free port."""


def show() -> int:
    """Run the demo; return the exit code."""
    state.study = state.study or DEMO
    settings = load_settings(min_duration_s=20.0)
    started_here = False
    running = find(settings)
    if running is None:
        tell(f"starting groundswell in the background (log: {_log(settings)})")
        running = _start(settings)
        started_here = True
    try:
        talks = _hand_in(settings)
        status = _watch(settings, running, talks)
    except KeyboardInterrupt:
        if started_here:
            os.kill(running.pid, 15)
            tell("stopped; run groundswell demo again to resume")
        raise
    _print(settings, status, running)
    return 0


def _log(settings: Settings) -> Path:
    return settings.study_home / "run.log"


def _start(settings: Settings) -> RunningInstance:
    """Start `groundswell run` as a detached process and wait until its page answers."""
    environment = SETTINGS | os.environ | {"GROUNDSWELL_STUDY": settings.study}
    process = start_detached(["run"], environment, _log(settings), append=True)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if (running := serving(settings)) is not None:
            return running
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise Unavailable(
        f"groundswell run did not start ({last_error(_log(settings)) or 'no error in its log'})",
        f"read {_log(settings)} and run groundswell doctor",
    )


def _hand_in(settings: Settings) -> int:
    """Ingest the sample talks, oldest first; return their number."""
    from agents.acquisition.ingest import Ingest
    from agents.instance.clock import utc_now
    from streams.state.blobs import Blobs

    files = sorted([*SAMPLES.glob("talks/*.json"), *SAMPLES.glob("audio/*.ogg")], key=lambda path: path.name)
    cluster = open_cluster(settings)
    if cluster is None:
        raise Unavailable("groundswell run ended unexpectedly", f"read {_log(settings)}")
    with cluster:
        handed = list(Ingest(Blobs(settings.blobs_url), cluster.send, utc_now()).files(files))
    return len(handed)


def _watch(settings: Settings, running: RunningInstance, talks: int) -> Status:
    """Show progress until every talk is finished; return the status."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from streams.store.video_progress import STATES

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = {name: progress.add_task(name, total=talks) for name in ("transcribed", "split", "assigned")}
        told, polls = -1, 0
        while True:
            if serving(settings) is None:
                raise Unavailable(
                    "groundswell run ended unexpectedly", f"read {_log(settings)}, then try again"
                )
            status: Status = ask(settings, "status")
            rank = {name: position for position, name in enumerate(STATES)}
            for name, bar in bars.items():
                reached = sum(count for at, count in status["states"].items() if rank[at] >= rank[name])
                progress.update(bar, completed=reached)
            finished = status["states"].get("assigned", 0) + status["states"].get("rejected", 0)
            if not console.is_terminal and finished // 10 > told:
                told = finished // 10
                tell(f"{finished} of {talks} talks processed")
            if finished + status["dead_letters"] >= talks and not _lag(running):
                if polls:
                    time.sleep(2)  # the last topic's alert follows its talk
                return status
            polls += 1
            time.sleep(0.5)


def _lag(running: RunningInstance) -> int:
    """Return the number of unread messages of all consumers, so that the last events are waited for."""
    import httpx

    lag: dict[str, int] = (
        httpx.get(f"{running.url}/healthz", trust_env=False, timeout=10).json().get("lag", {})
    )
    return sum(lag.values())


def _print(settings: Settings, status: Status, running: RunningInstance) -> None:
    first, last = str(status["first_published"])[:7], str(status["last_published"])[:7]
    say(f"\n{status['videos']} talks, {status['paragraphs']} paragraphs, published {first} to {last}")
    say("(written for this demo; every show, person and company in them is invented)\n")
    themes = ask(settings, "themes")
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "theme": ("THEME", str),
        "videos": ("TALKS", str),
        "share": ("SHARE", percent),
    }
    print_rows(themes, shown)
    for alert in reversed(ask(settings, "alerts")):
        say(f"\n{alert['title']} ({str(alert['raised_at'])[:7]})\n  {alert['reason']}")
    say(f"\nThe page:  {running.url}")
    say(f"More:      {_command()} --study {settings.study} topics | prevalence | status | stop")


def _command() -> str:
    """Return the command that runs groundswell: its name, or its path if it is not on PATH."""
    if shutil.which("groundswell"):
        return "groundswell"
    program = Path(sys.executable).with_name("groundswell")
    return os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program)
