"""Tests with YouTube's recorded answers: listings, players, captions and refusals are read without loss.

The real yt-dlp reads the recorded answers from the wire; the expected values are counted here by a
walk of the JSON that is independent of yt-dlp. The recordings are not part of the project: see
`tests/realdata.py`.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import pytest
from aiohttp import web

from models.errors import BadInput
from models.transcripts.captions import Captions, parse
from streams.events import Source
from streams.youtube.client import Found, YouTube, _distinct, _video, parse_locator
from streams.youtube.errors import RefusedForNow, YouTubeRefused
from tests import loopback_youtube_pages as pages
from tests.loopback_youtube import FakeVideo, LoopbackYouTube
from tests.realdata import shared

Json = dict[str, Any]
Answers = Callable[[web.Request, Json], web.Response | None]

CHANNEL = "@creativecommons"
CHANNEL_ID = "UCTwECeGqMZee77BjdoYtI2Q"
TALK = "abcdefghijk"


def recorded(name: str) -> bytes:
    content = shared(f"fixtures/youtube/{name}").read_bytes()
    return gzip.decompress(content) if name.endswith(".gz") else content


def innertube(name: str) -> Json:
    """Return the answer of a recorded exchange."""
    exchange = json.loads(recorded(f"innertube/{name}.json.gz"))
    answer: Json = exchange["response"]["responseBody"]
    assert exchange["response"]["responseCode"] == 200
    return answer


class RecordedYouTube(LoopbackYouTube):
    """A YouTube that answers with recordings; without a recording it answers as the empty loopback does."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self._answers = answers
        self.asked_for: list[tuple[str, Json]] = []

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json() if request.method == "POST" else {}
        self.asked_for.append((request.path, asked))
        return self._answers(request, asked) or await super()._answer(request)


def page(**data: Any) -> web.Response:
    return web.Response(text=pages.html(**data), content_type="text/html")


def listed(
    answers: Answers, kind: Literal["channel", "playlist", "search"], locator: str, limit: int | None
) -> list[Found]:
    source = Source(source_id="s", kind=kind, locator=locator, added_at=datetime(2026, 3, 1, tzinfo=UTC))
    with RecordedYouTube(answers) as recording:
        return list(YouTube(recording.proxy, insecure_tls=True).listing(source, limit))


class Shown(NamedTuple):
    """The content of a recorded entry, read without yt-dlp."""

    video_id: str
    title: str
    seconds: float | None
    channel: str
    channel_id: str
    live_status: str | None
    in_shelf: bool


