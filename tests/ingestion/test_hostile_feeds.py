"""Tests of hostile feeds: a separate process reads them, with limits of time and memory."""

from __future__ import annotations

import os
from xml.sax.saxutils import escape

import pytest

from streams.child_process import TooMuchError, apart
from streams.errors import DataError
from streams.feeds.podcasts import podcast, podcast_apart
from tests.costs import within

FEED = "https://feeds.example.org/feed.xml"


def rss(description: str, more: str = "") -> bytes:
    return f"""<?xml version="1.0"?><rss version="2.0"><channel><title>c</title><item><title>RAG</title>
<enclosure url="/1.mp3" type="audio/mpeg"/><description>{description}</description>{more}
</item></channel></rss>""".encode()


@pytest.mark.long
@pytest.mark.parametrize("piece", ["<a ", '<a b="', "<!--", "<![", "</", "<?", "&"])
def test_the_html_of_an_entry_takes_linear_time(piece: str) -> None:
    with within(500):
        found = podcast(rss(escape(piece * (560_000 // len(piece)))), FEED)
    assert [each.title for each in found.episodes] == ["RAG"]


def test_a_feed_read_apart_says_the_same() -> None:
    assert podcast_apart(rss("We chunk."), FEED) == podcast(rss("We chunk."), FEED)
    with pytest.raises(DataError, match="not a podcast's feed"):
        podcast_apart(b"{}", FEED)


@pytest.mark.long
def test_a_feed_of_endless_attributes_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(50_000))  # a minute and more
    monkeypatch.setattr("streams.feeds.podcasts.SECONDS", 4.0)
    with pytest.raises(DataError, match="the feed takes more than 5 s to read") as raised:
        podcast_apart(rss("", f"<x {attributes}/>"), FEED)
    assert raised.value.cure


def test_what_fills_the_memory_ends_alone() -> None:
    with pytest.raises(TooMuchError, match="the feed takes more than 300 MB"):
        apart(60, 300, "the feed", bytearray, 2_000_000_000)


def test_what_crashes_ends_alone() -> None:
    with pytest.raises(TooMuchError):
        apart(60, 1_000, "the feed", os.abort)


def test_what_nobody_foresaw_is_an_error_of_that_feed() -> None:
    with pytest.raises(DataError, match=r"cannot be read \(ValueError: invalid literal"):
        apart(60, 1_000, "the feed", int, "x")
