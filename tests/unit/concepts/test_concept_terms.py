"""Terms of concepts: one spelling for many, and every occurrence counted once."""

import doctest
import string
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.concepts import terms
from models.concepts.terms import TermIndex, words_of


def times(term: str, text: str) -> int:
    """Return how often a term is counted in a text."""
    return int(TermIndex([[term]]).count(text)[0])


def test_the_examples_hold() -> None:
    assert doctest.testmod(terms).failed == 0


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("RAG", "rag, Rag and RAG", 3),
        ("fine-tuning", "fine-tuning, fine tuning, Fine-Tunings, fine_tuning", 4),
        ("fine tuning", "fine\n tuning", 1),
        ("fine-tuning", "finetuning", 0),
        ("agent", "Agents, an agent's plan, agents'", 3),
        ("agents", "an agent", 1),
        ("aws", "aws", 1),
        ("aw", "aws", 0),  # short words keep their s
        ("gas", "gass gas gases", 1),
        ("loss", "loss", 1),
        ("los", "loss", 0),  # no plural
        ("class", "class clas", 1),
        ("evaluat*", "Evaluation evaluated EVALUATES evaluat eval", 4),
        ("vector database", "vector databases; a vector of a database", 1),
        ("vector database", "vectors database", 1),
        ("knowledge base*", "knowledge based, knowledge bases, knowledge", 2),
        ("re* rank", "really ranks, re rank, rank", 2),
        ("a b a", "a b a b a", 2),  # overlaps itself
        ("gpt-4o", "GPT 4o, gpt4o", 1),
        ("rag", "drag ragged", 0),
    ],
)
def test_a_term_counts_however_it_is_spelt(term: str, text: str, expected: int) -> None:
    assert times(term, text) == expected


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("straße", "STRASSE Straße", 2),
        ("modèle*", "MODÈLES modèle modele", 2),
        ("тест", "Тест, тестс", 1),
        ("агент*", "АГЕНТЫ", 1),
        ("データ", "データ", 1),
        ("rag", "\u202erag\x00rag\ud800", 2),
        ("rag", "ｒａｇ", 0),  # other letters
    ],
)
def test_letters_of_any_script_make_words(term: str, text: str, expected: int) -> None:
    assert times(term, text) == expected


def test_a_phrase_goes_beyond_a_sentence_but_not_the_text() -> None:
    assert times("vector database", "a vector. Database") == 1
    assert times("vector database", "a vector") == 0
    assert times("vector database", "") == 0


def test_overlapping_terms_each_count() -> None:
    index = TermIndex([["database", "vector database", "vector", "vec*", "v*"]])
    counted = dict(zip(index.terms, index.count("vector database").tolist(), strict=True))
    assert counted == {"database": 1, "vector database": 1, "vector": 1, "vec*": 1, "v*": 1}


def test_prefixes_longer_than_a_word_do_not_count_it_twice() -> None:
    assert TermIndex([["ab*", "abcde*"]]).count("ab abc abcdef").tolist() == [3, 1]


def test_a_term_of_several_groups_is_one_term() -> None:
    index = TermIndex([["token*", "cost"], ["token*"], []])
    assert index.terms == ("cost", "token*")
    assert index.of_group.tolist() == [[True, True], [False, True], [False, False]]
    assert index.count("tokens cost tokens").tolist() == [1, 2]


def test_a_term_named_twice_in_a_group_counts_once() -> None:
    index = TermIndex([["rag", "rag"]])
    assert index.count("rag").tolist() == [1]


def test_each_term_knows_its_number_of_words() -> None:
    index = TermIndex([["rag", "model context protocol", "fine-tun*"]])
    assert dict(zip(index.terms, index.words.tolist(), strict=True)) == {
        "rag": 1,
        "model context protocol": 3,
        "fine-tun*": 2,
    }


@pytest.mark.parametrize("groups", [[], [[]], [[], []]])
def test_without_terms_nothing_is_counted(groups: list[list[str]]) -> None:
    index = TermIndex(groups)
    assert index.of_group.shape == (len(groups), 0)
    assert index.count("rag").shape == index.words.shape == (0,)


def test_what_has_no_word_is_never_counted() -> None:
    index = TermIndex([["***", "—", "rag"]])
    assert dict(zip(index.terms, index.words.tolist(), strict=True)) == {"***": 0, "—": 0, "rag": 1}
    assert index.count("*** — rag").sum() == 1


def test_words_are_divided_by_everything_else() -> None:
    assert words_of("Don't re-rank GPT_4o; it's 3.5!") == [
        "don",
        "t",
        "re",
        "rank",
        "gpt",
        "4o",
        "it",
        "s",
        "3",
        "5",
    ]
    assert words_of(" \n-_") == []


WORDS = st.sampled_from(["ab", "abs", "abcs", "abc", "bass", "glass", "abab", "Ab", "cs", "b"])
TERMS = st.lists(
    st.lists(st.tuples(WORDS, st.sampled_from(["", "*"])).map("".join), min_size=1, max_size=3).map(" ".join),
    max_size=6,
    unique=True,
)
SENTENCES = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=4)
STOP = " QQQ "
"""A word that is in no term, so that no phrase goes across it."""


def same(word: str) -> str:
    plural = len(word) > 3 and word[-1] == "s" and word[-2] != "s"
    return word[:-1] if plural else word


def slowly(terms: Sequence[str], text: str) -> list[int]:
    """Count terms by trying each at every word, without an index; only for words of ASCII letters."""
    kept = "".join(each if each in string.ascii_letters else " " for each in text)
    spoken = kept.lower().split()

    def matches(wanted: str, word: str) -> bool:
        return word.startswith(wanted[:-1]) if wanted.endswith("*") else same(word) == same(wanted)

    return [
        sum(
            all(matches(each, word) for each, word in zip(wanted, spoken[at:], strict=False))
            for at in range(len(spoken) - len(wanted) + 1)
        )
        for wanted in (term.lower().split() for term in terms)
    ]


@given(TERMS, SENTENCES)
def test_counts_add_up_and_agree_with_counting_slowly(terms: list[str], sentences: list[str]) -> None:
    index = TermIndex([terms])
    whole = STOP.join(sentences)
    counted = index.count(whole)
    assert counted.dtype == np.int64
    assert counted.tolist() == slowly(index.terms, whole)
    assert counted.tolist() == sum((index.count(each) for each in sentences), np.zeros_like(counted)).tolist()
    assert TermIndex([terms]).count(whole).tolist() == counted.tolist(), (
        "what was counted before is no matter"
    )


@given(st.lists(st.text(max_size=8), max_size=5), st.text(max_size=40))
def test_any_text_can_be_a_term_and_be_counted(terms: list[str], text: str) -> None:
    counted = TermIndex([terms]).count(text)
    assert len(counted) == len(set(terms))
    assert (counted <= len(words_of(text))).all()
