"""What placing topics would change, as a view says it, and what it then changes on the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from event_factories import NEWBORN, topic, write
from test_curated import AGENTS, EVALUATION, RAG, TALKS, curator, merging

from agents.queries.codebook.placed_themes import placed_themes
from models.codebook.placement import Placement, place
from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import prevalence
from streams.store.warehouse import Warehouse

OTHER = 5


def counted(warehouse: Warehouse) -> dict[str, tuple[int, float]]:
    return {row["theme"]: (row["videos"], row["share"]) for row in prevalence.themes(warehouse)}


def foreseen(rows: list[Any]) -> dict[str, tuple[int, float]]:
    return {row["theme"]: (row["videos_after"], row["share_after"]) for row in rows if row["videos_after"]}


@pytest.mark.parametrize(
    "placements",
    [
        [Placement(NEWBORN, "Evaluation")],
        [Placement(NEWBORN, into=AGENTS)],
        [Placement(AGENTS, "Evaluation"), Placement(NEWBORN, into=AGENTS), Placement(OTHER, "Architecture")],
        [Placement(RAG, into=EVALUATION), Placement(NEWBORN, into=RAG)],
    ],
    ids=lambda placed: " ".join(map(str, placed)),
)
def test_what_is_foreseen_is_what_is_counted_then(
    study: Warehouse, tmp_path: Path, placements: list[Placement]
) -> None:
    write(study, [*TALKS, topic(OTHER)])
    ann, before = curator(study, Blobs(str(tmp_path / "blobs"))), counted(study)
    rows = placed_themes(study, "\n".join(map(str, placements)))
    assert {row["theme"]: (row["videos"], row["share"]) for row in rows if row["videos"]} == before
    event = ann.decide(lambda standing: place(standing, placements))
    assert foreseen(rows) == counted(study)
    ann.undo(event.revision)
    assert counted(study) == before


def test_a_merged_topic_moves_with_what_it_counts_for(study: Warehouse, tmp_path: Path) -> None:
    write(study, TALKS)
    curator(study, Blobs(str(tmp_path / "blobs"))).decide(merging(RAG, NEWBORN))
    assert foreseen(placed_themes(study, f"{NEWBORN}=theme:Costs"))["Costs"] == (3, 0.75)
    assert UNSORTED not in foreseen(placed_themes(study, f"{RAG}=theme:Costs"))


@pytest.mark.parametrize(
    ("written", "cause"),
    [("21", "places no topic"), ("21=into:x", "places no topic"), ("99=theme:x", "topic 99")],
)
def test_what_places_nothing_is_refused(study: Warehouse, written: str, cause: str) -> None:
    write(study, TALKS)
    with pytest.raises(DataError, match=cause):
        placed_themes(study, written)
