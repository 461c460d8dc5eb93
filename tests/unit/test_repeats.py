"""What was said before is found again, whole or in parts; what a show always says is not."""

import random

import pytest

from models.repeats import BOILERPLATE, Repeats


def said(seed: int, words: int = 6_000) -> list[str]:
    """A talk of drawn words, in paragraphs of a hundred."""
    drawn = random.Random(seed)
    return [
        " ".join(
            f"w{drawn.choice('bcdfgh')}{drawn.choice('aeiou')}{drawn.choice('lmnrst')}" for _ in range(100)
        )
        for _ in range(words // 100)
    ]


def test_a_copy_with_another_opening_is_found_and_another_talk_is_not() -> None:
    known = Repeats()
    for seed in range(5):
        known.add(f"talk-{seed}", said(seed))
    (found,) = known.find([*said(77, 300), *said(3)])
    assert found.video_id == "talk-3"
    assert found.of_known == 1
    assert 0.85 < found.of_new < 1
    assert "of what is said is 100% of what was said there" in found.why
    assert known.find(said(50)) == []


def test_a_compilation_names_the_talks_it_has_and_an_excerpt_the_talk_it_is_of() -> None:
    known = Repeats()
    for seed in range(4):
        known.add(f"talk-{seed}", said(seed, 3_000))
    found = known.find([*said(1, 3_000), *said(2, 3_000)])
    assert [each.video_id for each in found] == ["talk-1", "talk-2"]
    assert all(each.of_known == 1 and 0.3 < each.of_new < 0.7 for each in found)
    whole = Repeats()
    whole.add("whole", said(9, 12_000))
    (excerpt,) = whole.find(said(9, 12_000)[40:80])
    assert excerpt.of_new == pytest.approx(1, abs=0.01)
    assert excerpt.of_known < 0.5


def test_what_a_show_always_says_makes_no_repeat() -> None:
    known, always = Repeats(), said(1000, 3_000)
    for seed in range(BOILERPLATE + 2):
        known.add(f"talk-{seed}", [*always, *said(seed, 3_000)])
    assert known.find([*always, *said(500, 3_000)]) == []


def test_names_and_numbers_that_were_heard_otherwise_do_not_matter_and_short_talks_are_let_be() -> None:
    known = Repeats()
    known.add("a", [f"and {paragraph} said Ann Lee in 2023" for paragraph in said(1)])
    assert known.find([f"and {paragraph} said Bo Roe in 2024" for paragraph in said(1)])
    for nothing in ([], [""], ["Hello and welcome."], ["🎉" * 10_000]):
        assert known.find(nothing) == []
        known.add(f"nothing-{nothing}", nothing)


def test_answers_are_the_same_before_and_after_what_is_known_was_sorted() -> None:
    known = Repeats()
    known.add("first", said(1))
    before = known.find(said(1))
    for seed in range(100, 300):
        known.add(f"{seed}", said(seed, 200))
    assert known.find(said(1)) == before
