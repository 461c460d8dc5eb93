"""WebSub subscriptions: requests to a hub and its answers, as two small files per channel in the blob store.

There are two files because there are two writers: the subscriber writes `subscriptions/<channel>/asked.json`,
the receiver of the hub's answers writes `…/answered.json`. So neither can overwrite the other, in one process
or in several, and a subscription that was requested before a restart can be verified after it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from streams.errors import DataError
from streams.events import Source
from streams.events.base import Fact
from streams.state.blobs import Blobs
from streams.text_sanitizer import plain
from streams.youtube.locators import HOME

FOLDER = "subscriptions"
REST = "subscriptions-rest.json"
LEASE_S = 432_000
"""The lease to request, and to assume if a hub does not state one: five days."""
LONGEST_S = 30 * 86_400
"""Upper bound on a lease (seconds), whatever the hub grants."""
CHALLENGE_LIMIT = 1_000
HASHES = ("sha1", "sha256", "sha384", "sha512")
"""Signature algorithms of WebSub; YouTube's hub uses the first."""

State = Literal["pending", "verified", "denied", "unsubscribed"]
_CHANNEL = re.compile(r"(?:https?://(?:www\.|m\.)?youtube\.com/channel/)?(UC[\w-]{22})(?:/\w*)?", re.ASCII)
_TOKEN = re.compile(r"(UC[\w-]{22})\.[\w-]{20,100}", re.ASCII)


class HubRequest(Fact):
    """The last request to the hub about a channel, and the earliest time of the next."""

    channel_id: str
    source_id: str
    number: int
    """Number of the request, from 1."""
    mode: Literal["subscribe", "unsubscribe"]
    token: str = Field(repr=False)
    """Last segment of the callback's path: `<channel_id>.<random>`. Anyone with it can answer as the hub."""
    secret: str = Field(repr=False)
    """Key with which the hub signs deliveries once it has verified this request."""
    callback: str = Field(repr=False)
    """Address for the hub's answers and deliveries; it ends with the token."""
    hub: str
    requested_at: AwareDatetime
    again_at: AwareDatetime
    """No request is made before this time: this one is in flight, or requests are paused."""
    tries: int = 1
    """Requests in a row that the hub did not confirm, this one included."""
    trouble: str = ""
    """Why the hub refused the request; empty: it did not."""


class HubResponse(Fact):
    """The hub's last answer about a channel; a later request does not change it."""

    state: Literal["verified", "denied", "unsubscribed"]
    number: int
    """Number of the request that it answers."""
    answered_at: AwareDatetime
    reason: str = ""
    """Why the hub denied it, in the hub's words."""
    secret: str = Field("", repr=False)
    """Key that signs deliveries since the last verification."""
    lease_began: AwareDatetime | None = None
    lease_ends: AwareDatetime | None = None
    """End of the lease of the last verification; a denied renewal does not change it."""


class HubPause(Fact):
    """Pause of requests to the hub, because it did not answer."""

    until: AwareDatetime
    failures: int
    """Number of failures in a row."""
    cause: str


