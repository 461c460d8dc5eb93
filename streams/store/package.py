"""The tables that a study's numbers rest on, what each column means, and how they go to files and come back.

ClickHouse itself writes and reads the files. A table is written as FINAL and in the order of its key, so
the same rows are the same file.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streams.errors import DataError
from streams.store.warehouse import Warehouse

Format = Literal["parquet", "csv"]
TABLES = {
    "videos": "Every video that a source showed, with its metadata.",
    "screenings": "Whether each video was accepted, and why not.",
    "sightings": "Which source or search showed which video, when first and how high.",
    "transcripts": "What is known of each transcript; its words are in `paragraphs`.",
    "paragraphs": "The pieces of a transcript that topics are given to.",
    "assignments": "Which topic each paragraph has, by each model.",
    "learned": "Which transcript of each talk a model learned last: its paragraphs count.",
    "video_topics": "What is counted: one row for each talk and model. An import makes it anew.",
    "topics": "Every topic as it began.",
    "topic_words": "The words that set each topic apart, as they stand.",
    "codebook_entries": "What each decision made of a topic; the newest revision of a topic holds.",
    "themes": "What each decision made of a theme; the newest revision of a theme holds.",
    "decisions": "Every decision about the codebook, with who took it, when and why.",
    "judgements": "What each reviewer thinks of a topic. It changes no number.",
    "corrections": "What a person corrected about a talk; the latest of a kind holds.",
    "merges": "Topics that were merged into another, for which they count since.",
    "dormancies": "When topics fell asleep and woke up.",
    "consolidations": "When the model was consolidated, and whether the result was taken.",
    "drifts": "Topics whose share, words or centre changed.",
    "health": "Changes of what tells whether the model still fits the talks.",
    "emergences": "Subjects that were new, with the evidence.",
    "alerts": "What people were told of, with the evidence.",
    "labels": "What a labeller calls topics.",
    "epochs": "The models of the study, one after the other.",
    "progress": "How far each video got: the corpus table counts it.",
}
"""Table: what a row is."""
LEFT_OUT = {
    "dead_letters": "events that failed, with their payload: no number rests on them",
    "settlements": "what became of dead letters",
    "schema_versions": "package.json has the migrations",
    "warm_up": "holds nothing",
}
"""Tables that are not exported, and why."""
MEANINGS = {
    "video_id": "the video",
    "title": "title of the video",
    "description": "what its publisher says about it",
    "channel": "name of the channel that published it",
    "channel_id": "the channel's id at its platform",
    "show": "series or podcast that it belongs to",
    "url": "where to watch it",
    "published_at": "moment of publication (UTC)",
    "published_on": "day of publication (UTC)",
    "duration_s": "length (seconds)",
    "language": "language spoken (ISO 639-1)",
    "speakers": "who speaks",
    "completeness": "how much of the metadata was known",
    "verdict": "what was decided",
    "rule": "the rule that applied",
    "reason": "why, in words",
    "stands": "the verdict with the highest number holds",
    "source_id": "the source that was looked at",
    "query": "what was searched for; empty for a channel",
    "kind": "kind of source",
    "rank": "best place in what the source showed",
    "first_seen_at": "when the source showed it first (UTC)",
    "transcript_version": "which models and settings made the transcript",
    "blob_key": "where the study keeps the transcript; the file is not part of a package",
    "words": "its words, strongest first",
    "position": "place in the transcript, from 0",
    "paragraph_id": "the paragraph",
    "start_s": "where it starts in the talk (seconds)",
    "end_s": "where it ends in the talk (seconds)",
    "text": "what is said; empty in a package without text",
    "tokens": "length in tokens of the embedding model",
    "model_version": "the topic model",
    "video_index": "number of the video in the order of learning",
    "month": "month of publication",
    "topic_id": "the topic",
    "probability": "how well the topic fits the paragraph, from 0 to 1",
    "boilerplate": "whether the paragraph is boilerplate",
    "sequence": "steps that the model had made",
    "source": "what the talk comes from: its channel, else its show, else itself",
    "withdrawn": "whether the talk was taken out",
    "topics.id": "topics of the talk",
    "topics.paragraphs": "number of its paragraphs with the topic",
    "topics.seconds": "length of these paragraphs (seconds)",
    "topics.probability": "of the most probable of these paragraphs",
    "topics.position": "place of the most probable of these paragraphs",
    "origin": "how the topic began",
    "codebook_key": "key in the codebook that seeded it; empty: born",
    "born_sequence": "steps that the model had made when it began",
    "emerged_at": "publication of the talk that made it appear (UTC)",
    "video_ids": "videos that it rests on",
    "parent": "the topic that it came out of",
    "label": "name of the topic",
    "weights": "weight of each word (c-TF-IDF)",
    "revision": "number of the decision about the codebook",
    "name": "name that a person gave the topic",
    "theme": "the theme",
    "retained": "1: the topic is counted, 0: it is excluded",
    "target": "the topic that it counts for",
    "removed": "1: there is no such theme from this revision on",
    "action": "what kind of decision",
    "said": "the decision in words",
    "topic_ids": "topics concerned",
    "theme_names": "themes concerned",
    "undoes": "the decision taken back",
    "author": "who said so",
    "note": "what they added",
    "decided_at": "when (UTC)",
    "reviewer": "who judges",
    "judged_at": "when (UTC)",
    "correction_id": "the correction",
    "what": "what kind of change",
    "corrected_at": "when (UTC)",
    "day": "publication day of the newest talk learned at that moment",
    "asleep": "1: it fell asleep, 0: it woke up",
    "accepted": "1: the consolidated model was taken, 0: the model stayed as it was",
    "survival": "how much stayed the same",
    "topics_before": "topics before",
    "topics_after": "topics after",
    "share_before": "share of the topic before, from 0 to 1",
    "share_after": "share of the topic after, from 0 to 1",
    "moved": "how far it moved",
    "words_before": "words of before",
    "words_after": "words of after",
    "since": "publication day from which on it is different",
    "videos_before": "videos compared, before",
    "videos_after": "videos compared, after",
    "drifted_at": "publication of the talk with which it was seen (UTC)",
    "before": "value before, from 0 to 1",
    "after": "value after, from 0 to 1",
    "emergence_id": "the emergence",
    "subject": "the subject in words",
    "terms": "words of the subject",
    "sources": "sources that speak of it",
    "recent": "recent videos with the subject",
    "recent_of": "recent videos",
    "earlier": "earlier videos with the subject",
    "earlier_of": "earlier videos",
    "log10_p": "how surprising it is",
    "first_on": "publication day of the first video with the subject",
    "latest_on": "publication day of the latest video with the subject",
    "quotes": "paragraphs that say it; their text is empty in a package without text",
    "alert_id": "the alert",
    "raised_at": "when it was raised (UTC)",
    "by": "the labeller",
    "epoch": "number of the model in the order of the study's models, from 0",
    "embedding_model": "what turns paragraphs into vectors",
    "codebook": "the codebook that seeded the model",
    "state": "how far it got",
    # Where a column means something of its own:
    "transcripts.words": "number of words",
    "transcripts.speakers": "number of speakers",
    "paragraphs.speakers": "who speaks in it",
    "emergences.channel": "which detector saw it",
    "alerts.channel": "which detector saw it",
    "themes.description": "what belongs into the theme",
    "alerts.title": "the alert in a line",
    "progress.rank": "number of the state; the highest holds",
    "corrections.published_at": "moment of publication as corrected (UTC)",
    "topics.video_ids": "founding videos of a topic that was born",
    "merges.label": "name of the merged topic",
}
"""Column, or `table.column` where it means something of its own: its meaning."""
_EMPTIED = {"paragraphs": "text", "emergences": "quotes", "alerts": "quotes"}
"""Columns with what was said."""
_CLICKHOUSE: dict[Format, str] = {"parquet": "Parquet", "csv": "CSVWithNames"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table. key: rows are one each of these."""

    table: str
    name: str
    type: str
    key: bool
    meaning: str


