"""The change feed of open pages, cheap enough to ask every few seconds."""

from __future__ import annotations

from typing import NamedTuple

from streams.store.codebook.sql_fragments import MODEL
from streams.store.warehouse import Row, Warehouse


class ChangeCursor(NamedTuple):
    """The position of a study; two of them that are equal show the same on every page.

    Example:
        >>> ChangeCursor.read(str(ChangeCursor("m-1", 7, 5, 2, 0, 1))) == ChangeCursor("m-1", 7, 5, 2, 0, 1)
        True
        >>> ChangeCursor.read("anything else") is None
        True
    """

    model: str
    """The version of the model whose topics are shown; empty before the first."""
    sequence: int
    """How far that model has learned; 0: nothing."""
    talks: int
    """Talks that count, or would if nobody had withdrawn them."""
    alerts: int
    revision: int
    """Of the codebook."""
    corrections: int

    def __str__(self) -> str:
        return "/".join(str(part) for part in (*self[1:], self.model))

    @classmethod
    def read(cls, text: str) -> ChangeCursor | None:
        """Return what `str` made a text of, or None."""
        *numbers, model = text.split("/", 5)
        if len(numbers) != 5 or not all(part.isascii() and part.isdigit() for part in numbers):
            return None
        sequence, talks, alerts, revision, corrections = (int(part) for part in numbers)
        return cls(model, sequence, talks, alerts, revision, corrections)


_COUNTED = f"SELECT video_id FROM video_topics WHERE model_version = {MODEL}"
"""A talk is told of when its numbers are there."""
_RAISED = f"SELECT alert_id, title, raised_at FROM alerts FINAL WHERE model_version IN ('', {MODEL})"


def change_cursor(warehouse: Warehouse) -> ChangeCursor:
    """How far the study is."""
    found = warehouse.rows(
        f"""
        SELECT {MODEL} AS model,
               (SELECT max(sequence) FROM learned
                WHERE model_version = {MODEL} AND video_id IN ({_COUNTED})) AS sequence,
               (SELECT uniqExact(video_id) FROM ({_COUNTED})) AS talks,
               (SELECT count() FROM ({_RAISED})) AS alerts,
               (SELECT max(revision) FROM decisions) AS revision,
               (SELECT uniqExact(correction_id) FROM corrections) AS corrections
        """
    )[0]
    return ChangeCursor(
        found["model"] or "",
        found["sequence"] or 0,
        found["talks"],
        found["alerts"],
        found["revision"] or 0,
        found["corrections"],
    )


def learned_since(warehouse: Warehouse, sequence: int, limit: int = 3) -> list[Row]:
    """Talks that the shown model learned after a step, the last ones first.

    Returns:
        Rows {video_id, title, talks}; talks: how many there are without the limit.
    """
    return warehouse.rows(
        f"""
        SELECT l.video_id AS video_id, v.title AS title, count() OVER () AS talks
        FROM (
            SELECT video_id, sequence FROM learned FINAL
            WHERE model_version = {MODEL} AND sequence > {{sequence:UInt64}} AND video_id IN ({_COUNTED})
        ) AS l
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = l.video_id
        ORDER BY l.sequence DESC, video_id LIMIT {{limit:UInt32}}
        """,
        sequence=sequence,
        limit=limit,
    )


def raised(warehouse: Warehouse) -> list[Row]:
    """All alerts of the shown model and of the system: {alert_id, title}, the newest last."""
    return [
        {"alert_id": row["alert_id"], "title": row["title"]}
        for row in warehouse.rows(f"{_RAISED} ORDER BY raised_at, alert_id")
    ]


def decided_since(warehouse: Warehouse, revision: int) -> list[Row]:
    """Decisions about the codebook after a revision: {revision, said, author}, the last one first."""
    return warehouse.rows(
        """
        SELECT revision, said, author FROM decisions FINAL
        WHERE revision > {revision:UInt64} ORDER BY revision DESC LIMIT 20
        """,
        revision=revision,
    )
