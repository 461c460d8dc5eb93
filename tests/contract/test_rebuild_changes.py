"""A rebuild says what it changed: the numbers of both models, theme by theme and topic by topic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from event_factories import MODEL, NEWBORN, assigned, newborn, seen, topic, video, write

from agents.curation.rebuild_changes import rebuild_changes
from streams import events as e
from streams.settings import Settings
from streams.store.warehouse import Warehouse

AGAIN = f"{MODEL}-e1"
TOPICS = (topic(1, "Architecture"), topic(2, "Evaluation"))
FIRST: list[e.Event] = [
    e.EpochBegun(model_version=MODEL, sequence=0, epoch=0, embedding_model="m", codebook="c"),
    *(each.model_copy(update={"codebook_key": f"key-{each.topic_id}"}) for each in TOPICS),
    newborn(0),
    *(seen(video(name)) for name in "abcd"),
    assigned(0, video("a"), 1),
    assigned(1, video("b"), 1, 2),
    assigned(2, video("c"), 1),
    assigned(3, video("d"), NEWBORN),
]
SECOND: list[e.Event] = [
    e.EpochBegun(model_version=AGAIN, sequence=0, epoch=1, embedding_model="m", codebook="c"),
    *(each.model_copy(update={"codebook_key": f"key-{each.topic_id}"}) for each in TOPICS),
    assigned(0, video("a"), 1),
    assigned(1, video("b"), 2),
    assigned(2, video("c"), 2),
]


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=tmp_path, study="rebuilt")) as warehouse:
        warehouse.migrate()
        write(warehouse, FIRST)
        yield warehouse


def test_a_first_model_has_changed_nothing(study: Warehouse) -> None:
    assert rebuild_changes(study) is None


def test_a_rebuild_shows_both_models_numbers(study: Warehouse) -> None:
    write(study, [each.model_copy(update={"model_version": AGAIN}) for each in SECOND])
    found = rebuild_changes(study)
    assert found is not None
    assert (found.before, found.after) == (MODEL, AGAIN)
    assert (found.of_videos, found.of_videos_after) == (4, 3)
    assert (found.born, found.born_after) == (1, 0)
    themes = {each.name: (each.videos, each.videos_after) for each in found.themes if each.name_after}
    assert themes == {"Architecture": (3, 1), "Evaluation": (1, 2)}
    shares = [abs(each.share_after - each.share) for each in found.themes]
    assert shares == sorted(shares, reverse=True), "the largest change comes first"
    assert [(each.videos, each.videos_after) for each in found.topics] == [(3, 1), (1, 2)]
