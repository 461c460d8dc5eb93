"""Tests of the list of all videos after corrections."""

from datetime import UTC, datetime

import studies

from streams.store.queries import corpus
from streams.store.queries.selection import Selection
from streams.store.talks.listing import listing
from streams.store.warehouse import Warehouse
from streams.store.writer import rows_of, write

e = studies.e


def test_a_withdrawn_and_a_redated_talk_are_listed_as_corrected(new_study: Warehouse) -> None:
    new_study.migrate()
    studies.small(new_study)
    about = {"author": "Ann", "reason": "so", "corrected_at": studies.TODAY}
    write(new_study, rows_of(e.VideoCorrected(video_id="a", what="withdrawn", **about)))
    moved = datetime(2024, 5, 1, tzinfo=UTC)
    write(new_study, rows_of(e.VideoCorrected(video_id="b", what="redated", published_at=moved, **about)))
    rows = {row["video_id"]: row for row in listing(new_study)["rows"]}
    assert [name for name, row in rows.items() if row["withdrawn"]] == ["a"]
    assert rows["b"]["published_on"] == moved.date()
    assert [row["video_id"] for row in listing(new_study, state="withdrawn")["rows"]] == ["a"]
    assert [row["video_id"] for row in listing(new_study, Selection("2024-05", "2024-05"))["rows"]] == ["b"]
    assert corpus.corpus(new_study)["found"] == listing(new_study)["videos"] == 6
