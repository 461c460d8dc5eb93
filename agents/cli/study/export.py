"""groundswell export and import: a study as a replication package, and a new study from one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agents.cli.console import load_settings, print_json, tell

if TYPE_CHECKING:
    from streams.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print package.json.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(export)
    app.command("import")(import_)


def export(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            file_okay=False,
            show_default=False,
            help="New folder for the data behind the numbers: tables, data dictionary, checksums.",
        ),
    ] = None,
    bertopic: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Folder for the topic model as safetensors and JSON, for BERTopic.load.",
        ),
    ] = None,
    file_format: Annotated[
        Literal["parquet", "csv"], typer.Option("--format", help="File format of the tables.")
    ] = "parquet",
    with_text: Annotated[
        bool,
        typer.Option(
            "--with-text",
            help="Include the text of the talks. Without it the text is left out, since you may not have the "
            "right to share transcripts.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Export the data behind the study's numbers, the last saved topic model, or both."""
    if folder is None and bertopic is None:
        raise typer.BadParameter("give FOLDER for the data, --bertopic FOLDER for the topic model, or both")
    settings = load_settings()
    if folder is not None:
        _export_data(settings, folder, file_format, with_text=with_text, as_json=as_json)
    if bertopic is not None:
        _export_model(settings, bertopic)


def import_(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder written by groundswell export FOLDER.")
    ],
    as_json: Json = False,
) -> None:
    """Create a study from an exported one; name it with groundswell --study NAME import FOLDER."""
    from agents.queries.replication.package import unpack
    from streams.state.blobs import Blobs
    from streams.store.warehouse import Warehouse

    settings = load_settings()
    _must_not_run(settings, "it would write into the study during the import")
    with Warehouse(settings, patience_s=60) as warehouse:
        warehouse.migrate()
        manifest, counted = unpack(warehouse, Blobs(settings.blobs_url), folder, tell)
    tell(
        f"study {settings.study!r} has the data of study {manifest.study!r} of {manifest.made_at:%Y-%m-%d}: "
        f"{manifest.rows['videos']:,} talks, {counted:,} talks counted, "
        f"codebook revision {manifest.codebook_revision}"
    )
    if counted != (told := manifest.rows["video_topics"]):
        made_by = manifest.software.get("groundswell", "of another version")
        tell(f"warning: groundswell {made_by}, which made it, counted {told:,} talks: numbers will differ")
    if not manifest.with_text:
        tell("the package has no text, so quotes are empty")
    tell("a package has no audio, transcripts or topic model: this study is for reading and curating only")
    if as_json:
        print_json(manifest.model_dump(mode="json"))


def _export_data(
    settings: Settings,
    folder: Path,
    file_format: Literal["parquet", "csv"],
    *,
    with_text: bool,
    as_json: bool,
) -> None:
    from agents.cli.study.report import made_with
    from agents.instance.running_instance import opened
    from agents.queries.replication.package import pack

    if settings.embedded_clickhouse:
        _must_not_run(settings, "it holds the embedded database")
    made = made_with(settings)
    with opened(settings) as warehouse:
        manifest = pack(
            warehouse,
            folder,
            made_at=made.made_at,
            file_format=file_format,
            with_text=with_text,
            software=made.software,
            settings=made.settings,
            say=tell,
        )
    said = "with text" if with_text else "without text (--with-text includes it)"
    tell(f"exported study {settings.study!r} to {folder}, {said}; verify it with sha256sum -c SHA256SUMS")
    if as_json:
        print_json(manifest.model_dump(mode="json"))


def _export_model(settings: Settings, folder: Path) -> None:
    from agents.topics.checkpoints import CHECKPOINTS
    from models.topics import TopicModel, TopicSettings, load
    from models.topics.bertopic_export import save
    from streams.errors import DataError
    from streams.state.blobs import Blobs
    from streams.state.epochs import Epochs

    blobs = Blobs(settings.blobs_url)
    checkpoints = list(blobs.keys(f"{CHECKPOINTS}/{Epochs(blobs).current().number:04}"))
    if not checkpoints:
        raise DataError(
            f"study {settings.study!r} has no topic model yet",
            "add talks with groundswell ingest, and keep groundswell run running",
        )
    model = TopicModel.from_snapshot(load(blobs.get(checkpoints[-1])), TopicSettings())
    save(model, folder)
    tell(f"{len(model.active())} topics: load them with BERTopic.load({str(folder)!r}, embedding_model=...)")
    tell(f"embedding model: {model.embedding_model}")


def _must_not_run(settings: Settings, why: str) -> None:
    from agents.instance.running_instance import find
    from streams.errors import Misconfigured

    if (running := find(settings)) is not None:
        raise Misconfigured(
            f"study {settings.study!r} is running (pid {running.pid}), and {why}",
            f"stop it with groundswell --study {settings.study} stop, then try again",
        )
