"""Events that tests write to a study while its pages are open."""

from datetime import UTC, datetime

import studies

from streams.store.warehouse import Warehouse
from streams.store.writer import rows_of, write

e = studies.e


def say_it(warehouse: Warehouse, index: int, title: str) -> None:
    of = studies.video(f"new{index}", "2025-04-01", title=title)
    write(warehouse, studies.talk(index, of, [(1, "RAG again"), (3, "and how we test it")]))


def alert(warehouse: Warehouse, title: str) -> None:
    write(
        warehouse,
        rows_of(
            e.AlertRaised(
                rule="new topic",
                model_version=studies.MODEL,
                topic_id=2,
                title=title,
                reason="three talks",
                raised_at=datetime(2025, 4, 1, tzinfo=UTC),
                video_ids=("a",),
            )
        ),
    )
