"""TLS connections: contexts from the files that settings name, and the reasons why a handshake fails."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from streams.errors import Misconfigured

PROBE_S = 2.0
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
"""OpenSSL's reasons when the other side does not speak TLS."""
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""The connection ended during the handshake, as when a server stops."""


class ClosedAfterHandshakeError(OSError):
    """A server ended the connection before this client asked for anything."""


def context(setting: str, ca: str, certificate: str, key: str, key_password: str = "") -> ssl.SSLContext:
    """Return a client's TLS context, which verifies the server's certificate and its host name.

    Args:
        setting: the beginning of the settings' names, such as `GROUNDSWELL_BROKER`.
        ca: file of certificate authorities (PEM); empty: those of this machine.
        certificate: file of the client's certificate (PEM); empty: none.
        key: file of its private key (PEM); empty: it is in the certificate's file.
        key_password: the password of an encrypted key.

    Raises:
        Misconfigured: a file cannot be read, or is not what its setting says.
    """
    try:
        made = ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        raise _unusable(f"{setting}_CA", ca, "certificates of authorities", error) from error
    if certificate:
        try:
            made.load_cert_chain(certificate, key or None, password=lambda: key_password)
        except OSError as error:
            what = "a certificate and its private key"
            raise _unusable(f"{setting}_CERTIFICATE", certificate, what, error) from error
    return made


def _unusable(setting: str, path: str, what: str, error: OSError) -> Misconfigured:
    reason = (
        error.reason if isinstance(error, ssl.SSLError) and error.reason else error.strerror or str(error)
    )
    if isinstance(error, ssl.SSLError) and "PEM lib" in str(error):
        reason = "it is not PEM, or the key is missing, encrypted or of another certificate"
    return Misconfigured(
        f"{setting}={path[:200]!r} cannot be used ({reason})",
        f"name a readable file in PEM format with {what}",
    )


def refusal(error: BaseException, where: str, setting: str) -> Misconfigured | None:
    """Return why a TLS connection failed, or None: the error is another one.

    Args:
        error: the error of a client library; its causes are searched.
        where: the server, for the message.
        setting: the beginning of the settings' names.
    """
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return Misconfigured(
                f"the certificate of {where} is not trusted ({each.verify_message})",
                _mistrusted(each, setting),
            )
        if isinstance(each, ClosedAfterHandshakeError):
            return _unwanted(str(each), where, setting)
        if isinstance(each, ssl.SSLError) and not isinstance(each, _CUT):
            return _failed(each.reason or str(each), where, setting)
    return None


def probe(made: ssl.SSLContext, host: str, port: int) -> OSError | None:
    """Return the error of a handshake, such as a refused certificate of this client; None: there is none.

    With TLS 1.3, that verdict comes after the handshake, when a client's library may already be sending: it
    then reports only a broken connection.
    """
    try:
        with (
            socket.create_connection((host, port), PROBE_S) as raw,
            made.wrap_socket(raw, server_hostname=host) as encrypted,
        ):
            if encrypted.recv(1) == b"":
                return ClosedAfterHandshakeError("it ends the connection after the handshake")
    except TimeoutError:
        return None  # it waits for a request
    except OSError as error:
        return error
    return None


def _mistrusted(error: ssl.SSLCertVerificationError, setting: str) -> str:
    told = error.verify_message.lower()
    if "expired" in told or "not yet valid" in told:
        return "renew the server's certificate, and check the clock of this machine"
    if "mismatch" in told or "not valid for" in told:
        return f"use a host name or address that the certificate names, in {setting}"
    return f"name the file of the certificate authority that signed it in {setting}_CA"


def _failed(reason: str, where: str, setting: str) -> Misconfigured:
    if reason in _NO_TLS:
        return Misconfigured(
            f"{where} does not speak TLS ({reason})", f"connect to its port for TLS, or correct {setting}"
        )
    if "ALERT" in reason:
        return _unwanted(reason, where, setting)
    return Misconfigured(
        f"there is no TLS connection to {where} ({reason})", f"check the certificates in {setting}_*"
    )


def _unwanted(reason: str, where: str, setting: str) -> Misconfigured:
    return Misconfigured(
        f"{where} refuses this client's certificate, or the lack of one ({reason})",
        f"name a certificate that it accepts in {setting}_CERTIFICATE",
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, what caused it, and the errors that it wraps in its arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        wrapped = (*each.args, getattr(each, "reason", None))
        waiting += [
            each.__cause__,
            each.__context__,
            *(one for one in wrapped if isinstance(one, BaseException)),
        ]
