"""Tests of reading feeds: YouTube's Atom, polled and pushed, and podcasts; also broken and hostile feeds."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from streams.errors import DataError
from streams.feeds.atom import feed_address, youtube_entries
from streams.feeds.podcasts import Podcast, podcast
from streams.intake import PODCAST_FEED_BYTES, YOUTUBE_FEED_BYTES
from tests.realdata import shared
from tests.websub_hub import entry, notification, tombstone

CHANNEL = "UC0123456789abcdefghijkl"
TALK = "abcdefghijk"
AT = "2026-11-06T08:13:10.038244344+00:00"
FEED = "https://feeds.example.org/private/show/feed.xml?key=s3cret"


def channel_feed(*entries: str) -> bytes:
    """Return a channel's own feed, whose id lacks the UC that its entries have."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="http://www.youtube.com/feeds/videos.xml"/>
<id>yt:channel:{CHANNEL[2:]}</id><yt:channelId>{CHANNEL[2:]}</yt:channelId><title>A meetup</title>
{"".join(entries)}</feed>""".encode()


def short(link: str, channel: str = f"<yt:channelId>{CHANNEL}</yt:channelId>") -> str:
    return f"""<entry><yt:videoId>{TALK}</yt:videoId>{channel}<title> RAG
 in   production </title><link rel="alternate" href="{link}"/><published>2026-01-22T15:01:42+00:00</published>
