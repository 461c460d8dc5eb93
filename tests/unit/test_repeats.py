"""Repeated talks are found, whole or in parts; phrases that a show always says are no repeats."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dedup.content_overlap import BOILERPLATE, FEWEST, PART, SHARED, Overlap, Repeats
from models.topics import Snapshot, dump, load


def said(seed: int, words: int = 6_000) -> list[str]:
    """Return a talk of randomly drawn words, in paragraphs of a hundred."""
    drawn = random.Random(seed)
    return [
        " ".join(
            f"w{drawn.choice('bcdfgh')}{drawn.choice('aeiou')}{drawn.choice('lmnrst')}" for _ in range(100)
        )
        for _ in range(words // 100)
    ]


def names(overlap: Overlap) -> list[str]:
    return [talk.video_id for talk in overlap.talks]


def knowing(talks: int, words: int = 6_000, most: int = 1_000) -> Repeats:
    """Return a memory of talk-0, talk-1, …"""
    known = Repeats(most)
    for seed in range(talks):
        known.add(f"talk-{seed}", said(seed, words))
    return known


def test_a_copy_with_another_opening_is_found() -> None:
    known = knowing(5)
    found = known.find("new", [*said(77, 300), *said(3)])
    (copied,) = found.talks
    assert copied.video_id == "talk-3"
    assert copied.of_known == 1
    assert 0.85 < copied.of_new == found.share < 1
    assert found.again
    assert copied.alike
    assert found.why == f"it repeats what talk-3 said: {found.share:.0%} of it"
    other = known.find("other", said(50))
    assert (other.talks, other.share, other.again) == ((), 0.0, False)


def test_a_best_of_is_found_though_no_talk_is_half_of_it() -> None:
    known = knowing(6)
    clips = [paragraph for seed in range(6) for paragraph in said(seed)[20:30]]
    found = known.find("best of", [*clips, *said(99, 1_500)])
    assert sorted(names(found)) == [f"talk-{seed}" for seed in range(6)]
    assert all(clip.of_new < SHARED > clip.of_known for clip in found.talks)
    assert not any(clip.alike for clip in found.talks)
    assert found.again
    assert found.share == pytest.approx(0.8, abs=0.1)
    assert "and 3 more said" in found.why
    assert found.why.endswith(f"{found.share:.0%} of it together")


def test_what_two_talks_said_alike_is_counted_once() -> None:
    known = Repeats()
    known.add("first", said(1))
    known.add("copy that was kept", said(1))
    found = known.find("new", [*said(1, 2_000), *said(2, 4_000)])
    assert names(found) == ["copy that was kept", "first"]
    assert found.share == found.talks[0].of_new == found.talks[1].of_new
    assert not found.again


def test_an_excerpt_repeats_a_talk_and_a_longer_talk_does_not() -> None:
    whole, excerpt = said(9, 12_000), said(9, 12_000)[40:80]
    known = Repeats()
    known.add("whole", whole)
    found = known.find("excerpt", excerpt)
    assert found.again
    assert found.share == pytest.approx(1, abs=0.01)
    assert found.talks[0].of_known < SHARED
    known = Repeats()
    known.add("excerpt", excerpt)
    found = known.find("whole", whole)
    assert not found.again
    assert names(found) == ["excerpt"]
    assert found.talks[0].of_known == 1
    assert found.talks[0].alike


def test_what_a_show_always_says_makes_no_repeat() -> None:
    known, always = Repeats(), said(1000, 3_000)
    for seed in range(BOILERPLATE + 2):
        known.add(f"talk-{seed}", [*always, *said(seed, 3_000)])
    found = known.find("new", [*always, *said(500, 3_000)])
    assert (found.talks, found.share) == ((), 0.0)
    copied = known.find("copy", [*always, *said(3, 3_000)])
    assert names(copied) == ["talk-3"]
    assert copied.share == copied.talks[0].of_known == 1, "what all say is of neither"


def test_a_sponsor_read_twice_by_a_new_show_is_no_repeat() -> None:
    """Too few talks are known yet to tell what the show always says: a read of two minutes, four times."""
    sponsor = said(1000, 300)
    known = Repeats()
    for seed in range(3):
        known.add(f"talk-{seed}", [*sponsor, *said(seed, 3_000), *sponsor])
        assert not known.find("new", [*sponsor, *said(500, 3_000), *sponsor]).again


def test_misheard_names_do_not_matter_and_short_talks_are_exempt() -> None:
    known = Repeats()
    known.add("a", [f"and {paragraph} said Ann Lee in 2023" for paragraph in said(1)])
    assert known.find("b", [f"and {paragraph} said Bo Roe in 2024" for paragraph in said(1)]).again
    for nothing in ([], [""], ["Hello and welcome."], ["🎉" * 10_000]):
        assert known.find("nothing", nothing) == Overlap(0, 0.0, ())
        known.add(f"nothing-{nothing}", nothing)
    known.add("short", said(7, 300))
    short = known.find("short again", said(7, 300))
    assert short.share in {0.0, 1.0}
    assert short.runs < FEWEST
    assert not short.again


def test_a_clip_is_named_from_a_minute_or_two_on() -> None:
    known = knowing(1, 12_000)
    runs = [
        (talk.runs if (talk := next(iter(found.talks), None)) else 0)
        for paragraphs in range(1, 12)
        for found in [known.find("new", [*said(99), *said(0, 12_000)[: paragraphs * 2]])]
    ]
    assert min(filter(None, runs)) >= PART
    assert all(fewer <= more for fewer, more in pairwise(runs))


def test_another_transcript_of_a_talk_replaces_the_first() -> None:
    known = knowing(3)
    assert names(known.find("talk-1", said(1))) == []
    known.add("talk-1", said(100))
    assert len(known) == 3
    assert names(known.find("copy of the first", said(1))) == []
    assert names(known.find("copy of the second", said(100))) == ["talk-1"]


def test_what_is_forgotten_is_not_found_and_oldest_goes_first() -> None:
    known = knowing(3)
    known.forget("talk-1")
    known.forget("nobody")
    assert ("talk-0" in known, "talk-1" in known, len(known)) == (True, False, 2)
    assert not known.find("copy", said(1)).talks
    few = knowing(5, most=3)
    assert len(few) == 3
    assert [bool(few.find("copy", said(seed)).talks) for seed in range(5)] == [False] * 2 + [True] * 3
    few.add("talk-2", said(2))  # heard again, and so the newest
    few.add("talk-5", said(5))
    assert [f"talk-{seed}" in few for seed in range(6)] == [False, False, True, False, True, True]


def test_answers_are_the_same_before_and_after_sorting() -> None:
    known = Repeats()
    known.add("first", said(1))
    before = known.find("copy", said(1))
    for seed in range(100, 300):
        known.add(f"{seed}", said(seed, 200))
    assert known.find("copy", said(1)) == before


TALKS = {seed: said(seed, 700) for seed in range(12)}
STEPS = st.lists(st.tuples(st.sampled_from(["add", "forget"]), st.integers(0, 11), st.integers(0, 11)))


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, most=st.integers(1, 12), saved_at=st.integers(0, 20))
def test_a_restart_anywhere_changes_no_answer_and_no_byte(
    steps: list[tuple[str, int, int]], most: int, saved_at: int
) -> None:
    def saved(repeats: Repeats) -> bytes:
        return dump(Snapshot(repeats.to_snapshot(), {"format": 2}))

    whole, restarted = Repeats(most), Repeats(most)
    for number, (what, talk, text) in enumerate(steps):
        if number == saved_at:
            restarted = Repeats.from_snapshot(load(saved(restarted)).arrays, most)
        for each in (whole, restarted):
            if what == "add":
                each.add(f"t{talk}", TALKS[text])
            else:
                each.forget(f"t{talk}")
    assert saved(whole) == saved(restarted)
    assert len(whole) <= most
    for text in TALKS.values():
        assert whole.find("new", text) == restarted.find("new", text)


def test_an_empty_snapshot_and_one_from_before_know_nothing() -> None:
    for arrays in ({}, Repeats().to_snapshot(), {"centroids": np.zeros((2, 3), np.float32)}):
        known = Repeats.from_snapshot(arrays)
        assert len(known) == 0
        known.add("a", said(1))
        assert known.find("b", said(1)).again


def test_the_highest_and_the_lowest_run_are_found_as_any_other() -> None:
    arrays = {
        "repeats_names": np.frombuffer(b'["ends"]', np.uint8),
        "repeats_sizes": np.array([2], np.int32),
        "repeats_runs": np.array([0, 2**32 - 1], np.uint32),
    }
    known = Repeats.from_snapshot(arrays)
    found, owners = known._known(arrays["repeats_runs"], -1)
    assert found.tolist() == [0, 2**32 - 1]
    assert owners.tolist() == [0, 0]
