"""Tests of push: a real WebSub hub in a separate process notifies the real web application of new videos."""

import asyncio
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from agents.discovery.websub_receiver import BODY_LIMIT, WebSubReceiver
from agents.discovery.websub_subscriber import DENIED, IN_FLIGHT
from agents.runtime.process import Runtime
from agents.web.push import mount
from streams.errors import Unavailable
from streams.events import Event, Sighting, Source, Video, VideoFollowed, VideoSeen
from streams.feeds.websub_subscriptions import LEASE_S, Subscription, Subscriptions, channel_of, topic_of
from streams.http.client import HttpClient, Timeouts
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from tests.processes import free_port
from tests.websub_hub import WebSubHub, entry, notification, tombstone

pytestmark = pytest.mark.long

CHANNEL, OTHER = "UC0123456789abcdefghijkl", "UCzzzzzzzzzzzzzzzzzzzzzz"
WATCHED = {CHANNEL: "channel-1"}
TALK = "abcdefghijk"
UPLOAD = notification(entry(TALK, "LLMs in prod & RAG", CHANNEL, "2026-11-06T08:00:00+00:00"))
GIVE_UP_S = 60.0


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 6, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Process:
    """The push parts of a Groundswell process, and a web application on a real port."""

    def __init__(self, hub: WebSubHub, home: Path, clock: Clock, port: int) -> None:
        self.hub = hub
        self.settings = Settings(home=home, push_url=f"http://127.0.0.1:{port}", push_hub=hub.url)
        self.blobs = Blobs(str(home / "blobs"))
        self.events: list[Event] = []
        self.broken = False
        reader = HttpClient(patience=Timeouts(piece_s=5.0, page_s=10.0))
        self.push = WebSubReceiver(self.settings, self.blobs, reader, clock)
        self.web = FastAPI()
        mount(self.web, self.push, self._deliver)

    def _deliver(self, events: Sequence[Event]) -> None:
        if self.broken:
            raise Unavailable("the broker does not answer", "start it")
        self.events += events

    def subscription(self, channel_id: str = CHANNEL) -> Subscription:
        found = Subscriptions(self.blobs).of(channel_id)
        assert found is not None
        return found

    @property
    def callback(self) -> str:
        return self.subscription().asked.callback

    def subscribe(self, channels: dict[str, str] = WATCHED) -> list[str]:
        return asyncio.run(self.push.due(channels))

    def subscribed(self, state: str = "verified", channels: dict[str, str] = WATCHED) -> Subscription:
        self.subscribe(channels)
        until(lambda: self.subscription().confirmed)
        known = self.subscription()
        assert known.state == state
        if state == "verified":  # the hub stores it after it has verified it, and delivers only then
            until(lambda: self.hub.subscribers(CHANNEL).get(known.asked.callback) == known.asked.secret)
        return known

    def deliver(self, body: bytes, signature: str | None = None, secret: str = "") -> httpx.Response:
        """Deliver a body as a hub does; without a given signature, sign it with our secret."""
        key = (secret or self.subscription().asked.secret).encode()
        signature = f"sha1={hmac.new(key, body, 'sha1').hexdigest()}" if signature is None else signature
        headers = {"X-Hub-Signature": signature} if signature else {}
        return httpx.post(self.callback, content=body, headers=headers, trust_env=False, timeout=GIVE_UP_S)

    def ask(self, **said: str) -> httpx.Response:
        """Send a verification request as a hub does."""
        params = {f"hub.{name}": value for name, value in said.items()}
        return httpx.get(self.callback, params=params, trust_env=False, timeout=GIVE_UP_S)


