"""A transcript is written as subtitles and as text: nothing is lost, and nothing in it can do harm."""

from __future__ import annotations

import html
import json
from itertools import groupby, pairwise

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.transcripts.captions import parse
from models.transcripts.json_transcript import TalkRecord
from models.transcripts.subtitles import (
    COLUMNS,
    LONGEST_S,
    NAME,
    PARAGRAPH,
    SHORTEST_S,
    cues,
    plain_text,
    subrip,
    webvtt,
)
from models.transcripts.transcript import Segment, Transcript, Word
from tests.processes import TALKS

HOSTILE = (
    "-->",
    "<v Eve>",
    "</v>",
    "<script>alert(1)</script>",
    "&lt;",
    "&amp",
    "R&D",
    "a<b>c",
    "{\\an8}",
    "C:\\New",
    "00:00:01,000-->00:00:02,000",
    "1:00:00.000",
    "10:30.25",
    "7",
    "WEBVTT",
    "NOTE",
    "STYLE",
    "שלום",
    "\u202eevil",
    "nul\0nul",
    "\x1b[31mred",
    "x" * 90,
    "これは長い文です。",
)
ENDS = ("", "", "", ",", ".", "?")


def transcript(*segments: Segment, language: str = "en") -> Transcript:
    end = max((segment.end for segment in segments), default=0.0)
    return Transcript(
        language=language, language_probability=0.9, duration_s=end, segments=segments, made_by={}
    )


def spoken(text: str, speaker: str | None = None, start: float = 0.0, pace: float = 0.4) -> Segment:
    """A segment whose words each take `pace` seconds."""
    words = tuple(
        Word(start=start + n * pace, end=start + (n + 1) * pace, text=f" {word}")
        for n, word in enumerate(text.split())
    )
    return Segment(start=start, end=words[-1].end, text=text, speaker=speaker, words=words)


@st.composite
def talks(draw: st.DrawFn, latest_s: float = 3e6) -> Transcript:
    """Talks of everything. Each word has a number, so that no line is said twice, as rolling captions do."""
    at, number, segments = draw(st.floats(0, latest_s)), 0, []
    word = st.sampled_from(HOSTILE) | st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters=">"), max_size=12
    )
    for _ in range(draw(st.integers(0, 6))):
        speaker = draw(st.sampled_from([None, "Ann Lee", "Bo <script>", "-->", "דנה", "\u202e \0"]))
        words = []
        for said in draw(st.lists(word, min_size=1, max_size=30)):
            text = f" {''.join(said.split())}w{number}{draw(st.sampled_from(ENDS))}"
            number += 1
            length = draw(st.sampled_from([0.0, 0.2, 0.5, 3.0, 20.0]))
            words.append(Word(start=at, end=at + length, text=text))
            at += length + draw(st.sampled_from([0.0, 0.0, 0.1, 5.0]))
        text = "".join(each.text for each in words)
        with_times = draw(st.booleans())
        first, last = words[0].start, words[-1].end
        segments.append(
            Segment(
                start=first, end=last, text=text, speaker=speaker, words=tuple(words) if with_times else ()
            )
        )
        at = max(0.0, at - draw(st.sampled_from([0.0, 0.0, 2.0])))  # people interrupt each other
    return transcript(*segments)


def seen(text: str) -> str:
    """Return the visible characters of a text."""
    hidden = {*range(9), *range(0xE, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0), 0x2060, 0xFEFF}
    hidden |= {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    return "".join(character for character in text if ord(character) not in hidden)


def words_of(talk: Transcript) -> list[str]:
    return [word for segment in talk.segments for word in seen(segment.text).split()]


def words_in(content: str) -> list[str]:
    return [word for segment in parse(content.encode(), "talk").segments for word in segment.text.split()]


@given(talks())
def test_every_word_is_shown_once_in_order_and_in_time(talk: Transcript) -> None:
    shown = cues(talk)
    assert [word for cue in shown for line in cue.lines for word in line.split()] == words_of(talk)
    for cue in shown:
        assert 0 <= cue.start < cue.end
        assert cue.end - cue.start <= 1000 * LONGEST_S
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= COLUMNS or " " not in line for line in cue.lines)
    assert all(cue.end <= after.start for cue, after in pairwise(shown))


