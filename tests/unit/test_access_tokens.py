"""Access tokens are fetched when they are needed, and what is wrong with the token endpoint is said."""

from collections.abc import Iterator

import pytest

from streams.errors import Misconfigured, Unavailable
from streams.kafka import access_tokens
from streams.kafka.access_tokens import AccessTokens
from tests.identity_provider import IdentityProvider


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider("hunter2") as started:
        yield started


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time (seconds) that a token's age is counted by."""
    now = [1000.0]
    monkeypatch.setattr(access_tokens.time, "monotonic", lambda: now[0])
    return now


def test_a_token_serves_many_connections_and_is_renewed_in_time(
    provider: IdentityProvider, clock: list[float]
) -> None:
    tokens = AccessTokens(f"{provider.url}/token", "groundswell", "hunter2", "kafka.write")
    first = tokens.token()
    clock[0] += 0.79 * 3600
    assert tokens.token() == first and provider.issued == 1
    clock[0] += 0.02 * 3600
    assert tokens.token() != first and provider.issued == 2
    assert provider.scopes == ["kafka.write"] * 2


def test_a_valid_token_outlives_an_outage_of_its_endpoint(
    provider: IdentityProvider, clock: list[float]
) -> None:
    tokens = AccessTokens(f"{provider.url}/token", "groundswell", "hunter2")
    first = tokens.token()
    provider.answer = 503, b"down for maintenance"
    clock[0] += 0.9 * 3600
    assert tokens.token() == first
    clock[0] += 0.2 * 3600
    with pytest.raises(Unavailable, match=r"503 .down for maintenance"):
        tokens.token()
    provider.answer = None
    assert tokens.token() != first


@pytest.mark.parametrize(
    ("answer", "cause", "cure"),
    [
        ((401, b'{"error": "invalid_client"}'), r"refuses the client 'groundswell' \(401", "_PASSWORD"),
        ((400, b'{"error": "invalid_scope"}'), "invalid_scope", "TOKEN_SCOPE"),
        ((404, b"no such page"), "404 without an access token", "TOKEN_URL"),
        ((200, b"<html>Sign in</html>"), "200 without an access token", "TOKEN_URL"),
        ((200, b'{"accessToken": "hunter2"}'), "200 without an access token", "TOKEN_URL"),
    ],
)
def test_a_wrong_endpoint_is_no_outage(
    answer: tuple[int, bytes], cause: str, cure: str, provider: IdentityProvider
) -> None:
    provider.answer = answer
    with pytest.raises(Misconfigured, match=cause) as refused:
        AccessTokens(f"{provider.url}/token", "groundswell", "hunter2").token()
    assert cure in refused.value.cure and "hunter2" not in str(refused.value)


def test_an_endpoint_that_does_not_answer_is_an_outage(provider: IdentityProvider) -> None:
    provider.__exit__()
    with pytest.raises(Unavailable, match="does not answer"):
        AccessTokens(f"{provider.url}/token", "groundswell", "hunter2").token()
