"""Sheets (CSV) of paragraphs to code, as people fill them in with a spreadsheet program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agents.queries.csv_cells import cell, unescaped
from models.codebook.codebook import Codebook
from models.errors import BadInput
from streams.store.rows.validation import CodingTask

NONE = "none"
"""What a sheet says of a paragraph that is about no topic."""
COLUMNS = ("paragraph_id", "talk", "published_on", "title", "text", "topics", "note")
"""Columns of a sheet."""


@dataclass(frozen=True, slots=True)
class CodedRow:
    """A row of a sheet that somebody has filled in: the topics as keys, and the note."""

    paragraph_id: str
    topics: tuple[str, ...]
    note: str


def sheet(tasks: Iterable[CodingTask]) -> str:
    """Return a sheet (CSV) of paragraphs to code, with empty columns for the topics and a note."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for task in tasks:
        published = task["published_at"]
        writer.writerow(
            {
                "paragraph_id": task["paragraph_id"],
                "talk": cell(task["video_id"]),
                "published_on": str(published)[:10] if published else "",  # text from a running process
                "title": cell(task["title"]),
                "text": cell(task["text"]),
            }
        )
    return text.getvalue()


def listed(text: str) -> Iterator[tuple[str, str]]:
    """Yield the talk and the id of each paragraph of a sheet; other columns may be missing.

    Raises:
        BadInput: the columns are missing, or a row has only one of both: the error names the line.
    """
    reader = _rows(text, ("talk", "paragraph_id"))
    for row in reader:
        video_id, paragraph_id = ((row[name] or "").strip() for name in ("talk", "paragraph_id"))
        if not video_id or not paragraph_id:
            raise BadInput(
                f"line {reader.line_num} of the sheet names no paragraph of a talk",
                "give the columns talk and paragraph_id as /api/paragraphs has video_id and paragraph_id",
            )
        yield unescaped(video_id), paragraph_id


def filled_in(text: str, codebook: Codebook) -> Iterator[CodedRow]:
    """Yield the rows of a sheet that somebody has filled in; topics by name, key or number, after `;`.

    Rows with an empty column `topics` are not coded yet; `none` stands for no topic.

    Raises:
        BadInput: the columns are missing, or a topic is unknown: the error names the line.
    """
    names: dict[str, str] = {NONE: ""}
    for number, topic in enumerate(codebook.topics, 1):
        names |= {topic.name.lower(): topic.key, topic.key.lower(): topic.key, str(number): topic.key}
    reader = _rows(text, ("paragraph_id", "topics"))
    for row in reader:
        given = [part.strip().lower() for part in (row["topics"] or "").split(";") if part.strip()]
        if not given:
            continue
        if unknown := [part for part in given if part not in names]:
            raise BadInput(
                f"line {reader.line_num} of the sheet has an unknown topic {unknown[0][:60]!r}",
                f"name topics of the codebook {codebook.name}, separated by ;, or {NONE}",
            )
        keys = tuple(names[part] for part in given if names[part])
        if keys and NONE in given:
            raise BadInput(
                f"line {reader.line_num} of the sheet has topics and {NONE!r}", "leave one of both out"
            )
        yield CodedRow((row["paragraph_id"] or "").strip(), keys, (row.get("note") or "").strip())


def _rows(text: str, columns: Iterable[str]) -> csv.DictReader[str]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
        raise BadInput(
            f"the sheet has no column {missing[0]!r}", "fill in one that groundswell validate sheet makes"
        )
    return reader


def definitions(codebook: Codebook, keys: Iterable[str]) -> list[Mapping[str, str]]:
    """Return what coders have to know of each topic: {key, name, theme, definition}."""
    wanted = set(keys)
    return [
        {
            "key": topic.key,
            "name": topic.name,
            "theme": topic.theme,
            "definition": topic.definition or topic.description,
        }
        for topic in codebook.topics
        if topic.key in wanted
    ]
