"""Connects to a ClickHouse server over HTTP or HTTPS, and explains why it refuses this client."""

from __future__ import annotations

import re
import ssl
from typing import Any
from urllib.parse import unquote, urlsplit

from streams import tls
from streams.addresses import with_tls
from streams.errors import Misconfigured
from streams.settings import Settings

CONNECT_S = 5
"""Timeout of a connection (seconds)."""
SETTING = "GROUNDSWELL_CLICKHOUSE"
_LOGIN = frozenset({192, 193, 194, 516})
"""ClickHouse's codes: unknown user, wrong password, password required, authentication failed."""
_RIGHTS = 497
_BROKEN = ("EOF occurred", "closed connection", "Connection aborted", "Connection reset", "Broken pipe")
_CODE = re.compile(r"\bCode: (\d+)")


def where(settings: Settings) -> str:
    """Return the server's address without its user and password, for messages."""
    address = urlsplit(settings.clickhouse)
    return f"ClickHouse at {address.hostname}:{_port(settings)}"


def connect(settings: Settings, patience_s: float | None) -> Any:
    """Return a clickhouse-connect client in the study's database, which is created if missing.

    Args:
        settings: the study's settings.
        patience_s: how long an answer may take (seconds); None: as the library has it.

    Raises:
        Misconfigured: the file of a certificate or key cannot be used.
        OperationalError: the server does not answer.
    """
    import clickhouse_connect

    address, encrypted = urlsplit(settings.clickhouse), with_tls(settings.clickhouse)
    arguments: dict[str, Any] = {
        "host": address.hostname,
        "port": _port(settings),
        "username": unquote(address.username or "default"),
        "password": settings.clickhouse_password.get_secret_value() or unquote(address.password or ""),
        "secure": encrypted,
        "connect_timeout": CONNECT_S,
        "autogenerate_session_id": False,
    }
    if encrypted:
        _context(settings)  # the library's own errors about files do not name the setting
        files = {
            "ca_cert": settings.clickhouse_ca,
            "client_cert": settings.clickhouse_certificate,
            "client_cert_key": settings.clickhouse_key,
        }
        arguments |= {name: path for name, path in files.items() if path}
        # With a password the user logs in by it, and the certificate only opens the connection.
        arguments["tls_mode"] = "strict" if arguments["password"] else None
    if patience_s is not None:
        arguments["send_receive_timeout"] = max(CONNECT_S, int(patience_s))
    client = clickhouse_connect.get_client(**arguments)
    client.command(f"CREATE DATABASE IF NOT EXISTS `{settings.study}`")
    client.close()
    return clickhouse_connect.get_client(**arguments, database=settings.study)


def refusal(settings: Settings, error: Exception) -> Misconfigured | None:
    """Return why the server refuses this client or is not trusted; None: the error is another one."""
    if (untrusted := tls.refusal(_handshake(settings, error), where(settings), SETTING)) is not None:
        return untrusted
    code = int(found[1]) if (found := _CODE.search(str(error))) else 0
    user = unquote(urlsplit(settings.clickhouse).username or "default")
    if code in _LOGIN:
        return Misconfigured(
            f"{where(settings)} refuses the user {user!r} or its password",
            f"correct the user in {SETTING}, or {SETTING}_PASSWORD",
        )
    if code == _RIGHTS:
        return Misconfigured(
            f"{where(settings)} does not permit the user {user!r} what it needs ({reason(error)})",
            f"GRANT it all rights on the database {settings.study}, with CREATE DATABASE",
        )
    return None


def _handshake(settings: Settings, error: Exception) -> Exception:
    """Return the error of the TLS handshake, if the library's tells only that the connection broke."""
    broken = with_tls(settings.clickhouse) and any(sign in str(error) for sign in _BROKEN)
    if not broken:
        return error
    host = urlsplit(settings.clickhouse).hostname or ""
    return tls.probe(_context(settings), host, _port(settings)) or error


def reason(error: BaseException) -> str:
    """Return the root cause in one line, because connection errors wrap it in several others."""
    text = str(error)
    for sign, words in _SIGNS.items():
        if sign in text:
            return words
    return (text.strip().splitlines() or [type(error).__name__])[0][:200]


_SIGNS = {
    "Connection refused": "connection refused",
    "timed out": "no answer in time",
    "Name or service not known": "the host name is unknown",
    "name resolution": "the host name is unknown",
    "closed connection without response": "it ends the connection: a port for TLS needs clickhouses://",
}


def _context(settings: Settings) -> ssl.SSLContext:
    return tls.context(
        SETTING, settings.clickhouse_ca, settings.clickhouse_certificate, settings.clickhouse_key
    )


def _port(settings: Settings) -> int:
    default = 8443 if with_tls(settings.clickhouse) else 8123
    return urlsplit(settings.clickhouse).port or default
