"""The review queue and its verdicts on the real engine: ranked, blind, and nothing is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from event_factories import NOON, seen, video

from agents.storage.store import Store
from streams import events as e
from streams.logs.reviews import Reviews
from streams.state.blobs import Blobs
from streams.store import missing, writer
from streams.store.operations.review_queue import review_queue, reviews
from streams.store.warehouse import Warehouse

HOSTILE = "'; DROP TABLE reviews; -- \u202e\\ <script>alert(1)</script>" + "x" * 10_000


def relevance(score: float) -> e.Relevance:
    return e.Relevance(
        score=score, talk_kind="tutorial", reasons=("for: 'quotes' \\", "against: that"), model="m"
    )


def parked(video_id: str, score: float | None, minutes: int = 0, **about: Any) -> e.VideoParked:
    return e.VideoParked(
        video=video(video_id, **about),
        state="in review",
        reason="nothing passes unreviewed",
        parked_at=NOON + timedelta(minutes=minutes),
        relevance=None if score is None else relevance(score),
    )


def said(who: str, video_id: str, verdict: Any, minutes: int = 0, *, final: bool = False) -> e.VideoReviewed:
    return e.VideoReviewed(
        video_id=video_id,
        reviewer=who,
        verdict=verdict,
        talk_kind="tutorial",
        note=HOSTILE,
        final=final,
        reviewed_at=NOON + timedelta(minutes=minutes),
    )


def write(warehouse: Warehouse, *events: e.Event) -> None:
    writer.write(warehouse, (row for event in events for row in writer.rows_of(event)))


def waiting(warehouse: Warehouse, **part: int) -> list[tuple[str, float | None]]:
    return [(row["video_id"], row["score"]) for row in review_queue(warehouse, **part)["rows"]]


def test_who_waits_is_ranked_and_leaves_with_a_verdict(either: Warehouse) -> None:
    assert review_queue(either) == {"videos": 0, "rows": []}
    for name in "abcde":
        write(either, seen(video(name)))
    write(
        either,
        parked("a", 0.2),
        parked("b", None, description=HOSTILE),
        parked("c", 0.9),
        parked("d", 0.2, minutes=-5),
        parked("e", 0.5),
        e.VideoAccepted(video=video("e"), relevance=relevance(0.6)),
    )
    assert waiting(either) == [("c", 0.9), ("d", 0.2), ("a", 0.2), ("b", None)]
    assert waiting(either, limit=2, offset=1) == [("d", 0.2), ("a", 0.2)]
    assert review_queue(either, limit=1)["videos"] == 4
    (first, *_, last) = review_queue(either)["rows"]
    assert first["reasons"] == ["for: 'quotes' \\", "against: that"]
    assert (last["description"], last["reasons"], last["talk_kind"]) == (HOSTILE, [], "")
    write(either, parked("a", 0.95))
    assert waiting(either)[0] == ("a", 0.95), "ranked anew"
    write(either, e.VideoRejected(video=video("a"), rule="not relevant", reason="anna: tutorial"))
    assert [name for name, _ in waiting(either)] == ["c", "d", "b"]


def test_reviews_stay_secret_until_enough_have_judged(either: Warehouse) -> None:
    write(either, seen(video("a")), parked("a", 0.5), said("anna", "a", "keep"))
    assert reviews(either) == []
    (row,) = review_queue(either)["rows"]
    assert row["reviewers"] == 1
    assert not {"anna", "keep"} & {str(value) for value in row.values()}
    write(either, said("ben", "a", "exclude", 1))
    assert [(row["reviewer"], row["verdict"], row["final"]) for row in reviews(either)] == [
        ("anna", "keep", False),
        ("ben", "exclude", False),
    ]
    assert reviews(either)[0]["note"] == HOSTILE
    write(either, said("ben", "a", "undone", 2))
    assert reviews(either) == [], "it is open again"
    write(either, said("clara", "a", "keep", 3, final=True))
    assert [(row["reviewer"], row["final"]) for row in reviews(either)] == [("anna", False), ("clara", True)]


def test_a_review_may_be_repeated_and_the_latest_holds(either: Warehouse) -> None:
    first, second = said("anna", "a", "keep"), said("anna", "a", "exclude", 1)
    final = said("anna", "a", "keep", 2, final=True)
    write(either, second, final, first, second, first)
    assert [(row["verdict"], row["final"]) for row in reviews(either)] == [("exclude", False), ("keep", True)]


def test_the_store_writes_what_was_kept_and_never_arrived(study: Warehouse, tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    log = Reviews(blobs)
    assert missing.reviews(log, study) == []
    old, new, other = said("anna", "a", "keep"), said("anna", "a", "exclude", 1), said("ben", "a", "keep")
    for each in (old, new, other):
        log.append(each)
    write(study, old)
    assert missing.reviews(log, study) == [other, new]
    asyncio.run(Store(study, blobs).start())
    assert missing.reviews(log, study) == []
    assert [(row["reviewer"], row["verdict"]) for row in reviews(study)] == [
        ("ben", "keep"),
        ("anna", "exclude"),
    ]
