"""YouTube's refusals, through the real yt-dlp and request budget: which sources pause, and which continue."""

import sysconfig
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Literal

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agents.consumer.retry import with_retries
from agents.runtime.wiring import SharedResources
from streams.errors import DataError, Misconfigured, Paused, Unavailable
from streams.events import Source
from streams.settings import Settings
from streams.telemetry import COOKIES_REFUSED
from streams.youtube.client import YouTube
from streams.youtube.cookies import read_cookies
from streams.youtube.errors import RefusalVerdict, RefusedForNow, YouTubeRefused, refusal_in
from streams.youtube.request_budget import Governor
from tests.ingestion.moving_clock import Clock
from tests.loopback_youtube import FakeVideo, LoopbackYouTube, m4a

TALK, OTHER = "abcdefghijk", "lmnopqrstuv"
PLAYLIST = "PLgroundswell0001"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIGNED_IN = "".join(
    f"{prefix}.youtube.com\tTRUE\t/\tTRUE\t{expires}\t{name}\thunter2-{name}\n"
    for prefix, expires, name in [
        ("", "1999999999", "SID"),
        ("#HttpOnly_", "0", "HSID"),
        ("", "1999999999", "SAPISID"),
        ("", "1999999999.5", "__Secure-3PAPISID"),
        ("", "", "LOGIN_INFO"),
    ]
)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def governor(clock: Clock, tmp_path: Path) -> Governor:
    return Governor(
        tmp_path / "egress", "a test", 250, 3600.0, now=clock.now, sleep=clock.sleep, jitter=lambda: 0.0
    )


@pytest.fixture
def youtube(loopback: LoopbackYouTube, governor: Governor) -> YouTube:
    return YouTube(loopback.proxy, insecure_tls=True, governor=governor)


@pytest.fixture(scope="module")
def audio() -> bytes:
    return m4a(3.0)


@pytest.fixture
def impatient() -> Iterator[None]:
    """Keep the retries, but skip their waiting times."""
    with stamina.set_testing(True, attempts=6, cap=True):
        yield


def source(kind: Literal["channel", "playlist", "search"], locator: str) -> Source:
    return Source(source_id="s", kind=kind, locator=locator, added_at=START)


