"""Intake: text and dates by others become values that can be stored, or an error with the reason."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import intake, timestamps
from streams.errors import DataError

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
ANY_MOMENT = st.datetimes(
    timezones=st.sampled_from([UTC, *(timezone(timedelta(hours=h)) for h in (-23, 14))])
)


@given(ANY_TEXT)
def test_any_text_becomes_text_that_can_be_written_down(text: str) -> None:
    entered = intake.text(text)
    assert entered.encode().decode() == entered
    assert intake.text(entered) == entered
    assert not any(
        (ord(each) < 32 and each not in "\t\n\r") or (0x7F <= ord(each) <= 0x9F and each != "\x85")
        for each in entered
    )


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=40))
def test_text_that_is_fine_stays_as_it_is(text: str) -> None:
    assert intake.text(text) == text


def test_half_a_character_is_seen_to_be_missing() -> None:
    assert intake.text("a\ud83d b\udcff") == "a� b�"
    assert intake.text("\ud83d\ude00") == "😀"


@given(ANY_MOMENT)
def test_any_moment_is_kept_as_it_is_or_refused(moment: datetime) -> None:
    known = timestamps.known_moment(moment)
    if known is None:
        with pytest.raises(DataError, match="lies outside of 1970-01-01 to 2149-06-06"):
            intake.moment(moment)
    else:
        assert intake.moment(moment) is moment
        assert timestamps.FIRST_DAY <= known.astimezone(UTC).date() <= timestamps.LAST_DAY


@pytest.mark.parametrize(
    ("moment", "fits"),
    [
        ("1970-01-01T00:00:00+00:00", True),
        ("1969-12-31T23:59:59.999999+00:00", False),
        ("1970-01-01T00:00:00+00:01", False),
        ("2149-06-06T23:59:59+00:00", True),
        ("2149-06-07T00:00:00+00:00", False),
        ("9999-12-31T23:59:59-10:00", False),
        ("0001-01-01T00:00:00+10:00", False),
    ],
)
def test_dates_are_bounded_by_what_the_database_holds(moment: str, fits: bool) -> None:
    assert (timestamps.known_moment(datetime.fromisoformat(moment)) is not None) is fits


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://ann:secret@example.org:8443/a?b#c", "https://example.org:8443/a?b#c"),
        ("http://ann@example.org", "http://example.org"),
        ("https://a:b@c:d@example.org/", "https://example.org/"),
        ("https://example.org/@ann", "https://example.org/@ann"),
        ("@ann", "@ann"),
        ("https://ann:secret@[::1", ""),
        ("", ""),
    ],
)
def test_an_address_is_kept_without_a_password(address: str, kept: str) -> None:
    assert intake.address(address) == kept


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'{"title": "caf\xe9"}', "is not text in UTF-8"),
        (b'{"title": ', "is broken JSON"),
        (b"[]", "is JSON, but not an object"),
        (b"", "is broken JSON"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "is nested more than 64 levels deep"),
        (b'{"a":' * 100_000, "is nested more than 64 levels deep"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_json_that_is_no_talk_says_what_is_wrong(content: bytes, cause: str) -> None:
    with pytest.raises(DataError, match=cause):
        intake.json_object(content, "talk.json")


@given(st.recursive(ANY_TEXT, lambda each: st.lists(each) | st.dictionaries(ANY_TEXT, each), max_leaves=20))
def test_json_that_programs_write_is_read(value: Any) -> None:
    talk = {"title": value}
    assert intake.json_object(json.dumps(talk).encode(), "talk.json") == json.loads(json.dumps(talk))


def test_json_may_be_utf_16_with_a_byte_order_mark() -> None:
    assert intake.json_object('{"title": "né"}'.encode("utf-16"), "x") == {"title": "né"}
