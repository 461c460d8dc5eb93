"""Hostile text (markup that never ends, endless numbers, a million cues) takes seconds, not hours."""

from __future__ import annotations

import re

import pytest

from models.errors import BadInput
from models.transcripts.captions import MOST_CUES, MOST_WORDS, parse
from streams.errors import DataError
from streams.text_sanitizer import of_html, refuse_web_page
from tests.costs import within

pytestmark = pytest.mark.long

SIZE = 200_000
UNENDING = [
    *("<", "<!", "<a ", '<a b="', "<a b='", "<a b=1 ", "</", "</a", "<!--", "<?", "<![", "<p ", "<p title='"),
    *("<script ", "<style>", "&#", "&", "&#9", "<v ", "<v" + " " * 3000, "{\\", "[", "(", ">> ", "\n", "<b"),
]


@pytest.mark.parametrize("piece", UNENDING)
def test_markup_that_never_ends_is_read_in_linear_time(piece: str) -> None:
    with within(250):
        of_html(piece * (SIZE // len(piece)), 50_000)
        of_html(piece * (SIZE // len(piece)) + ">", 50_000)
        refuse_web_page(piece.encode() * 4096)


@pytest.mark.parametrize("piece", UNENDING)
@pytest.mark.parametrize("header", ["WEBVTT\n\n", "1\n"])
def test_a_cue_of_markup_is_read_in_linear_time(header: str, piece: str) -> None:
    text = f"{header}00:00:00.000 --> 00:00:02.000\nWe chunk {piece * (SIZE // len(piece))}\n"
    with within(250):
        assert parse(text.encode(), "talk.vtt").segments[0].text.startswith("We chunk")


def test_comments_before_a_web_page_are_passed_over_at_once() -> None:
    with within(50):
        refuse_web_page(b"<!---->" * 500)
        with pytest.raises(DataError, match="a web page came"):
            refuse_web_page(b"\xef\xbb\xbf <!-- a -->\n<!-- b --> <HTML lang=en>")


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ('<p title="1 > 2">RAG</p>', "RAG"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a<!-- <p>never</p> -->b", "ab"),
        ("a<script>if (1 < 2) x('</p>')</script >b", "ab"),
        ("a<hr/>b<br/>c<link>", "ab\nc"),
        ("<preach>a</preach>", "a"),
        ("a<script>never closed", "a"),
        (f"a&#{'9' * 5000};b&#x1F600;&amp;lt;", "a�b😀&lt;"),
    ],
)
def test_html_says_its_words(markup: str, said: str) -> None:
    assert of_html(markup, 5000) == said


def test_a_number_without_end_is_no_character() -> None:
    text = f"WEBVTT\n\n00:00.000 --> 00:02.000\nWe chunk&#{'9' * 5000};\n"
    assert parse(text.encode(), "talk.vtt").segments[0].text == "We chunk�"


def many(count: int, piece: str) -> str:
    return ",".join([piece] * count)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ('{"segments": [' + many(MOST_CUES + 1, '{"text":"a"}') + "]}", "segments"),
        ('{"segments": [' + many(MOST_CUES + 1, "{}") + "]}", "segments"),
        ('{"events": [' + many(MOST_CUES + 1, "{}") + "]}", "events"),
        ('{"events": [{"segs": [' + many(MOST_WORDS + 1, "{}") + "]}]}", "words"),
        ('{"segments": [], "x": [' + many(2 * MOST_WORDS, "[]") + "]}", "objects"),
        ("WEBVTT\n\n" + "00:00.000 00:01.000\n" * 1_100_000, "times"),
        ("<transcript>" + "<a/>" * 1_100_000 + "</transcript>", "elements"),
    ],
)
def test_what_would_take_gigabytes_is_refused_before(content: str, cause: str) -> None:
    with pytest.raises(BadInput, match=rf"has \d[\d,]* {cause}, more than") as raised:
        parse(content.encode(), "talk")
    assert re.search(r"give a WebVTT", raised.value.cure)


def test_lines_in_lines_are_read_once() -> None:
    deep = "<transcript>" + '<text start="1">We chunk' * 20_000 + "</text>" * 20_000 + "</transcript>"
    with within(250):
        assert len(parse(deep.encode(), "talk.xml").segments) == 1


def test_a_time_without_its_hours_is_none() -> None:
    with pytest.raises(BadInput, match="has an invalid time"):
        parse(b"WEBVTT\n\n:00:00.000 --> 00:00:02.000\nWe chunk.\n", "talk.vtt")
