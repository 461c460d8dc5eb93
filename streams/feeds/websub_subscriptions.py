"""Requests to a WebSub hub and its answers: two small files a channel in the blob store.

Two, because two write: `subscriptions/<channel>/asked.json` is written by who subscribes and renews,
`…/answered.json` by who hears the hub. So neither can undo the other, in one process or in several, and a
subscription that was asked for before a restart is verified after it.
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
"""Five days: what is asked for, and taken for granted where a hub does not say what it grants."""
LONGEST_S = 30 * 86_400
"""A lease is believed to last no longer (seconds)."""
CHALLENGE_LIMIT = 1_000
HASHES = ("sha1", "sha256", "sha384", "sha512")
"""Those that WebSub knows; YouTube's hub signs with the first."""

State = Literal["pending", "verified", "denied", "unsubscribed"]
_CHANNEL = re.compile(r"(?:https?://(?:www\.|m\.)?youtube\.com/channel/)?(UC[\w-]{22})(?:/\w*)?", re.ASCII)
_TOKEN = re.compile(r"(UC[\w-]{22})\.[\w-]{20,100}", re.ASCII)


class HubRequest(Fact):
    """The last request to the hub about a channel, and when the next may be made."""

    channel_id: str
    source_id: str
    number: int
    """Of the request, counted from 1."""
    mode: Literal["subscribe", "unsubscribe"]
    token: str = Field(repr=False)
    """Last step of the callback's path: `<channel_id>.<random>`. Who knows it can answer for the hub."""
    secret: str = Field(repr=False)
    """What the hub signs deliveries with, once it has verified this request."""
    callback: str = Field(repr=False)
    """Where the hub is to answer and to deliver; it ends with the token."""
    hub: str
    requested_at: AwareDatetime
    again_at: AwareDatetime
    """Before this moment the request is in flight, or the hub is left alone."""
    tries: int = 1
    """Requests in a row that the hub did not confirm, this one included."""
    trouble: str = ""
    """Why the hub did not take it, if it did not."""


class HubResponse(Fact):
    """The hub's last answer about a channel; a later request changes nothing of it."""

    state: Literal["verified", "denied", "unsubscribed"]
    number: int
    """Of the request that it answers."""
    answered_at: AwareDatetime
    reason: str = ""
    """Why it was denied, in the hub's words."""
    secret: str = Field("", repr=False)
    """What deliveries are signed with since it was last verified."""
    lease_began: AwareDatetime | None = None
    lease_ends: AwareDatetime | None = None
    """Of the last verification; a denied renewal leaves it as it was."""


class HubPause(Fact):
    """The hub did not answer, so it is left alone for a while."""

    until: AwareDatetime
    failures: int
    """In a row."""
    cause: str


class Subscription(Fact):
    """A channel's subscription: what was asked, what was answered."""

    asked: HubRequest
    answered: HubResponse | None = None

    @property
    def channel_id(self) -> str:
        """The channel."""
        return self.asked.channel_id

    @property
    def confirmed(self) -> bool:
        """Whether the hub answered the last request."""
        return self.answered is not None and self.answered.number == self.asked.number

    @property
    def state(self) -> State:
        """Of the last request; a pending renewal leaves the lease it has."""
        return self.answered.state if self.answered is not None and self.confirmed else "pending"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What a delivery may be signed with: during a renewal also with the secret before it."""
        held = (self.asked.secret, self.answered.secret if self.answered else "")
        return tuple(dict.fromkeys(each for each in held if each))

    def covers(self, now: datetime) -> bool:
        """Whether the hub tells of new videos now: a lease is running."""
        ends = self.answered.lease_ends if self.answered else None
        return ends is not None and now < ends and self.state != "unsubscribed"

    def signed(self, signature: str, body: bytes) -> bool:
        """Whether a header such as `sha1=0a1b…` was made of these bytes with a secret of ours."""
        name, _, digest = signature.strip().partition("=")
        if name.lower() not in HASHES:
            return False
        given = digest.strip().lower().encode()
        made = [hmac.new(each.encode(), body, name.lower()).hexdigest() for each in self.secrets]
        # Each is compared, so that time does not tell which one it was.
        return any([hmac.compare_digest(each.encode(), given) for each in made])  # noqa: C419


class Subscriptions:
    """The subscriptions of a study."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def of(self, channel_id: str) -> Subscription | None:
        """Return what is known of a channel's subscription, or None."""
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
        """Yield every subscription by channel, those that ended too."""
        for key in self._blobs.keys(FOLDER):
            channel_id, _, name = key.removeprefix(f"{FOLDER}/").partition("/")
            found = self.of(channel_id) if name == "asked.json" else None
            if found is not None:
                yield found

    def ask(self, asked: HubRequest) -> None:
        """Keep a request, or what became of it. For who subscribes alone."""
        self._blobs.put(f"{FOLDER}/{asked.channel_id}/asked.json", asked.model_dump_json().encode())

    def answer(self, token: str, said: Mapping[str, str], now: datetime) -> str | None:
        """Take what the hub says at a callback, and return what it wants to hear.

        Args:
            token: of the callback.
            said: the parameters of its request (`hub.mode`, `hub.topic`, …).
            now: the present moment.

        Returns:
            Its challenge; '' when it denied; None for everything that was not asked for.
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
        """Return whether, and until when, the hub is left alone."""
        try:
            return HubPause.model_validate_json(self._blobs.get(REST))
        except DataError:
            return None

    def keep_rest(self, rest: HubPause | None) -> None:
        """Leave the hub alone; None: no longer."""
        if rest is None:
            self._blobs.delete(REST)
        else:
            self._blobs.put(REST, rest.model_dump_json().encode())

    def _keep(self, asked: HubRequest, answered: HubResponse) -> None:
        self._blobs.put(f"{FOLDER}/{asked.channel_id}/answered.json", answered.model_dump_json().encode())


def topic_of(channel_id: str) -> str:
    """Return what a hub is asked to tell of: the name YouTube publishes a channel's uploads under.

    Example:
        >>> topic_of("UC0123456789abcdefghijkl")
        'https://www.youtube.com/xml/feeds/videos.xml?channel_id=UC0123456789abcdefghijkl'
    """
    return f"{HOME}/xml/feeds/videos.xml?channel_id={channel_id}"


def channel_of(source: Source) -> str | None:
    """Return the id of a channel source's channel, where its locator says it; a handle does not.

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
    """Return a token that nobody can guess."""
    return f"{channel_id}.{secrets.token_urlsafe(24)}"


def new_secret() -> str:
    """Return a secret to sign with, of 43 characters (a hub takes less than 200)."""
    return secrets.token_urlsafe(32)


def _lease(said: str) -> float:
    """Return how long a hub grants (seconds)."""
    granted = int(said) if said.isascii() and said.isdecimal() and len(said) < 12 else LEASE_S
    return float(min(granted, LONGEST_S))
