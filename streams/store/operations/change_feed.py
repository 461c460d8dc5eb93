"""Queries of changes for open pages, cheap enough to run every few seconds."""

from __future__ import annotations

from typing import NamedTuple

from streams.store.codebook.effective import shown_model
from streams.store.codebook.sql_fragments import OF_MODEL
from streams.store.rows.alerts import AlertTitle
from streams.store.rows.operations import LearnedTalk, NewDecision
from streams.store.warehouse import Warehouse


class ChangeCursor(NamedTuple):
    """Position of a study; two equal positions show the same on every page.

    Example:
        >>> ChangeCursor.read(str(ChangeCursor("m-1", 7, 5, 2, 0, 1))) == ChangeCursor("m-1", 7, 5, 2, 0, 1)
        True
        >>> ChangeCursor.read("anything else") is None
        True
    """

    model: str
    """The version of the model whose topics are shown; empty before the first."""
    sequence: int
    """The last step that this model has learned; 0: none."""
    talks: int
    """Talks that count, withdrawn ones included."""
    alerts: int
    revision: int
    """The newest revision of the codebook."""
    corrections: int

    def __str__(self) -> str:
        return "/".join(str(part) for part in (*self[1:], self.model))

    @classmethod
    def read(cls, text: str) -> ChangeCursor | None:
        """Return the cursor that `str` made this text of, or None for any other text."""
        *numbers, model = text.split("/", 5)
        if len(numbers) != 5 or not all(part.isascii() and part.isdigit() for part in numbers):
            return None
        sequence, talks, alerts, revision, corrections = (int(part) for part in numbers)
        return cls(model, sequence, talks, alerts, revision, corrections)


_COUNTED = f"SELECT video_id FROM video_topics WHERE {OF_MODEL}"
"""Talks whose numbers are there: only these are announced. SQL."""
_RAISED = "SELECT alert_id, title, raised_at FROM alerts FINAL WHERE model_version IN ('', {model:String})"


def change_cursor(warehouse: Warehouse) -> ChangeCursor:
    """Return the position of the study."""
    model = shown_model(warehouse)
    found = warehouse.rows(
        f"""
        SELECT (SELECT max(sequence) FROM learned
                WHERE {OF_MODEL} AND video_id IN ({_COUNTED})) AS sequence,
               (SELECT uniqExact(video_id) FROM ({_COUNTED})) AS talks,
               (SELECT count() FROM ({_RAISED})) AS alerts,
               (SELECT max(revision) FROM decisions) AS revision,
               (SELECT uniqExact(correction_id) FROM corrections) AS corrections
        """,
        model=model,
    )[0]
    return ChangeCursor(
        model,
        found["sequence"] or 0,
        found["talks"],
        found["alerts"],
        found["revision"] or 0,
        found["corrections"],
    )


def learned_since(warehouse: Warehouse, sequence: int, limit: int = 3) -> list[LearnedTalk]:
    """Return talks that the shown model learned after a step, the last ones first."""
    return warehouse.rows_as(
        LearnedTalk,
        f"""
        SELECT l.video_id AS video_id, v.title AS title, count() OVER () AS talks
        FROM (
            SELECT video_id, sequence FROM learned FINAL
            WHERE {OF_MODEL} AND sequence > {{sequence:UInt64}} AND video_id IN ({_COUNTED})
        ) AS l
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = l.video_id
        ORDER BY l.sequence DESC, video_id LIMIT {{limit:UInt32}}
        """,
        model=shown_model(warehouse),
        sequence=sequence,
        limit=limit,
    )


def raised(warehouse: Warehouse) -> list[AlertTitle]:
    """Return all alerts of the shown model and of the system, the newest last."""
    return [
        {"alert_id": row["alert_id"], "title": row["title"]}
        for row in warehouse.rows(f"{_RAISED} ORDER BY raised_at, alert_id", model=shown_model(warehouse))
    ]


def decided_since(warehouse: Warehouse, revision: int) -> list[NewDecision]:
    """Return decisions about the codebook after a revision, the last one first."""
    return warehouse.rows_as(
        NewDecision,
        """
        SELECT revision, said, author FROM decisions FINAL
        WHERE revision > {revision:UInt64} ORDER BY revision DESC LIMIT 20
        """,
        revision=revision,
    )
