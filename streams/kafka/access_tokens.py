"""Access tokens with which this client logs in to Kafka (SASL OAUTHBEARER).

An OAuth 2.0 token endpoint issues them for the client's id and secret (client credentials grant, RFC 6749,
section 4.4). Both Kafka libraries ask for a token at each connection, so one is kept until it is about to
expire.
"""

from __future__ import annotations

import asyncio
import threading
import time
from functools import lru_cache
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from streams.errors import Explained, Misconfigured, Unavailable
from streams.settings import Settings

TIMEOUT_S = 10.0
RENEWED_AT = 0.8
"""Share of a token's lifetime after which another one is fetched."""
SETTING = "GROUNDSWELL_BROKER"


class _Issued(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float = 300.0
    """Lifetime (seconds); the RFC recommends that endpoints say it."""


class AccessTokens:
    """Access tokens of one client from one endpoint. Thread-safe."""

    def __init__(self, url: str, client: str, secret: str, scope: str = "") -> None:
        self._url = url
        self._client = client
        self._secret = secret
        self._scope = scope
        self._issued: _Issued | None = None
        self._issued_at = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """Return a valid token. Blocks while one is fetched.

        If the endpoint does not answer, the kept token is returned until it expires.

        Raises:
            Misconfigured: the endpoint refuses this client, or is none.
            Unavailable: the endpoint does not answer, and the kept token has expired.
        """
        with self._lock:
            age = time.monotonic() - self._issued_at
            if self._issued is None or age >= RENEWED_AT * self._issued.expires_in:
                asked_at = time.monotonic()
                try:
                    self._issued, self._issued_at = self._fetch(), asked_at
                except Unavailable:
                    if self._issued is None or age >= self._issued.expires_in:
                        raise
            return self._issued.access_token

    def _fetch(self) -> _Issued:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        at = f"the token endpoint {self._url}"
        try:
            answer = httpx.post(self._url, data=form, auth=(self._client, self._secret), timeout=TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise Misconfigured(f"{at} is no address ({error})", f"correct {SETTING}_TOKEN_URL") from error
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{at} does not answer ({type(error).__name__}: {error})",
                f"check that it runs, and {SETTING}_TOKEN_URL",
            ) from error
        said = " ".join(answer.text[:200].split())
        if answer.status_code in (400, 401, 403):
            raise Misconfigured(
                f"{at} refuses the client {self._client!r} ({answer.status_code}: {said})",
                f"correct {SETTING}_USER, {SETTING}_PASSWORD or {SETTING}_TOKEN_SCOPE",
            )
        if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
            raise Unavailable(f"{at} answers {answer.status_code} ({said})", "wait, or ask its operator")
        try:
            return _Issued.model_validate_json(answer.content)
        except ValidationError as error:
            raise Misconfigured(  # without its words, which may hold a token under another name
                f"{at} answers {answer.status_code} without an access token",
                f"set {SETTING}_TOKEN_URL to the token endpoint of your identity provider",
            ) from error


@lru_cache
def _tokens(url: str, client: str, secret: str, scope: str) -> AccessTokens:
    return AccessTokens(url, client, secret, scope)


def access_tokens(settings: Settings) -> AccessTokens:
    """Return the tokens of a study's client, which all its connections share."""
    return _tokens(
        settings.broker_token_url,
        settings.broker_user,
        settings.broker_password.get_secret_value(),
        settings.broker_token_scope,
    )


def for_kafka_python(tokens: AccessTokens) -> Any:
    """Return the tokens as kafka-python asks for them."""
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class Provider(AbstractTokenProvider):  # type: ignore[misc]
        def token(self) -> str:
            return tokens.token()

    return Provider()


def for_aiokafka(tokens: AccessTokens) -> Any:
    """Return the tokens as aiokafka asks for them; without one, it reports that there is no connection."""
    from aiokafka.abc import AbstractTokenProvider
    from aiokafka.errors import KafkaConnectionError

    class Provider(AbstractTokenProvider):  # type: ignore[misc]
        async def token(self) -> str:
            try:
                return await asyncio.to_thread(tokens.token)
            except Explained as error:  # aiokafka retries only its own errors
                raise KafkaConnectionError(str(error)) from error

    return Provider()