class Subscription(Fact):
    """A channel's subscription: the last request and the last answer."""

    asked: HubRequest
    answered: HubResponse | None = None

    @property
    def channel_id(self) -> str:
        """The channel."""
        return self.asked.channel_id

    @property
    def confirmed(self) -> bool:
        """Return whether the hub answered the last request."""
        return self.answered is not None and self.answered.number == self.asked.number

    @property
    def state(self) -> State:
        """State of the last request; a pending renewal does not end the running lease."""
        return self.answered.state if self.answered is not None and self.confirmed else "pending"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Keys that may sign a delivery: during a renewal, also the previous one."""
        held = (self.asked.secret, self.answered.secret if self.answered else "")
        return tuple(dict.fromkeys(each for each in held if each))

    def covers(self, now: datetime) -> bool:
        """Return whether a lease is running, so that the hub pushes new videos."""
        ends = self.answered.lease_ends if self.answered else None
        return ends is not None and now < ends and self.state != "unsubscribed"

    def signed(self, signature: str, body: bytes) -> bool:
        """Return whether a header such as `sha1=0a1b…` signs these bytes with one of our secrets."""
        name, _, digest = signature.strip().partition("=")
        if name.lower() not in HASHES:
            return False
        given = digest.strip().lower().encode()
        made = [hmac.new(each.encode(), body, name.lower()).hexdigest() for each in self.secrets]
        # All are compared, so that the timing does not reveal which one matched.
        return any([hmac.compare_digest(each.encode(), given) for each in made])  # noqa: C419


class Subscriptions:
    """The subscriptions of a study."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def of(self, channel_id: str) -> Subscription | None:
        """Return a channel's subscription, or None."""
        try:
            asked = HubRequest.model_validate_json(self._blobs.get(f"{FOLDER}/{channel_id}/asked.json"))
        except DataError:
            return None
        try:
            said = self._blobs.get(f"{FOLDER}/{channel_id}/answered.json")
        except DataError:
            return Subscription(asked=asked)
        return Subscription(asked=asked, answered=HubResponse.model_validate_json(said))

    def by_token(self, token: str) -> Subscription | None:
        """Return the subscription whose callback has this token, or None."""
        named = _TOKEN.fullmatch(token)
        found = self.of(named[1]) if named else None
        if found is None or not hmac.compare_digest(found.asked.token.encode(), token.encode()):
            return None
        return found

    def all(self) -> Iterator[Subscription]:
        """Yield every subscription in order of channel, including those that ended."""
        for key in self._blobs.keys(FOLDER):
            channel_id, _, name = key.removeprefix(f"{FOLDER}/").partition("/")
            found = self.of(channel_id) if name == "asked.json" else None
            if found is not None:
                yield found

    def ask(self, asked: HubRequest) -> None:
        """Store a request or its outcome; only the subscriber may call this."""
        self._blobs.put(f"{FOLDER}/{asked.channel_id}/asked.json", asked.model_dump_json().encode())

    def answer(self, token: str, said: Mapping[str, str], now: datetime) -> str | None:
        """Store the hub's answer at a callback, and return the body of our response.

        Args:
            token: the callback's token.
            said: the parameters of the hub's request (`hub.mode`, `hub.topic`, …).
            now: the current time.

        Returns:
            The hub's challenge; '' after a denial; None if it answers no request of ours.
        """
        known = self.by_token(token)
        if known is None or said.get("hub.topic") != topic_of(known.channel_id):
            return None
        mode, challenge = said.get("hub.mode", ""), said.get("hub.challenge", "")
        asked, before = known.asked, known.answered
        lease = before.model_dump(include={"secret", "lease_began", "lease_ends"}) if before else {}
        about = {"number": asked.number, "answered_at": now}
        if mode == "denied":
            reason = " ".join(plain(said.get("hub.reason"), 300).split())
            self._keep(asked, HubResponse.model_validate(lease | about | {"state": mode, "reason": reason}))
            return ""
        if mode != asked.mode or not 0 < len(challenge) <= CHALLENGE_LIMIT:
            return None
        if mode == "unsubscribe":
            self._keep(asked, HubResponse.model_validate(about | {"state": "unsubscribed"}))
        else:
            ends = now + timedelta(seconds=_lease(said.get("hub.lease_seconds", "")))
            lease = {"secret": asked.secret, "lease_began": now, "lease_ends": ends}
            self._keep(asked, HubResponse.model_validate(lease | about | {"state": "verified"}))
        return challenge

    def rest(self) -> HubPause | None:
        """Return the current pause of requests to the hub, or None."""
        try:
            return HubPause.model_validate_json(self._blobs.get(REST))
        except DataError:
            return None

    def keep_rest(self, rest: HubPause | None) -> None:
        """Store a pause of requests to the hub; None ends it."""
        if rest is None:
            self._blobs.delete(REST)
        else:
            self._blobs.put(REST, rest.model_dump_json().encode())

    def _keep(self, asked: HubRequest, answered: HubResponse) -> None:
        self._blobs.put(f"{FOLDER}/{asked.channel_id}/answered.json", answered.model_dump_json().encode())


def topic_of(channel_id: str) -> str:
    """Return the WebSub topic under which YouTube publishes a channel's uploads.

    Example:
        >>> topic_of("UC0123456789abcdefghijkl")
        'https://www.youtube.com/xml/feeds/videos.xml?channel_id=UC0123456789abcdefghijkl'
    """
    return f"{HOME}/xml/feeds/videos.xml?channel_id={channel_id}"


def channel_of(source: Source) -> str | None:
    """Return the channel id in a channel source's locator; None for a handle or another kind of source.

    Example:
        >>> from datetime import UTC
        >>> added = datetime(2026, 1, 1, tzinfo=UTC)
        >>> locator = "https://www.youtube.com/channel/UC0123456789abcdefghijkl/videos"
        >>> channel_of(Source(source_id="a", kind="channel", locator=locator, added_at=added))
        'UC0123456789abcdefghijkl'
    """
    found = _CHANNEL.fullmatch(source.locator.strip()) if source.kind == "channel" else None
    return found[1] if found else None


def new_token(channel_id: str) -> str:
    """Return an unguessable token for a channel's callback."""
    return f"{channel_id}.{secrets.token_urlsafe(24)}"


def new_secret() -> str:
    """Return a signing secret of 43 characters (a hub accepts fewer than 200)."""
    return secrets.token_urlsafe(32)


def _lease(said: str) -> float:
    """Return the lease that a hub grants (seconds), at most `LONGEST_S`."""
    granted = int(said) if said.isascii() and said.isdecimal() and len(said) < 12 else LEASE_S
    return float(min(granted, LONGEST_S))
