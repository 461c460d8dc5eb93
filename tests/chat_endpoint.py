"""A server of OpenAI's chat completions API on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Said = int | str | bytes
"""An answer: a status, a message's text, or the whole body."""


class Endpoint:
    """A chat completions server.

    `said` has its answers, the last one repeated; a function is given the request.
    """

    def __init__(self) -> None:
        self.said: list[Said | Callable[[dict[str, Any]], Said]] = ["Vector search"]
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.asked.append({"path": self.path, **json.loads(body)})
                endpoint.keys.append(self.headers["Authorization"])
                said = endpoint.said.pop(0) if len(endpoint.said) > 1 else endpoint.said[0]
                if callable(said):
                    said = said(endpoint.asked[-1])
                answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]}
                content = said if isinstance(said, bytes) else json.dumps(answer).encode()
                self.send_response(said if isinstance(said, int) else 200)
                self.send_header("Content-Type", "application/json")
                if said == 302:
                    self.send_header("Location", "/v1/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(OSError):  # who asked has gone
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def given_in(asked: dict[str, Any]) -> Any:
    """Return what a request is about."""
    return json.loads(asked["messages"][1]["content"])


def judging(verdict: Callable[[str], str]) -> Callable[[dict[str, Any]], Said]:
    """Return an answer with a verdict of each paragraph's text."""

    def answer(asked: dict[str, Any]) -> Said:
        said = [
            {"paragraph": each["paragraph"], "verdict": verdict(each["text"]), "reason": "so I think"}
            for each in given_in(asked)["paragraphs"]
        ]
        return f"<think>Well …</think>```json\n{json.dumps({'verdicts': said})}\n```"

    return answer
