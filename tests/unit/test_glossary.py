"""Names are written as their makers write them; nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from agents.cli import app
from models.errors import BadInput
from models.transcripts.glossary import Glossary, available, load, try_out
from models.transcripts.glossary_matching import parts_of
from models.transcripts.transcript import Segment, Transcript, Word
from models.transcripts.unicode_text import valid

CHAIN = {"write": "LangChain", "heard": ["lang chain", "long chain"]}
RAG = {"write": "RAG", "heard": ["rag"], "near": ["retrieval", "vector"], "within": 4}
OPS = {"write": "LLMOps", "heard": ["llm ops"]}
LLM = {"write": "LLM", "heard": ["llm", "el el em"]}
WANDB = {"write": "Weights & Biases", "heard": ["weights and biases", "wand b"]}


def glossary(*entries: dict[str, object]) -> Glossary:
    return Glossary.model_validate({"name": "own", "entries": list(entries)})


def written(text: str, *entries: dict[str, object]) -> str:
    return try_out(glossary(*entries), text).segments[0].text


def said(*words: tuple[str, str], text: str = "") -> Transcript:
    """A transcript of one segment; each word takes a second and comes with its speaker."""
    timed = tuple(
        Word(start=n, end=n + 1, text=word, probability=0.9 - n / 20, speaker=speaker)
        for n, (word, speaker) in enumerate(words)
    )
    joined = "".join(word.text for word in timed).strip()
    segment = Segment(start=0, end=len(words), text=text or joined, speaker="ann", words=timed)
    return Transcript(
        language="en",
        language_probability=1,
        duration_s=9,
        segments=(segment,),
        made_by={"transcription": "w"},
    )


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        ("we use lang chain here", "we use LangChain here"),
        ("Long Chain, of course.", "LangChain, of course."),
        ("(lang chain)", "(LangChain)"),
        ("lang-chain", "LangChain"),
        ("lang chain's agents", "LangChain's agents"),
        ("LANG CHAIN’S agents", "LangChain’S agents"),
        ("with lang\nchain", "with LangChain"),
        ("lang chain  and   lang chain ", "LangChain  and   LangChain "),
    ],
)
def test_a_name_is_written_as_its_makers_write_it(heard: str, wanted: str) -> None:
    assert written(heard, CHAIN) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "LangChain",
        "a lang chainsaw",
        "slang chain",
        "block-lang chain",
        "lang chain-link",
        "lang, chain",
        "in a lang. Chain it",
        "lang (chain)",
        "lang … chain",
        "",
        " ",
    ],
)
def test_what_is_written_so_or_is_no_whole_word_stays(text: str) -> None:
    changed = try_out(glossary(CHAIN), text)
    assert changed.segments[0].text == text
    assert changed.corrections == ()


def test_the_longest_form_wins() -> None:
    assert written("llm ops and llm", LLM, OPS) == "LLMOps and LLM"
    assert written("llm ops and llm", OPS, LLM) == "LLMOps and LLM"


def test_a_name_can_complete_another() -> None:
    assert written("el el em ops", LLM, OPS) == "LLMOps"


def test_an_ambiguous_word_needs_another_one_near() -> None:
    assert written("a rag in the kitchen", RAG) == "a rag in the kitchen"
    assert written("retrieval with rag", RAG) == "retrieval with RAG"
    assert written("rag over vectors", RAG) == "RAG over vectors"
    assert written("rag and one two three vectors", RAG) == "rag and one two three vectors"


def test_what_is_near_may_stand_in_the_next_segment() -> None:
    segments = tuple(Segment(start=n, end=n, text=text) for n, text in enumerate(["our rag", "over vectors"]))
    talk = said((" x", "ann")).model_copy(update={"segments": segments})
    (correction,) = glossary(RAG).correct(talk).corrections
    assert (correction.start, correction.written) == (0, "RAG")


def test_upper_and_lower_case_count_where_an_entry_says_so() -> None:
    go = {"write": "Go", "heard": ["GO"], "case": "exact"}
    assert written("we GO with go", go) == "we Go with go"


def test_words_keep_times_and_join_with_the_lowest_probability() -> None:
    talk = said((" We", "ann"), (" like", "ann"), (" lang", "ann"), (" chain,", "ann"), (" too.", "ann"))
    changed = glossary(CHAIN).correct(talk)
    (segment,) = changed.segments
    assert segment.text == "We like LangChain, too." == "".join(word.text for word in segment.words).strip()
    joined = segment.words[2]
    assert (joined.start, joined.end, joined.text, joined.speaker) == (2, 4, " LangChain,", "ann")
    assert joined.probability == pytest.approx(0.75)
    assert [word.start for word in segment.words] == [0, 1, 2, 4]
    (correction,) = changed.corrections
    assert correction.model_dump() == {
        "start": 2,
        "heard": "lang chain,",
        "written": "LangChain,",
        "entry": "LangChain",
    }


def test_a_name_of_as_many_words_as_were_heard_keeps_the_words() -> None:
    talk = said((" weights", "ann"), (" and", "ann"), (" biases.", "ann"))
    (segment,) = glossary(WANDB).correct(talk).segments
    assert [(word.text, word.start, word.end) for word in segment.words] == [
        (" Weights", 0, 1),
        (" &", 1, 2),
        (" Biases.", 2, 3),
    ]


def test_a_hyphen_with_times_of_its_own_belongs_to_its_word() -> None:
    """Whisper gives "-chain" of "lang-chain" times of its own."""
    (segment,) = glossary(CHAIN).correct(said((" lang", "ann"), ("-chain", "ann"), (" now", "ann"))).segments
    assert segment.text == "LangChain now"
    (kept,) = glossary(CHAIN).correct(said((" lang", "ann"), (" chain", "ann"), ("-link", "ann"))).segments
    assert kept.text == "lang chain-link"


def test_a_name_never_spans_two_speakers_or_segments() -> None:
    talk = said((" lang", "ann"), (" chain", "bob"))
    assert glossary(CHAIN).correct(talk).segments == talk.segments
    segments = tuple(Segment(start=n, end=n, text=text) for n, text in enumerate(["we use lang", "chain it"]))
    talk = talk.model_copy(update={"segments": segments})
    assert glossary(CHAIN).correct(talk).segments == segments


def test_what_was_not_changed_is_the_very_same() -> None:
    talk = said((" nothing", "ann"), (" here", "bob"), text="nothing  here")
    changed = glossary(CHAIN).correct(talk)
    assert changed.segments == talk.segments
    assert changed.made_by == {"transcription": "w", "glossary": glossary(CHAIN).version}


def test_what_another_glossary_corrected_is_refused() -> None:
    talk = glossary(CHAIN).correct(said((" lang", "ann"), (" chain", "ann")))
    assert glossary(CHAIN).correct(talk) == talk
    with pytest.raises(BadInput, match=r"corrected by glossary own-.* already: correct the recognised"):
        glossary(OPS).correct(talk)


def test_the_version_is_of_the_content() -> None:
    assert glossary(CHAIN).version == glossary(dict(CHAIN)).version
    assert glossary(CHAIN).version != glossary(CHAIN | {"heard": ["lang chain"]}).version
    assert glossary(CHAIN).version.startswith("own-")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("entries: [", "is not YAML"),
        ("- write: LangChain", "not valid at the file"),
        ("name: own\nentries: [{write: LangChain}]", r"entries\.0\.heard \(Field required"),
        ("name: own\nentries: [{write: LangChain, heard: []}]", r"entries\.0\.heard"),
        ("name: own\nentries: [{write: LangChain, heard: ['']}]", r"entries\.0\.heard\.0"),
        ("name: own\nentries: [{write: LangChain, heard: ['…']}]", "has no letter and no digit"),
        ("name: own\nentries: [{write: X, heard: [x y], near: [a b]}]", "more than one word"),
        ("name: own\nentries: [{write: X, heard: [x y], nearby: [a]}]", "nearby"),
        (
            "name: own\nentries: [{write: A, heard: [x y]}, {write: B, heard: [X-Y]}]",
            "'X-Y' is heard for 'A' and again for 'B'",
        ),
        (
            "name: own\nentries: [{write: lama index, heard: [x]}, {write: LlamaIndex, heard: [lama index]}]",
            "'lama index' would be changed again, to 'LlamaIndex'",
        ),
    ],
)
def test_a_file_that_is_no_glossary_says_where_and_what_mends_it(
    text: str, cause: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=cause) as caught:
        load(path)
    assert str(path) in caught.value.cause
    assert caught.value.cure


def test_a_missing_glossary_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no glossary named 'nope': choose one of llm-in-production"):
        load("nope")
    with pytest.raises(BadInput, match="cannot read glossary"):
        load(tmp_path / "nope.yaml")


@pytest.mark.parametrize("name", available())
def test_a_packaged_glossary_writes_its_names_and_changes_none(name: str) -> None:
    own = load(name)
    assert own.name == name
    for entry in own.entries:
        assert try_out(own, f"{entry.write}.").segments[0].text == f"{entry.write}."
        for heard in entry.heard:
            near = f" {entry.near[0]}" if entry.near else ""
            assert entry.write in try_out(own, f"it is {heard},{near}").segments[0].text


vocabulary = st.sampled_from(["lang", "chain", "llm", "ops", "el", "em", "rag", "vector", "wand", "b"])
marks = st.sampled_from(["", "", "", ",", ".", "'s", "-x"])


@settings(deadline=None)
@given(st.lists(st.tuples(vocabulary, marks, st.sampled_from(["ann", "bob"])), max_size=14))
def test_correcting_twice_changes_nothing_and_loses_no_second(
    words: list[tuple[str, str, str]],
) -> None:
    own = glossary(CHAIN, RAG, OPS, LLM, WANDB)
    talk = said(*((f" {word}{mark}", speaker) for word, mark, speaker in words))
    once = own.correct(talk)
    assert own.correct(once) == once
    before, after = talk.segments[0].words, once.segments[0].words
    assert {word.speaker for word in before} == {word.speaker for word in after}
    assert sum(word.duration_s for word in before) == sum(word.duration_s for word in after)
    assert once.segments[0].text == "".join(word.text for word in after).strip()
    assert bool(once.corrections) == (talk.segments != once.segments)


@given(st.text(max_size=60).map(valid))
def test_a_text_without_a_name_is_given_back_letter_by_letter(text: str) -> None:
    parts = parts_of(text)
    if "lang" not in parts and "long" not in parts:
        assert written(text, CHAIN) == text


def test_try_shows_changes_and_check_shows_what_is_listened_for(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(glossary(CHAIN, RAG).model_dump(mode="json")))
    run = CliRunner().invoke
    tried = run(app, ["glossary", "try", "we use lang chain", "--glossary", str(path), "--json"])
    assert tried.exit_code == 0
    told = json.loads(tried.stdout)
    assert told["text"] == "we use LangChain"
    assert told["corrections"] == [{"heard": "lang chain", "written": "LangChain", "entry": "LangChain"}]
    shown = run(app, ["glossary", "try", "we use lang chain", "--glossary", str(path)])
    assert shown.stdout.splitlines()[0] == "we use LangChain"
    checked = run(app, ["glossary", "check", str(path), "--json"])
    assert checked.exit_code == 0
    assert json.loads(checked.stdout) == {
        "name": "own",
        "version": glossary(CHAIN, RAG).version,
        "entries": 2,
        "heard": 3,
    }
    with pytest.raises(BadInput, match="no glossary named"):
        run(app, ["glossary", "check", "nope"], catch_exceptions=False)
