"""groundswell export: the topics, for other programs."""

from __future__ import annotations

from pathlib import Path

import typer

from agents.cli.console import load_settings, tell


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(export)


def export(
    bertopic: Path = typer.Option(
        metavar="FOLDER",
        file_okay=False,
        help="Write the topic model here as a BERTopic: safetensors and JSON, for BERTopic.load.",
    ),
) -> None:
    """Take the topic model out as it was at its last checkpoint."""
    from agents.track import CHECKPOINTS
    from models.topics import TopicModel, TopicSettings, load
    from models.topics.export import save
    from streams.blobs import Blobs
    from streams.epochs import Epochs
    from streams.errors import DataError

    settings = load_settings()
    blobs = Blobs(settings.blobs_url)
    checkpoints = list(blobs.keys(f"{CHECKPOINTS}/{Epochs(blobs).current().number:04}"))
    if not checkpoints:
        raise DataError(
            f"study {settings.study!r} has no topic model yet",
            "hand in talks with groundswell ingest, and let groundswell run learn them",
        )
    model = TopicModel.from_snapshot(load(blobs.get(checkpoints[-1])), TopicSettings())
    save(model, bertopic)
    tell(f"{len(model.active())} topics: BERTopic.load({str(bertopic)!r}, embedding_model=...) reads them")
    tell(f"their vectors are those of {model.embedding_model}")
