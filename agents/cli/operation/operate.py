"""Commands that run and maintain a study: demo, run, worker, web, stop, ingest, migrate, rebuild, doctor."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agents.cli.console import load_settings, print_json, say, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.acquisition.ingest import Handed, Ingest
    from agents.runtime.process import Runtime
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (demo, run, worker, web, stop, ingest, migrate, rebuild, doctor):
        app.command()(command)


def demo() -> None:
    """Process sample talks in a study of their own, and show their themes and new topics."""
    from agents.cli.demo import show

    raise typer.Exit(show())


def run() -> None:
    """Run broker, database, all agents and the page in one process. Ctrl-C stops it, a new start resumes."""
    from agents.instance.running_instance import alone

    settings = load_settings()
    with alone(settings):  # before the slow imports, so that other commands see that it is starting
        from agents.runtime.process import Runtime

        _serve(Runtime(settings, page=True))


def worker(
    agents: list[str] = typer.Argument(
        metavar="AGENT...",
        help="discover, screen, fetch, caption, transcribe, split, track, store, alert or label.",
    ),
) -> None:
    """Run agents against a Kafka broker (and, for discover, store and label, ClickHouse)."""
    from contextlib import nullcontext

    from agents.runtime.process import Runtime
    from agents.runtime.wiring import NAMES, WITH_DATABASE
    from streams.errors import Misconfigured
    from streams.store.process_lock import take

    if unknown := [name for name in agents if name not in NAMES]:
        raise typer.BadParameter(f"there is no agent {unknown[0]!r}: choose from {', '.join(NAMES)}")
    settings = load_settings()
    if settings.embedded_broker:
        raise Misconfigured(
            "a worker needs a broker that other processes can reach, and none is configured",
            'set GROUNDSWELL_BROKER=host:port, or use "groundswell run" for everything in one process',
        )
    holds = settings.embedded_clickhouse and WITH_DATABASE & set(agents)
    with take(settings.lock_file, "worker", say=tell) if holds else nullcontext():
        _serve(Runtime(settings, agents, page=False))


def web() -> None:
    """Serve only the page, without agents."""
    from contextlib import nullcontext

    from agents.instance.running_instance import alone

    settings = load_settings()
    with alone(settings) if settings.embedded_clickhouse else nullcontext():
        from agents.runtime.process import Runtime

        _serve(Runtime(settings, (), page=True))


def _serve(runtime: Runtime) -> None:
    """Run the process until it ends, then exit at once, without waiting for threads.

    A thread may still run a model or a download. Waiting for it would only delay the exit: its message is not
    acknowledged, and so it is delivered again.
    """
    import asyncio
    import os
    import sys
    from contextlib import suppress

    from agents.cli.console import exit_code_of
    from models.loading import malloc
    from streams.log_output import capture_output

    malloc.keep_small()
    capture_output()
    code = 1
    try:
        asyncio.new_event_loop().run_until_complete(runtime.run(_announce))
        code = runtime.exit_code
    except Exception as error:
        code = exit_code_of(error)
    finally:  # also if the error cannot be told: Python's own exit would wait for the threads
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)


def _announce(runtime: Runtime) -> None:
    import sys

    agents = ", ".join(runtime.names) or "no agents"
    what = "the page is at" if runtime.page else "health and metrics at"
    tell(f"groundswell study {runtime.settings.study!r}: {agents}; {what} {runtime.url}")
    # Only to a person: in a log, whoever reads it could use the link.
    if sys.stderr.isatty() and (link := runtime.first_sign_in):
        tell(f"nobody may change anything on the page yet; to become the first curator, open {link}")


def stop() -> None:
    """Stop the groundswell that runs or is starting this study on this machine."""
    from contextlib import suppress

    import psutil

    from agents.instance.running_instance import serving, starting

    settings = load_settings()
    running = serving(settings) or starting(settings)
    if running is None or not running.pid:
        tell("not running")
        return
    with suppress(psutil.NoSuchProcess):  # it ended meanwhile
        process = psutil.Process(running.pid)
        process.terminate()
        try:
            process.wait(15)
        except psutil.TimeoutExpired:
            process.kill()
    tell(f"stopped (pid {running.pid})")


def ingest(
    talks: list[str] = typer.Argument(
        metavar="FILE...",
        help="Audio or video files, transcripts (.vtt, .srt, .json3, .json, .xml), collections (.jsonl, "
        ".jsonl.gz), folders of these, or the URL of a YouTube video.",
    ),
    published_at: datetime | None = typer.Option(
        None,
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="Publication date (UTC); overrides the date in the file.",
    ),
    title: str = typer.Option("", help="Title; overrides the title in the file."),
    show: str = typer.Option("", help="Show; overrides the show in the file."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Add talks to the study: files, folders or YouTube videos."""
    from datetime import UTC

    from agents.acquisition.ingest import Given, Ingest
    from agents.instance.clock import utc_now
    from agents.instance.running_instance import open_cluster
    from streams.state.blobs import Blobs

    settings = load_settings()
    cluster = open_cluster(settings, wait=False)  # a starting instance picks up talks added meanwhile
    given = Given(published_at.replace(tzinfo=UTC) if published_at else None, title, show)
    handing = Ingest(Blobs(settings.blobs_url), cluster.send if cluster else None, utc_now(), given)
    handed: list[Handed] = []
    try:
        for each in _hand_in(handing, talks):
            handed.append(each)
            if not as_json:
                _tell_of(each)
    finally:  # talks added before an interruption stay added
        if cluster is not None:
            cluster.close()
        if as_json:
            print_json([_described(each) for each in handed])
        refused = sum(each.refused is not None for each in handed)
        queued = len(handed) - refused
        later = "" if cluster or not queued else "; they are processed when groundswell run starts"
        tell(f"{queued} talk{'s' * (queued != 1)} added, {refused} refused{later}")
    raise typer.Exit(1 if refused or not handed else 0)


