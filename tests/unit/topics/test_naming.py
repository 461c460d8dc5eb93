"""A topic's name is what its speakers call it."""

import random
import time

import pytest

from models.topics.naming.naming import LENGTH, name

PROTOCOL = [
    (
        "a",
        "We wrapped it as a Model Context Protocol server. The Model Context Protocol is what all speak now.",
    ),
    (
        "b",
        "Yeah, Chris, so the Model Context Protocol lets a host find tools, and MCP servers expose them.",
    ),
    ("c", "An MCP server is only a process. Chris, you run MCP servers next to the client, over stdio."),
    ("d", "You know, the Model Context Protocol has a manifest, and the MCP servers are listed there."),
]
PROTOCOL_WORDS = [
    ("mcp", 0.07),
    ("protocol", 0.08),
    ("servers", 0.05),
    ("context", 0.06),
    ("chris", 0.05),
    ("model", 0.05),
]

TUNING = [
    ("a", "We tried fine-tuning a small open model, and fine-tuning took a day on one card."),
    ("b", "Fine-tuning is what you do last. The training data is what fine-tuning lives on."),
    ("c", "Then we had better training data, and the fine-tuning worked, with the training data of a year."),
]
TUNING_WORDS = [("fine-tuning", 0.2), ("training", 0.09), ("data", 0.07), ("card", 0.02)]


def test_a_name_is_a_phrase_as_speakers_write_it() -> None:
    assert name(PROTOCOL_WORDS, PROTOCOL) == "Model Context Protocol"


def test_a_hyphenated_word_keeps_hyphen_and_small_letters() -> None:
    assert name(TUNING_WORDS, TUNING) == "fine-tuning & training data"


def test_a_taken_name_is_not_given_again_in_any_spelling() -> None:
    first = name(PROTOCOL_WORDS, PROTOCOL)
    second = name(PROTOCOL_WORDS, PROTOCOL, taken=[first.upper()])
    third = name(PROTOCOL_WORDS, PROTOCOL, taken=[first, second])
    assert len({first.lower(), second.lower(), third.lower()}) == 3
    assert all(third for third in (first, second, third))
    assert name([("agent", 1.0)], [("a", "An agent")], taken=["Agents"]) == ""


def test_many_topics_on_one_thing_all_get_their_own_names() -> None:
    given: list[str] = []
    for _ in range(12):
        given.append(name(PROTOCOL_WORDS, PROTOCOL, taken=given))
    assert len({label.lower() for label in given}) == 12
    assert all(0 < len(label) <= LENGTH for label in given)


def test_who_is_spoken_to_names_no_topic() -> None:
    words = [("chris", 0.2), ("kubernetes", 0.1)]
    talk = "Thanks, Chris. Yeah, Chris, so we moved to Kubernetes. I do not know, Chris, if Kubernetes helps."
    assert name(words, [(video, talk) for video in "abc"]).startswith("Kubernetes")


def test_words_of_a_single_speaker_name_no_shared_topic() -> None:
    words = [("cache", 0.1), ("layer", 0.08), ("hit", 0.05)]
    talks = [
        ("a", "The magic cache layer, our magic cache layer, is a magic cache layer of its own."),
        *[
            (video, "Our cache was cold, so the cache hit was rare, and a cache hit is all.")
            for video in "bcd"
        ],
    ]
    assert "magic" not in name(words, talks) and "layer" not in name(words, talks)


def test_a_name_is_kept_while_its_words_are_the_topics() -> None:
    assert name(PROTOCOL_WORDS, PROTOCOL, previous="MCP servers") == "MCP servers"
    assert name(PROTOCOL_WORDS, PROTOCOL, previous="prompt engineering") == "Model Context Protocol"
    faded = [
        ("mcp", 0.001),
        ("servers", 0.001),
        *((w, x) for w, x in PROTOCOL_WORDS if w not in {"mcp", "servers"}),
    ]
    assert name(faded, PROTOCOL, previous="MCP servers") == "Model Context Protocol"


def test_a_name_that_another_topic_has_by_now_is_not_kept() -> None:
    assert name(PROTOCOL_WORDS, PROTOCOL, taken=["mcp server"], previous="MCP servers") != "MCP servers"


def test_without_paragraphs_the_name_is_of_the_strongest_words() -> None:
    assert name([("vector", 0.2), ("retrieval", 0.1), ("index", 0.05)], []) == "vector, retrieval"
    assert name([], []) == ""
    assert name([], PROTOCOL) == ""
    assert name([("x" * 60, 0.2)], []) == ""


@pytest.mark.parametrize(
    "text", ["", "😀 😀", "\ud800 \x00", "of of of of", "... , ; '' -- a", "don't won't it's"]
)
def test_odd_paragraphs_do_no_harm(text: str) -> None:
    assert name([("vector", 0.2), ("index", 0.1)], [("a", text)]) == "vector, index"


def test_a_paragraph_in_another_script_is_named_in_it() -> None:
    talks = [
        (video, "Мы обсуждаем векторные базы данных. Наши векторные базы данных растут.") for video in "ab"
    ]
    assert name([("базы", 0.2), ("данных", 0.2), ("векторные", 0.1)], talks) == "векторные базы данных"


def test_the_order_of_paragraphs_changes_nothing() -> None:
    expected = name(PROTOCOL_WORDS, PROTOCOL)
    for seed in range(5):
        shuffled = list(PROTOCOL)
        random.Random(seed).shuffle(shuffled)
        assert name(PROTOCOL_WORDS, shuffled) == expected


def test_a_sentences_beginning_does_not_lend_it_a_capital() -> None:
    words = [("guardrails", 0.3)]
    assert name(words, [(video, "Guardrails are hard. Guardrails fail.") for video in "ab"]) == "guardrails"
    assert name([("llms", 0.3)], [(video, "LLMs are slow.") for video in "ab"]) == "LLMs"


def test_four_times_the_talks_cost_at_most_eight_times_as_much() -> None:
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefgh", k=6)) for _ in range(400)]
    talks = [(str(video), " ".join(draw.choices(words, k=200))) for video in range(32)]
    strongest = [(word, 0.1) for word in words[:10]]

    def cost(count: int) -> float:
        spent = []
        for _ in range(5):
            began = time.process_time()
            name(strongest, talks[:count])
            spent.append(time.process_time() - began)
        return min(spent)

    assert cost(32) < 8 * cost(8)
