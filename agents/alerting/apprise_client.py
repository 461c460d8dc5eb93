"""Sends one message to one address through Apprise, with an error that names the reason of a failure.

Blocks: call it from a thread that serves one destination. No error contains a secret of the address.
"""

from __future__ import annotations

import email
import email.message
import email.policy
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stamina

from agents.alerting.messages import Message
from streams.errors import Misconfigured

TRIES = 2
"""Immediate attempts, for short failures; `agents.alerting.delivery` handles longer outages."""


class NotDeliveredError(Exception):
    """The destination did not accept a message; the text names the reason and contains no secret."""


def check(address: str, name: str) -> Any:
    """Return Apprise's plugin for an address.

    Raises:
        Misconfigured: Apprise does not support the address. The error does not show it.
    """
    import apprise

    with _said():
        plugin = apprise.Apprise.instantiate(address, asset=_asset(), suppress_exceptions=True)
    if plugin is None:
        scheme = re.match(r"[a-z0-9+.-]{1,20}(?=://)", address)
        raise Misconfigured(
            f"the address of destination {name!r} is not an Apprise URL"
            + (f" (it begins with {scheme[0]}://)" if scheme else ""),
            "write it in the form of Apprise, such as mailtos://user:password@host?to=me@example.org, "
            "json://host/path or slack://…",
        )
    return plugin


def _asset() -> Any:
    """Return the sender that Apprise names in messages."""
    import apprise

    return apprise.AppriseAsset(app_id="Groundswell", app_desc="Groundswell", app_url="")


def masked(address: str, name: str) -> str:
    """Return a recognizable form of an address without its secrets: its scheme and host, or its scheme.

    Example:
        >>> masked("mailto://ann:secret@mail.example.org?to=b@example.org", "ann")
        'mailto://mail.example.org'
    """
    from urllib.parse import urlsplit

    check(address, name)
    parts = urlsplit(address)
    open_host = parts.scheme in ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos")
    return f"{parts.scheme}://{parts.hostname if open_host and parts.hostname else '…'}"


def send(address: str, name: str, message: Message) -> None:
    """Send a message; return when the destination has accepted it.

    Raises:
        Misconfigured: Apprise does not support the address.
        NotDeliveredError: the destination did not accept the message.
    """
    for attempt in stamina.retry_context(
        on=NotDeliveredError, attempts=TRIES, wait_initial=0.5, wait_max=2.0, timeout=None
    ):
        with attempt:
            _send(check(address, name), address, message)


def _send(plugin: Any, address: str, message: Message) -> None:
    from apprise.plugins.email.base import NotifyEmail

    with _said() as said:
        try:
            if isinstance(plugin, NotifyEmail):
                _mail(plugin, message)
                return
            taken = _notify(plugin, message)
        except Exception as error:
            raise NotDeliveredError(_harmless(f"{type(error).__name__}: {error}", address)) from None
        if not taken:
            why = "; ".join(dict.fromkeys(said)) or "the destination did not accept it"
            raise NotDeliveredError(_harmless(why, address))


def _notify(plugin: Any, message: Message) -> bool:
    """Send the message as text in this thread: hanging sends would fill up Apprise's own thread pool."""
    import apprise
    from apprise import conversion

    convert: Any = conversion.convert_between
    text = apprise.NotifyFormat.TEXT
    wanted = plugin.resolve_format(text)
    in_body = plugin.title_maxlen <= 0
    return bool(
        plugin.notify(
            title=convert(text, wanted, content=message.title) if in_body else message.title,
            body=convert(text, wanted, content=message.text),
            body_format=wanted,
            notify_type=apprise.NotifyType(message.tone),
        )
    )


def _mail(plugin: Any, message: Message) -> None:
    """Send a mail as HTML and text: Apprise alone would derive the text from the HTML, without the links."""
    from apprise.plugins.email.base import NotifyEmail
    from apprise.plugins.email.smtp import AppriseSMTPController

    with AppriseSMTPController(
        host=plugin.smtp_host,
        port=plugin.port,
        secure_mode=plugin.secure_mode,
        user=plugin.user,
        password=plugin.password,
        verify_certificate=plugin.verify_certificate,
        socket_connect_timeout=plugin.socket_connect_timeout,
    ) as smtp:
        for prepared in NotifyEmail.prepare_emails(
            subject=message.title,
            body=message.html,
            notify_format="html",
            from_addr=plugin.from_addr,
            to=plugin.targets,
            cc=plugin.cc,
            bcc=plugin.bcc,
            reply_to=plugin.reply_to,
            smtp_host=plugin.smtp_host,
            headers={"X-Application": "Groundswell", **plugin.headers},
            names=plugin.names,
            pgp=plugin.pgp,
            pgp_mode=plugin.pgp_mode,
        ):
            whole = plugin.pgp_mode != "no"  # a signed or encrypted body must not change
            body = prepared.body if whole else with_text(prepared.body, message.text)
            if not smtp.sendmail(plugin.from_addr[1], prepared.to_addrs, body):
                raise OSError(f"{plugin.smtp_host} did not accept the mail")


def with_text(mail: str, text: str) -> str:
    """Return a mail whose plain-text part is replaced; its HTML stays."""
    parsed = email.message_from_string(mail, policy=email.policy.SMTP)
    for part in parsed.walk():
        if part.get_content_type() == "text/plain" and isinstance(part, email.message.EmailMessage):
            part.set_content(text, charset="utf-8", cte="base64")
            break
    return parsed.as_string()


@contextmanager
def _said() -> Iterator[list[str]]:
    """Yield a list that collects Apprise's warnings in this thread; it gives reasons only in its log."""
    said: list[str] = []
    here = threading.get_ident()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == here and record.levelno >= logging.WARNING:
                said.append(record.getMessage())

    listener, logger = Listener(), logging.getLogger("apprise")
    logger.addHandler(listener)
    logger.propagate = False  # its warnings become errors of this module, with the secrets removed
    try:
        yield said
    finally:
        logger.removeHandler(listener)


def _harmless(why: str, address: str) -> str:
    """Return the reason in one line, with parts of the address of 6 or more characters masked."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(address)
    for piece in sorted({*re.split(r"[/:@?&=#]", address), parts.query}, key=len, reverse=True):
        if len(piece) >= 6 and piece != parts.hostname:
            why = why.replace(piece, "…").replace(unquote(piece), "…")
    return " ".join(why.split())[:400]
