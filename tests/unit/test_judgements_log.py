"""Judgements are kept for good; nobody's is passed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.errors import DataError
from streams.events import TopicJudged
from streams.logs.judgements import Judgements
from streams.state.blobs import Blobs

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def judged(reviewer: str, verdict: Any, minutes: int) -> TopicJudged:
    return TopicJudged(
        model_version="model-1",
        topic_id=7,
        reviewer=reviewer,
        verdict=verdict,
        note="ü; it's noise",
        judged_at=NOON + timedelta(minutes=minutes),
    )


def test_what_is_kept_is_there_for_the_next_process_oldest_first(tmp_path: Path) -> None:
    log = Judgements(Blobs(str(tmp_path)))
    assert not log.any()
    kept = [judged("bob", "exclude", 2), judged("ann", "include", 1), judged("ann", "exclude", 0)]
    for event in [*kept, kept[0]]:
        log.append(event)
    assert Judgements(Blobs(str(tmp_path))).events() == kept[::-1]
    assert log.any()


def test_a_damaged_judgement_is_said_and_not_passed_over(tmp_path: Path) -> None:
    log = Judgements(Blobs(str(tmp_path)))
    log.append(judged("ann", "include", 1))
    file = next((tmp_path / Judgements.folder).iterdir())
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError, match="not JSON"):
        log.events()
