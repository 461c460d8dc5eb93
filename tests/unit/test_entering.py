"""On every lane a talk's text and dates enter in a form that can be stored, or are refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.acquisition.ingest import Given, Ingest
from models.errors import BadInput
from models.transcripts.captions import parse
from models.transcripts.unicode_text import valid
from streams import intake
from streams.errors import DataError
from streams.events import Blob, Sighting, Video, VideoAccepted, VideoParked, VideoSeen
from streams.feeds.atom import youtube_entries
from streams.feeds.podcasts import podcast
from streams.kafka import codec
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox, Unreadable

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
ANY_DAY = st.datetimes(timezones=st.sampled_from([UTC, *(timezone(timedelta(hours=h)) for h in (-23, 14))]))
ANY_TALK = st.fixed_dictionaries(
    {
        "segments": st.lists(
            st.fixed_dictionaries({"text": ANY_TEXT, "speaker": ANY_TEXT | st.none()}), max_size=4
        )
    },
    optional={
        "video_id": ANY_TEXT,
        "title": ANY_TEXT,
        "description": ANY_TEXT,
        "channel": ANY_TEXT,
        "show": ANY_TEXT,
        "url": ANY_TEXT,
        "speakers": st.lists(ANY_TEXT, max_size=3),
        "language": ANY_TEXT | st.none(),
        "published_at": ANY_DAY.map(datetime.isoformat) | st.dates().map(str) | ANY_TEXT,
    },
)


def seen(**about: Any) -> VideoSeen:
    sighting = Sighting(source_id="s", kind="file", seen_at=NOON)
    return VideoSeen(video=Video(**({"video_id": "v"} | about)), sighting=sighting)


@given(ANY_TALK)
@settings(max_examples=200, deadline=None)
def test_any_talk_is_handed_in_or_refused_with_a_reason(talk: dict[str, Any]) -> None:
    blobs = Blobs("memory://entering")
    sent: list[VideoSeen] = []
    with TemporaryDirectory() as folder:
        line = Path(folder) / "talks.jsonl"
        line.write_text(json.dumps(talk))
        (handed,) = Ingest(blobs, sent.append, NOON).files([line])
    if handed.refused is not None:
        assert handed.refused.cause
        assert handed.refused.cure
        assert not sent
        return
    assert codec.decode(codec.encode(sent[0])) == sent[0]
    assert Outbox(blobs).kept(sent[0].key) == sent[0]


@given(ANY_TALK)
@settings(max_examples=200, deadline=None)
def test_any_transcript_is_read_as_valid_text_or_is_none(talk: dict[str, Any]) -> None:
    try:
        captions = parse(json.dumps(talk).encode(), "talk.json")
    except BadInput:
        return
    for segment in captions.segments:
        segment.text.encode()
        (segment.speaker or "").encode()
        segment.model_dump_json()


@given(ANY_TEXT)
def test_transcripts_and_events_have_one_rule_for_text(text: str) -> None:
    assert valid(text) == intake.text(text)


def test_half_a_character_in_what_is_said_is_seen_to_be_missing() -> None:
    captions = parse(
        rb'{"segments": [{"text": "we run \ud83d agents", "speaker": "A\ud83dnn"}]}', "talk.json"
    )
    assert [(each.text, each.speaker) for each in captions.segments] == [("we run � agents", "A�nn")]


def test_text_of_an_event_is_valid_however_it_came_there() -> None:
    video = Video(video_id="v", title="a\ud83d\x1b[31m b", speakers=("A\0nn",))
    assert (video.title, video.speakers) == ("a�[31m b", ("Ann",))
    copied = video.model_copy(update={"title": "c\ud83d", "speakers": ("B\x07en",)})
    assert (copied.title, copied.speakers) == ("c�", ("Ben",))
    assert codec.encode(VideoAccepted(video=copied))


@pytest.mark.parametrize(
    "moment", ["1969-12-31T23:59:59Z", "2149-06-07T00:00:00Z", "9999-12-31T23:59:59-10:00"]
)
def test_a_date_that_no_month_has_enters_nowhere(moment: str) -> None:
    at = datetime.fromisoformat(moment)
    with pytest.raises(DataError, match="lies outside of 1970-01-01 to 2149-06-06"):
        Video(video_id="v", published_at=at)
    with pytest.raises(DataError, match="lies outside"):
        Video(video_id="v").model_copy(update={"published_at": at})
    with pytest.raises(DataError, match="lies outside"):
        VideoParked(video=Video(video_id="v"), state="upcoming", reason="r", until=at, parked_at=NOON)


def test_an_old_versions_event_with_such_a_date_is_refused() -> None:
    queued = codec.encode(seen(published_at=NOON)).replace(
        b"2025-03-04T12:00:00Z", b"9999-12-31T00:00:00Z", 1
    )
    with pytest.raises(DataError, match="the date 9999-12-31"):
        codec.decode(queued)


def test_a_queued_event_with_half_a_character_is_refused() -> None:
    queued = codec.encode(seen(title="TITLE")).replace(b"TITLE", rb"\ud83d")
    with pytest.raises(DataError):
        codec.decode(queued)


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "inbox/../../x", "x" * 5000, "", "inbox"])
def test_a_blob_key_that_leads_elsewhere_is_the_datas_fault(tmp_path: Path, key: str) -> None:
    blobs = Blobs(str(tmp_path))
    blobs.put("inbox/a.vtt", b"x")
    blob = Blob(key=key, sha256="0" * 64, size=1)
    with pytest.raises(DataError):
        blobs.read(blob)
    with pytest.raises(DataError), blobs.local_file(blob, tmp_path / "copies"):
        pass


def test_links_are_kept_without_a_password() -> None:
    video = Video(
        video_id="v", url="https://ann:pw@example.org/t", media_url="https://ann:pw@example.org/a.mp3"
    )
    assert (video.url, video.media_url) == ("https://example.org/t", "https://example.org/a.mp3")


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Show</title>
<item><title>a</title><guid>a</guid><pubDate>%s</pubDate>
<enclosure url="https://h/a.mp3" type="audio/mpeg"/></item>
<item><title>b</title><guid>b</guid><pubDate>Tue, 04 Mar 2025 12:00:00 GMT</pubDate>
<enclosure url="https://h/b.mp3" type="audio/mpeg"/></item></channel></rss>"""


