"""The effective codebook: which topics count, for which topic, under which name and in which theme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.errors import DataError
from streams.store.cache import cached
from streams.store.codebook.entries import NEWEST, entries
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.warehouse import Warehouse

TABLES = ("codebook_entries", "labels", "topic_words", "merges", "epochs")
"""Tables that the codebook is read from."""


@dataclass(frozen=True, slots=True)
class EffectiveEntry:
    """The effective entry of one topic; `counts_as` is itself unless it was merged."""

    topic_id: int
    name: str
    theme: str
    retained: bool
    counts_as: int
    reason: str
    revision: int


@dataclass(frozen=True, slots=True)
class EffectiveCodebook:
    """A revision of the codebook, by topic, and the model whose topics they are."""

    model_version: str
    entries: Mapping[int, EffectiveEntry]

    def __hash__(self) -> int:
        return hash((self.model_version, len(self.entries)))

    @property
    def retained(self) -> tuple[EffectiveEntry, ...]:
        """Return the topics that count under their own id, by id."""
        return tuple(
            entry
            for topic_id, entry in sorted(self.entries.items())
            if entry.retained and entry.counts_as == topic_id
        )

    @property
    def counted(self) -> dict[int, EffectiveEntry]:
        """Return every topic that counts, with the entry of the topic that it counts for."""
        found = {topic_id: self.entries.get(entry.counts_as) for topic_id, entry in self.entries.items()}
        return {topic_id: entry for topic_id, entry in found.items() if entry is not None and entry.retained}

    def counts_as(self, topic_id: int) -> int:
        """Return the topic that one counts for; an unknown topic counts for itself."""
        return self.entries[topic_id].counts_as if topic_id in self.entries else topic_id

    def name_of(self, topic_id: int) -> str:
        """Return the name of a topic; empty for an unknown one."""
        return self.entries[topic_id].name if topic_id in self.entries else ""

    def family(self, topic_id: int) -> list[int]:
        """Return the topic that one counts for and all topics that count for it."""
        target = self.counts_as(topic_id)
        return sorted(
            {target} | {known for known, entry in self.entries.items() if entry.counts_as == target}
        )


def book(warehouse: Warehouse, revision: int | None = None) -> EffectiveCodebook:
    """Return the codebook as of a revision; None: the newest.

    Raises:
        DataError: there is no such revision.
    """
    if revision is not None:
        _must_exist(warehouse, revision)
    return cached(warehouse, ("book", revision), TABLES, lambda: build_codebook(warehouse, revision))


def build_codebook(warehouse: Warehouse, revision: int | None) -> EffectiveCodebook:
    """Build the codebook as of a revision from the tables as they are now."""
    model = shown_model(warehouse)
    rows = entries(warehouse, model, NEWEST if revision is None else revision)
    merged = _merges(warehouse, model)
    decided = {row["topic_id"]: row["target"] for row in rows if row["target"]}
    return EffectiveCodebook(
        model,
        {
            row["topic_id"]: EffectiveEntry(
                topic_id=row["topic_id"],
                name=row["decided"] or row["own"],
                theme=row["theme"] or UNSORTED,
                retained=bool(row["retained"]),
                counts_as=_follow(row["topic_id"], (merged, decided)),
                reason=row["reason"],
                revision=row["revision"],
            )
            for row in rows
        },
    )


def shown_model(warehouse: Warehouse) -> str:
    """Return the version of the model whose topics are shown; empty before the first.

    It is that of the newest epoch; of two in one epoch, the one that learned more.
    """
    return cached(warehouse, "shown model", ("topic_words", "epochs"), lambda: _newest_model(warehouse))


def _newest_model(warehouse: Warehouse) -> str:
    rows = warehouse.rows(
        """
        SELECT argMax(model_version, (epoch, sequence)) AS model
        FROM (
            SELECT model_version, max(epoch) AS epoch, max(sequence) AS sequence
            FROM (
                SELECT model_version, 0 AS epoch, sequence FROM topic_words
                UNION ALL SELECT model_version, epoch, 0 AS sequence FROM epochs
            )
            GROUP BY model_version
        )
        """
    )
    version: str = rows[0]["model"]
    return version


def merged_topics(warehouse: Warehouse, model: str) -> dict[int, int]:
    """Return the topics that a model has merged, each with the topic that it ended up in."""
    return cached(warehouse, ("merged topics", model), ("merges",), lambda: _ends(_merges(warehouse, model)))


def _merges(warehouse: Warehouse, model: str) -> dict[int, int]:
    rows = warehouse.rows(
        "SELECT topic_id, target FROM merges FINAL WHERE model_version = {model:String}", model=model
    )
    return {row["topic_id"]: row["target"] for row in rows}


def _ends(merges: Mapping[int, int]) -> dict[int, int]:
    return {topic_id: _follow(topic_id, (merges,)) for topic_id in merges}


def _must_exist(warehouse: Warehouse, revision: int) -> None:
    newest = warehouse.rows("SELECT max(revision) AS newest FROM decisions")[0]["newest"]
    if revision > newest:
        raise DataError(
            f"there is no revision {revision} of the codebook, the newest is {newest}",
            "see groundswell codebook history",
        )


def _follow(topic_id: int, merges: Iterable[Mapping[int, int]]) -> int:
    """Follow the model's merges and then a person's, until neither has one.

    The model may later merge two topics that a person has merged the other way. Such a cycle ends at the
    lowest id in it.
    """
    been = [topic_id]
    while True:
        after = next((each[been[-1]] for each in merges if been[-1] in each), None)
        if after is None:
            return been[-1]
        if after in been:
            return min(been[been.index(after) :])
        been.append(after)