@given(talks())
def test_what_is_written_as_webvtt_is_read_back(talk: Transcript) -> None:
    if not talk.segments:
        assert webvtt(talk) == "WEBVTT\nLanguage: en\n"
        return
    read = parse(webvtt(talk).encode(), "talk.vtt")
    assert [word for segment in read.segments for word in segment.text.split()] == words_of(talk)
    assert read.language == "en"
    named = [" ".join(seen(segment.speaker or "").split()) or None for segment in talk.segments]
    assert [name for name, _ in groupby(segment.speaker for segment in read.segments)] == [
        name for name, _ in groupby(named)
    ]
    assert [round(segment.start * 1000) for segment in read.segments] == [cue.start for cue in cues(talk)]


@given(talks(latest_s=99 * 3600 - 15_000))
def test_what_is_written_as_subrip_is_read_back(talk: Transcript) -> None:
    if not talk.segments:
        assert subrip(talk) == ""
        return
    without_names = talk.model_copy(
        update={"segments": tuple(each.model_copy(update={"speaker": None}) for each in talk.segments)}
    )
    assert words_in(subrip(without_names)) == words_of(talk)
    assert len(words_in(subrip(talk))) >= len(words_of(talk))


@given(talks(latest_s=99 * 3600 - 15_000))
def test_pysubs2_reads_the_same_cues(talk: Transcript) -> None:
    for content, form, named in ((webvtt(talk), "vtt", False), (subrip(talk), "srt", True)):
        read = pysubs2.SSAFile.from_string(content, format_=form)
        shown = cues(talk, named=named)
        assert [(event.start, event.end) for event in read.events] == [(cue.start, cue.end) for cue in shown]
        assert [tuple(map(html.unescape, event.text.split("\\N"))) for event in read.events] == [
            cue.lines for cue in shown
        ]


def test_a_number_at_the_end_is_not_taken_for_that_of_a_cue() -> None:
    number = "1000000000000000000000"
    talk = transcript(spoken(f"In all of them together {number}", pace=0.2))
    assert cues(talk)[0].lines == ("In all of them", f"together {number}")
    for content in (webvtt(talk), subrip(talk)):
        assert words_in(content)[-1] == number
        assert pysubs2.SSAFile.from_string(content).events[0].text.endswith(number)


@given(talks())
def test_plain_text_has_every_word_and_a_paragraph_per_turn(talk: Transcript) -> None:
    nameless = talk.model_copy(
        update={"segments": tuple(each.model_copy(update={"speaker": None}) for each in talk.segments)}
    )
    assert plain_text(nameless).split() == words_of(talk)
    assert not set(plain_text(talk, times=True)) & {"\0", "\x1b", "\u202e"}


def test_a_cue_ends_with_its_sentence() -> None:
    said = (
        "We began with one agent. It planned, it called tools and it wrote the report itself. Nobody read it."
    )
    assert [" ".join(cue.lines) for cue in cues(transcript(spoken(said, pace=0.2)))] == [
        "We began with one agent.",
        "It planned, it called tools and it wrote the report itself. Nobody read it.",
    ]


def test_a_cue_is_of_one_speaker_and_of_no_pause() -> None:
    talk = transcript(
        spoken("How does it", "Ann"),
        spoken("scale?", "Ann", start=4.0),
        spoken("It does not.", "Bo", start=4.4),
    )
    assert [(cue.speaker, cue.lines, cue.start, cue.end) for cue in cues(talk)] == [
        ("Ann", ("How does it",), 0, 1200),
        ("Ann", ("scale?",), 4000, 4400),
        ("Bo", ("It does not.",), 4400, 5600),
    ]


def test_short_cues_stay_a_second_where_nothing_follows() -> None:
    talk = transcript(spoken("Yes."), spoken("No.", start=9.0))
    assert [cue.end - cue.start for cue in cues(talk)] == [1000 * SHORTEST_S] * 2


def test_lines_are_about_as_long_as_each_other() -> None:
    (cue,) = cues(transcript(spoken("we had to throw the whole evaluation away twice", pace=0.2)))
    assert cue.lines == ("we had to throw the whole", "evaluation away twice")


