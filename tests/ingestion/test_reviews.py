"""Tests of reviews: reviewers judge blind to each other, every review is stored, and one decision holds."""

import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.relevance.consensus import pairs, ruled
from streams.errors import DataError
from streams.events import VideoReviewed
from streams.logs.reviews import Reviews
from streams.state.blobs import Blobs

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def said(
    reviewer: str,
    verdict: Any = "keep",
    kind: Any = "experience report",
    *,
    minute: int = 0,
    final: bool = False,
    video: str = "a",
) -> VideoReviewed:
    return VideoReviewed(
        video_id=video,
        reviewer=reviewer,
        verdict=verdict,
        talk_kind=kind,
        note="ü; \u202eit's noise",
        final=final,
        reviewed_at=NOON + timedelta(minutes=minute),
    )


def test_one_reviewer_of_two_decides_nothing() -> None:
    assert ruled([], 2).state == "open"
    assert ruled([said("anna"), said("anna", "exclude", minute=1)], 2).state == "open"
    assert ruled([said("anna")], 1).verdict == "keep"


def test_two_who_agree_decide() -> None:
    found = ruled([said("anna", "exclude", "tutorial"), said("ben", "exclude", "lecture", minute=1)], 2)
    assert (found.state, found.verdict, found.talk_kind) == ("decided", "exclude", "tutorial")
    assert [each.reviewer for each in found.deciding] == ["anna", "ben"]
    three = [said(name, "exclude", kind) for name, kind in (("a", "lecture"), ("b", "other"), ("c", "other"))]
    assert ruled(three, 3).talk_kind == "other", "what most of them say"


def test_disagreeing_reviewers_wait_for_an_adjudication() -> None:
    both = [said("anna"), said("ben", "exclude", "tutorial")]
    assert ruled(both, 2).state == "disputed"
    assert ruled(both[:1], 2).state == "open", "nobody learns of it before"
    for who in ("anna", "clara"):
        found = ruled([*both, said(who, "exclude", "opinion", minute=5, final=True)], 2)
        assert (found.state, found.verdict, found.talk_kind) == ("decided", "exclude", "opinion")
        assert [each.reviewer for each in found.said] == ["anna", "ben"], "what they said blind stays"


def test_of_two_adjudications_the_later_one_holds() -> None:
    one, other = (
        said(who, verdict, minute=at, final=True)
        for who, verdict, at in (("c", "keep", 3), ("d", "exclude", 2))
    )
    assert ruled([one, other], 2).verdict == "keep"
    assert ruled([one, other, said("c", "undone", minute=4, final=True)], 2).verdict == "exclude"


def test_what_is_taken_back_is_as_if_never_said() -> None:
    both = [said("anna", minute=0), said("ben", minute=1)]
    assert ruled([*both, said("ben", "undone", minute=2)], 2).state == "open"
    assert (
        ruled([*both, said("ben", "undone", minute=2), said("ben", "exclude", minute=3)], 2).state
        == "disputed"
    )


@given(
    st.permutations(
        [
            said(name, verdict, minute=at)
            for at, (name, verdict) in enumerate(
                [
                    ("anna", "keep"),
                    ("ben", "exclude"),
                    ("ben", "undone"),
                    ("ben", "keep"),
                    ("clara", "exclude"),
                ]
            )
        ]
    )
)
def test_what_holds_does_not_depend_on_the_order_of_arrival(events: list[VideoReviewed]) -> None:
    found = ruled(events, 2)
    assert [(each.reviewer, each.verdict) for each in found.said] == [
        ("anna", "keep"), ("ben", "keep"), ("clara", "exclude")
    ]  # fmt: skip
    assert found.state == "disputed", "who raced in late and says something else is heard"


def test_kappa_when_all_labels_are_one_class_is_explained() -> None:
    (pair,) = pairs({name: [said("anna", video=name), said("ben", video=name)] for name in "abc"})
    assert (pair.verdicts.both, pair.verdicts.observed, pair.verdicts.kappa) == (3, 1.0, None)
    assert "always say keep" in pair.verdicts.undefined
    assert pair.kinds.undefined == "there is nothing that both judged"
    assert pair.differ == ()


def test_agreement_names_the_cases_that_differ() -> None:
    said_of = {
        "a": [said("anna"), said("ben", "exclude", "tutorial")],
        "b": [said("anna", "exclude", "lecture"), said("ben", "exclude", "tutorial")],
        "c": [said("anna", "exclude", "other"), said("ben", "exclude", "other")],
        "d": [said("anna"), said("ben", kind="tutorial")],
        "e": [said("anna")],
    }
    (pair,) = pairs(said_of)
    assert (pair.one, pair.other, pair.differ) == ("anna", "ben", ("a", "b"))
    assert (pair.verdicts.both, pair.verdicts.observed) == (4, 0.75)
    assert pair.verdicts.kappa == pytest.approx(0.5)
    assert (pair.kinds.both, pair.kinds.observed) == (2, 0.5)
    assert pairs({}) == pairs({"a": [said("anna")]}) == []


def test_what_is_kept_is_there_for_the_next_process_oldest_first(tmp_path: Path) -> None:
    log = Reviews(Blobs(str(tmp_path)))
    assert not log.any()
    events = [said("ben", minute=2), said("anna", minute=1), said("anna", minute=0, video="b/../b")]
    for event in [*events, events[0]]:
        log.append(event)
    other = Reviews(Blobs(str(tmp_path)))
    assert other.events() == log.events() == events[::-1]
    assert other.of("a") == [events[1], events[0]]
    assert (other.of("nothing"), other.any()) == ([], True)
    assert other.by_video() == {"b/../b": [events[2]], "a": [events[1], events[0]]}


def test_many_reviewers_at_once_lose_nothing(tmp_path: Path) -> None:
    names = [f"reviewer {number}" for number in range(8)]
    start = threading.Barrier(len(names))

    def review(name: str) -> None:
        log = Reviews(Blobs(str(tmp_path)))
        start.wait()
        for minute in range(5):
            log.append(said(name, random.Random(name).choice(["keep", "exclude"]), minute=minute))

    threads = [threading.Thread(target=review, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Reviews(Blobs(str(tmp_path))).of("a")
    assert len(found) == 40
    assert {each.reviewer for each in ruled(found, 2).said} == set(names)


def test_a_damaged_review_is_said_and_not_passed_over(tmp_path: Path) -> None:
    Reviews(Blobs(str(tmp_path))).append(said("anna"))
    file = next((tmp_path / Reviews.folder).rglob("*.json"))
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError, match="not JSON"):
        Reviews(Blobs(str(tmp_path))).events()
