"""groundswell reconcile: finds what log or database have lost, and sends or writes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, say, tell

if TYPE_CHECKING:
    from agents.recovery.reconciliation import Findings
    from streams.kafka.admin import Cluster
    from streams.settings import Settings
    from streams.store.warehouse import Warehouse


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(reconcile)


def reconcile(
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what is missing."),
    from_log: bool = typer.Option(
        False,
        "--from-log",
        help="Let the store read Kafka's whole log and write every fact again. Stop the store first.",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Send again what the log has lost, and write again what the database has lost. Safe at any time."""
    settings = load_settings()
    if from_log:
        _from_log(settings, dry_run=dry_run, as_json=as_json)
        return
    told = _reconcile(settings, dry_run=dry_run)
    if as_json:
        print_json(told)
        return
    from agents.recovery.report import sentences

    for sentence in sentences(told):
        say(sentence)


def _reconcile(settings: Settings, *, dry_run: bool) -> dict[str, Any]:
    import time

    from agents.instance.clock import utc_now
    from agents.instance.running_instance import find, open_cluster, opened
    from agents.recovery.path_lag import path_lag
    from agents.recovery.reconciliation import Reconciliation
    from agents.recovery.report import Requests, report
    from streams.state.blobs import Blobs

    blobs = Blobs(settings.blobs_url)
    if settings.embedded_clickhouse and find(settings) is not None:
        return Requests(blobs).ask(dry_run=dry_run, pause=time.sleep)
    cluster = open_cluster(settings)
    try:
        with opened(settings) as warehouse:
            lag = (lambda: path_lag(settings, cluster.bootstrap)) if cluster else None
            reconciliation = Reconciliation(blobs, warehouse, lag, utc_now)
            found = reconciliation.judge(reconciliation.look())
            sent = 0 if dry_run else _mend(found, warehouse, cluster)
    finally:
        if cluster is not None:
            cluster.close()
    return report(found, dry_run=dry_run, sent=sent)


def _mend(found: Findings, warehouse: Warehouse, cluster: Cluster | None) -> int:
    """Send what is missing, and return the number of events.

    Without a broker, the topic model's outputs are written; talks are sent at the next start anyway.
    """
    if cluster is None:
        from agents.instance.event_publisher import writing

        writing(warehouse)(found.step_events)
        if found.sightings:
            tell("the talks are sent again when groundswell run starts")
        return len(found.step_events)
    for event in found.events:
        cluster.send(event)
    return len(found.events)


def _from_log(settings: Settings, *, dry_run: bool, as_json: bool) -> None:
    from agents.instance.running_instance import open_cluster
    from agents.recovery.path_lag import STORE, STORED
    from streams.errors import Misconfigured
    from streams.kafka.admin import group_of

    cluster = None if settings.embedded_broker else open_cluster(settings)
    if cluster is None:
        raise Misconfigured(
            "the embedded broker keeps no log",
            "use groundswell reconcile without --from-log, which finds the facts in the blob store",
        )
    with cluster:
        group = group_of(settings, STORE)
        lags = cluster.lag(group, STORED)
        messages = sum(lag.end - lag.start for lag in lags)
        if not dry_run:
            cluster.rewind(group, STORED)
    if as_json:
        print_json({"dry_run": dry_run, "messages": messages})
        return
    when = "would read" if dry_run else "reads"
    say(f"the store {when} {messages} messages again when it starts; rows that exist stay as they are")
