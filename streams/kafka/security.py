"""Security of connections to Kafka: TLS and SASL, translated from the settings to each client's options.

Two libraries connect: Faust with aiokafka (events), kafka-python (administration, lag, events from outside).
kafka-python reports a refused log-in as a timeout, so `refusal` asks the brokers once more, by aiokafka.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from streams import tls
from streams.errors import Misconfigured, Unavailable
from streams.kafka.access_tokens import (
    SETTING,
    AccessTokens,
    access_tokens,
    for_aiokafka,
    for_kafka_python,
)
from streams.settings import Settings

ASK_S = 5.0
"""Timeout of the question why a broker refuses this client (seconds)."""
OAUTH = "OAUTHBEARER"
TLS_ALERT = 0x1503
"""First two bytes of an alert in every version of TLS."""
Provider = Callable[[AccessTokens], Any]


def protocol(settings: Settings) -> str:
    """Return Kafka's name of the security protocol.

    Example:
        >>> protocol(Settings(broker="kafka:9093", broker_tls=True))
        'SSL'
    """
    if settings.embedded_broker:
        return "PLAINTEXT"
    encrypted = "SSL" if settings.broker_tls else "PLAINTEXT"
    return f"SASL_{encrypted}" if settings.broker_sasl else encrypted


def client_options(settings: Settings, provider: Provider = for_kafka_python) -> dict[str, Any]:
    """Return the options of a client; those of kafka-python and aiokafka have the same names.

    Args:
        settings: of the study.
        provider: makes what the client asks for access tokens.

    Raises:
        Misconfigured: a file of a certificate or key cannot be used.
    """
    spoken = protocol(settings)
    options: dict[str, Any] = {"security_protocol": spoken}
    if spoken.endswith("SSL"):
        options["ssl_context"] = tls.context(
            SETTING,
            settings.broker_ca,
            settings.broker_certificate,
            settings.broker_key,
            settings.broker_key_password.get_secret_value(),
        )
    if settings.broker_sasl == OAUTH and spoken.startswith("SASL"):
        options |= {
            "sasl_mechanism": OAUTH,
            "sasl_oauth_token_provider": provider(access_tokens(settings)),
        }
    elif spoken.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.broker_sasl,
            "sasl_plain_username": settings.broker_user,
            "sasl_plain_password": settings.broker_password.get_secret_value(),
        }
    return options


def faust_credentials(settings: Settings) -> Any:
    """Return Faust's `broker_credentials`; None: neither TLS nor SASL.

    Raises:
        Misconfigured: a file of a certificate or key cannot be used.
    """
    from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials

    options = client_options(settings, for_aiokafka)
    if "sasl_oauth_token_provider" in options:
        return OAuthCredentials(
            oauth_cb=options["sasl_oauth_token_provider"], ssl_context=options.get("ssl_context")
        )
    if "sasl_mechanism" in options:
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=options.get("ssl_context"),
        )
    return SSLCredentials(options["ssl_context"]) if "ssl_context" in options else None


def forbidden(where: str, named: str) -> Misconfigured:
    """Return the error of a client that may log in, but not do what it needs to."""
    return Misconfigured(
        f"{where} does not permit this client what it needs ({named})",
        "grant its user the rights that docs/how-to/cluster.md lists",
    )


def refusal(settings: Settings, bootstrap: str) -> Misconfigured | str:
    """Ask the brokers at `bootstrap` why they do not serve this client. Blocks.

    Returns:
        What to correct, if a broker refuses this client or is not trusted; otherwise why there is no
        connection, in words ("" if there is one).
    """
    with ThreadPoolExecutor(1) as thread:  # the calling thread may have a running event loop
        return thread.submit(asyncio.run, _refusal(settings, bootstrap.split(","))).result()


async def _refusal(settings: Settings, addresses: Sequence[str]) -> Misconfigured | str:
    answers = await asyncio.gather(*(_ask(settings, address.strip()) for address in addresses))
    return min(answers, key=lambda answer: (answer != "", isinstance(answer, str)))


async def _ask(settings: Settings, address: str) -> Misconfigured | str:
    """Connect to one broker, and return why that fails."""
    from aiokafka.conn import create_conn
    from aiokafka.errors import KafkaError

    where, options = f"Kafka at {address}", client_options(settings, for_aiokafka)
    host, _, port = address.rpartition(":")
    try:
        if "sasl_oauth_token_provider" in options:
            await asyncio.to_thread(access_tokens(settings).token)
        async with asyncio.timeout(ASK_S):
            connection = await create_conn(host.strip("[]"), int(port), **options)
            try:
                if "sasl_mechanism" not in options:
                    return await _asks_for_login(connection, where)
                return await _refuses_the_token(connection, where) if settings.broker_sasl == OAUTH else ""
            finally:
                connection.close()
    except Misconfigured as error:
        return error
    except Unavailable as error:
        return error.cause
    except TimeoutError:
        return "no answer in time"
    except (KafkaError, OSError, ValueError) as error:
        return _refused(settings, where, error) or _in_words(error, "ssl_context" in options)


async def _asks_for_login(connection: Any, where: str) -> Misconfigured | str:
    """Return that a broker wants SASL: only such a listener names its mechanisms."""
    from aiokafka.protocol.admin import SaslHandShakeRequest

    answer = await connection.send(SaslHandShakeRequest("none"))
    if not answer.enabled_mechanisms:
        return ""
    return Misconfigured(
        f"{where} wants clients to log in (SASL {' or '.join(sorted(answer.enabled_mechanisms))})",
        f"set {SETTING}_SASL, {SETTING}_USER and {SETTING}_PASSWORD",
    )


async def _refuses_the_token(connection: Any, where: str) -> Misconfigured | str:
    """Return that a broker does not accept the token: aiokafka takes its refusal for a log-in."""
    from aiokafka.protocol.admin import ApiVersionRequest

    answer = await connection.send(ApiVersionRequest())
    if answer.error_code:
        return Misconfigured(
            f"{where} refuses the access token of this client",
            f"check {SETTING}_TOKEN_URL and {SETTING}_TOKEN_SCOPE against the audience and issuer that the "
            "brokers expect",
        )
    return ""


def _refused(settings: Settings, where: str, error: Exception) -> Misconfigured | None:
    from aiokafka import errors

    if isinstance(error, errors.SaslAuthenticationFailed):
        return Misconfigured(
            f"{where} refuses the user {settings.broker_user!r} or its password ({settings.broker_sasl})",
            f"correct {SETTING}_USER, {SETTING}_PASSWORD or {SETTING}_SASL",
        )
    if isinstance(error, errors.UnsupportedSaslMechanismError):
        return Misconfigured(
            f"{where} does not offer SASL {settings.broker_sasl}",
            f"set {SETTING}_SASL to a mechanism that it offers",
        )
    if isinstance(error, errors.IllegalSaslStateError):
        return Misconfigured(
            f"{where} knows no log-in (SASL) on this port",
            f"unset {SETTING}_SASL, or use its port for clients that log in",
        )
    if _answered_in_tls(error):
        return Misconfigured(
            f"{where} speaks TLS", f"set {SETTING}_TLS=true, and {SETTING}_CA if its authority is private"
        )
    return tls.refusal(error, where, SETTING)


def _answered_in_tls(error: Exception) -> bool:
    """Return whether a broker answered with a TLS alert, whose first bytes were read as a length."""
    cause = error.__cause__ or error.__context__
    return isinstance(cause, asyncio.IncompleteReadError) and ((cause.expected or 0) >> 16) == TLS_ALERT


def _in_words(error: Exception, encrypted: bool) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror):
        return "the host name is unknown"
    if encrypted and isinstance(error, ConnectionResetError):
        return "it ends the TLS handshake: does this port speak TLS?"
    return str(error) or type(error).__name__
