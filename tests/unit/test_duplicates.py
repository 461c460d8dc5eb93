"""A second upload of a talk is found, and two talks that only look alike stay two."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.dedup.metadata_duplicates import Duplicates, Match, Upload
from models.dedup.titles import title_of
from models.errors import BadInput

DAY = date(2024, 5, 1)
LESSONS = "Lessons from running retrieval in production"


def upload(video_id: str, title: str, **more: Any) -> Upload:
    known: dict[str, Any] = {"channel": "LLM Conf", "published_on": DAY, "duration_s": 1802.0}
    return Upload(video_id, title, **known | more)


def compared(first: Upload, second: Upload) -> Match | None:
    known = Duplicates()
    known.add(first)
    return known.find(second)


def direction(*numbers: float) -> np.ndarray[Any, Any]:
    vector = np.array([*numbers, *([0.0] * (4 - len(numbers)))], np.float32)
    return vector / np.linalg.norm(vector)


def test_a_cross_post_to_another_channel_is_found_with_reasons() -> None:
    match = compared(
        upload("a", f"{LESSONS} - Jane Doe | LLM Conf 2024", speakers=("Jane Doe",)),
        upload(
            "b", f"Jane Doe: {LESSONS}", channel="Acme", published_on=date(2024, 6, 10), duration_s=1804.0
        ),
    )
    assert match is not None
    assert match.video_id == "a"
    assert match.probability > 0.9
    assert "titles are alike" in match.why[0]
    assert any("equally long (0:30:04, 0:30:02)" in why for why in match.why)


@pytest.mark.parametrize(
    "again", [f"{LESSONS} (re-upload)", f"{LESSONS} [HD]", f"{LESSONS.upper()} 2024-05-01 18:30"]
)
def test_a_re_upload_is_found(again: str) -> None:
    assert compared(upload("a", LESSONS), upload("b", again, duration_s=1796.0)) is not None


def test_a_retitled_re_upload_is_found_by_its_other_metadata() -> None:
    first = upload("a", LESSONS, speakers=("Jane Doe",), embedding=direction(1.0, 0.1))
    again = upload("b", "Why search kept failing us", channel="Acme", speakers=("Jane Doe",))
    assert compared(first, again) is None, "the same speaker, as long: it may be another talk of hers"
    again = upload(
        "b",
        "Why search kept failing us",
        channel="Acme",
        speakers=("Jane Doe",),
        embedding=direction(1.0, 0.2),
    )
    match = compared(first, again)
    assert match is not None
    assert "title and description say the same" in match.why[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{LESSONS}, part 1", f"{LESSONS}, part 2"),
        (f"{LESSONS} (Part I)", f"{LESSONS} (Part II)"),
        (f"{LESSONS} (1/3)", f"{LESSONS} (2/3)"),
        (f"{LESSONS}", f"{LESSONS}, part two"),
        (f"{LESSONS}: Part", f"{LESSONS}: Part"),
        ("Keynote day 1: the state of language models", "Keynote day 2: the state of language models"),
        ("The Model Show #12: agents in the wild", "The Model Show #13: agents in the wild"),
        ("The Model Show, Episode 12", "The Model Show, Episode 13"),
        ("Lecture 3: attention is a lookup", "Lecture 4: attention is a lookup"),
        ("The state of language models 2023", "The state of language models 2024"),
        ("Serving chat assistants with GPT-3 at Acme", "Serving chat assistants with GPT-4 at Acme"),
    ],
)
def test_the_next_part_day_episode_or_year_is_another_talk(first: str, second: str) -> None:
    same = {"speakers": ("Jane Doe",), "embedding": direction(1.0)}
    assert compared(upload("a", first, **same), upload("b", second, **same)) is None


def test_the_same_title_by_other_speakers_is_another_talk() -> None:
    title = "Evaluating large language models in production"
    one, other = (
        upload("a", title, speakers=("Jane Doe",)),
        upload("b", title, speakers=("Max Roe",), channel="x"),
    )
    assert compared(one, other) is None
    one, other = upload("a", f"Jane Doe - {title}"), upload("b", f"Max Roe - {title}", channel="x")
    assert compared(one, other) is None


def test_a_talk_given_again_elsewhere_is_another_talk() -> None:
    same = {"speakers": ("Jane Doe",), "embedding": direction(1.0)}
    again = upload("b", LESSONS, channel="PyX", duration_s=1712.0, published_on=DAY + timedelta(21), **same)
    assert compared(upload("a", LESSONS, **same), again) is None


def test_a_best_of_and_an_excerpt_are_not_taken_for_the_talk() -> None:
    assert (
        compared(upload("a", LESSONS), upload("b", f"Best of 2024: {LESSONS} and more", duration_s=7_200.0))
        is None
    )
    assert compared(upload("a", LESSONS), upload("b", f"{LESSONS} (excerpt)", duration_s=95.0)) is None


def test_a_series_with_one_title_is_many_talks() -> None:
    known = Duplicates()
    for month in range(1, 7):
        meeting = upload(
            f"m{month}", "Community developer call", published_on=date(2024, month, 3), duration_s=None
        )
        assert known.find(meeting) is None
        known.add(meeting)
    assert known.find(upload("m7", "Community developer call", duration_s=3_600.0)) is None


def test_a_title_of_one_common_word_is_no_evidence() -> None:
    assert (
        compared(upload("a", "Keynote"), upload("b", "Keynote", channel="x", published_on=date(2022, 1, 1)))
        is None
    )


def test_what_is_missing_is_no_error_and_no_match() -> None:
    known = Duplicates()
    for name in ("a", "b"):
        bare = Upload(name, "")
        assert known.find(bare) is None
        known.add(bare)
    assert known.find(Upload("c", "🎉🎉🎉")) is None
    assert known.find(Upload("d", "ا" * 10_000, duration_s=10.0)) is None


def test_a_video_is_no_duplicate_of_itself_even_when_retitled() -> None:
    known = Duplicates()
    known.add(upload("a", LESSONS))
    assert known.find(upload("a", LESSONS)) is None
    known.add(upload("a", "Cooking rice with friends and family"))
    assert len(known) == 1
    assert known.find(upload("b", LESSONS)) is None
    assert known.find(upload("b", "Cooking rice with friends and family")) is not None
    known.forget("a")
    known.forget("a")
    assert known.find(upload("b", "Cooking rice with friends and family")) is None
    assert not known._with
    assert not known._titles


def test_the_oldest_is_forgotten_so_that_memory_is_bounded() -> None:
    known = Duplicates(most=3)
    for at in range(10):
        known.add(upload(f"v{at}", f"{LESSONS} with word{chr(97 + at)}", duration_s=1_800.0 + 60 * at))
    assert len(known) == 3
    assert known.find(upload("x", f"{LESSONS} with wordc", duration_s=1_920.0)) is None
    assert known.find(upload("x", f"{LESSONS} with wordj", duration_s=2_340.0)) is not None


def test_the_likeliest_is_named_and_of_equals_the_earliest() -> None:
    known = Duplicates()
    known.add(upload("later", LESSONS, published_on=DAY + timedelta(days=2)))
    known.add(upload("first", LESSONS, published_on=DAY))
    match = known.find(upload("again", LESSONS, channel="x", published_on=DAY + timedelta(days=1)))
    assert match is not None
    assert match.video_id == "first"


def test_an_embedding_not_finite_or_of_another_model_is_refused() -> None:
    with pytest.raises(BadInput, match="not finite"):
        Duplicates().add(upload("a", LESSONS, embedding=np.array([np.nan, 1.0], np.float32)))
    with pytest.raises(BadInput, match="cannot be compared"):
        compared(
            upload("a", LESSONS, embedding=np.ones(3, np.float32)),
            upload("b", LESSONS, embedding=np.ones(4, np.float32)),
        )


@given(st.text(max_size=400))
def test_any_title_is_read_and_reading_it_again_changes_nothing(title: str) -> None:
    read = title_of(title)
    assert list(read.words) == sorted(set(read.words))
    assert title_of(" ".join(read.words)).words == read.words or read.marks


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), max_size=12))
def test_the_same_videos_in_the_same_order_give_the_same_answers(steps: list[tuple[str, int]]) -> None:
    def answers() -> list[Match | None]:
        known, found = Duplicates(most=4), []
        for name, minutes in steps:
            video = upload(name, f"{LESSONS} {name if minutes else ''}", duration_s=1800.0 + minutes)
            found.append(known.find(video))
            known.add(video)
        return found

    assert answers() == answers()