class TestBreaker:
    @pytest.mark.parametrize("how", ["bot check", "rate limit", "player 429", "media 429"])
    def test_after_a_refusal_of_the_session_no_request_leaves(
        self,
        *,
        how: str,
        youtube: YouTube,
        loopback: LoopbackYouTube,
        audio: bytes,
        tmp_path: Path,
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio), FakeVideo(OTHER, audio=audio))
        loopback.fail(TALK, how)
        with pytest.raises(RefusedForNow) as refusal:
            youtube.download_audio(TALK, tmp_path)
        assert refusal.value.verdict.scope == "session"

        asked = len(loopback.requests)
        for call in (
            lambda: youtube.metadata(OTHER),
            lambda: youtube.download_audio(OTHER, tmp_path),
            lambda: list(youtube.listing(source("channel", "@Meetup"), None)),
            lambda: list(youtube.listing(source("search", "talk"), 5)),
        ):
            with pytest.raises(Paused) as pause:
                call()
            assert pause.value.until == START + HOUR
        assert len(loopback.requests) == asked

    def test_a_bot_check_in_typographic_quotes_is_one(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, "bot check")
        with pytest.raises(RefusedForNow, match="you’re not a bot"):
            youtube.metadata(TALK)
        assert "bot" in governor.status().reason

    def test_a_swallowed_429_opens_it_though_the_metadata_is_whole(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK, "Agents that plan"))
        loopback.fail(TALK, "player 429")
        video = youtube.metadata(TALK)
        assert (video.title, video.published_at) == ("Agents that plan", FakeVideo(TALK).published_at)
        assert governor.status().open_until == START + HOUR
        assert len(loopback.asked("youtubei/v1/player")) == 1  # yt-dlp would have asked again, twice

    def test_a_page_that_asks_who_is_human_opens_it(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube
    ) -> None:
        loopback.add_playlist(PLAYLIST)
        loopback.fail(PLAYLIST, "page blocked")
        with pytest.raises(RefusedForNow) as refusal:
            list(youtube.listing(source("playlist", PLAYLIST), None))
        assert refusal.value.verdict.kind == "blocked"
        assert governor.status().open_until is not None

    def test_a_video_behind_such_a_page_does_not_become_dateless(
        self, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, "page blocked")
        with pytest.raises(Unavailable):
            youtube.metadata(TALK)

    def test_a_429_between_two_pages_of_a_listing_opens_it(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(*(FakeVideo(f"talk{n:07}") for n in range(40)))
        loopback.fail("@Meetup", "next page 429")
        with pytest.raises(RefusedForNow):
            list(youtube.listing(source("channel", "@Meetup"), None))
        assert governor.status().open_until is not None
        assert len(loopback.asked("browse")) == 1

    @pytest.mark.parametrize("how", ["media 403", "media 503", "player 503", "private", "geo", "age"])
    def test_one_failing_video_does_not_stop_the_others(
        self,
        *,
        how: str,
        youtube: YouTube,
        governor: Governor,
        loopback: LoopbackYouTube,
        audio: bytes,
        tmp_path: Path,
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio), FakeVideo(OTHER, audio=audio))
        loopback.fail(TALK, how)
        for _ in range(3):
            with pytest.raises((YouTubeRefused, RefusedForNow)) as refusal:
                youtube.download_audio(TALK, tmp_path)
            assert refusal.value.verdict.scope == "video"
        assert governor.status().open_until is None
        assert youtube.download_audio(OTHER, tmp_path).read_bytes() == audio

    def test_a_failing_source_does_not_stop_the_others(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube
    ) -> None:
        loopback.fail(PLAYLIST, "gone")
        loopback.add(FakeVideo(TALK))
        for locator, kind in (("@Nobody", "channel"), (PLAYLIST, "playlist")):
            with pytest.raises(YouTubeRefused):
                list(youtube.listing(source(kind, locator), None))  # type: ignore[arg-type]
        assert governor.status().open_until is None
        assert len(list(youtube.listing(source("channel", "@Meetup"), None))) == 1

    def test_a_dead_proxy_does_not_open_it_nor_leak_its_password(self, governor: Governor) -> None:
        youtube = YouTube("http://ann:hunter2@127.0.0.1:9", insecure_tls=True, governor=governor)
        with pytest.raises(RefusedForNow, match="proxy") as refusal:
            youtube.metadata(TALK)
        assert refusal.value.verdict.kind == "local"
        assert "hunter2" not in str(refusal.value)
        assert governor.status().open_until is None

    def test_a_trial_after_the_pause_closes_it(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube, clock: Clock
    ) -> None:
        loopback.add(FakeVideo(TALK), FakeVideo(OTHER))
        loopback.fail(TALK, "bot check")
        for pause in (HOUR, 2 * HOUR):
            with pytest.raises(RefusedForNow):
                youtube.metadata(TALK)
            assert governor.status().open_until == clock.moment + pause
            clock.moment += pause
        assert youtube.metadata(OTHER).video_id == OTHER
        assert youtube.metadata(OTHER).video_id == OTHER
        assert governor.status().open_until is None

    def test_a_trial_that_finds_youtube_out_of_order_may_be_repeated(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube, clock: Clock
    ) -> None:
        loopback.add_playlist(PLAYLIST)
        loopback.add(*(FakeVideo(f"talk{n:07}", "RAG") for n in range(40)))
        governor.refused(RefusalVerdict("blocked", "YouTube takes this address for a bot", "session"))
        clock.moment += HOUR
        loopback.fail(PLAYLIST, "page 503")
        with pytest.raises(RefusedForNow, match="503"):  # yt-dlp's own second try is part of the trial
            list(youtube.listing(source("playlist", PLAYLIST), None))
        assert len(loopback.requests) > 1
        assert len(list(youtube.listing(source("search", "rag"), None))) == 40

    def test_a_channels_two_tabs_are_one_trial_not_two(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube, clock: Clock
    ) -> None:
        loopback.add(FakeVideo(TALK), FakeVideo(OTHER, streamed=True))
        governor.refused(RefusalVerdict("blocked", "YouTube takes this address for a bot", "session"))
        clock.moment += HOUR
        found = [hit.video.video_id for hit in youtube.listing(source("channel", "@Meetup"), None)]
        assert found == [TALK, OTHER]