def meaning(table: str, column: str) -> str:
    """Return what a column means; empty where nobody said it."""
    return MEANINGS.get(f"{table}.{column}") or MEANINGS.get(column, "")


def columns(warehouse: Warehouse) -> dict[str, list[Column]]:
    """Return the columns of every exported table, as they are in the database, with what its schema adds."""
    rows = warehouse.rows(
        """
        SELECT table, name, type, comment, is_in_sorting_key AS key FROM system.columns
        WHERE database = {db:String} ORDER BY table, position
        """,
        db=warehouse.database,
    )
    found: dict[str, list[Column]] = {table: [] for table in TABLES}
    for row in rows:
        if row["table"] in found:
            said = "; ".join(filter(None, (meaning(row["table"], row["name"]), row["comment"])))
            column = Column(row["table"], row["name"], row["type"], bool(row["key"]), said)
            found[row["table"]].append(column)
    return found


def rows_in(warehouse: Warehouse, table: str) -> int:
    """Count a table's rows, each once."""
    return int(warehouse.rows(f"SELECT count() AS rows FROM {table} FINAL")[0]["rows"])


def export_table(
    warehouse: Warehouse, of: list[Column], path: Path, format_: Format, *, with_text: bool
) -> None:
    """Write a table (its columns `of`) into a file; without text, what was said is empty."""
    table, emptied = of[0].table, ""
    if not with_text and (name := _EMPTIED.get(table)):
        kind = next(column.type for column in of if column.name == name)
        emptied = f"REPLACE ({_silent(name, kind)} AS {name})"
    key = ", ".join(column.name for column in of if column.key)
    statement = f"SELECT * {emptied} FROM {table} FINAL ORDER BY {key}"

    def embedded(client: Any) -> None:
        path.unlink(missing_ok=True)
        client.command(f"{statement} INTO OUTFILE {_quoted(path)} FORMAT {_CLICKHOUSE[format_]}")

    def served(client: Any) -> None:
        # A server that sends before it has the whole answer cannot say any more that the query failed.
        whole = {"wait_end_of_query": 1}
        with (
            client.raw_stream(statement, fmt=_CLICKHOUSE[format_], settings=whole) as stream,
            path.open("wb") as file,
        ):
            shutil.copyfileobj(stream, file, 1 << 20)

    warehouse.raw(embedded if warehouse.settings.embedded_clickhouse else served)


