"""The world of a simulated year at the wire: YouTube, its feeds and a hub's side of WebSub."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.ingestion.discovery_harness import channel_feed
from tests.loopback_youtube import FakeVideo, LoopbackYouTube

NEWEST = 15
"""Entries of a channel's feed."""
LONGEST_LEASE = timedelta(days=10)


class World:
    """Real servers on this machine; what they say changes as the year goes on."""

    def __init__(self) -> None:
        self.youtube = LoopbackYouTube()
        self.channels: set[str] = set()
        self.feeds_work = True
        self._hub_works = True
        self._served: set[str] = set()
        self._feeds: dict[str, list[FakeVideo]] = {}
        self._asked: list[dict[str, str]] = []
        self._leases: dict[str, dict[str, Any]] = {}
        """By channel: what the hub delivers with, and until when."""

    def __enter__(self) -> Self:
        world = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                world.answer(self, world.feed_of(urlsplit(self.path).path.rpartition("/")[2]))

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                world.answer(self, world.subscribe({name: values[0] for name, values in form.items()}))

            def log_message(self, *_: Any) -> None:
                pass

        self.youtube.__enter__()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.youtube.__exit__()

    @staticmethod
    def answer(to: BaseHTTPRequestHandler, said: tuple[int, bytes]) -> None:
        """Answer a request."""
        status, body = said
        to.send_response(status)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    def introduce(self, video: FakeVideo) -> None:
        """Learn that there is such a channel."""
        self.channels.add(video.channel_id)

    def asked(self) -> int:
        """Return how many requests YouTube got so far; feeds and the hub are other hosts."""
        return len(self.youtube.requests)

    def publish(self, video: FakeVideo) -> None:
        """A channel uploads."""
        self.youtube.add(video)

    def feed(self, video: FakeVideo) -> None:
        """The channel's feed shows an upload."""
        self._feeds.setdefault(video.channel_id, []).insert(0, video)

    def feed_of(self, channel_id: str) -> tuple[int, bytes]:
        """Return what a channel's feed answers."""
        videos = self._feeds.get(channel_id, [])[:NEWEST]
        return (200, channel_feed(*videos)) if self.feeds_work and videos else (404, b"")

    def storm(self, on: bool) -> None:
        """YouTube takes us for a bot, or no longer."""
        for channel in self.channels:
            if on:
                self.youtube.fail(channel, "page blocked")
            else:
                self.youtube.heal(channel)

    def hub_serves(self, channels: set[str]) -> None:
        """Subscriptions that the hub knows; it denies all others."""
        self._served = channels

    def hub_fails(self) -> None:
        """Stop the hub: it answers nobody, and loses all leases."""
        self._hub_works = False
        self._leases.clear()

    def hub_works(self) -> None:
        """Start the hub again, without subscriptions."""
        self._hub_works = True

    def subscribe(self, form: dict[str, str]) -> tuple[int, bytes]:
        """Take a subscription, to be verified."""
        if not self._hub_works:
            return 503, b""
        self._asked.append(form)
        return 202, b""

    def verifications(self, now: datetime) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the token and the parameters of each verification that is to be made."""
        asked, self._asked = self._asked, []
        for form in asked:
            token = form["hub.callback"].rpartition("/")[2]
            topic = {"hub.topic": form["hub.topic"]}
            channel = parse_qs(urlsplit(form["hub.topic"]).query)["channel_id"][0]
            if channel not in self._served:
                yield token, topic | {"hub.mode": "denied", "hub.reason": "not served"}
                continue
            lease = min(timedelta(seconds=int(form["hub.lease_seconds"])), LONGEST_LEASE)
            self._leases[channel] = {"token": token, "secret": form["hub.secret"], "ends": now + lease}
            yield (
                token,
                topic
                | {
                    "hub.mode": form["hub.mode"],
                    "hub.challenge": secrets.token_hex(8),
                    "hub.lease_seconds": str(int(lease.total_seconds())),
                },
            )

    def verified(self, token: str, said: dict[str, Any] | None) -> None:
        """Learn how a verification was answered; a subscription that was not confirmed is none."""
        if said is None or said["status"] != 200:
            self._leases = {key: held for key, held in self._leases.items() if held["token"] != token}

    def delivery(self, video: FakeVideo, now: datetime) -> dict[str, str] | None:
        """Return what the hub delivers of an upload; None where nobody is subscribed."""
        held = self._leases.get(video.channel_id)
        if held is None or not self._hub_works or now >= held["ends"]:
            return None
        body = channel_feed(video)
        signature = hmac.new(held["secret"].encode(), body, hashlib.sha1).hexdigest()
        return {"token": held["token"], "body": body.decode(), "signature": f"sha1={signature}"}