class TestTurns:
    def test_a_listing_takes_a_turn_per_page_when_it_is_read(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(*(FakeVideo(f"talk{n:07}") for n in range(95)))
        listing = youtube.listing(source("channel", "@Meetup"), None)
        assert governor.status().turns == 0
        list(islice(listing, 10))
        assert governor.status().turns == 2  # its two tabs
        assert len(list(listing)) == 85
        assert governor.status().turns == len(loopback.requests) == 5

    def test_a_listing_cut_off_by_a_pause_returns_what_it_found(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(*(FakeVideo(f"talk{n:07}") for n in range(95)))
        listing = youtube.listing(source("channel", "@Meetup"), None)
        found = list(islice(listing, 30))
        governor.refused(RefusalVerdict("blocked", "YouTube takes this address for a bot", "session"))
        asked = len(loopback.requests)
        with pytest.raises(Paused):
            found.extend(listing)
        assert len(found) == 30
        assert len(loopback.requests) == asked

    def test_videos_wait_for_their_turn(
        self, loopback: LoopbackYouTube, clock: Clock, tmp_path: Path
    ) -> None:
        slow = Governor(tmp_path, "a test", 120, 60.0, now=clock.now, sleep=clock.sleep, jitter=lambda: 0.0)
        youtube = YouTube(loopback.proxy, insecure_tls=True, governor=slow)
        loopback.add(FakeVideo(TALK))
        for _ in range(12 + 2):
            youtube.metadata(TALK)
        assert clock.waits == [pytest.approx(30.0)] * 2

    def test_every_request_is_counted(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio), FakeVideo(OTHER))
        youtube.metadata(TALK)
        youtube.download_audio(TALK, tmp_path)
        list(youtube.listing(source("channel", "@Meetup"), None))
        loopback.fail(OTHER, "private")
        with pytest.raises(YouTubeRefused):
            youtube.metadata(OTHER)
        assert governor.status().requests == len(loopback.requests)
        assert governor.status().turns == 5


class TestPatience:
    async def test_a_pause_is_no_attempt_and_comes_out_as_it_is(self, impatient: None) -> None:
        pause, calls = Paused("YouTube is left alone", "it goes on by itself", START), []

        def call() -> None:
            calls.append(1)
            raise pause

        with pytest.raises(Paused) as raised:
            await with_retries(call)
        assert raised.value is pause
        assert len(calls) == 1

    async def test_a_refusal_of_the_session_is_not_tried_again(
        self, youtube: YouTube, loopback: LoopbackYouTube, impatient: None
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, "bot check")
        with pytest.raises(RefusedForNow) as refusal:
            await with_retries(lambda: youtube.metadata(TALK))
        assert refusal.value.verdict.kind == "blocked"
        assert len(loopback.asked("/watch")) == 1

    async def test_a_broken_transfer_is_and_keeps_its_verdict(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path, impatient: None
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=audio))
        loopback.fail(TALK, "media 403")
        with pytest.raises(YouTubeRefused, match=r"\(6 attempts\).*then replay") as refusal:
            await with_retries(lambda: youtube.download_audio(TALK, tmp_path))
        assert refusal.value.verdict.kind == "transient"
        assert isinstance(refusal.value.__cause__, RefusedForNow)
        assert len(loopback.asked("/watch")) == 6

    async def test_what_is_not_youtubes_is_as_before(self, impatient: None) -> None:
        def call() -> None:
            raise Unavailable("the labeller does not answer", "start it")

        with pytest.raises(DataError, match=r"\(3 attempts\)") as error:
            await with_retries(call, attempts=3)
        assert not isinstance(error.value, YouTubeRefused)

    async def test_a_pause_that_begins_between_two_attempts_ends_them(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube, tmp_path: Path, impatient: None
    ) -> None:
        loopback.add(FakeVideo(TALK, audio=b"x" * 1000))
        loopback.fail(TALK, "media 403")

        def call() -> None:
            try:
                youtube.download_audio(TALK, tmp_path)
            finally:  # meanwhile a refusal has paused another agent
                governor.refused(RefusalVerdict("blocked", "YouTube takes this address for a bot", "session"))

        with pytest.raises(Paused):
            await with_retries(call)
        assert len(loopback.asked("/watch")) == 1


