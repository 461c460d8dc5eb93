"""Invented text of a recogniser is dropped and real speech is kept: people do repeat themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.hallucinations import PHANTOMS, Utterance, bare, cut_at_sentences, find_loops, judge
from models.transcripts.transcript import Word

SURE, UNSURE = 0.9, 0.3


def spoken(
    text: str,
    *,
    start: float = 0.0,
    each_s: float = 0.3,
    sure: float = SURE,
    no_speech: float = 0.05,
    log_probability: float = -0.3,
    voice: float = 0.99,
    level_db: float = 3.0,
) -> Utterance:
    """Return an utterance that was said clearly, unless the arguments say otherwise."""
    words = tuple(
        Word(start=start + each_s * n, end=start + each_s * (n + 1), text=f" {word}", probability=sure)
        for n, word in enumerate(text.split())
    )
    end = start + each_s * len(words)
    return Utterance(
        "".join(word.text for word in words),
        start,
        end,
        words,
        log_probability,
        no_speech,
        voice,
        level_db,
    )


def believed(*utterances: Utterance, prompted: Sequence[str] = ()) -> str:
    """Return the words that are left."""
    left = []
    for utterance, verdict in zip(utterances, judge(utterances, frozenset(prompted)), strict=True):
        cut = {n for begin, end, _ in verdict.loops for n in range(begin, end)}
        if not verdict.reason:
            left += [word.text for n, word in enumerate(utterance.words) if n not in cut]
    return "".join(left).strip()


@pytest.mark.parametrize(
    "text",
    [
        "It was very, very, very good.",
        "No, no, no, no, no.",
        "No no no no no no no no no no.",
        "Yes, yes, yes, yes, yes, yes, yes, yes.",
        "We test, and test, and test, and test.",
        "Thank you. Thank you. Thank you. Thank you very much.",
        "Again and again and again and again.",
        "Blah, blah, blah, blah, blah, blah.",
        "Location, location, location.",
        "One two three four five six seven eight nine ten.",
        "Thank you for watching.",
        "You.",
        "Subtitles by the Amara.org community.",
    ],
)
def test_what_people_say_clearly_is_believed_whatever_it_is(text: str) -> None:
    assert believed(spoken(text)) == text


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        ({"sure": UNSURE}, "unsure"),
        ({"voice": 0.1}, "no voice there"),
        ({"level_db": -45.0}, "next to silence there"),
    ],
)
def test_a_sentence_that_is_often_invented_needs_one_more_sign(sign: dict[str, float], reason: str) -> None:
    (verdict,) = judge([spoken("Thank you for watching!", **sign)])
    assert verdict.reason == f"{reason}; a sentence that is often invented"
    assert believed(spoken("We thank you for watching over the cluster.", **sign))


@pytest.mark.parametrize("sign", [{"sure": UNSURE}, {"voice": 0.1}, {"level_db": -45.0}, {"each_s": 0.05}])
def test_one_sign_alone_is_not_enough(sign: dict[str, float]) -> None:
    """Real speech on a bad line is as unsure as what is invented."""
    text = "So we moved the index to another machine."
    assert believed(spoken(text, **sign)) == text


@pytest.mark.parametrize(
    "signs",
    [
        {"sure": UNSURE, "each_s": 0.05},
        {"sure": UNSURE, "voice": 0.1},
        {"voice": 0.1, "level_db": -45.0},
        {"each_s": 0.0, "voice": 0.1},
    ],
)
def test_two_signs_of_different_kinds_are(signs: dict[str, float]) -> None:
    assert not believed(spoken("So we moved the index to another machine.", **signs))


def test_an_impossible_rate_and_zero_length_words_are_one_sign() -> None:
    text = "So we moved the index to another machine."
    assert believed(spoken(text, each_s=0.0)) == text


def test_what_the_recogniser_takes_for_silence_is_dropped() -> None:
    silent = spoken("I love to sing in the rain.", no_speech=0.7, log_probability=-1.2)
    (verdict,) = judge([silent])
    assert verdict.reason == "taken for silence by the recogniser itself"
    assert believed(spoken("I love it.", no_speech=0.7, log_probability=-0.5)) == "I love it."


def test_a_guess_takes_several_words_one_rare_name_is_none() -> None:
    assert not believed(spoken("Sounds good I left it behind.", sure=math.exp(-1.6)))
    assert believed(spoken("Weaviate.", sure=math.exp(-3))) == "Weaviate."


def test_of_a_loop_the_phrase_stays_once() -> None:
    loop = "and then " + "we deploy the model " * 8 + "to production."
    assert believed(spoken(loop)) == "and then we deploy the model to production."
    (verdict,) = judge([spoken(loop)])
    assert [reason for *_, reason in verdict.loops] == ["a phrase of 4 words 8 times in a row"]


def test_a_loop_over_many_sentences_is_found() -> None:
    said = [spoken("It is so long since then.", start=2.0 * n) for n in range(9)]
    told = spoken("Now to the results.", start=20.0)
    assert believed(*said, told) == "It is so long since then. Now to the results."


def test_fewer_repetitions_are_doubted_when_they_are_unsure() -> None:
    loop = "I think so " * 4
    assert believed(spoken(loop)) == loop.strip()
    assert believed(spoken(loop, sure=UNSURE)) == "I think so"


def test_a_text_that_gzip_halves_twice_is_not_believed_either() -> None:
    nearly = " ".join(f"it is a good idea and it is a good idea {n}" for n in (1, 2, 1, 3, 1, 2, 4, 1))
    (verdict,) = judge([spoken(nearly)])
    assert verdict.reason.startswith("repetitive")


def test_prompted_words_need_only_one_more_sign() -> None:
    prompted = ["langchain", "weaviate"]
    assert believed(spoken("LangChain, Weaviate."), prompted=prompted) == "LangChain, Weaviate."
    assert not believed(spoken("LangChain, Weaviate.", voice=0.1), prompted=prompted)
    assert believed(spoken("Weaviate is fast.", voice=0.1), prompted=prompted) == "Weaviate is fast."


def test_without_times_the_window_says_how_sure_it_is() -> None:
    text = Utterance("Thank you.", 0, 2, (), log_probability=-1.4, no_speech=0.1)
    assert "unsure" in judge([text])[0].reason
    assert judge([Utterance("Thank you.", 0, 2, (), log_probability=-0.4, no_speech=0.1)])[0].reason == ""


def test_all_phantoms_are_as_text_is_compared() -> None:
    assert all(phantom and phantom == bare(phantom) for phantom in PHANTOMS)


def test_sentences_end_at_points_and_not_at_pauses() -> None:
    words = [Word(start=n, end=n + 0.5, text=text) for n, text in enumerate([" So.", " Yes", " we", " do"])]
    late = Word(start=9, end=9.5, text=" Good")
    assert [len(sentence) for sentence in cut_at_sentences([*words, late])] == [1, 4]
    assert cut_at_sentences([]) == []


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_a_loop_is_what_it_says_it_is_and_loops_do_not_overlap(words: list[str]) -> None:
    end = 0
    for loop in find_loops(words):
        phrase = words[loop.begin : loop.begin + loop.size]
        assert words[loop.begin : loop.end] == phrase * loop.times
        assert loop.begin >= end
        end = loop.end


@given(
    st.lists(
        st.builds(
            spoken,
            st.text("ab ", min_size=1, max_size=40).filter(str.strip),
            sure=st.floats(0, 1),
            voice=st.floats(0, 1),
            level_db=st.floats(-90, 20),
            each_s=st.floats(0, 1),
        ),
        max_size=6,
    )
)
def test_everything_is_judged_and_only_its_own_words_are_cut(utterances: list[Utterance]) -> None:
    verdicts = judge(utterances)
    assert len(verdicts) == len(utterances)
    for utterance, verdict in zip(utterances, verdicts, strict=True):
        for begin, end, reason in verdict.loops:
            assert 0 <= begin < end <= len(utterance.words)
            assert reason


def test_after_something_else_was_dropped_one_sign_is_enough() -> None:
    again = spoken("Three thousand.", sure=UNSURE)
    assert judge([again])[0].reason == ""
    assert judge([again], known=["not believed before"])[0].reason == "unsure; not believed before"
    assert judge([spoken("Three thousand.")], known=["not believed before"])[0].reason == ""


def test_of_a_word_or_two_the_neighbours_confidence_counts() -> None:
    few, many = spoken("So.", voice=0.1), spoken("So we moved the index.", voice=0.1)
    assert judge([replace(few, around=-1.4)])[0].reason
    assert judge([replace(many, around=-1.4)])[0].reason == ""
