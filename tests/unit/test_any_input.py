"""Parsers answer any input with a result or with an error that names a cause and a cure."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from models.errors import BadInput
from models.transcripts.captions import parse
from streams import intake
from streams.errors import DataError
from streams.feeds.atom import youtube_entries
from streams.feeds.podcasts import podcast
from streams.text_sanitizer import of_html, refuse_web_page
from tests.fuzz.hostile import FEEDS, FILES, TOKENS, bent

ANY = some.one_of(
    some.binary(max_size=2000),
    some.text(max_size=500).map(lambda text: text.encode("utf-8", "surrogatepass")),
    some.lists(some.sampled_from(TOKENS), max_size=30).map(
        lambda pieces: "".join(pieces).encode("utf-8", "surrogatepass")
    ),
)
BOUNDED = settings(max_examples=40, deadline=10_000, suppress_health_check=list(HealthCheck))
"""Ten seconds: a hostile input would take minutes, and a busy machine must not fail the test."""
MADE = some.randoms(use_true_random=False)


def transcript(content: bytes) -> None:
    try:
        segments = parse(content, "talk").segments
    except BadInput as error:
        assert error.cause and error.cure
    else:
        assert segments and all(0 <= each.start <= each.end for each in segments)


def feed(body: bytes) -> None:
    for read in (lambda body: podcast(body, "https://e.org/f").episodes, youtube_entries):
        try:
            for each in read(body):
                each.title.encode()
        except DataError as error:
            assert error.cause and error.cure


def description(content: bytes) -> None:
    try:
        assert isinstance(intake.json_object(content, "talk.json"), dict)
    except DataError as error:
        assert error.cause and error.cure


@BOUNDED
@given(ANY)
def test_any_bytes_are_a_transcript_or_none(content: bytes) -> None:
    for header in (b"", b"WEBVTT\n\n00:00.000 --> 00:01.000\n", b'{"segments": ', b"<transcript>"):
        transcript(header + content)


@BOUNDED
@given(ANY)
def test_any_bytes_are_a_feed_or_none(body: bytes) -> None:
    for header in (b"", b"<rss version='2.0'><channel><item>", b"<feed xmlns='http://www.w3.org/2005/Atom'>"):
        feed(header + body)


@BOUNDED
@given(ANY)
def test_any_bytes_are_a_description_or_none(content: bytes) -> None:
    description(content)
    description(b'{"title": ' + content + b"}")


@BOUNDED
@given(some.text(max_size=500) | some.lists(some.sampled_from(TOKENS), max_size=30).map("".join))
def test_any_text_is_read_as_html(text: str) -> None:
    of_html(text, 200).encode()
    try:
        refuse_web_page(text.encode("utf-8", "surrogatepass"))
    except DataError as error:
        assert error.cure


@pytest.mark.parametrize("kind", [".json", ".json3", ".vtt", ".srt", ".xml"])
@BOUNDED
@given(made=MADE)
def test_a_bent_transcript_is_one_or_none(kind: str, made: Random) -> None:
    transcript(bent(FILES[kind](made), made))


@pytest.mark.parametrize("make", FEEDS)
@BOUNDED
@given(made=MADE)
def test_a_bent_feed_is_one_or_none(make: object, made: Random) -> None:
    assert callable(make)
    feed(bent(make(made), made)[:20_000])  # for longer ones it is read apart
