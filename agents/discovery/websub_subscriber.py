"""WebSub subscriber: subscribes to channels at a hub, renews leases, and ends unwanted subscriptions.

A hub that does not answer is not asked for a while; the leases that it granted stay valid meanwhile.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import structlog

from streams.errors import DataError, Unavailable
from streams.feeds.websub_subscriptions import (
    LEASE_S,
    HubPause,
    HubRequest,
    Subscription,
    Subscriptions,
    new_secret,
    new_token,
    topic_of,
)
from streams.http.client import HostBusy, HttpClient
from streams.state.blobs import Blobs
from streams.state.leases import Lease

log = structlog.get_logger()
IN_FLIGHT = timedelta(minutes=10)
"""Time for the hub to verify a request before it is repeated; doubles with each attempt."""
AT_LEAST = timedelta(minutes=1)
"""Minimum time between two requests about a channel, however short a lease the hub grants."""
DENIED = timedelta(days=1)
"""Time until the next request for a channel that the hub denied."""
REST = timedelta(minutes=1)
"""Pause after the hub did not answer; doubles with each failure."""
LONGEST = timedelta(hours=6)
HANDS = 300.0
"""Seconds after which another process may take over from one that was killed while asking the hub."""


class WebSubSubscriber:
    """Keeps the subscriptions of a study at one hub.

    Args:
        home: the callback address for verifications and deliveries, without the token.
        hub: the address of the hub.
        blobs: the blob store, which holds the subscriptions.
        reader: the HTTP client.
        now: the clock.
    """

    def __init__(
        self, home: str, hub: str, blobs: Blobs, reader: HttpClient, now: Callable[[], datetime]
    ) -> None:
        self._home = home
        self._hub = hub
        self._reader = reader
        self._now = now
        self._subscriptions = Subscriptions(blobs)
        self._hands = Lease(blobs, "push", secrets.token_hex(8), HANDS, lambda: now().timestamp())
        self._one = asyncio.Lock()

    async def due(self, channels: Mapping[str, str]) -> list[str]:
        """Subscribe to these channels, renew when half of a lease is over, unsubscribe from all others.

        Never runs twice at once, not even in two processes. Errors of the hub are not raised: they are stored
        with the subscription, and the request is repeated later.

        Args:
            channels: by channel id (UC…), the id of the source that watches it.

        Returns:
            The channels that the hub was asked about.
        """
        if self._one.locked():
            return []
        async with self._one:
            return await asyncio.to_thread(self._due, channels)

    def _due(self, channels: Mapping[str, str]) -> list[str]:
        rest = self._subscriptions.rest()
        if (rest is not None and self._now() < rest.until) or not self._hands.acquire():
            return []
        asked: list[str] = []
        try:
            for request in self._requests(channels):
                if not self._hands.renew():  # another process has taken over
                    break
                asked.append(request.channel_id)
                if not self._ask(request):
                    break
        finally:
            self._hands.release()
        return asked

    def _requests(self, channels: Mapping[str, str]) -> Iterator[HubRequest]:
        """Yield the requests to make to the hub now."""
        for channel_id, source_id in channels.items():
            known = self._subscriptions.of(channel_id)
            if known is None or self._is_due(known):
                yield self._request(channel_id, source_id, known)
            elif known.asked.source_id != source_id:
                self._subscriptions.ask(known.asked.model_copy(update={"source_id": source_id}))
        for known in self._subscriptions.all():
            if known.channel_id in channels or not known.covers(self._now()):
                continue
            if known.asked.mode == "subscribe" or self._may_ask_again(known):
                tries = known.asked.tries + 1 if known.asked.mode == "unsubscribe" else 1
                now = self._now()
                yield known.asked.model_copy(
                    update={
                        "mode": "unsubscribe",
                        "number": known.asked.number + 1,
                        "requested_at": now,
                        "again_at": now + _longer(IN_FLIGHT, tries),
                        "tries": tries,
                        "trouble": "",
                    }
                )

    def _is_due(self, known: Subscription) -> bool:
        """Return whether a watched channel has to be subscribed to again."""
        asked, said, now = known.asked, known.answered, self._now()
        if (
            asked.mode != "subscribe"
            or asked.callback != self._callback(asked.token)
            or asked.hub != self._hub
        ):
            return True
        if said is None or not known.confirmed:
            return self._may_ask_again(known)
        if said.state == "denied":
            return now >= said.answered_at + DENIED
        if said.lease_began is None or said.lease_ends is None:
            return True
        half = said.lease_began + (said.lease_ends - said.lease_began) / 2
        return now >= max(half, asked.requested_at + AT_LEAST)

    def _may_ask_again(self, known: Subscription) -> bool:
        return not known.confirmed and self._now() >= known.asked.again_at

    def _request(self, channel_id: str, source_id: str, known: Subscription | None) -> HubRequest:
        """Return a new request, or a repetition of the one that the hub has not confirmed.

        A slow hub may still verify the first of several attempts, so all of them use the same secret.
        """
        same = known is not None and known.asked.hub == self._hub
        token = known.asked.token if known is not None and same else new_token(channel_id)
        same = same and known is not None and known.asked.callback == self._callback(token)
        again = same and known is not None and not known.confirmed and known.asked.mode == "subscribe"
        tries = known.asked.tries + 1 if known is not None and again else 1
        now = self._now()
        return HubRequest(
            channel_id=channel_id,
            source_id=source_id,
            number=known.asked.number + 1 if known is not None else 1,
            mode="subscribe",
            token=token,
            secret=known.asked.secret if known is not None and again else new_secret(),
            callback=self._callback(token),
            hub=self._hub,
            requested_at=now,
            again_at=now + _longer(IN_FLIGHT, tries),
            tries=tries,
        )

    def _callback(self, token: str) -> str:
        return self._home + token

    def _ask(self, request: HubRequest) -> bool:
        """Make a request to the hub; return False if the hub needs a pause.

        The request is stored first, because a hub may verify it before its response arrives.
        """
        self._subscriptions.ask(request)
        form = {
            "hub.mode": request.mode,
            "hub.topic": topic_of(request.channel_id),
            "hub.callback": request.callback,
            "hub.verify": "async",
            "hub.lease_seconds": str(LEASE_S),
            "hub.secret": request.secret,
        }
        try:
            self._reader.submit(request.hub, form)
        except DataError as error:
            log.warning("the hub refuses a channel", channel=request.channel_id, cause=error.cause)
            self._subscriptions.ask(request.model_copy(update={"trouble": error.cause}))
        except Unavailable as error:
            self._rest(request, error)
            return False
        else:
            if self._subscriptions.rest() is not None:
                self._subscriptions.keep_rest(None)
        return True

    def _rest(self, request: HubRequest, error: Unavailable) -> None:
        """Pause requests to the hub: its leases stay valid, and one request after the pause tests it."""
        before, now = self._subscriptions.rest(), self._now()
        failures = before.failures + 1 if before else 1
        wished = timedelta(
            seconds=min(error.after_s or 0.0, 86_400.0) if isinstance(error, HostBusy) else 0.0
        )
        until = now + max(_longer(REST, failures), wished)
        log.warning("the hub does not answer", cause=error.cause, until=until.isoformat(), failures=failures)
        self._subscriptions.keep_rest(HubPause(until=until, failures=failures, cause=error.cause))
        self._subscriptions.ask(request.model_copy(update={"again_at": until, "trouble": error.cause}))


def _longer(first: timedelta, tries: int) -> timedelta:
    """Return the wait after a number of attempts: doubled each time, at most `LONGEST`."""
    return min(first * int(2 ** min(tries - 1, 20)), LONGEST)