class TestCookies:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "cookies.txt"
        path.write_text("# Netscape HTTP Cookie File\n\n" + SIGNED_IN)
        return path

    def test_cookies_go_to_youtube_alone_and_are_never_written(
        self, file: Path, loopback: LoopbackYouTube, audio: bytes, tmp_path: Path
    ) -> None:
        file.chmod(0o400)
        before = (file.read_bytes(), file.stat().st_mtime_ns, sorted(tmp_path.iterdir()))
        youtube = YouTube(loopback.proxy, insecure_tls=True, cookies=str(file))
        loopback.add(FakeVideo(TALK, audio=audio))
        assert youtube.metadata(TALK).title == "A talk"
        assert len(list(youtube.listing(source("channel", "@Meetup"), None))) == 1
        assert (file.read_bytes(), file.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before

        youtube.download_audio(TALK, tmp_path / "audio")
        for request in loopback.requests:
            signed_in = "SID=hunter2-SID" in (request.cookie or "")
            assert signed_in == request.host.endswith("youtube.com"), request
        assert "HSID=hunter2-HSID" in (loopback.requests[0].cookie or "")
        assert (file.read_bytes(), file.stat().st_mtime_ns) == before[:2]

    def test_youtube_taking_them_away_is_logged_and_counted(
        self, file: Path, loopback: LoopbackYouTube
    ) -> None:
        youtube = YouTube(loopback.proxy, insecure_tls=True, cookies=str(file))
        loopback.add(FakeVideo(TALK))
        refused = COOKIES_REFUSED._value.get()
        with capture_logs() as lines:
            youtube.metadata(TALK)
            assert (COOKIES_REFUSED._value.get(), lines) == (refused, [])
            loopback.fail(TALK, "signed out")
            youtube.metadata(TALK)
        assert COOKIES_REFUSED._value.get() == refused + 1
        (line,) = lines
        assert line["event"] == "YouTube no longer accepts the cookies"
        assert "export" in line["cure"]

    def test_they_are_in_no_log_and_no_error(
        self,
        *,
        file: Path,
        loopback: LoopbackYouTube,
        governor: Governor,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        youtube = YouTube(loopback.proxy, insecure_tls=True, governor=governor, cookies=str(file))
        loopback.add(FakeVideo(TALK))
        told = []
        with capture_logs() as lines:
            for how in ("age", "private", "player 503", "page 404", "bot check"):
                loopback.fail(TALK, how)
                for call in (
                    lambda: youtube.metadata(TALK),
                    lambda: youtube.download_audio(TALK, tmp_path / "audio"),
                ):
                    try:
                        call()
                    except (DataError, Unavailable) as error:
                        told.append(str(error))
        assert len(told) > 5
        written = "".join(path.read_text() for path in (tmp_path / "egress").iterdir())
        assert "hunter2" not in "".join([*told, str(lines), written, *capfd.readouterr()])

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "cannot be read .*No such file"),
            ("", "no cookie of youtube.com"),
            ("# Netscape HTTP Cookie File\n", "no cookie of youtube.com"),
            (SIGNED_IN.replace("youtube.com", "example.org"), "no cookie of youtube.com"),
            ('[{"domain": ".youtube.com", "value": "hunter2"}]', "is JSON"),
            (SIGNED_IN + ".youtube.com TRUE / TRUE 0 SID hunter2\n", "line 6 .*is not a cookie"),
            (SIGNED_IN + ".youtube.com\tFALSE\t/\tTRUE\t0\tSID\thunter2\n", "line 6 .*is not a cookie"),
            (SIGNED_IN + f".youtube.com\tTRUE\t/\tTRUE\t{'9' * 400}\tSID\thunter2\n", "line 6 .*is not"),
            (SIGNED_IN + ".youtube.com\tTRUE\t/\tTRUE\t0\tSID\thunter2ä\n", "line 6 .*is not a cookie"),
        ],
    )
    def test_a_useless_cookie_file_is_named_with_its_cure_at_start(
        self,
        content: str | None,
        words: str,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        file = tmp_path / "cookies.txt"
        if content is not None:
            file.write_text(content)
        with pytest.raises(Misconfigured, match=f"cookie file .*{words}.*GROUNDSWELL_COOKIES") as error:
            YouTube(cookies=str(file))
        assert "hunter2" not in "".join([str(error.value), *capfd.readouterr()])
        assert error.value.__cause__ is None  # a traceback would quote the line

    def test_a_binary_file_or_a_folder_is_no_cookie_file(self, tmp_path: Path) -> None:
        (tmp_path / "cookies.sqlite").write_bytes(b"SQLite format 3\0\xff\xfe")
        for path in (tmp_path, tmp_path / "cookies.sqlite"):
            with pytest.raises(Misconfigured, match="GROUNDSWELL_COOKIES"):
                YouTube(cookies=str(path))

    def test_a_cookie_file_that_vanishes_stops_requests(
        self, file: Path, loopback: LoopbackYouTube, governor: Governor
    ) -> None:
        youtube = YouTube(loopback.proxy, insecure_tls=True, governor=governor, cookies=str(file))
        file.unlink()
        with pytest.raises(RefusedForNow, match=r"cookie file .*No such file") as refusal:
            youtube.metadata(TALK)
        assert refusal.value.verdict.kind == "local"
        assert not loopback.requests
        assert governor.status().turns == 0

    def test_a_file_of_another_system_is_read_all_the_same(self, tmp_path: Path) -> None:
        file = tmp_path / "cookies.txt"
        text = "\ufeff# made by an extension\n\n" + SIGNED_IN
        file.write_bytes(text.replace("\n", "\r\n").encode())
        assert read_cookies(file).count("\n") == 6

    def test_other_sites_cookies_stay_at_home(self, tmp_path: Path) -> None:
        file = tmp_path / "cookies.txt"
        others = [".example.org", "notyoutube.com", "youtube.com.example.org"]
        lines = "".join(f"{host}\tTRUE\t/\tTRUE\t0\tSID\tanother\n" for host in others)
        file.write_text("a line of something else\n" + lines + SIGNED_IN)
        assert "another" not in read_cookies(file)

    @given(
        st.lists(
            st.lists(st.text(max_size=8) | st.sampled_from(["TRUE", "FALSE", ".youtube.com", "1", "$x"])).map(
                "\t".join
            )
        ).map("\n".join)
    )
    def test_whatever_the_file_holds_yt_dlp_never_quotes_it(
        self, tmp_path_factory: pytest.TempPathFactory, text: str
    ) -> None:
        import io

        from yt_dlp.cookies import YoutubeDLCookieJar

        file = tmp_path_factory.mktemp("cookies") / "cookies.txt"
        file.write_text(SIGNED_IN + text, encoding="utf-8", errors="replace")
        try:
            read = read_cookies(file)
        except Misconfigured:
            return
        jar = YoutubeDLCookieJar(io.StringIO(read))
        jar.load()  # raises, or prints, what it cannot read
        assert jar.get_cookie_header("https://www.youtube.com/")

    def test_the_settings_reach_youtube(self, file: Path, loopback: LoopbackYouTube, tmp_path: Path) -> None:
        settings = Settings(
            home=tmp_path, proxy=loopback.proxy, insecure_tls=True, cookies=str(file), requests_per_hour=120
        )
        parts = SharedResources(settings)
        loopback.add(FakeVideo(TALK))
        parts.youtube.metadata(TALK)
        assert "hunter2-SID" in (loopback.requests[0].cookie or "")
        standing = parts.governor.status()
        assert (standing.turns, standing.per_hour) == (1, 120)
        assert list((settings.study_home / "egress").glob("*.json"))


class TestWhatIsNotThereYet:
    def test_an_upcoming_video_says_when_it_begins(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        begins_at = datetime(2026, 4, 1, 18, 30, tzinfo=UTC)
        loopback.add(FakeVideo(TALK, "Agents that plan", begins_at=begins_at))
        video = youtube.metadata(TALK)
        assert (video.live_status, video.begins_at) == ("is_upcoming", begins_at)
        assert video.title == "Agents that plan"

    def test_its_audio_is_waited_for(
        self, youtube: YouTube, governor: Governor, loopback: LoopbackYouTube, tmp_path: Path
    ) -> None:
        loopback.add(FakeVideo(TALK, begins_at=START))
        with pytest.raises(YouTubeRefused) as refusal:
            youtube.download_audio(TALK, tmp_path)
        assert refusal.value.verdict.kind == "wait"
        assert governor.status().open_until is None

    def test_upcoming_then_live_then_recorded(
        self, youtube: YouTube, loopback: LoopbackYouTube, audio: bytes
    ) -> None:
        loopback.add(FakeVideo(TALK, streamed=True, begins_at=START))
        states = [youtube.metadata(TALK)]
        loopback.add(FakeVideo(TALK, streamed=True, live_now=True, audio=audio))
        states.append(youtube.metadata(TALK))
        loopback.add(FakeVideo(TALK, streamed=True, audio=audio))
        states.append(youtube.metadata(TALK))
        assert [video.live_status for video in states] == ["is_upcoming", "is_live", "was_live"]
        assert [video.begins_at for video in states] == [START, None, None]

    def test_a_live_title_stays_what_it_is(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, "Agents, live", live_now=True, audio=b"x"))
        assert youtube.metadata(TALK).title == "Agents, live"

    @pytest.mark.parametrize(
        "how", ["private", "removed", "members", "age", "geo", "unavailable", "premiere"]
    )
    def test_what_is_refused_is_still_refused(
        self, how: str, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        kinds = {"removed": "permanent", "private": "permanent", "members": "auth", "age": "auth"}
        kinds |= {"geo": "geo", "unavailable": "recheck", "premiere": "wait"}
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, how)
        with pytest.raises(YouTubeRefused) as refusal:
            youtube.metadata(TALK)
        assert refusal.value.verdict.kind == kinds[how]

    def test_private_then_public(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, "private")
        with pytest.raises(YouTubeRefused, match="it is private"):
            youtube.metadata(TALK)
        loopback.heal(TALK)
        assert youtube.metadata(TALK).video_id == TALK

    def test_a_refusal_among_harmless_warnings_is_found(self) -> None:
        lines = [
            "[youtube] HTTP Error 503: Service Unavailable. Retrying (1/1)...",
            "[youtube] abcdefghijk: Private video. Sign in if you've been granted access to this video",
            "[youtube] abcdefghijk: Some formats may be missing",
        ]
        refusal = refusal_in(lines)
        assert refusal is not None
        assert refusal.kind == "permanent"
        assert (
            refusal_in(["[youtube] Unable to download API page: HTTP Error 429: Too Many Requests"]) is None
        )


class TestShorts:
    def test_a_short_is_recognised_by_its_metadata(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, short=True), FakeVideo(OTHER))
        assert youtube.metadata(TALK).short_form
        assert not youtube.metadata(OTHER).short_form

    def test_and_in_a_listing_by_its_address(self, youtube: YouTube, loopback: LoopbackYouTube) -> None:
        loopback.add(FakeVideo(TALK, short=True), FakeVideo(OTHER))
        loopback.add_playlist(PLAYLIST, TALK, OTHER)
        found = youtube.listing(source("playlist", PLAYLIST), None)
        assert [hit.video.short_form for hit in found] == [True, False]