<updated>2026-03-20T09:00:00+02:00</updated><media:group><media:title>x</media:title>
<media:description>Two lines
of &lt;b&gt; it</media:description></media:group></entry>"""


class TestYouTube:
    def test_an_entry_is_read_with_its_nanoseconds(self) -> None:
        (found,) = youtube_entries(notification(entry(TALK, "LLMs & RAG", CHANNEL, AT)))
        assert (found.video_id, found.channel_id, found.title) == (TALK, CHANNEL, "LLMs & RAG")
        assert found.channel == "A meetup"
        assert found.published_at == datetime(2026, 11, 6, 8, 13, 10, 38244, tzinfo=UTC)
        assert not found.short_form
        assert not found.deleted

    def test_a_channels_id_has_its_uc_wherever_it_comes_from(self) -> None:
        watch = f"https://www.youtube.com/watch?v={TALK}"
        for channel in (f"<yt:channelId>{CHANNEL}</yt:channelId>", "<yt:channelId/>", ""):
            (found,) = youtube_entries(channel_feed(short(watch, channel)))
            assert found.channel_id == CHANNEL

    def test_shorts_are_known_by_link_and_updates_are_no_publication(self) -> None:
        (found,) = youtube_entries(channel_feed(short(f"https://www.youtube.com/shorts/{TALK}")))
        assert found.short_form
        assert found.title == "RAG in production"
        assert found.description == "Two lines\nof <b> it"
        assert found.published_at == datetime(2026, 1, 22, 15, 1, 42, tzinfo=UTC)
        assert found.updated_at == datetime(2026, 3, 20, 7, tzinfo=UTC)

    def test_a_link_of_a_feed_is_never_followed(self) -> None:
        (found,) = youtube_entries(channel_feed(short("javascript:alert(1)")))
        assert found.url == f"https://www.youtube.com/watch?v={TALK}"
        assert feed_address(CHANNEL).endswith(CHANNEL)

    def test_a_tombstone_says_what_was_deleted_when_and_by_whom(self) -> None:
        (found,) = youtube_entries(notification(tombstone(TALK, CHANNEL, AT)))
        assert found.deleted
        assert (found.video_id, found.channel_id, found.channel) == (TALK, CHANNEL, "A meetup")
        assert found.updated_at == datetime(2026, 11, 6, 8, 13, 10, 38244, tzinfo=UTC)
        assert found.published_at is None

    def test_what_names_no_video_is_counted_and_costs_no_other(self) -> None:
        bad = [entry(name, "x", CHANNEL, AT) for name in ("", "../../etc", "a b c d e f", "x" * 40)]
        with capture_logs() as logs:
            found = youtube_entries(
                notification(*bad, entry(TALK, "y", CHANNEL, AT), tombstone("", CHANNEL, AT))
            )
        assert [each.video_id for each in found] == [TALK]
        assert found.skipped == 5
        assert [line["skipped"] for line in logs] == [5]

    @pytest.mark.parametrize("said", ["", "soon", "2026-11-06T08:00:00", "2026-13-01T00:00:00Z", "9" * 400])
    def test_a_moment_that_is_none_is_unknown(self, said: str) -> None:
        (found,) = youtube_entries(notification(entry(TALK, "x", CHANNEL, said)))
        assert found.published_at is None

    def test_hostile_text_stays_text_and_is_bounded(self) -> None:
        title = "<script>alert(1)</script> \u202egpj.exe " + "x" * 10_000
        (found,) = youtube_entries(notification(entry(TALK, title, CHANNEL, AT)))
        assert found.title.startswith("<script>alert(1)</script> \u202egpj.exe xxx")
        assert len(found.title) == 2_000

    @pytest.mark.parametrize(
        ("body", "cause"),
        [
            (b"", "is not XML"),
            (b"<feed", "is not XML"),
            (b"\xff\xfe\x00", "is not XML"),
            (notification(entry(TALK, "x", CHANNEL, AT))[:-20], "is not XML"),
            (b"<rss/>", "not an Atom feed"),
            (b"<!DOCTYPE html><html lang=en><title>Error 404", "a web page came"),
            (b"\xef\xbb\xbf\n <HTML><body>Before you continue to YouTube", "a web page came"),
            (b'<!DOCTYPE f [<!ENTITY a "b">]><f>&a;</f>', "malicious"),
            (b'<!DOCTYPE f SYSTEM "file:///etc/passwd"><f/>', "malicious"),
            (b'<?xml version="1.0" encoding="x-none"?><feed/>', "is not XML"),
            (b" " * (YOUTUBE_FEED_BYTES + 1), "bytes"),
        ],
    )
    def test_what_is_no_feed_says_why_and_what_to_do(self, body: bytes, cause: str) -> None:
        with pytest.raises(DataError) as raised:
            youtube_entries(body)
        assert cause in raised.value.cause
        assert raised.value.cure

    @pytest.mark.parametrize(
        "name",
        [
            "atom/kurzgesagt_videos.xml",
            "atom/atom_mediarss_youtube_1.xml",
            "websub/notification_2024-08-26.xml",
            *(f"websub/ytnoti_doc_shape_{number}.xml" for number in range(5)),
        ],
    )
    def test_a_recorded_feed_is_read_without_loss(self, name: str) -> None:
        body = shared(f"fixtures/youtube/{name}").read_bytes()
        said = ElementTree.fromstring(body)
        found = youtube_entries(body)
        assert found.skipped == 0
        assert len(found) == len(
            [each for each in said.iter() if each.tag.endswith(("}entry", "}deleted-entry"))]
        )
        assert all(re.fullmatch(r"UC[\w-]{22}", each.channel_id) for each in found)
        living = [each for each in found if not each.deleted]
        texts = [(each.text or "") for each in said.iter()]
        for each in living:
            assert each.title
            assert each.published_at is not None
            assert each.updated_at is not None
            assert each.channel in texts
            assert f"{each.published_at:%Y-%m-%dT%H:%M:%S}" in body.decode()
            assert each.description in [text.strip() for text in texts] + [""]
        if name.startswith("atom/"):
            assert all(each.description for each in living)
        assert sum(each.short_form for each in found) == (8 if "kurzgesagt" in name else 0)

    def test_the_recorded_answer_of_a_terminated_channel_is_a_page(self) -> None:
        import json

        recorded = json.loads(shared("fixtures/youtube/atom/feed_404.http.json").read_text())
        with pytest.raises(DataError, match="a web page came"):
            youtube_entries(recorded["response"]["responseBody"].encode())


def rss(*items: str, head: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>MLOps &amp; friends</title>
<link>https://example.org/</link><language>en-US</language>{head}{"".join(items)}</channel></rss>""".encode()