def walk(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Yield every object of a JSON tree with its path, in document order."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from walk(value, (*path, key))
    elif isinstance(node, list):
        for value in node:
            yield from walk(value, path)


def shown(*answers: Json) -> list[Shown]:
    """Return all videos in the answers, at any depth, in order."""
    found = []
    for answer in answers:
        about = answer.get("metadata", {}).get("channelMetadataRenderer", {})
        owner = (about.get("title", ""), about.get("externalId", "")) if about else ("", "")
        for path, node in walk(answer):
            match path[-1:]:
                case ("videoRenderer",) | ("playlistVideoRenderer",):
                    found.append(_renderer(node, "shelfRenderer" in path))
                case ("lockupViewModel",):
                    found.append(_lockup(node, owner))
    return found


def _renderer(node: Json, in_shelf: bool) -> Shown:
    (by,) = node["shortBylineText"]["runs"]
    # A video of two channels is "A and B", which names no single channel.
    owner = by["navigationEndpoint"].get("browseEndpoint", {"browseId": ""})
    live = any("LIVE_NOW" in badge["metadataBadgeRenderer"]["style"] for badge in node.get("badges", ()))
    streamed = "Streamed" in _text(node.get("publishedTimeText"))
    return Shown(
        node["videoId"],
        _text(node["title"]),
        _seconds(_text(node.get("lengthText"))),
        by["text"],
        owner["browseId"],
        "is_live" if live else "was_live" if streamed else None,
        in_shelf,
    )


def _lockup(node: Json, owner: tuple[str, str]) -> Shown:
    (badge,) = [each["text"] for path, each in walk(node) if path[-1:] == ("thumbnailBadgeViewModel",)]
    title = node["metadata"]["lockupMetadataViewModel"]["title"]["content"]
    assert node["contentType"] == "LOCKUP_CONTENT_TYPE_VIDEO"
    return Shown(node["contentId"], title, _seconds(badge), *owner, None, False)


def _text(node: Json | None) -> str:
    node = node or {}
    return str(node.get("simpleText", "")) + "".join(run["text"] for run in node.get("runs", ()))


def _seconds(clock: str) -> float | None:
    parts = [int(part) for part in clock.split(":")] if clock else []
    return float(sum(part * 60**place for place, part in enumerate(reversed(parts)))) if parts else None


def assert_nothing_lost(found: list[Found], said: list[Shown]) -> None:
    assert said
    assert [each.rank for each in found] == list(range(1, len(said) + 1))
    videos = [each.video for each in found]
    assert [each.video_id for each in videos] == [each.video_id for each in said]
    assert [each.title for each in videos] == [each.title for each in said]
    assert [each.duration_s for each in videos] == [each.seconds for each in said]
    assert [each.live_status for each in videos] == [each.live_status for each in said]
    assert [each.url for each in videos] == [f"https://www.youtube.com/watch?v={each[0]}" for each in said]
    assert not any(each.short_form for each in videos)
    # The recordings say "2 months ago" at most, which is no date.
    assert [each.published_at for each in videos] == [None] * len(said)
    assert [each.begins_at for each in videos] == [None] * len(said)


class TestChannels:
    """Tests of a tab of uploads: its recorded page, and the recorded answer for the next one."""

    @staticmethod
    def answers(past_the_last: int = 503) -> Answers:
        first, second = (innertube(f"youtubechanneltabextractor__videos__{part}") for part in (3, 4))
        (token,) = {
            node["token"]
            for path, node in walk(first["contents"])
            if path[-3:] == ("continuationItemRenderer", "continuationEndpoint", "continuationCommand")
            and "header" not in path
        }

        def answer(request: web.Request, asked: Json) -> web.Response | None:
            if request.path.startswith(f"/{CHANNEL}/"):
                return page(ytInitialData=first)
            if "continuation" not in asked:
                return None
            known = asked["continuation"] == token
            return web.json_response(second) if known else web.Response(status=past_the_last)

        return answer

    def test_its_pages_are_read_without_loss(self) -> None:
        said = shown(*(innertube(f"youtubechanneltabextractor__videos__{part}") for part in (3, 4)))
        assert len(said) == len({each.video_id for each in said}) == 60
        found = listed(self.answers(), "channel", CHANNEL, 60)
        assert_nothing_lost(found, said)
        # Only the first page names the channel.
        owners = {(each.video.channel, each.video.channel_id) for each in found}
        assert owners == {("Creative Commons", CHANNEL_ID)}

    def test_a_page_that_nobody_recorded_is_an_error_and_no_end(self) -> None:
        with pytest.raises(RefusedForNow, match=r"channel @creativecommons: .*503.*tries again"):
            listed(self.answers(), "channel", CHANNEL, None)

    def test_a_failing_page_is_read_through_the_resolved_address(self) -> None:
        first = innertube("youtubechanneltabextractor__videos__3")
        resolved = innertube("youtubechanneltabextractor__videos__2")
        browsed: list[Json] = []

        def answer(request: web.Request, asked: Json) -> web.Response | None:
            if request.path.endswith("/resolve_url"):
                return web.json_response(resolved)
            if "browseId" in asked:
                browsed.append(asked)
                return web.json_response(first)
            return None  # the loopback has no such page

        assert_nothing_lost(listed(answer, "channel", CHANNEL, 30), shown(first))
        assert {asked["browseId"] for asked in browsed} == {CHANNEL_ID}


class TestSearches:
    @pytest.mark.parametrize(
        ("name", "results", "in_shelves"), [("paging__paging", 40, 0), ("videos", 40, 10)]
    )
    def test_results_keep_their_order_over_pages(self, name: str, results: int, in_shelves: int) -> None:
        """Only shelves such as "Popular in Lyon" and "Channels new to you" are left out: they are no results.

        YouTube chooses them by place and person, so they would distort the rank; yt-dlp does not read them.
        """
        both = [innertube(f"search__youtubesearchextractor__{name}__{part}") for part in (2, 3)]
        said = shown(*both)
        ranked = [each for each in said if not each.in_shelf]
        assert (len(ranked), len(said) - len(ranked)) == (results, in_shelves)

        def answer(request: web.Request, asked: Json) -> web.Response | None:
            is_search = request.path.endswith("/search")
            return web.json_response(both["continuation" in asked]) if is_search else None

        found = listed(answer, "search", "a query", results)
        assert_nothing_lost(found, ranked)
        assert [each.video.channel for each in found] == [each.channel for each in ranked]
        assert [each.video.channel_id for each in found] == [each.channel_id for each in ranked]
        assert {each.video.live_status for each in found} > {None}  # some are or were live


PLAYLISTS = {
    "PLoumn5BIsUDeGF1vy5Nylf_RJKn5aL_nr": (150, ("continuationss__3", "continuationss__4")),
    "PLXJg25X-OulsVsnvZ7RVtSDW-id9_RzAO": (17, ("continuationss__6",)),
    "PL8dPuuaLjXtOAKed_MxxWBNaPno5h3Zs8": (49, ("learningplaylist__3",)),
}
"""What was recorded of each, and how many videos its page counts."""


def playlist_page(answer: Json) -> Json:
    """Return the page for entries that were recorded from the API, which nests them differently."""
    (action,) = answer["onResponseReceivedActions"]
    entries = action["reloadContinuationItemsCommand"]["continuationItems"]
    section = {"itemSectionRenderer": {"contents": [{"playlistVideoListRenderer": {"contents": entries}}]}}
    content = {"sectionListRenderer": {"contents": [section]}}
    rest = {key: value for key, value in answer.items() if key != "onResponseReceivedActions"}
    return rest | pages.tabs([{"tabRenderer": {"selected": True, "content": content}}])


def playlist(first: Json, *more: Json) -> Answers:
    rest = iter(more)

    def answer(request: web.Request, asked: Json) -> web.Response | None:
        if request.path == "/playlist":
            return page(ytInitialData=first)
        return web.json_response(next(rest)) if "continuation" in asked else None

    return answer


class TestPlaylists:
    @pytest.mark.parametrize("playlist_id", PLAYLISTS)
    def test_all_pages_are_read_without_loss(self, playlist_id: str) -> None:
        count, names = PLAYLISTS[playlist_id]
        first, *more = (innertube(f"youtubeplaylistextractor__{name}") for name in names)
        said = shown(first, *more)
        assert len(said) == len({each.video_id for each in said}) == count
        found = listed(playlist(playlist_page(first), *more), "playlist", playlist_id, None)
        assert_nothing_lost(found, said)
        assert [each.video.channel for each in found] == [each.channel for each in said]
        assert [each.video.channel_id for each in found] == [each.channel_id for each in said]

    @pytest.mark.parametrize("playlist_id", PLAYLISTS)
    def test_entries_in_an_unknown_place_are_an_error_not_emptiness(self, playlist_id: str) -> None:
        """The recorded API answer serves as a page: yt-dlp finds no entry in it, and raises no error."""
        count, names = PLAYLISTS[playlist_id]
        answers = playlist(innertube(f"youtubeplaylistextractor__{names[0]}"))
        with pytest.raises(
            YouTubeRefused, match=rf"no video that can be read.* counts {count}: .*upgrade yt-dlp"
        ) as no:
            listed(answers, "playlist", playlist_id, None)
        assert no.value.verdict[::2] == ("unsupported", "source")

    @pytest.mark.parametrize("name", ["continuationss__2", "continuationss__5", "learningplaylist__2"])
    def test_a_header_without_contents_is_an_answer_cut_short(self, name: str) -> None:
        answers = playlist(innertube(f"youtubeplaylistextractor__{name}"))
        with pytest.raises(RefusedForNow, match="Incomplete yt initial data"):
            listed(answers, "playlist", next(iter(PLAYLISTS)), None)

    @pytest.mark.parametrize(
        ("part", "words"), [(2, "This playlist type is unviewable"), (3, "The playlist does not exist")]
    )
    def test_one_that_is_gone_is_gone_in_youtubes_words(self, part: int, words: str) -> None:
        answers = playlist(innertube(f"youtubeplaylistextractor__notavailable__{part}"))
        with pytest.raises(YouTubeRefused, match=f"{words}.*correct or remove the source") as no:
            listed(answers, "playlist", "PL11111111111111111111111111111111", None)
        assert no.value.verdict.kind == "gone"


class TestOtherVersionsOfYtDlp:
    """Tests of listings written by yt-dlp versions of other years: they become videos as today's do."""

    def test_a_flat_listing_of_2020(self) -> None:
        entries = json.loads(recorded("ytdlp/flat_playlist_legacy.json"))["entries"]
        assert len(entries) == 7
        assert [each["id"] for each in _distinct(entries)] == list(
            dict.fromkeys(each["id"] for each in entries)
        )
        for entry in entries:
            video = _video(entry)
            assert (video.video_id, video.title) == (entry["id"], entry["title"])
            assert video.duration_s == entry["duration"]
            assert video.url == f"https://www.youtube.com/watch?v={entry['id']}"  # it gives the bare id
            assert (video.channel, video.published_at) == ("", None)

    @pytest.mark.parametrize(
        "name", ["pinchflat_example", "tubesync_metadata_2023-06-29", "tubesync_metadata_low_formats"]
    )
    def test_all_about_a_video(self, name: str) -> None:
        info = json.loads(recorded(f"ytdlp/{name}.info.json.gz"))
        video = _video(info)
        assert (video.video_id, video.title) == (info["id"], info["title"])
        assert (video.channel, video.channel_id) == (info["channel"], info["channel_id"])
        assert video.description == info["description"]
        assert video.duration_s == info["duration"]
        assert video.url == info["webpage_url"]
        assert video.live_status == info["live_status"]
        assert f"{video.published_at:%Y%m%d}" == info["upload_date"]
        assert video.begins_at is None  # `begins_at` is for future streams, not for past ones
        assert video.language == (info["language"] or None)

    def test_their_addresses_are_sources(self) -> None:
        about = json.loads(recorded("ytdlp/pinchflat_channel_source_metadata.json"))
        assert parse_locator(about["webpage_url"]) == ("channel", about["webpage_url"])
        assert parse_locator(about["uploader_url"]) == ("channel", about["uploader_id"])
        listing = json.loads(recorded("ytdlp/flat_playlist_legacy.json"))
        assert parse_locator(listing["webpage_url"]) == ("playlist", listing["id"])


class TestPlayers:
    """Tests of the player's recorded answers, on a video's page and from the player API."""

    @staticmethod
    def answers(name: str) -> tuple[Json, Answers]:
        """Return the recorded answer, and answers with it; only the loopback's page names the channel."""
        said = json.loads(recorded(f"captions/yta__{name}"))
        details = said.get("videoDetails", {})
        around = pages.watch_data(FakeVideo(TALK, channel=details.get("author", "")))

        def answer(request: web.Request, _: Json) -> web.Response | None:
            if request.path == "/watch":
                return page(ytInitialData=around, ytInitialPlayerResponse=said)
            return web.json_response(said) if request.path.endswith("/player") else None

        return said, answer

    @pytest.mark.parametrize(
        "name",
        [
            "youtube.innertube.json.gz",
            "youtube_po_token_required.innertube.json.gz",
            "youtube_transcripts_disabled.innertube.json.gz",
        ],
    )
    def test_captions_that_are_closed_close_no_video(self, name: str) -> None:
        said, answers = self.answers(name)
        about = said["videoDetails"]
        with RecordedYouTube(answers) as recording:
            video = YouTube(recording.proxy, insecure_tls=True).metadata(about["videoId"])
        assert (video.video_id, video.title) == (about["videoId"], about["title"])
        assert (video.channel, video.channel_id) == (about["author"], about["channelId"])
        assert video.description == about["shortDescription"]
        assert video.duration_s == float(about["lengthSeconds"])
        assert video.url == f"https://www.youtube.com/watch?v={about['videoId']}"
        assert video.live_status == "not_live"
        assert "microformat" not in said  # which alone states the date
        assert video.published_at is None

    @pytest.mark.parametrize(
        ("name", "error", "kind", "scope"),
        [
            ("youtube_age_restricted", YouTubeRefused, "auth", "video"),
            ("youtube_request_blocked", RefusedForNow, "blocked", "session"),
            # Its authors derived it from a block: a vague status, a screen that asks for proof of humanity.
            ("youtube_unplayable", RefusedForNow, "blocked", "session"),
            ("youtube_video_unavailable", YouTubeRefused, "recheck", "video"),
        ],
    )
    def test_a_refusal_is_what_it_is(self, name: str, error: type[Exception], kind: str, scope: str) -> None:
        said, answers = self.answers(f"{name}.innertube.json")
        video_id = said.get("videoDetails", {}).get("videoId", TALK)
        with RecordedYouTube(answers) as recording, pytest.raises((YouTubeRefused, RefusedForNow)) as no:
            YouTube(recording.proxy, insecure_tls=True).metadata(video_id)
        assert type(no.value) is error
        assert (no.value.verdict.kind, no.value.verdict.scope) == (kind, scope)
        assert no.value.cure

    @pytest.mark.parametrize("name", ["youtube_consent_page", "youtube_too_many_requests"])
    @pytest.mark.parametrize(("status", "kind"), [(200, "blocked"), (429, "throttled")])
    def test_a_page_for_humans_stops_all_that_is_asked(self, name: str, status: int, kind: str) -> None:
        html = recorded(f"captions/yta__{name}.html").decode()

        def answers(_request: web.Request, _asked: Json) -> web.Response:
            return web.Response(text=html, content_type="text/html", status=status)

        def video() -> None:
            with RecordedYouTube(answers) as recording:
                YouTube(recording.proxy, insecure_tls=True).metadata(TALK)

        for ask in (
            video,
            lambda: listed(answers, "channel", CHANNEL, None),
            lambda: listed(answers, "search", "agents", 5),
        ):
            with pytest.raises(RefusedForNow) as no:
                ask()
            assert (no.value.verdict.kind, no.value.verdict.scope) == (kind, "session")
            assert "GROUNDSWELL_PROXY" in no.value.cure


TIMING = re.compile(rb"^(\d\d:)?\d\d:\d\d[.,]\d{3} --> ", re.MULTILINE)


class TestCaptions:
    @staticmethod
    def read(name: str) -> tuple[bytes, Captions]:
        content = recorded(f"captions/{name}")
        return content, parse(content, name)

    @pytest.mark.parametrize(
        "name", ["talkpython_438_youtube.vtt.gz", "talkpython_438_podcast.vtt.gz", "pinchflat_subtitle.srt"]
    )
    def test_every_cue_of_a_subtitle_file_is_read(self, name: str) -> None:
        content, captions = self.read(name)
        cues = re.split(r"\n\s*\n", content.decode().replace("\r\n", "\n"))
        bodies = [cue.split(" --> ")[1].split("\n", 1)[1] for cue in cues if " --> " in cue]
        assert len(captions.segments) == len(TIMING.findall(content)) == len(bodies)
        words = [" ".join(re.sub(r"(^|\s)>>+", " ", body).split()) for body in bodies]
        assert [segment.text for segment in captions.segments] == words

    @pytest.mark.parametrize("name", ["manual_8min.json3", "auto_asr_50min.json3.gz"])
    def test_every_word_of_timed_text_is_read(self, name: str) -> None:
        content, captions = self.read(name)
        said = [
            "".join(seg.get("utf8", "") for seg in event.get("segs", ()))
            for event in json.loads(content)["events"]
        ]
        said = [" ".join(each.split()) for each in said if each.strip()]
        assert [" ".join(segment.text.split()) for segment in captions.segments] == said

    def test_every_line_of_the_older_xml_is_read(self) -> None:
        content, captions = self.read("yta__transcript.xml")
        written = re.findall(r'start="([\d.]+)" dur="([\d.]+)">(.+?)</text>', content.decode())
        lines = [(float(start), float(length), text) for start, length, text in written]
        assert len(lines) == 3
        assert [segment.start for segment in captions.segments] == [start for start, _, _ in lines]
        assert [segment.end for segment in captions.segments] == [a + length for a, length, _ in lines]
        said = [re.sub(r"&lt;/?i>", "", text) for _, _, text in lines]
        assert [segment.text for segment in captions.segments] == said

    @pytest.mark.parametrize(
        ("name", "cause"),
        [
            ("yta__youtube_consent_page.html", "is a web page"),
            ("yta__youtube_too_many_requests.html", "is a web page"),
            ("yta__youtube_age_restricted.innertube.json", "is JSON without segments"),
            ("yta__youtube_request_blocked.innertube.json", "is JSON without segments"),
            ("yta__youtube_unplayable.innertube.json", "is JSON without segments"),
            ("yta__youtube_video_unavailable.innertube.json", "is JSON without segments"),
            ("yta__youtube_transcripts_disabled.innertube.json.gz", "is JSON without segments"),
            ("yta__youtube_po_token_required.innertube.json.gz", "is JSON without segments"),
            ("yta__youtube.innertube.json.gz", "is JSON without segments"),
        ],
    )
    def test_what_is_no_caption_file_is_never_taken_for_one(self, name: str, cause: str) -> None:
        with pytest.raises(BadInput, match=rf"^{re.escape(name)} {cause}") as no:
            self.read(name)
        assert "WebVTT, SubRip (.srt) or json3" in no.value.cure