def test_subrip_names_a_speaker_where_the_speaker_changes() -> None:
    talk = transcript(
        spoken("We run agents.", "Ann"),
        spoken("Many.", "Ann", start=9.0),
        spoken("Why?", "Bo", start=9.5),
        spoken("R&D < fun", None, start=12.0),
    )
    assert subrip(talk) == (
        "1\n00:00:00,000 --> 00:00:01,200\nAnn: We run agents.\n\n"
        "2\n00:00:09,000 --> 00:00:09,500\nMany.\n\n"
        "3\n00:00:09,500 --> 00:00:10,500\nBo: Why?\n\n"
        "4\n00:00:12,000 --> 00:00:13,200\nR&D &lt; fun\n"
    )


def test_a_name_of_ten_thousand_characters_fits_the_screen() -> None:
    talk = transcript(spoken("Hello.", "n" * 10_000))
    (cue,) = cues(talk, named=True)
    assert cue.lines == (f"{'n' * (NAME - 1)}…:", "Hello.")


@pytest.mark.parametrize(("second", "clock"), [(359_999.5, "99:59:59.500"), (1_080_000.0, "300:00:00.000")])
def test_hours_have_as_many_digits_as_they_need(second: float, clock: str) -> None:
    talk = transcript(spoken("Still here.", start=second))
    assert f"\n{clock} --> " in webvtt(talk)
    assert parse(webvtt(talk).encode(), "talk.vtt").segments[0].start == second
    assert f"[{clock[:-4]}] Still here." in plain_text(talk, times=True)


def test_words_without_blanks_are_divided_between_words_only() -> None:
    pieces = ("私たちは", "昨年", "から", "本番", "環境で", "エージェントを", "動かして", "います。") * 3
    words = tuple(Word(start=n, end=n + 0.5, text=piece) for n, piece in enumerate(pieces))
    talk = transcript(
        Segment(start=0, end=24, text="".join(pieces), speaker=None, words=words), language="ja"
    )
    lines = [line for cue in cues(talk) for line in cue.lines]
    assert "".join(lines) == "".join(pieces)
    assert all(len(line) <= COLUMNS / 2 for line in lines)
    assert plain_text(talk) == "".join(pieces) + "\n"


def test_a_word_that_the_recogniser_wrote_in_two_stays_one() -> None:
    words = tuple(
        Word(start=n, end=n + 1, text=text) for n, text in enumerate([" state", "-of", "-the", "-art"])
    )
    talk = transcript(Segment(start=0, end=4, text="state-of-the-art", words=words))
    assert cues(talk)[0].lines == ("state-of-the-art",)


def test_long_turns_are_paragraphs_of_whole_sentences() -> None:
    talk = transcript(spoken("It is a sentence about agents. " * 100, "Ann"), spoken("Yes.", "Bo", start=999))
    paragraphs = plain_text(talk, times=True).split("\n\n")
    assert paragraphs[0].startswith("[00:00:00] Ann: It is")
    assert all(paragraph.endswith("agents.") for paragraph in paragraphs[:-1])
    assert all(len(paragraph) < PARAGRAPH + 60 for paragraph in paragraphs)
    assert sum("Ann:" in paragraph for paragraph in paragraphs) == 1
    assert paragraphs[-1] == "[00:16:39] Bo: Yes.\n"


def test_without_words_the_files_are_empty_and_valid() -> None:
    for talk in (transcript(), transcript(Segment(start=0, end=3, text=" \0 "))):
        assert webvtt(talk) == "WEBVTT\nLanguage: en\n"
        assert subrip(talk) == plain_text(talk) == ""
    assert webvtt(transcript(language="und")) == "WEBVTT\n"
    assert webvtt(transcript(language="en\n\n00:01.000 --> 00:02.000\nEve")) == "WEBVTT\n"


@pytest.mark.parametrize("path", sorted(TALKS.glob("*.json"))[:5], ids=lambda path: path.stem)
def test_sample_talks_come_back_word_for_word(path: object) -> None:
    record = TalkRecord.model_validate(json.loads(path.read_text()))  # type: ignore[attr-defined]
    talk = transcript(*record.timed_segments())
    assert words_in(webvtt(talk)) == words_of(talk)
    assert " ".join(words_in(subrip(talk))).count(" ") > " ".join(words_of(talk)).count(" ")