@pytest.mark.parametrize(
    "day",
    ["Fri, 31 Dec 9999 23:59:59 -1200", "Mon, 01 Jan 1900 00:00:00 GMT", "Thu, 01 Jan 2150 00:00:00 GMT"],
)
def test_a_date_that_a_podcast_cannot_mean_is_unknown(day: str) -> None:
    episodes = podcast((FEED % day).encode(), "https://h/feed").episodes
    assert [each.published_at for each in episodes] == [None, NOON]


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:yt="http://www.youtube.com/xml/schemas/2015">
<entry><yt:videoId>abcdefghijk</yt:videoId><title>t</title><published>%s</published></entry></feed>"""


@pytest.mark.parametrize(
    "day", ["9999-12-31T23:59:59-10:00", "1900-01-01T00:00:00+00:00", "2150-01-01T00:00:00Z"]
)
def test_a_date_that_youtubes_feed_cannot_mean_is_unknown(day: str) -> None:
    (entry,) = youtube_entries((ATOM % day).encode())
    assert entry.published_at is None


@pytest.mark.parametrize(
    "day", ["9999-12-31", "1969-12-31", "2149-06-07T00:00:00Z", "0001-01-01T00:00:00+10:00"]
)
def test_a_file_with_a_date_that_cannot_be_is_refused(tmp_path: Path, day: str) -> None:
    talk = {"published_at": day, "segments": [{"text": "we run agents"}]}
    (tmp_path / "talk.json").write_text(json.dumps(talk))
    ingest = Ingest(Blobs(str(tmp_path / "blobs")), None, NOON)
    (handed,) = ingest.files([tmp_path / "talk.json"])
    assert handed.refused is not None
    assert "lies outside of 1970-01-01 to 2149-06-06" in handed.refused.cause


def test_what_the_person_says_is_bounded_too(tmp_path: Path) -> None:
    given = Given(published_at=datetime(3000, 1, 1, tzinfo=UTC))
    (tmp_path / "talk.vtt").write_text("WEBVTT\n")
    ingest = Ingest(Blobs(str(tmp_path / "blobs")), None, NOON, given)
    (handed,) = ingest.files([tmp_path / "talk.vtt"])
    assert handed.refused is not None
    assert "the date 3000-01-01" in handed.refused.cause


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (
            '{"title": "café", "published_at": "2025-03-04"}'.encode("latin-1"),
            "talk.json is not text in UTF-8",
        ),
        (b'{"published_at": "2025-03-04", ', "talk.json is broken JSON"),
        (b'{"a":' * 100_000, "talk.json is nested"),
    ],
    ids=["latin-1", "broken", "deep"],
)
def test_json_that_cannot_be_read_is_not_called_a_missing_date(
    tmp_path: Path, content: bytes, cause: str
) -> None:
    ingest = Ingest(Blobs(str(tmp_path / "blobs")), None, NOON)
    (tmp_path / "talk.json").write_bytes(content)
    (alone,) = ingest.files([tmp_path / "talk.json"])
    (tmp_path / "talk.vtt").write_text("WEBVTT\n")
    (beside,) = ingest.files([tmp_path / "talk.vtt"])
    for handed in (alone, beside):
        assert handed.refused is not None
        assert cause in handed.refused.cause


def test_empty_files_are_no_talks(tmp_path: Path) -> None:
    names = ("a.vtt", "b.mp3", "c.srt")
    for name in names:
        (tmp_path / name).touch()
    ingest = Ingest(Blobs(str(tmp_path / "blobs")), None, NOON, Given(published_at=NOON))
    handed = list(ingest.files([tmp_path / name for name in names]))
    assert [each.refused is not None and "is empty" in each.refused.cause for each in handed] == [True] * 3


def test_what_an_older_version_kept_in_the_outbox_stops_no_other(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    outbox = Outbox(blobs)
    outbox.keep(seen(video_id="good", published_at=NOON))
    outbox.keep(seen(video_id="late", published_at=NOON))
    (key,) = outbox.keys() - {Outbox.key("good")}
    late = blobs.get(key).replace(b"2025-03-04T12:00:00Z", b"9999-12-31T12:00:00Z", 1)
    blobs.put(key, late)
    unreadable: list[Unreadable] = []
    assert [each.key for each in outbox.entries(unreadable=unreadable)] == ["good"]
    assert [(each.key, each.content) for each in unreadable] == [(key, late)]
    assert "the date 9999-12-31" in unreadable[0].error.cause
    assert outbox.kept("late") is None