def import_table(warehouse: Warehouse, of: list[Column], path: Path, format_: Format) -> None:
    """Insert a file's rows; doing it twice changes nothing."""

    def insert(client: Any) -> None:
        with path.open("rb") as file:
            client.raw_insert(of[0].table, [column.name for column in of], file, fmt=_CLICKHOUSE[format_])

    warehouse.raw(insert)


Query = Callable[..., list[dict[str, Any]]]


@contextmanager
def reading(warehouse: Warehouse) -> Iterator[Query]:
    """Give a way to query files of this machine, which a server does not see."""
    if warehouse.settings.embedded_clickhouse:
        yield warehouse.rows
        return
    import clickhouse_connect

    client = clickhouse_connect.get_client(interface="chdb")
    try:
        yield lambda statement, **given: list(client.query(statement, parameters=given).named_results())
    finally:
        client.close()


def check_file(query: Query, of: list[Column], path: Path, format_: Format) -> None:
    """Check that a file has a table's columns, of its types.

    Raises:
        DataError: it lacks one, has another one, or one is of another type.
    """
    from clickhouse_connect.driver.exceptions import DatabaseError

    expected = {column.name: _in_files(column.type) for column in of}
    names = f"DESCRIBE TABLE file({{path:String}}, '{_CLICKHOUSE[format_]}')"
    try:
        found = {row["name"]: _in_files(row["type"]) for row in query(names, path=str(path.absolute()))}
    except DatabaseError as error:
        raise _unfit(path, f"it is no {_CLICKHOUSE[format_]} file ({_last_line(error)})") from error
    table = of[0].table
    for name in expected:
        if name not in found:
            raise _unfit(path, f"column {name} of table {table} is missing")
    for name in found:
        if name not in expected:
            raise _unfit(path, f"table {table} has no column {name}")
    if format_ == "parquet":
        for name, kind in expected.items():
            if found[name] != kind:
                raise _unfit(path, f"column {name} of table {table} is {found[name]}, not {kind}")
        return
    structure = ", ".join(f"`{column.name}` {_in_files(column.type, csv=True)}" for column in of)
    try:
        query(
            "SELECT sum(ignore(*)) AS read FROM file({path:String}, 'CSVWithNames', {structure:String})",
            path=str(path.absolute()),
            structure=structure,
        )
    except DatabaseError as error:
        wrong = re.findall(r"name: (\S+),\s+type: (.+?),\s+parsed text", str(error).split("ERROR")[0])
        if wrong:
            raise _unfit(path, f"column {wrong[-1][0]} of table {table} is not {wrong[-1][1]}") from error
        raise _unfit(path, f"table {table} cannot be read ({_last_line(error)})") from error


def _silent(name: str, kind: str) -> str:
    """Return SQL of a column without what was said: an empty text, or quotes whose text is empty."""
    if kind == "String":
        return "''"
    return f"CAST(arrayMap(q -> tuple(q.1, q.2, q.3, q.4, q.5, ''), {name}), '{kind}')"


def _in_files(kind: str, *, csv: bool = False) -> str:
    """Return a type as files have it: they know neither how a column is stored nor two kinds of days."""
    bare = re.sub(r"\s+", " ", kind).replace("( ", "(")
    bare = re.sub(r"(?:LowCardinality|SimpleAggregateFunction)\((?:min, )?(.*)\)$", r"\1", bare)
    return bare if csv else re.sub(r"\bDate\b", "Date32", bare)


def _quoted(path: Path) -> str:
    return "'" + str(path.absolute()).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if "Exception" in line]
    return (lines or [str(error)])[-1].partition("Exception: ")[2][:200] or "unreadable"


def _unfit(path: Path, cause: str) -> DataError:
    return DataError(
        f"{path.name}: {cause}", "use the groundswell that made the package; nothing was changed"
    )