class TestCures:
    @pytest.mark.parametrize(
        ("how", "cure"),
        [("age", "set GROUNDSWELL_COOKIES"), ("members", "open to everybody"), ("geo", "GROUNDSWELL_PROXY")],
    )
    def test_cookies_cure_only_what_signing_in_opens(
        self, how: str, cure: str, youtube: YouTube, loopback: LoopbackYouTube
    ) -> None:
        loopback.add(FakeVideo(TALK))
        loopback.fail(TALK, how)
        with pytest.raises(YouTubeRefused) as refusal:
            youtube.metadata(TALK)
        assert cure in refusal.value.cure
        assert ("GROUNDSWELL_COOKIES" in refusal.value.cure) == (how == "age")

    def test_without_a_javascript_runtime_deno_is_the_cure(
        self,
        *,
        youtube: YouTube,
        governor: Governor,
        loopback: LoopbackYouTube,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        scripts: Callable[..., str] = sysconfig.get_path
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(
            sysconfig,
            "get_path",
            lambda name, *rest, **more: str(tmp_path) if name == "scripts" else scripts(name, *rest, **more),
        )
        loopback.add(FakeVideo(TALK))  # what YouTube still gives to a client without JavaScript: nothing
        with pytest.raises(RefusedForNow, match=r"the JavaScript .*install deno") as refusal:
            youtube.download_audio(TALK, tmp_path / "audio")
        assert refusal.value.verdict.kind == "local"
        assert governor.status().open_until is None
        assert youtube.metadata(TALK).published_at is not None
