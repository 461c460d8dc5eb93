"""Terms of a text: words and pairs, their spelling, and how often a text must say them."""

import doctest

import pytest

from models.topics.bursts import terms
from models.topics.bursts.terms import extract_terms, needed, singular


def keys(*texts: str) -> set[str]:
    return set(extract_terms(texts)[0])


def test_the_examples_hold() -> None:
    assert doctest.testmod(terms).failed == 0


@pytest.mark.parametrize(
    "text",
    ["We like vibe coding.", "We like vibe-coding.", "Vibe Coding, we like.", "the Vibe coding's rise"],
)
def test_one_name_however_it_is_written(text: str) -> None:
    assert "vibe coding" in keys(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("They shipped GPT-4 today", "gpt-4"),
        ("They shipped GPT 4 today", "gpt-4"),
        ("A hole in log4j, they say", "log4j"),
        ("All these LLMs", "llm"),
        ("An LLM's answer", "llm"),
        ("An LLM’s answer", "llm"),
        ("We run node.js and c++", "node.js"),
        ("We run node.js and C++", "c++"),
        ("They use K-means for it", "means"),
    ],
)
def test_acronyms_digits_and_possessives(text: str, key: str) -> None:
    assert (key in keys(text)) == (key != "means")


def test_pairs_do_not_cross_a_sentence_a_comma_or_a_stop_word() -> None:
    found = keys("We use kubernetes. Terraform came; docker, podman and helm.")
    assert found == {"kubernete", "terraform", "docker", "podman", "helm"}


def test_some_words_are_terms_only_with_another() -> None:
    assert keys("We saw large language models of the world") == {
        "language",
        "model",
        "large language",
        "language model",
    }


def test_fillers_adverbs_contractions_and_marks_are_no_terms() -> None:
    text = (
        "So yeah, I'm literally [laughter] gonna [00:12:31] see https://example.org/agents, you know, 1:02:33"
    )
    assert keys(text) == set()


def test_a_name_is_told_by_its_spelling_inside_a_sentence_only() -> None:
    found, _ = extract_terms(
        ["Copilot helps. People ask copilot things. Mastodon grew, and then Mastodon fell, on iOS"]
    )
    assert not found["copilot"].is_name
    assert found["mastodon"].is_name and found["mastodon"].named == 1
    assert found["ios"].is_name


def test_headlines_and_lower_case_text_say_nothing_by_capitals() -> None:
    headline, _ = extract_terms(["How Netflix Migrated Every Service Without Downtime Using Open Standards"])
    assert not any(term.is_name for term in headline.values())
    captions, _ = extract_terms(["and then mastodon grew and we moved to mastodon " * 10])
    assert not any(term.is_name for term in captions.values())


def test_articles_precede_nouns_and_pronouns_verbs() -> None:
    found, _ = extract_terms(["You deploy it, they deploy it, with the sidecar and a sidecar of the mesh"])
    assert found["deploy"].verb > found["deploy"].noun
    assert found["sidecar"].noun > found["sidecar"].verb


def test_the_paragraph_that_says_it_most_and_where() -> None:
    texts = ["The borrow checker.", "Nothing.", "A borrow checker is a borrow checker."]
    how = extract_terms(texts)[0]["borrow checker"]
    assert (how.rows, how.times, how.best) == ([0, 2], [1, 2], 2)
    assert texts[2][how.offset :].startswith("borrow checker is")


def test_offsets_hold_behind_a_mark() -> None:
    text = "[laughter] and 00:01:02 then the https://a.example/b?c=d wasm runtime"
    how = extract_terms([text])[0]["wasm runtime"]
    assert text[how.offset :].startswith("wasm runtime")


def test_a_longer_text_must_say_it_more_often() -> None:
    assert [needed(words, 3) for words in (0, 60, 300, 1000, 6000, 10**6)] == [1, 1, 1, 2, 3, 3]
    assert [needed(words, 1) for words in (60, 6000)] == [1, 1]


@pytest.mark.parametrize("text", ["", "   ", "🎉🎉🎉", "...", "12 34", "\n\n", "，。", "-", "—"])
def test_texts_without_words_say_nothing(text: str) -> None:
    assert extract_terms([text])[0] == {}


def test_other_alphabets_are_words_too() -> None:
    assert "микросервис" in keys("Это микросервис")
    assert singular("Straßen") == "straßen"