def _tell_of(handed: Handed) -> None:
    import sys

    if handed.refused is None:
        say(f"{handed.video_id}\t{handed.title}")
        sys.stdout.flush()  # report each talk at once, also when stdout is a pipe
    else:
        tell(f"refused {handed.name}: {handed.refused.cause}\n  cure: {handed.refused.cure}")


def _hand_in(handing: Ingest, talks: list[str]) -> Iterator[Handed]:
    from agents.acquisition.ingest import Handed
    from streams.errors import DataError
    from streams.intake import text
    from streams.youtube.locators import parse_video

    for talk in talks:
        if "://" in talk:
            try:
                yield handing.link(parse_video(talk), talk)
            except DataError as error:
                yield Handed(text(talk)[:300], refused=error)
        else:
            yield from handing.files([Path(talk)])


def _described(handed: Handed) -> dict[str, str | None]:
    refused = handed.refused
    return {
        "file": handed.name,
        "video_id": handed.video_id,
        "title": handed.title,
        "status": "refused" if refused else "queued",
        "cause": refused.cause if refused else None,
        "cure": refused.cure if refused else None,
    }


def migrate(
    from_folder: Path | None = typer.Option(
        None,
        "--from",
        metavar="FOLDER",
        help="Copy the embedded study in this folder (studies/NAME) to the cluster of the settings first.",
    ),
    from_blobs: str = typer.Option(
        "", "--from-blobs", metavar="URL", help="GROUNDSWELL_BLOBS of that study, if it had one."
    ),
) -> None:
    """Create or update the Kafka topics and tables of the study, or copy an embedded study into them."""
    from agents.instance.running_instance import find, open_cluster
    from agents.recovery.study_copy import source_of
    from streams.store import rollups
    from streams.store.warehouse import Warehouse

    settings = load_settings()
    if from_blobs and from_folder is None:
        raise typer.BadParameter("it goes with --from FOLDER", param_hint="--from-blobs")
    source = None if from_folder is None else source_of(from_folder, from_blobs, settings)
    if not settings.embedded_broker and (cluster := open_cluster(settings)) is not None:
        cluster.close()
        tell(f"the Kafka topics of study {settings.study!r} exist")
    if source is not None:
        _copy(source, settings)
        return
    if settings.embedded_clickhouse and find(settings) is not None:
        tell("nothing to migrate: the running groundswell keeps its embedded database up to date")
        return
    with Warehouse(settings, patience_s=60) as warehouse:
        applied = rollups.migrate(warehouse)
    tell(f"applied migrations {applied}" if applied else "the tables are up to date")


def _copy(source: Settings, settings: Settings) -> None:
    from agents.recovery.study_copy import copy_study

    copied = copy_study(source, settings, tell)
    tell(
        f"study {settings.study!r} has the {copied.rows['videos']:,} talks of {source.study_home}, "
        "which is as it was" + "".join(f"; {name} was copied, too" for name in copied.files)
    )
    tell("start the agents: unfinished talks are sent again, and the topic model continues where it was")


def rebuild(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Start a new topic model that learns every talk again. The results of the old model are kept.

    Use it when the model cannot continue: with other settings, libraries, codebook or embedding model.
    """
    from agents.instance.clock import utc_now
    from agents.instance.running_instance import find, open_cluster
    from agents.topics.rebuild import rebuild as begin
    from streams.errors import Misconfigured
    from streams.logs.codebook_log import CodebookLog
    from streams.state.blobs import Blobs
    from streams.store import rollups
    from streams.store.warehouse import Warehouse

    settings = load_settings()
    if (settings.embedded_broker or settings.embedded_clickhouse) and (running := find(settings)) is not None:
        raise Misconfigured(
            f"study {settings.study!r} is running (pid {running.pid}) with the old model",
            "stop it with groundswell stop, then try again",
        )
    cluster = open_cluster(settings)
    with Warehouse(settings, patience_s=10) as warehouse:
        rollups.migrate(warehouse)
        epoch, talks = begin(
            Blobs(settings.blobs_url), warehouse, utc_now(), cluster.send if cluster else None
        )
    if cluster is not None:
        cluster.close()
    if as_json:
        print_json({"epoch": epoch.number, "begun_at": epoch.begun_at, "talks": talks})
    when = "" if cluster else " when groundswell run starts"
    many = f"{talks} talk{'s' * (talks != 1)}"
    tell(f"epoch {epoch.number} of the topic model: {many} will be learned again{when}")
    if CodebookLog(Blobs(settings.blobs_url)).latest():
        tell("to apply earlier decisions to the new topics, run groundswell codebook carry-over afterwards")


def doctor(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Check broker, ClickHouse, blobs, models, decoders, JavaScript, cookies and GPU; say how to fix each."""
    from agents.runtime.doctor import examine

    findings = list(examine(load_settings()))
    if as_json:
        print_json([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            say(f"{finding.verdict:5} {finding.what:18} {finding.found}")
            if finding.cure:
                say(f"{'':24} cure: {finding.cure}")
    raise typer.Exit(1 if any(finding.verdict == "fail" for finding in findings) else 0)