def item(guid: str = "1", title: str = "RAG in production", more: str = "", media: str = "") -> str:
    media = media or '<enclosure url="https://cdn.example.org/1.mp3" type="audio/mpeg" length="1"/>'
    return f"<item><title>{title}</title><guid isPermaLink='false'>{guid}</guid>{media}{more}</item>"


def read(*items: str) -> Podcast:
    return podcast(rss(*items), FEED)


class TestPodcasts:
    def test_an_episode_is_a_talk_with_its_audio(self) -> None:
        more = """<description>
&lt;p&gt;We talk &lt;b&gt;RAG&lt;/b&gt; &amp;amp; agents.&lt;/p&gt;</description>
<link>https://example.org/1</link><pubDate>Mon, 02 Mar 2026 10:00:00 +0200</pubDate>
<itunes:duration>1:02:03</itunes:duration>"""
        found = read(item(more=more))
        assert (found.title, found.language, found.skipped) == ("MLOps & friends", "en", [])
        (video,) = found.episodes
        assert video.title == "RAG in production"
        assert video.description == "We talk RAG & agents."
        assert video.channel == video.show == "MLOps & friends"
        assert video.url == "https://example.org/1"
        assert video.media_url == "https://cdn.example.org/1.mp3"
        assert video.published_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
        assert video.duration_s == 3723.0
        assert video.language == "en"

    def test_its_id_stays_while_feed_and_guid_do(self) -> None:
        media = '<enclosure url="https://cdn.example.org/moved.mp3" type="audio/mpeg"/>'
        (video,) = read(item()).episodes
        (edited,) = read(item(title="RAG, edited", media=media)).episodes
        (other,) = read(item(guid="2")).episodes
        (elsewhere,) = podcast(rss(item()), "https://feeds.example.org/another").episodes
        assert re.fullmatch(r"podcast-[0-9a-f]{24}", video.video_id)
        assert edited.video_id == video.video_id
        assert len({video.video_id, other.video_id, elsewhere.video_id}) == 3
        assert "s3cret" not in video.video_id

    def test_an_episode_without_guid_is_known_by_its_audio(self) -> None:
        plain = '<item><title>{}</title><enclosure url="/{}.mp3" type="audio/mpeg"/></item>'
        found = read(plain.format("a", 1), plain.format("b", 2))
        assert len({each.video_id for each in found.episodes}) == 2

    @pytest.mark.parametrize(
        ("said", "seconds"),
        [
            ("3600", 3600.0),
            ("59:30", 3570.0),
            ("01:02:03", 3723.0),
            ("90:00", 5400.0),
            ("12.5", 12.0),
            ("0", None),
            ("", None),
            ("an hour", None),
            ("-5", None),
            ("1:2:3:4", None),
            ("٣٠", None),
        ],
    )
    def test_durations_come_in_three_forms(self, said: str, seconds: float | None) -> None:
        (video,) = read(item(more=f"<itunes:duration>{said}</itunes:duration>")).episodes
        assert video.duration_s == seconds

    @pytest.mark.parametrize("said", ["", "yesterday", "Mon, 99 Foo 2026 10:00:00 GMT"])
    def test_a_date_that_is_none_is_unknown_and_never_guessed(self, said: str) -> None:
        (video,) = read(item(more=f"<pubDate>{said}</pubDate>")).episodes
        assert video.published_at is None

    @pytest.mark.parametrize(
        ("media", "address"),
        [
            (
                '<enclosure url="a/1.mp3" type="audio/mpeg"/>',
                "https://feeds.example.org/private/show/a/1.mp3",
            ),
            ('<enclosure url="/v.mp4" type="video/mp4"/>', "https://feeds.example.org/v.mp4"),
            ('<enclosure url="/1.M4A?x=1"/>', "https://feeds.example.org/1.M4A?x=1"),
            ('<enclosure url="/1.mp3" type="application/octet-stream"/>', "https://feeds.example.org/1.mp3"),
            (
                '<enclosure url="/v.mp4" type="video/mp4"/><enclosure url="/a.mp3" type="audio/mpeg"/>',
                "https://feeds.example.org/a.mp3",
            ),
        ],
    )
    def test_the_recording_is_found_by_type_or_else_by_name(self, media: str, address: str) -> None:
        (video,) = read(item(media=media)).episodes
        assert video.media_url == address

    @pytest.mark.parametrize(
        "media",
        [
            " ",
            '<enclosure url="/cover.jpg" type="image/jpeg"/>',
            '<enclosure url="/1.pdf"/>',
            '<enclosure url="file:///etc/passwd" type="audio/mpeg"/>',
            '<enclosure url="ftp://example.org/1.mp3" type="audio/mpeg"/>',
            '<enclosure url="http://[broken/1.mp3" type="audio/mpeg"/>',
            '<enclosure type="audio/mpeg"/>',
        ],
    )
    def test_what_has_no_recording_is_named_with_its_reason(self, media: str) -> None:
        found = read(item(guid="9", media=media, title="A post"), item())
        assert [each.title for each in found.episodes] == ["RAG in production"]
        assert found.skipped == [("A post", "it has no audio or video")]

    def test_an_episode_that_is_there_twice_is_one(self) -> None:
        found = read(item(), item(title="again"))
        assert [each.title for each in found.episodes] == ["RAG in production"]
        assert found.skipped == [("again", "the feed has it twice")]

    def test_hostile_text_stays_text_and_can_be_written_down(self) -> None:
        title = "&lt;script&gt;alert(1)&lt;/script&gt; &#x202e;x &amp;#xD800; " + "y" * 10_000
        more = """<link>javascript:alert(1)</link>
<content:encoded><![CDATA[<script>evil()</script><style>p{}</style><p onclick="x()">1 &lt; 2</p>
<a href="x">on</a>]]>
</content:encoded>"""
        (video,) = read(item(title=title, more=more)).episodes
        assert video.title.startswith("<script>alert(1)</script> \u202ex")
        assert len(video.title) <= 2_000
        assert video.description == "1 < 2\non"
        assert video.url == ""
        video.model_dump_json().encode()

    def test_a_long_description_is_cut_and_does_not_stop_the_feed(self) -> None:
        (video,) = read(item(more=f"<description>{'word ' * 300_000}</description>")).episodes
        assert len(video.description) == 50_000

    def test_a_somewhat_broken_feed_is_still_read(self) -> None:
        body = rss(item(title="Q & A"), item(guid="2")).replace(b"</channel></rss>", b"")
        assert [each.title for each in podcast(body, FEED).episodes] == ["Q & A", "RAG in production"]

    def test_an_atom_feed_is_a_podcast_too(self) -> None:
        body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Talks</title><entry>
<id>urn:1</id><title>Eins</title><published>2026-03-02T08:00:00Z</published>
<link rel="enclosure" type="audio/mpeg" href="1.mp3"/>
<link href="/eins"/></entry></feed>"""
        (video,) = podcast(body, FEED).episodes
        assert video.media_url == "https://feeds.example.org/private/show/1.mp3"
        assert video.url == "https://feeds.example.org/eins"
        assert video.published_at == datetime(2026, 3, 2, 8, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("body", "cause"),
        [
            (b"", "not a podcast's feed"),
            (b"/etc/passwd", "not a podcast's feed"),
            (b"https://example.org/feed", "not a podcast's feed"),
            (b"{}", "not a podcast's feed"),
            (b"<!DOCTYPE html><html><body>blocked", "a web page came"),
            (b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>', "malicious"),
            (
                '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>'.encode(
                    "utf-16"
                ),
                "malicious",
            ),
            (b" " * (PODCAST_FEED_BYTES + 1), "bytes"),
        ],
    )
    def test_what_is_no_podcast_says_why_and_what_to_do(self, body: bytes, cause: str) -> None:
        with pytest.raises(DataError) as raised:
            podcast(body, FEED)
        assert cause in raised.value.cause
        assert "s3cret" not in str(raised.value)
