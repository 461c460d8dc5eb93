"""Boilerplate that a source says in every video is separated from the content of its talks."""

import os
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadInput
from models.topics.online.boilerplate import Boilerplate, BoilerplateSettings, ScreenedParagraphs

SPONSOR = (
    "This portion of the show is brought to you by our friends, who keep servers running while you sleep. "
    "Head over to their site, sign up with the code in the notes, and tell them that we sent you there."
)
ENDS = (
    "Well {guest}, thank you so much for coming on the show, it has been such fun. Thanks for having me.",
    "Alright {guest}, it has been such fun. Thank you so much for coming on the show. Take care.",
    "{guest}, thank you so much for the time, it has been such fun. Yeah, thanks for having me.",
)
INTRODUCTION = (
    "Hello and welcome to another show, this is episode {number} and my name is {host}. I am joined today by "
    "my good friend {guest}, who knows {subject} better than anybody else that we could have asked to come."
)
SYLLABLES = [consonant + vowel for consonant in "bcdfghklmnprstvz" for vowel in "aeiou"]


def words(seed: int, count: int) -> str:
    """Return `count` made-up words of one to three syllables."""
    draw = random.Random(seed)
    return " ".join("".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(count))


def ready(settings: BoilerplateSettings | None = None) -> Boilerplate:
    return Boilerplate(settings or BoilerplateSettings())


def hear(
    boilerplate: Boilerplate, numbers: Iterable[int], *said: str, source: str = "show"
) -> list[ScreenedParagraphs]:
    """Screen one video per number: three paragraphs of its own, and `said`, which all of them have."""
    return [
        boilerplate.screen(
            source, f"{source}-{n}", [words(3 * n, 90), words(3 * n + 1, 90), *said, words(3 * n + 2, 90)]
        )
        for n in numbers
    ]


def left_out(screened: ScreenedParagraphs) -> list[int]:
    return np.flatnonzero(screened.boilerplate).tolist()


def test_a_sponsor_read_is_left_out_from_its_third_video_on() -> None:
    heard = hear(ready(), range(5), SPONSOR)
    assert [left_out(each) for each in heard] == [[], [], [2], [2], [2]]
    assert heard[4].repeated_share[2] > 0.8
    assert heard[4].repeated_share[[0, 1, 3]].tolist() == [0, 0, 0]


def test_what_is_left_out_has_no_text_and_the_rest_keeps_its_own() -> None:
    last = hear(ready(), range(3), SPONSOR)[-1]
    assert last.texts == (words(6, 90), words(7, 90), "", words(8, 90))


def test_an_introduction_is_found_under_other_names_and_numbers() -> None:
    boilerplate = ready()
    intros = [
        INTRODUCTION.format(number=number, host=host, guest=guest, subject=subject)
        for number, host, guest, subject in [
            (7, "Ann", "Bob Lee", "Kubernetes"),
            (8, "Ann Sue", "Cid", "Rust"),
            (123, "Dan", "Eve van Dyck", "Apache Kafka"),
        ]
    ]
    heard = [hear(boilerplate, [n], intro)[0] for n, intro in enumerate(intros)]
    assert [left_out(each) for each in heard] == [[], [], [2]]


def test_a_repeated_span_is_cut_out_of_a_longer_paragraph() -> None:
    boilerplate = ready()
    hear(boilerplate, range(3), SPONSOR)
    own = words(1000, 120)
    mixed = boilerplate.screen("show", "mixed", [f"{SPONSOR} {own}"])
    assert left_out(mixed) == [] and 0.2 < mixed.repeated_share[0] < 0.35
    assert mixed.texts[0].endswith(own)
    assert len(mixed.texts[0].split()) < len(own.split()) + 12


def test_another_version_of_a_video_is_no_repetition() -> None:
    boilerplate = ready()
    versions = [boilerplate.screen("show", "one", [words(1, 90), SPONSOR]) for _ in range(5)]
    assert [left_out(each) for each in versions] == [[]] * 5
    assert left_out(hear(boilerplate, [2], SPONSOR)[0]) == []
    assert left_out(boilerplate.screen("show", "one", [words(1, 90), SPONSOR])) == []
    assert left_out(hear(boilerplate, [3], SPONSOR)[0]) == [2]


def test_what_many_sources_say_is_not_boilerplate() -> None:
    boilerplate = ready()
    heard = [hear(boilerplate, [0], SPONSOR, source=f"channel {n}")[0] for n in range(6)]
    assert [left_out(each) for each in heard] == [[]] * 6


