"""WebSub receiver: answers a hub's verifications, and accepts its deliveries of new videos within seconds.

Push only makes discovery faster: the channels' listings find what it misses. So a wrong delivery is ignored
and counted, and a hub that does not answer is not asked for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from agents.discovery.websub_subscriber import WebSubSubscriber
from streams.errors import DataError
from streams.events import Event, Sighting, Video, VideoFollowed, VideoSeen
from streams.feeds.atom import FeedEntry, youtube_entries
from streams.feeds.websub_subscriptions import Subscription, Subscriptions
from streams.http.client import HttpClient
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.text_sanitizer import is_another_title

log = structlog.get_logger()
PATH = "/push/"
"""The path of callbacks, before the token."""
BODY_LIMIT = 256 * 1024
"""Maximum bytes of a delivery; a real one has about a thousand."""


class WebSubReceiver:
    """Subscriptions of one study. One process calls `due`; the web server calls `verify` and `deliver`.

    Attributes:
        ignored: the number of ignored requests and entries, by reason.
    """

    def __init__(
        self, settings: Settings, blobs: Blobs, reader: HttpClient, now: Callable[[], datetime]
    ) -> None:
        self._now = now
        home = settings.push_url.rstrip("/") + PATH
        self._subscriber = WebSubSubscriber(home, settings.push_hub, blobs, reader, now)
        self._subscriptions = Subscriptions(blobs)
        self._outbox = Outbox(blobs)
        self.ignored: Counter[str] = Counter()

    async def due(self, channels: Mapping[str, str]) -> list[str]:
        """Subscribe, renew and unsubscribe; see `WebSubSubscriber.due`."""
        return await self._subscriber.due(channels)

    def verify(self, token: str, params: Mapping[str, str]) -> tuple[int, str]:
        """Return the status and body that answer a hub's verification of intent. Blocks.

        200 with the bare challenge for a request of ours; 200 for a denial; otherwise 404.
        """
        said = self._subscriptions.answer(token, params, self._now())
        if said is None:
            self.ignored["not asked for"] += 1
            return 404, ""
        log.info("the hub answered", mode=params.get("hub.mode"), channel=token.partition(".")[0])
        return 200, said

    def deliver(
        self, token: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[VideoSeen | VideoFollowed]]:
        """Return the status that answers a delivery, and its events. Blocks.

        Sightings are in the outbox when this returns. The same delivery again gives the same events. Call
        `mark_sent` with the events after sending them.

        Args:
            token: the token of the callback.
            headers: the headers of the request; the signature is `X-Hub-Signature`, in any case.
            body: the unchanged bytes of the body.
        """
        known = self._subscriptions.by_token(token)
        if known is None:
            return self._ignore(404, "unknown callback", token)
        if known.asked.mode == "unsubscribe":
            return self._ignore(410, "unsubscribed", token)
        if len(body) > BODY_LIMIT:
            return self._ignore(413, "too large", token)
        signature = next((each for name, each in headers.items() if name.lower() == "x-hub-signature"), "")
        if not signature:
            return self._ignore(202, "not signed", token)
        if not known.signed(signature, body):
            return self._ignore(202, "signature is wrong", token)
        try:
            entries = youtube_entries(body)
        except DataError as error:
            return self._ignore(202, "cannot be read", token, cause=error.cause)
        return 204, list(self._events(known, entries))

    def mark_sent(self, events: Sequence[Event]) -> None:
        """Store the new titles of sent events as the known ones. Blocks."""
        for event in events:
            kept = self._outbox.kept(event.video.video_id) if isinstance(event, VideoFollowed) else None
            if kept is not None and isinstance(event, VideoFollowed) and event.change == "retitled":
                video = kept.video.model_copy(update={"title": event.video.title})
                self._outbox.renew(kept.model_copy(update={"video": video}))

    def _events(
        self, known: Subscription, entries: Sequence[FeedEntry]
    ) -> Iterator[VideoSeen | VideoFollowed]:
        handled: set[tuple[str, bool]] = set()
        for entry in entries:
            if entry.channel_id not in ("", known.channel_id):
                self._ignore(202, "of another channel", known.asked.token, video=entry.video_id)
            elif (entry.video_id, entry.deleted) not in handled:
                handled.add((entry.video_id, entry.deleted))
                yield from self._deleted(known, entry) if entry.deleted else self._living(known, entry)

    def _living(self, known: Subscription, entry: FeedEntry) -> Iterator[VideoSeen | VideoFollowed]:
        now = self._now()
        before = self._outbox.kept(entry.video_id)
        seen = VideoSeen(
            video=Video(
                video_id=entry.video_id,
                title=entry.title,
                description=entry.description,
                channel=entry.channel,
                channel_id=known.channel_id,
                url=entry.url,
                published_at=entry.published_at,
                short_form=entry.short_form,
            ),
            sighting=Sighting(source_id=known.asked.source_id, kind="channel", lane="push", seen_at=now),
        )
        self._outbox.keep(seen)
        yield seen
        if before is not None and is_another_title(entry.title, [before.video.title]):
            yield VideoFollowed(
                video=before.video.model_copy(update={"title": entry.title}),
                change="retitled",
                was=before.video.title,
                seen_at=entry.updated_at or now,
            )

    def _deleted(self, known: Subscription, entry: FeedEntry) -> Iterator[VideoFollowed]:
        before = self._outbox.kept(entry.video_id)
        if before is None:
            self._ignore(202, "deleted before it was known", known.asked.token, video=entry.video_id)
        elif before.video.channel_id not in ("", known.channel_id):
            self._ignore(202, "of another channel", known.asked.token, video=entry.video_id)
        else:
            yield VideoFollowed(video=before.video, change="deleted", seen_at=entry.updated_at or self._now())

    def _ignore(
        self, status: int, why: str, token: str, **about: str
    ) -> tuple[int, list[VideoSeen | VideoFollowed]]:
        self.ignored[why] += 1
        # Log only the channel of the token: the complete token allows answering in the name of the hub.
        log.warning("a delivery is ignored", why=why, channel=token.partition(".")[0][:24], **about)
        return status, []
