"""A real web server on the loopback that takes notifications, or does not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "s3cr3t-of-the-hook"


@dataclass
class Webhook:
    """What it was sent, how it answers (an HTTP status), and what Apprise calls it."""

    status: int = 200
    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run one; its address holds a secret, as most do."""
    about = Webhook()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if about.status == 200:
                about.taken.append(body)
            self.send_response(about.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    about.url = f"json://me:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}"
    try:
        yield about
    finally:
        server.shutdown()
        server.server_close()
