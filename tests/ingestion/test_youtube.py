"""Tests of the YouTube client with the real yt-dlp: listings, metadata, refusals and downloads."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Literal

import pytest

from streams.errors import DataError, Unavailable
from streams.events import Source
from streams.youtube.client import Found, YouTube, parse_locator
from tests.loopback_youtube import FakeVideo, LoopbackYouTube, m4a

TALK = "abcdefghijk"
PLAYLIST = "PLgroundswell0001"


@pytest.fixture(scope="module")
def audio() -> bytes:
    return m4a(20.0)


def source(kind: Literal["channel", "playlist", "search"], locator: str) -> Source:
    return Source(source_id="s", kind=kind, locator=locator, added_at=datetime(2026, 1, 1, tzinfo=UTC))


def talks(count: int, prefix: str = "talk", **fields: object) -> list[FakeVideo]:
    return [FakeVideo(f"{prefix}{n:07}", f"RAG, part {n}", **fields) for n in range(count)]  # type: ignore[arg-type]


def ids(found: Iterator[Found]) -> list[str]:
    return [hit.video.video_id for hit in found]


class TestListing:
    def test_a_channel_is_read_only_as_many_pages_as_looked_at(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(*talks(95))
        listing = youtube.listing(source("channel", "@Meetup"), None)
        assert not loopback.requests

        first = list(islice(listing, 30))
        assert first[0].video.video_id == "talk0000094"
        assert [hit.rank for hit in first] == list(range(1, 31))
        assert len(loopback.requests) == 2  # its two tabs

        assert len(list(listing)) == 65
        assert len(loopback.requests) == 5  # and three more pages

    def test_videos_and_streams_come_in_turn(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        loopback.add(*talks(3), *talks(2, prefix="live", streamed=True))
        assert ids(youtube.listing(source("channel", "@Meetup"), None)) == [
            "talk0000002",
            "live0000001",
            "talk0000001",
            "live0000000",
            "talk0000000",
        ]

    @pytest.mark.parametrize("missing", ["videos", "streams"])
    def test_a_channel_may_lack_a_tab(
        self, missing: str, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(*talks(2, streamed=missing == "videos"))
        assert len(ids(youtube.listing(source("channel", "@Meetup"), None))) == 2

    def test_a_listed_video_has_the_listings_data_and_no_false_date(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        fake = FakeVideo(TALK, "Agents that plan", channel="Meetup", duration_s=3725)
        loopback.add(fake)
        (hit,) = youtube.listing(source("channel", fake.channel_id), None)
        assert hit.video.title == "Agents that plan"
        assert hit.video.duration_s == 3725
        assert (hit.video.channel, hit.video.channel_id) == ("Meetup", fake.channel_id)
        assert hit.video.url == f"https://www.youtube.com/watch?v={TALK}"
        assert hit.video.published_at is None

    def test_the_limit_holds(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        loopback.add(*talks(40))
        assert len(ids(youtube.listing(source("channel", "@Meetup"), 7))) == 7

    def test_a_playlist_keeps_its_order_and_each_video_its_channel(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        videos = [*talks(35), FakeVideo(TALK, channel="Another")]
        loopback.add(*videos)
        loopback.add_playlist(PLAYLIST, TALK, *(video.id for video in videos[:-1]))
        address = f"https://www.youtube.com/playlist?list={PLAYLIST}"
        found = list(youtube.listing(source("playlist", address), None))
        assert [hit.video.video_id for hit in found] == [TALK, *(video.id for video in videos[:-1])]
        assert [hit.video.channel for hit in found[:2]] == ["Another", "Meetup"]
        assert len(loopback.requests) == 2

    def test_a_search_ranks_and_asks_only_for_the_pages_it_needs(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(*talks(100), FakeVideo(TALK, "Knitting"))
        found = list(youtube.listing(source("search", "rag OR agents/tools: 50%"), 50))
        assert [(hit.rank, hit.video.video_id) for hit in found[:2]] == [
            (1, "talk0000000"),
            (2, "talk0000001"),
        ]
        assert len(found) == 50
        assert len(loopback.asked("/search")) == 2

    def test_a_listing_that_breaks_off_says_so_instead_of_ending(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(*talks(40))
        for how in ("next page 503", "next page empty", "next page 429"):
            loopback.fail("@Meetup", how)
            with pytest.raises(Unavailable):
                list(youtube.listing(source("channel", "@Meetup"), None))

    def test_a_channel_not_found_may_come_back(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        with pytest.raises(DataError, match=r"channel @Nobody: YouTube does not find it .*replay tomorrow"):
            list(youtube.listing(source("channel", "@Nobody"), None))
        assert len(loopback.requests) <= 4

    def test_a_playlist_that_is_gone_is_the_sources_fault(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.fail(PLAYLIST, "gone")
        with pytest.raises(DataError, match=r"no such channel or playlist.*remove the source"):
            list(youtube.listing(source("playlist", PLAYLIST), None))


class TestLocators:
    @pytest.mark.parametrize(
        "locator",
        [
            "file:///etc/passwd",
            "FILE:/etc/passwd",
            "http://127.0.0.1:8123/?query=DROP",
            "http://[::1",
            "https://vimeo.com/channels/talks",
            "https://www.youtube.com.evil.example/@Meetup",
            "https://user@www.youtube.com/@Meetup",
            "https://www.youtube.com:8080/@Meetup",
            "ftp://www.youtube.com/@Meetup",
        ],
    )
    @pytest.mark.parametrize("kind", ["channel", "playlist", "search"])
    def test_only_youtube_is_ever_asked(
        self,
        kind: Literal["channel", "playlist", "search"],
        locator: str,
        youtube: YouTube,
        loopback: LoopbackYouTube,
    ) -> None:
        with pytest.raises(DataError, match="not a YouTube address"):
            youtube.listing(source(kind, locator), 1)
        with pytest.raises(DataError):
            parse_locator(locator)
        assert not loopback.requests

    @pytest.mark.parametrize("video_id", ["http://127.0.0.1/", "short", "../../x.y.z"])
    def test_a_video_id_is_never_an_address(
        self, video_id: str, youtube: YouTube, loopback: LoopbackYouTube, tmp_path: Path
    ) -> None:
        with pytest.raises(DataError, match="not the id of a YouTube video"):
            youtube.metadata(video_id)
        with pytest.raises(DataError, match="not the id of a YouTube video"):
            youtube.download_audio(video_id, tmp_path)
        assert not loopback.requests

    def test_a_source_must_be_what_it_says(self, youtube: YouTube) -> None:
        with pytest.raises(DataError, match="is a playlist, not a channel"):
            youtube.listing(source("channel", PLAYLIST), None)
        with pytest.raises(DataError, match="is a search, not a channel"):
            youtube.listing(source("channel", "MLOps Community"), None)

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("@MLOps", ("channel", "@MLOps")),
            ("UCG7fT3XKrS6iTfXtkyNH45g", ("channel", "UCG7fT3XKrS6iTfXtkyNH45g")),
            ("https://www.youtube.com/@MLOps", ("channel", "@MLOps")),
            ("youtube.com/@MLOps/streams", ("channel", "@MLOps")),
            ("https://m.youtube.com/@%C3%89cole-ML?si=x", ("channel", "@École-ML")),
            (
                "http://youtube.com/channel/UCG7fT3XKrS6iTfXtkyNH45g/videos",
                ("channel", "UCG7fT3XKrS6iTfXtkyNH45g"),
            ),
            ("https://www.youtube.com/c/PyData", ("channel", "https://www.youtube.com/c/PyData")),
            (PLAYLIST, ("playlist", PLAYLIST)),
            (f"https://www.youtube.com/playlist?list={PLAYLIST}&si=x", ("playlist", PLAYLIST)),
            (f"https://www.youtube.com/watch?v={TALK}&list={PLAYLIST}&index=3", ("playlist", PLAYLIST)),
            (
                "https://www.youtube.com/results?search_query=llm+in+production",
                ("search", "llm in production"),
            ),
            ("  LLM in\nproduction ", ("search", "LLM in production")),
            ("C++: templates / modules", ("search", "C++: templates / modules")),
        ],
    )
    def test_what_a_person_types_is_understood(self, text: str, meant: tuple[str, str]) -> None:
        assert parse_locator(text) == meant
        assert parse_locator(meant[1]) == meant

    @pytest.mark.parametrize(
        "text",
        [
            f"https://www.youtube.com/watch?v={TALK}",
            f"https://youtu.be/{TALK}?si=x",
            f"youtube.com/shorts/{TALK}",
            f"https://www.youtube.com/live/{TALK}",
            f"https://www.youtube.com/watch?v={TALK}&list=RD{TALK}",
        ],
    )
    def test_a_single_video_is_no_source(self, text: str) -> None:
        with pytest.raises(DataError, match=r'single video.*"groundswell ingest '):
            parse_locator(text)

    @pytest.mark.parametrize(
        "text", ["", "  ", "https://www.youtube.com/", "https://www.youtube.com/feed/history"]
    )
    def test_what_leads_nowhere_is_refused(self, text: str) -> None:
        with pytest.raises(DataError):
            parse_locator(text)


class TestMetadata:
    def test_it_is_complete(self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes) -> None:
        fake = FakeVideo(
            TALK,
            "Agents that plan",
            published_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
            duration_s=3725,
            description="words " * 2000,
            audio=audio,
            language="en-US",
        )
        loopback.add(fake)
        video = youtube.metadata(TALK)
        assert video.title == "Agents that plan"
        assert video.description == fake.description[:5000]
        assert (video.channel, video.channel_id) == ("Meetup", fake.channel_id)
        assert video.url == f"https://www.youtube.com/watch?v={TALK}"
        assert video.published_at == fake.published_at
        assert video.duration_s == 3725
        assert video.language == "en"
        assert video.live_status == "not_live"
        assert len(loopback.requests) == 4

    def test_a_live_stream_and_its_recording_are_told_apart(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, streamed=True, live_now=True, audio=audio))
        assert youtube.metadata(TALK).live_status == "is_live"
        loopback.add(FakeVideo(TALK, streamed=True, audio=audio))
        assert youtube.metadata(TALK).live_status == "was_live"

    def test_an_unstated_language_or_date_stays_unknown(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, published_at=None))
        video = youtube.metadata(TALK)
        assert video.language is None
        assert video.published_at is None

    @pytest.mark.parametrize("how", ["page 404", "page 429", "page 503"])
    def test_a_date_lost_with_its_page_is_not_taken_for_none(
        self, how: str, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio))
        loopback.fail(TALK, how)
        with pytest.raises(Unavailable, match=r"cannot get (the publication date of )?video abcdefghijk"):
            youtube.metadata(TALK)

    def test_metadata_survives_a_player_that_refuses(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, "Agents that plan"))
        loopback.fail(TALK, "player 429")
        assert youtube.metadata(TALK).published_at is not None


class TestDownload:
    def test_the_file_is_what_youtube_sent(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio))
        shares: list[float] = []
        path = youtube.download_audio(TALK, tmp_path / "50% new", shares.append)
        assert path.parent == tmp_path / "50% new"
        assert path.suffix == ".m4a"
        assert path.read_bytes() == audio
        assert shares == sorted(shares)
        assert shares[-1] == 1.0

    def test_a_dropped_transfer_goes_on_where_it_was(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio))
        loopback.drop_transfers(TALK, times=3)
        with pytest.raises(Unavailable, match="the transfer failed"):
            youtube.download_audio(TALK, tmp_path)
        (part,) = tmp_path.iterdir()
        assert part.suffix == ".part"
        have = part.stat().st_size
        assert 0 < have < len(audio)

        path = YouTube(proxy=loopback.proxy, insecure_tls=True).download_audio(TALK, tmp_path)
        assert path.read_bytes() == audio
        assert (loopback.asked("videoplayback")[-1].range or "").startswith(f"bytes={have}-")
        assert list(tmp_path.iterdir()) == [path]

    def test_a_killed_process_leaves_its_part_to_the_next(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio))
        script = (
            "import os, sys; from pathlib import Path; from streams.youtube.client import YouTube\n"
            "youtube = YouTube(proxy=sys.argv[1], insecure_tls=True)\n"
            "die = lambda share: os._exit(9) if share > 0.5 else None\n"
            "youtube.download_audio(sys.argv[2], Path(sys.argv[3]), die)"
        )
        died = subprocess.run(
            [sys.executable, "-c", script, loopback.proxy, TALK, str(tmp_path)], check=False
        )
        assert died.returncode == 9
        (part,) = tmp_path.iterdir()
        have = part.stat().st_size
        assert have > len(audio) // 3

        assert youtube.download_audio(TALK, tmp_path).read_bytes() == audio
        assert (loopback.asked("videoplayback")[-1].range or "").startswith(f"bytes={have}-")

    def test_a_finished_file_is_not_fetched_again(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio))
        path = youtube.download_audio(TALK, tmp_path)
        assert youtube.download_audio(TALK, tmp_path) == path
        assert len(loopback.asked("videoplayback")) == 1

    def test_whoever_watches_can_end_the_transfer(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        class LeaseLostError(Exception):
            pass

        def give_up(share: float) -> None:
            raise LeaseLostError

        loopback.add(FakeVideo(TALK, audio=audio))
        with pytest.raises(LeaseLostError):
            youtube.download_audio(TALK, tmp_path, give_up)

    def test_a_running_stream_is_not_recorded(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK, live_now=True, audio=audio))
        with pytest.raises(DataError, match=r"live stream.*some hours after its end"):
            youtube.download_audio(TALK, tmp_path)
        assert not loopback.asked("videoplayback")


class TestRefusals:
    @pytest.mark.parametrize(
        ("how", "error", "words"),
        [
            ("private", DataError, "it is private .*once it is public"),
            ("removed", DataError, "it was removed .*drop it"),
            ("terminated", DataError, "it was removed .*drop it"),
            ("members", DataError, "paying members only .*pays for nothing"),
            ("age", DataError, "signed-in adults only .*GROUNDSWELL_COOKIES"),
            ("geo", DataError, "not shown in this country .*GROUNDSWELL_PROXY"),
            (
                "premiere",
                DataError,
                r"not available yet \(Premieres in 3 hours\).*replay after it has premiered",
            ),
            ("unavailable", DataError, "without saying why .*replay tomorrow"),
            ("bot check", Unavailable, "takes this address for a bot .*some hours"),
            ("rate limit", Unavailable, "limits the requests of this address .*an hour or more"),
            ("player 429", Unavailable, "limits the requests of this address .*an hour or more"),
            ("player 503", Unavailable, "the transfer failed .*503"),
            ("media 403", Unavailable, "HTTP 403.*tries again"),
        ],
    )
    def test_each_says_what_happened_and_what_to_do(
        self,
        *,
        how: str,
        error: type[Exception],
        words: str,
        youtube: YouTube,
        loopback: LoopbackYouTube,
        audio: bytes,
        tmp_path: Path,
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio))
        loopback.fail(TALK, how)
        with pytest.raises(error, match=f"cannot get the audio of video {TALK}: .*{words}"):
            youtube.download_audio(TALK, tmp_path)
        loopback.heal(TALK)
        assert youtube.download_audio(TALK, tmp_path).read_bytes() == audio

    def test_a_video_nobody_knows_is_looked_at_again_later(self, youtube: YouTube) -> None:
        with pytest.raises(DataError, match=r"video abcdefghijk: .*replay tomorrow"):
            youtube.metadata(TALK)

    def test_a_video_without_audio_is_unsupported(
        self, youtube: YouTube, loopback: LoopbackYouTube, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK))
        with pytest.raises(DataError, match="upgrade yt-dlp"):
            youtube.download_audio(TALK, tmp_path)

    def test_a_dead_proxy_is_this_machines_fault(self) -> None:
        youtube = YouTube(proxy="http://127.0.0.1:9", insecure_tls=True)
        with pytest.raises(Unavailable, match=r"cannot get video abcdefghijk: .*proxy"):
            youtube.metadata(TALK)

    def test_a_certificate_is_checked_unless_told_otherwise(self, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK))
        with pytest.raises(Unavailable, match="certificate"):
            YouTube(proxy=loopback.proxy).metadata(TALK)