def test_an_idiom_of_the_language_is_no_boilerplate() -> None:
    boilerplate = ready()
    idiom = "at the end of the day it is what it is"
    for n in range(30):
        talk = f"{words(2 * n, 30)} {idiom} {words(2 * n + 1, 30)}"
        screened = boilerplate.screen("show", f"talk {n}", [talk])
        assert left_out(screened) == [] and screened.texts == (talk,)


def test_a_flood_of_the_same_text_from_one_source_is_left_out() -> None:
    boilerplate = ready()
    flood = [boilerplate.screen("bot", f"video {n}", [SPONSOR]) for n in range(10)]
    assert [left_out(each) for each in flood] == [[], []] + [[0]] * 8


def test_good_byes_are_found_by_what_many_sources_end_with() -> None:
    boilerplate = ready()
    heard = []
    for n in range(12):
        talk = [words(20 * n + part, 90) for part in range(12)]
        guest = ("Ann", "Bo Derek", "Cy")[n % 3]
        heard.append(
            boilerplate.screen(f"channel {n}", f"talk {n}", [*talk, ENDS[n % 3].format(guest=guest)])
        )
    assert left_out(heard[0]) == [] and left_out(heard[3]) == []
    assert [left_out(each) for each in heard[9:]] == [[12]] * 3


def test_common_words_are_no_formula_at_the_ends_of_talks() -> None:
    boilerplate = ready()
    for n in range(20):
        talk = [
            f"{words(10 * n + part, 45)} you know what I mean {words(10 * n + part, 45)}"
            for part in range(12)
        ]
        screened = boilerplate.screen("show", f"talk {n}", talk)
        assert screened.repeated_share.max() == 0


def test_a_text_too_short_to_have_ends_has_no_formulas() -> None:
    boilerplate = ready()
    titles = [boilerplate.screen("forum", f"title {n}", [f"Show us your {words(n, 3)}"]) for n in range(50)]
    assert not any(left_out(each) for each in titles)
    assert len(boilerplate.formulas) == 0


@pytest.mark.parametrize("texts", [[], [""], ["", "word", "😀 😀", "- ... -"], ["\ud800 broken " * 20]])
def test_empty_and_odd_texts_are_screened_like_any_other(texts: list[str]) -> None:
    screened = ready().screen("show", "odd", texts)
    assert screened.texts == tuple(texts)
    assert screened.repeated_share.tolist() == [0.0] * len(texts)


def test_memory_is_bounded_and_recurring_phrases_outlive_others() -> None:
    boilerplate = ready(BoilerplateSettings(entries=1000, formulas=500))
    for n in range(60):
        boilerplate.screen("show", f"talk {n}", [words(n, 1000), *([SPONSOR] if n < 4 else [])])
        assert len(boilerplate.spans) <= 1250 and len(boilerplate.formulas) <= 625
    assert left_out(boilerplate.screen("show", "much later", [words(99, 90), SPONSOR])) == [1]


def test_restored_at_any_point_it_goes_on_the_same() -> None:
    settings = BoilerplateSettings(entries=400, formulas=300)
    straight, interrupted = ready(settings), ready(settings)
    for n in range(12):
        talk = [*(words(20 * n + part, 90) for part in range(11)), SPONSOR, ENDS[n % 3].format(guest="Ann")]
        one = straight.screen("show", f"talk {n}", talk)
        interrupted = Boilerplate.from_arrays(settings, interrupted.to_arrays())
        other = interrupted.screen("show", f"talk {n}", talk)
        assert one.texts == other.texts
        assert one.repeated_share.tobytes() == other.repeated_share.tobytes()
    for name, array in straight.to_arrays().items():
        assert interrupted.to_arrays()[name].tobytes() == array.tobytes(), name
    assert {11, 12} <= set(left_out(one))


def test_the_hash_seed_changes_nothing() -> None:
    program = (
        "import hashlib; from test_boilerplate import *; heard = ready(); hear(heard, range(6), SPONSOR);"
        "print(hashlib.sha256(b''.join(a.tobytes() for a in heard.to_arrays().values())).hexdigest())"
    )
    here = Path(__file__).parent
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(here.parents[2]), str(here)]),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "4711")
    }
    assert len(said) == 1 and len(said.pop().strip()) == 64


def test_settings_that_cannot_work_are_refused_with_the_cure() -> None:
    with pytest.raises(BadInput, match="below 1") as refused:
        BoilerplateSettings(others=0)
    assert "1 or more" in refused.value.cure
