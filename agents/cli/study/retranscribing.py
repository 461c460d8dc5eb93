"""groundswell videos retranscribe: transcribes talks again with the configured speech models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from agents.cli.console import load_settings, print_json, say, tell
from agents.cli.curation.correcting import misused
from agents.cli.study.reading import JSON

if TYPE_CHECKING:
    from agents.transcription.retranscribe import Again


def retranscribe(
    video_ids: list[str] = typer.Argument(None, metavar="ID...", help="Ids as shown by `videos list`."),
    everything: bool = typer.Option(False, "--all", help="Every talk that has a recording."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only show what would be done."),
    as_json: bool = JSON,
) -> None:
    """Transcribe talks again, for instance with a better model. The new transcript replaces the old one.

    Talks already transcribed by the configured models are skipped. `groundswell status` shows progress.
    """
    from agents.instance.running_instance import open_cluster
    from agents.runtime.wiring import SharedResources
    from agents.transcription.retranscribe import Retranscriber
    from agents.transcription.transcribe import maker
    from streams.errors import Unavailable
    from streams.talks.transcripts import version_of

    if bool(video_ids) == everything:
        raise typer.BadParameter("give ids of talks (see groundswell videos list), or --all")
    settings = load_settings()
    parts = SharedResources(settings)
    made_by = maker(parts.speech, parts.glossary)
    finding = Retranscriber(parts.blobs, lambda audio: version_of(made_by, audio))
    with misused("ID"):
        found = list(finding.all()) if everything else finding.of(video_ids)
    wanted = [each for each in found if each.event is not None]
    if wanted and not dry_run:
        cluster = open_cluster(settings)
        if cluster is None:
            raise Unavailable(
                f"study {settings.study!r} is not running, so nothing would be transcribed",
                "start it with groundswell run, then try again",
            )
        with cluster:
            for each in wanted:
                assert each.event is not None
                cluster.send(each.event)
    if as_json:
        print_json([_described(each) for each in found])
        return
    for each in found:
        say(f"{each.video_id}\t{each.title or '-'}\t{each.said}")
    would = "would be sent" if dry_run else "sent"
    tell(f"{len(wanted)} of {len(found)} talk{'s' * (len(found) != 1)} {would} to be transcribed again")


def _described(again: Again) -> dict[str, str | bool]:
    return {
        "video_id": again.video_id,
        "title": again.title,
        "transcribed_again": again.event is not None,
        "said": again.said,
    }
