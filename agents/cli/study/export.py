"""groundswell export and import: what a study holds, for others, and a study made from it."""

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
            help="New folder for everything behind the numbers: tables, data dictionary, checksums.",
        ),
    ] = None,
    bertopic: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Write the topic model here as a BERTopic: safetensors and JSON, for BERTopic.load.",
        ),
    ] = None,
    file_format: Annotated[
        Literal["parquet", "csv"], typer.Option("--format", help="What the tables are written as.")
    ] = "parquet",
    with_text: Annotated[
        bool,
        typer.Option(
            "--with-text",
            help="With what was said. Transcripts may not be yours to pass on: left out otherwise.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Take out everything that the study's numbers rest on, the topic model as it was last saved, or both."""
    if folder is None and bertopic is None:
        raise typer.BadParameter("say where to: FOLDER for the data, --bertopic FOLDER for the topic model")
    settings = load_settings()
    if folder is not None:
        _export_data(settings, folder, file_format, with_text=with_text, as_json=as_json)
    if bertopic is not None:
        _export_model(settings, bertopic)


def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What groundswell export FOLDER wrote.")],
    as_json: Json = False,
) -> None:
    """Make a new study of what another one exported; name it with groundswell --study NAME import FOLDER."""
    from agents.queries.replication_package import unpack
    from streams.state.blobs import Blobs
    from streams.store.warehouse import Warehouse

    settings = load_settings()
    _must_not_run(settings, "would write into the study meanwhile")
    with Warehouse(settings, patience_s=60) as warehouse:
        warehouse.migrate()
        manifest, counted = unpack(warehouse, Blobs(settings.blobs_url), folder, tell)
    tell(
        f"study {settings.study!r} holds what study {manifest.study!r} held on {manifest.made_at:%Y-%m-%d}: "
        f"{manifest.rows['videos']:,} videos, {counted:,} talks counted, "
        f"codebook revision {manifest.codebook_revision}"
    )
    if counted != (told := manifest.rows["video_topics"]):
        made_by = manifest.software.get("groundswell", "of another version")
        tell(f"warning: groundswell {made_by}, which made it, counted {told:,} talks: numbers will differ")
    if not manifest.with_text:
        tell("the package has no text: quotes say nothing")
    tell(
        "audio, transcripts and the topic model are not in a package: this study is for reading and curating"
    )
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
    from agents.queries.replication_package import pack

    if settings.embedded_clickhouse:
        _must_not_run(settings, "holds the embedded database")
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
    said = "with what was said" if with_text else "without what was said (--with-text adds it)"
    tell(f"study {settings.study!r} is in {folder}, {said}; sha256sum -c SHA256SUMS checks it")
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
            "hand in talks with groundswell ingest, and let groundswell run learn them",
        )
    model = TopicModel.from_snapshot(load(blobs.get(checkpoints[-1])), TopicSettings())
    save(model, folder)
    tell(f"{len(model.active())} topics: BERTopic.load({str(folder)!r}, embedding_model=...) reads them")
    tell(f"their vectors are those of {model.embedding_model}")


def _must_not_run(settings: Settings, why: str) -> None:
    from agents.instance.running_instance import find
    from streams.errors import Misconfigured

    if (running := find(settings)) is not None:
        raise Misconfigured(
            f"study {settings.study!r} is running (pid {running.pid}), and {why}",
            f"stop it with groundswell --study {settings.study} stop, then do this again",
        )