@contextmanager
def serving(web: Any, port: int) -> Iterator[None]:
    config = uvicorn.Config(web, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(30)


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + GIVE_UP_S
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def one_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSubHub]:
    pytest.importorskip("flask_websub")
    with WebSubHub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def hub(one_hub: WebSubHub) -> Iterator[WebSubHub]:
    yield one_hub
    one_hub.turn(status=0, after="", hold=False, deny=[], lease=LEASE_S, hash="sha1")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(hub: WebSubHub, tmp_path: Path, clock: Clock) -> Iterator[Process]:
    port = free_port()
    process = Process(hub, tmp_path, clock, port)
    with serving(process.web, port):
        yield process


def asked_of(hub: WebSubHub, process: Process) -> list[dict[str, str]]:
    return [form for form in hub.requests() if form["hub.callback"] == process.callback]


def seen(process: Process) -> list[VideoSeen]:
    return [event for event in process.events if isinstance(event, VideoSeen)]


def followed(process: Process) -> list[VideoFollowed]:
    return [event for event in process.events if isinstance(event, VideoFollowed)]


class TestSubscribing:
    def test_a_channel_is_subscribed_verified_and_delivered(
        self, process: Process, hub: WebSubHub, clock: Clock
    ) -> None:
        known = process.subscribed()
        form = asked_of(hub, process)[0]
        assert form["hub.mode"] == "subscribe"
        assert form["hub.topic"] == topic_of(CHANNEL)
        assert form["hub.lease_seconds"] == str(LEASE_S)
        assert len(form["hub.secret"]) < 200
        assert known.answered is not None
        assert known.answered.lease_ends == clock() + timedelta(seconds=LEASE_S)

        hub.publish(CHANNEL, UPLOAD)
        until(lambda: bool(process.events))
        (event,) = seen(process)
        assert event.video == Video(
            video_id=TALK,
            title="LLMs in prod & RAG",
            channel="A meetup",
            channel_id=CHANNEL,
            url=f"https://www.youtube.com/watch?v={TALK}",
            published_at=datetime(2026, 11, 6, 8, tzinfo=UTC),
        )
        assert event.sighting == Sighting(source_id="channel-1", kind="channel", lane="push", seen_at=clock())
        assert Outbox(process.blobs).kept(TALK) == event

    def test_a_subscription_is_left_alone_for_half_its_lease(
        self, process: Process, hub: WebSubHub, clock: Clock
    ) -> None:
        process.subscribed()
        clock.at += timedelta(seconds=LEASE_S / 2 - 1)
        assert process.subscribe() == []
        clock.at += timedelta(seconds=1)
        assert process.subscribe() == [CHANNEL]
        until(lambda: process.subscription().confirmed)
        assert len(asked_of(hub, process)) == 2

    def test_a_renewal_in_flight_is_not_made_twice(
        self, process: Process, hub: WebSubHub, clock: Clock, tmp_path: Path
    ) -> None:
        process.subscribed()
        clock.at += timedelta(seconds=LEASE_S / 2)
        hub.turn(hold=True)

        async def at_once() -> list[list[str]]:
            return await asyncio.gather(*(process.push.due(WATCHED) for _ in range(5)))

        assert sorted(asyncio.run(at_once())) == [[], [], [], [], [CHANNEL]]
        elsewhere = Process(hub, tmp_path, clock, int(process.settings.push_url.rsplit(":", 1)[1]))
        assert elsewhere.subscribe() == []
        clock.at += IN_FLIGHT - timedelta(seconds=1)
        assert process.subscribe() == []
        assert len(asked_of(hub, process)) == 2
        assert process.subscription().state == "pending"

        clock.at += timedelta(seconds=1)  # no answer: once more, with the same secret
        assert process.subscribe() == [CHANNEL]
        first, second, third = asked_of(hub, process)
        assert first["hub.secret"] != second["hub.secret"] == third["hub.secret"]

    def test_two_processes_never_ask_at_once(
        self, process: Process, hub: WebSubHub, clock: Clock, tmp_path: Path
    ) -> None:
        many = {f"UC{number:022}": f"channel-{number}" for number in range(20)}
        before, port = len(hub.requests()), int(process.settings.push_url.rsplit(":", 1)[1])
        others = [Process(hub, tmp_path, clock, port) for _ in range(4)]
        threads = [threading.Thread(target=other.subscribe, args=(many,)) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        topics = [form["hub.topic"] for form in hub.requests()[before:]]
        assert sorted(topics) == [topic_of(channel_id) for channel_id in many]

    def test_during_renewal_the_former_secret_holds_and_then_no_more(
        self, process: Process, hub: WebSubHub, clock: Clock
    ) -> None:
        former = process.subscribed().asked.secret
        clock.at += timedelta(seconds=LEASE_S / 2)
        hub.turn(hold=True)
        process.subscribe()
        assert process.subscription().asked.secret != former

        hub.publish(CHANNEL, UPLOAD)  # signed with the former secret: the hub has not verified yet
        until(lambda: bool(process.events))
        assert process.deliver(UPLOAD).status_code == 204

        hub.turn(hold=False)
        until(lambda: process.subscription().confirmed)
        count = len(process.events)
        assert process.deliver(UPLOAD, secret=former).status_code == 202
        assert process.push.ignored["signature is wrong"] == 1
        assert len(process.events) == count

        until(lambda: hub.subscribers(CHANNEL)[process.callback] == process.subscription().asked.secret)
        hub.publish(CHANNEL, UPLOAD)
        until(lambda: len(process.events) == count + 1)

    def test_a_restart_before_the_verification_changes_nothing(
        self, hub: WebSubHub, clock: Clock, tmp_path: Path
    ) -> None:
        port = free_port()
        before = Process(hub, tmp_path, clock, port)
        hub.turn(hold=True)
        before.subscribe()
        assert before.subscription().state == "pending"

        after = Process(hub, tmp_path, clock, port)
        with serving(after.web, port):
            hub.turn(hold=False)
            until(lambda: after.subscription().state == "verified")
            until(lambda: before.callback in hub.subscribers(CHANNEL))
            hub.publish(CHANNEL, UPLOAD)
            until(lambda: len(seen(after)) == 1)
        assert before.events == []

    def test_a_failing_hub_is_paused_longer_and_the_lease_goes_on(
        self, process: Process, hub: WebSubHub, clock: Clock, tmp_path: Path
    ) -> None:
        process.subscribed()
        clock.at += timedelta(seconds=LEASE_S / 2)
        hub.turn(status=503)
        assert process.subscribe() == [CHANNEL]
        assert "HTTP 503" in process.subscription().asked.trouble
        assert process.subscription().covers(clock())

        requests = len(asked_of(hub, process))
        port = int(process.settings.push_url.rsplit(":", 1)[1])
        assert Process(hub, tmp_path, clock, port).subscribe() == []  # a back-off survives a restart
        waits = []
        for _ in range(4):
            rest = Subscriptions(process.blobs).rest()
            assert rest is not None
            waits.append((rest.until - clock()).total_seconds())
            clock.at = rest.until - timedelta(seconds=1)
            assert process.subscribe() == []
            clock.at = rest.until
            assert process.subscribe() == [CHANNEL]
        assert waits == [60, 120, 240, 480]
        assert len(asked_of(hub, process)) == requests + 4

        hub.publish(CHANNEL, UPLOAD)  # existing subscriptions keep working
        until(lambda: len(seen(process)) == 1)

        rest = Subscriptions(process.blobs).rest()
        assert rest is not None
        hub.turn(status=0)
        clock.at = rest.until
        process.subscribed()
        assert Subscriptions(process.blobs).rest() is None
        assert process.subscription().asked.trouble == ""

    def test_a_hub_that_says_when_is_left_alone_so_long(
        self, process: Process, hub: WebSubHub, clock: Clock
    ) -> None:
        hub.turn(status=503, after="7200")
        many = {f"UC{number:022}": f"channel-{number}" for number in range(3)}
        assert len(process.subscribe(many)) == 1  # the first refusal stops the others
        clock.at += timedelta(seconds=7199)
        assert process.subscribe(many) == []
        hub.turn(status=0)
        clock.at += timedelta(seconds=1)
        assert len(process.subscribe(many)) == 3

    def test_a_hub_that_is_not_there_is_a_wait(self, tmp_path: Path, clock: Clock) -> None:
        absent = WebSubHub(tmp_path)
        absent.url = f"http://127.0.0.1:{free_port()}/subscribe"
        process = Process(absent, tmp_path, clock, free_port())
        process.subscribe()
        rest = Subscriptions(process.blobs).rest()
        assert rest is not None
        assert rest.until == clock() + timedelta(seconds=60)
        assert process.subscription().state == "pending"

    def test_a_denied_channel_says_why_and_is_retried_after_a_day(
        self, process: Process, hub: WebSubHub, clock: Clock
    ) -> None:
        hub.turn(deny=[CHANNEL])
        known = process.subscribed("denied")
        assert known.answered is not None
        assert known.answered.reason == "Not for you <script>"
        assert not known.covers(clock())
        clock.at += DENIED - timedelta(seconds=1)
        assert process.subscribe() == []
        hub.turn(deny=[])
        clock.at += timedelta(seconds=1)
        process.subscribed("verified")

    def test_a_denied_renewal_leaves_the_lease_it_has(
        self, process: Process, hub: WebSubHub, clock: Clock
    ) -> None:
        process.subscribed()
        clock.at += timedelta(seconds=LEASE_S / 2)
        hub.turn(deny=[CHANNEL])
        known = process.subscribed("denied")
        assert known.covers(clock())
        hub.publish(CHANNEL, UPLOAD)
        until(lambda: len(seen(process)) == 1)

    def test_an_expired_lease_is_taken_anew(self, process: Process, hub: WebSubHub, clock: Clock) -> None:
        hub.turn(lease=5)
        known = process.subscribed()
        assert known.answered is not None
        assert known.answered.lease_ends == clock() + timedelta(seconds=5)
        until(lambda: process.callback not in hub.subscribers(CHANNEL))  # by the hub's own clock
        hub.publish(CHANNEL, UPLOAD)
        clock.at += timedelta(days=3)  # no process ran meanwhile
        assert not process.subscription().covers(clock())
        hub.turn(lease=LEASE_S)
        process.subscribed()
        assert process.events == []
        hub.publish(CHANNEL, UPLOAD)
        until(lambda: len(seen(process)) == 1)

    def test_what_nobody_watches_any_more_is_unsubscribed(
        self, process: Process, hub: WebSubHub, clock: Clock
    ) -> None:
        process.subscribed()
        process.subscribed("unsubscribed", channels={})
        until(lambda: process.callback not in hub.subscribers(CHANNEL))
        assert process.deliver(UPLOAD).status_code == 410
        assert process.events == []
        assert process.subscribe({}) == []
        process.subscribed("verified")  # watched again

    def test_another_public_address_is_another_subscription(
        self, process: Process, hub: WebSubHub, tmp_path: Path, clock: Clock
    ) -> None:
        process.subscribed()
        port = free_port()
        moved = Process(hub, tmp_path, clock, port)
        with serving(moved.web, port):
            moved.subscribed()
        assert moved.callback.startswith(f"http://127.0.0.1:{port}/push/")

    def test_a_channel_is_known_by_its_id_and_not_by_its_handle(self) -> None:
        added = datetime(2026, 1, 1, tzinfo=UTC)
        for locator, expected in ((CHANNEL, CHANNEL), ("@Meetup", None), (f"{CHANNEL}; rm", None)):
            source = Source(source_id="a", kind="channel", locator=locator, added_at=added)
            assert channel_of(source) == expected

    def test_neither_secret_nor_token_is_ever_shown(self, process: Process) -> None:
        known = process.subscribed()
        assert known.asked.secret not in repr(known)
        assert known.asked.token not in repr(known)


class TestVerifying:
    def test_only_what_was_asked_for_is_confirmed(self, process: Process) -> None:
        known = process.subscribed()
        topic = topic_of(CHANNEL)
        assert process.ask(mode="subscribe", topic=topic_of(OTHER), challenge="c").status_code == 404
        assert process.ask(mode="unsubscribe", topic=topic, challenge="c").status_code == 404
        assert process.ask(mode="publish", topic=topic, challenge="c").status_code == 404
        assert process.ask(mode="subscribe", topic=topic).status_code == 404
        assert process.ask(mode="denied", topic=topic_of(OTHER)).status_code == 404
        assert process.push.ignored["not asked for"] == 5
        assert process.subscription() == known

    def test_the_answer_is_the_challenge_and_nothing_else(self, process: Process) -> None:
        process.subscribe()
        said = "<script>alert(1)</script> ÄÖ%20\n"
        answer = process.ask(mode="subscribe", topic=topic_of(CHANNEL), challenge=said, lease_seconds="x")
        assert (answer.status_code, answer.text) == (200, said)
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("token", ["x", f"{CHANNEL}.{'a' * 32}", f"{OTHER}.{'a' * 32}", "..%2f..%2fetc"])
    def test_a_callback_that_is_none_of_ours_is_not_there(self, token: str, process: Process) -> None:
        process.subscribed()
        address = f"{process.settings.push_url}/push/{token}"
        said = {"hub.mode": "subscribe", "hub.topic": topic_of(CHANNEL), "hub.challenge": "c"}
        assert httpx.get(address, params=said, trust_env=False, timeout=GIVE_UP_S).status_code == 404
        assert httpx.post(address, content=UPLOAD, trust_env=False, timeout=GIVE_UP_S).status_code == 404
        assert process.events == []


class TestDeliveries:
    @pytest.mark.parametrize(
        ("signature", "why"),
        [
            ("", "not signed"),
            ("sha1=" + "0" * 40, "signature is wrong"),
            ("sha1=", "signature is wrong"),
            ("md5=" + "0" * 32, "signature is wrong"),
            ("sha1=ü", "signature is wrong"),
            ("nonsense", "signature is wrong"),
        ],
    )
    def test_what_is_not_signed_by_the_hub_is_ignored_and_counted(
        self, signature: str, why: str, process: Process
    ) -> None:
        process.subscribed()
        headers = {"X-Hub-Signature": signature.encode()} if signature else {}
        answer = httpx.post(
            process.callback,  # type: ignore[arg-type]
            content=UPLOAD,
            headers=headers,
            trust_env=False,
            timeout=GIVE_UP_S,
        )
        assert answer.status_code == 202
        assert process.push.ignored == {why: 1}
        assert process.events == []
        assert Outbox(process.blobs).kept(TALK) is None

    def test_one_changed_byte_breaks_the_signature(self, process: Process) -> None:
        known = process.subscribed()
        signature = f"sha1={hmac.new(known.asked.secret.encode(), UPLOAD, 'sha1').hexdigest()}"
        assert process.deliver(UPLOAD + b"\n", signature).status_code == 202
        assert process.deliver(UPLOAD, signature).status_code == 204
        assert len(process.events) == 1

    @pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
    def test_a_hub_may_sign_with_any_hash_of_the_standard(
        self, name: str, process: Process, hub: WebSubHub
    ) -> None:
        process.subscribed()
        hub.turn(hash=name)
        hub.publish(CHANNEL, UPLOAD)
        until(lambda: len(seen(process)) == 1)
        made = hmac.new(process.subscription().asked.secret.encode(), UPLOAD, getattr(hashlib, name))
        assert process.deliver(UPLOAD, f"{name.upper()}={made.hexdigest().upper()}").status_code == 204

    def test_a_replayed_delivery_leads_to_the_same_events(self, process: Process, clock: Clock) -> None:
        process.subscribed()
        process.deliver(UPLOAD)
        clock.at += timedelta(hours=1)
        process.deliver(UPLOAD)
        first, second = seen(process)
        assert first.event_id == second.event_id
        assert Outbox(process.blobs).kept(TALK) == first

    def test_an_edit_of_the_title_is_followed_once(self, process: Process) -> None:
        process.subscribed()
        process.deliver(UPLOAD)
        new = [
            notification(
                entry(TALK, "LLMs in prod", CHANNEL, "2026-11-06T08:00:00+00:00", f"2026-11-0{day}T00:00:00Z")
            )
            for day in (7, 8)
        ]
        process.deliver(new[0])
        process.deliver(new[0])
        process.deliver(new[1])  # an edit of something else
        (change,) = followed(process)
        assert (change.change, change.was, change.video.title) == (
            "retitled",
            "LLMs in prod & RAG",
            "LLMs in prod",
        )
        assert change.seen_at == datetime(2026, 11, 7, tzinfo=UTC)
        assert len(seen(process)) == 4

    def test_titles_differing_by_stream_time_or_blanks_are_the_same(self, process: Process) -> None:
        process.subscribed()
        for video_id, title in (
            ("streamstream", "RAG live 2026-11-01 18:00"),
            ("blanksblanks", "RAG  live "),
        ):
            sighting = Sighting(source_id="s", kind="channel", lane="listing", seen_at=datetime.now(UTC))
            video = Video(video_id=video_id, title=title)
            Outbox(process.blobs).keep(VideoSeen(video=video, sighting=sighting))
            process.deliver(notification(entry(video_id, "RAG live", CHANNEL, "2026-11-01T19:00:00+00:00")))
        assert len(seen(process)) == 2
        assert followed(process) == []

    def test_known_tombstones_are_followed_and_unknown_ones_counted(self, process: Process) -> None:
        process.subscribed()
        process.deliver(UPLOAD)
        when = "2026-11-08T00:00:00.123456789+00:00"
        body = notification(tombstone(TALK, CHANNEL, when), tombstone("unknown0000", CHANNEL, when))
        assert process.deliver(body).status_code == 204
        assert process.deliver(body).status_code == 204
        first, second = followed(process)
        assert first.event_id == second.event_id
        assert (first.change, first.video.title) == ("deleted", "LLMs in prod & RAG")
        assert first.seen_at == datetime(2026, 11, 8, 0, 0, 0, 123456, tzinfo=UTC)
        assert process.push.ignored["deleted before it was known"] == 2

    def test_videos_of_another_channel_are_none_of_this_subscription(self, process: Process) -> None:
        process.subscribed()
        when = "2026-11-06T08:00:00+00:00"
        body = notification(entry("otherother0", "x", OTHER, when), entry(TALK, "y", CHANNEL, when))
        process.deliver(body)
        process.deliver(notification(tombstone(TALK, OTHER, when)))
        assert [event.key for event in process.events] == [TALK]
        assert process.push.ignored["of another channel"] == 2

    def test_an_xml_bomb_is_ignored_although_it_is_signed(self, process: Process) -> None:
        process.subscribed()
        bomb = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "0123456789">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<feed xmlns="http://www.w3.org/2005/Atom"><title>&c;</title></feed>"""
        assert process.deliver(bomb).status_code == 202
        assert process.push.ignored == {"cannot be read": 1}
        assert process.deliver(UPLOAD).status_code == 204

    def test_an_oversized_delivery_is_cut_off_announced_or_not(self, process: Process) -> None:
        process.subscribed()
        large = b"x" * (BODY_LIMIT + 1)
        assert process.deliver(large).status_code == 413

        sent = 0

        def pieces() -> Iterator[bytes]:
            nonlocal sent
            for _ in range(1000):
                sent += 64 * 1024
                yield b"x" * (64 * 1024)

        try:
            answer = httpx.post(process.callback, content=pieces(), trust_env=False, timeout=GIVE_UP_S)
            assert answer.status_code == 413
        except httpx.TransportError:
            pass  # it was cut off while we still wrote
        assert sent < 60_000_000
        assert process.push.ignored["too large"] == 2
        assert process.deliver(UPLOAD).status_code == 204

    def test_a_hub_delivers_again_what_could_not_be_passed_on(self, process: Process, hub: WebSubHub) -> None:
        process.subscribed()
        process.broken = True
        assert process.deliver(UPLOAD).status_code == 503
        assert Outbox(process.blobs).kept(TALK) is not None  # and is lost in no case
        hub.publish(CHANNEL, UPLOAD)
        time.sleep(0.3)
        process.broken = False
        until(lambda: len(seen(process)) == 1)

    def test_a_broken_entry_costs_no_other(self, process: Process) -> None:
        process.subscribed()
        when = "2026-11-06T08:00:00+00:00"
        process.deliver(
            notification(entry("", "no id", CHANNEL, when), entry(TALK, "y" * 10_000, CHANNEL, "soon"))
        )
        (event,) = seen(process)
        assert event.video.published_at is None
        assert len(event.video.title) == 2_000


async def test_the_page_takes_deliveries_into_the_study(
    hub: WebSubHub, tmp_path: Path, chdb_home: Path
) -> None:
    """The whole application takes a delivery without a session or the page's host name, and stores a row."""
    port = free_port()
    settings = Settings(
        home=chdb_home,
        study="pushed",
        blobs=str(tmp_path),
        web_port=port,
        push_url=f"http://127.0.0.1:{port}",
        push_hub=hub.url,
    )
    runtime = Runtime(settings, ())
    runtime.parts.warehouse.migrate()
    push = WebSubReceiver(settings, runtime.parts.blobs, HttpClient(), runtime.parts.now)
    async with runtime.serving():
        assert await push.due(WATCHED) == [CHANNEL]

        async def become(true: Callable[[], bool]) -> None:
            await asyncio.wait_for(asyncio.to_thread(until, true), GIVE_UP_S)

        subscriptions = Subscriptions(runtime.parts.blobs)
        await become(lambda: (known := subscriptions.of(CHANNEL)) is not None and known.state == "verified")
        known = subscriptions.of(CHANNEL)
        assert known is not None
        await become(lambda: known.asked.callback in hub.subscribers(CHANNEL))
        await asyncio.to_thread(hub.publish, CHANNEL, UPLOAD)

        def lanes() -> list[Any]:
            return runtime.parts.warehouse.rows("SELECT video_id, lane, source_id FROM sightings FINAL")

        await become(lambda: bool(lanes()))
        assert lanes() == [{"video_id": TALK, "lane": "push", "source_id": "channel-1"}]

        made = hmac.new(known.asked.secret.encode(), UPLOAD, "sha1").hexdigest()
        foreign = {
            "Host": "talks.example.org",
            "Origin": "https://hub.example",
            "X-Hub-Signature": f"sha1={made}",
        }
        async with httpx.AsyncClient(trust_env=False, timeout=GIVE_UP_S) as client:
            answer = await client.post(known.asked.callback, content=UPLOAD, headers=foreign)
            assert answer.status_code == 204
            refused = await client.get(f"{settings.push_url}/", headers={"Host": "talks.example.org"})
            assert refused.status_code == 421


def test_without_a_public_address_there_is_no_such_path(chdb_home: Path) -> None:
    from agents.web.app import build_web

    web = build_web(Runtime(Settings(home=chdb_home, study="unpushed"), ()))
    assert not any("push" in str(each.kwargs.get("path", "")) for each in web.user_middleware)
