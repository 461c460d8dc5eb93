"""Real destinations of alerts on the loopback: a mailbox, and webhooks that work, fail or hang."""

from __future__ import annotations

import email
import email.message
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """The mails that an SMTP server has received."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []
        self.url = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, email.message.EmailMessage)
        self.mails.append(parsed)
        return "250 OK"

    def part(self, number: int, kind: str) -> str:
        """Return the text of a mail, as `plain` or `html`."""
        part = self.mails[number].get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run an SMTP server; `url` is its address in Apprise's notation."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        box.url = f"mailto://127.0.0.1:{port}/?from=groundswell@example.org&to=ann@example.org"
        yield box
    finally:
        controller.stop()


class Hook:
    """A webhook: the notifications it received, and its answer (a status; or it `hangs` until released)."""

    def __init__(self) -> None:
        self.status = 200
        self.hangs = False
        self.let_go = threading.Event()
        self.asked = 0
        self.taken: list[dict[str, Any]] = []
        self.url = ""

    @property
    def titles(self) -> list[str]:
        return [each["title"] for each in self.taken]


@contextmanager
def hook(secret: str = "") -> Iterator[Hook]:
    """Run a web server that takes notifications as JSON; its address contains the secret, if given."""
    about = Hook()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            about.asked += 1
            if about.hangs:
                about.let_go.wait(30)
            if about.status == 200:
                about.taken.append(json.loads(body))
            self.send_response(about.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    host = f"127.0.0.1:{server.server_port}"
    about.url = f"json://me:{secret}@{host}/{secret}" if secret else f"json://{host}/hook"
    try:
        yield about
    finally:
        about.let_go.set()
        server.shutdown()
        server.server_close()
