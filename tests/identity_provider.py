"""An identity provider at the wire: a token endpoint for one client, and the key that verifies its tokens."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_ID = "the only one"


class IdentityProvider:
    """Issues signed access tokens for the client `groundswell`.

    Attributes:
        issued: number of tokens so far.
        answer: status and body instead of a token; None: as usual.
        lifetime_s: of a token.
        scopes: those that were asked for.
    """

    def __init__(self, secret: str, audience: str = "kafka") -> None:
        self._expected = base64.b64encode(f"groundswell:{secret}".encode()).decode()
        self._audience = audience
        self._key = rsa.generate_private_key(65537, 2048)
        self.issued = 0
        self.answer: tuple[int, bytes] | None = None
        self.lifetime_s = 3600.0
        self.scopes: list[str] = []

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, json.dumps({"keys": [provider._public()]}).encode())

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                provider.scopes += form.get("scope", [])
                if provider.answer is not None:
                    self._send(*provider.answer)
                elif self.headers["Authorization"] != f"Basic {provider._expected}":
                    self._send(401, b'{"error": "invalid_client"}')
                else:
                    assert form["grant_type"] == ["client_credentials"]
                    self._send(200, json.dumps(provider._issue()).encode())

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _issue(self) -> dict[str, Any]:
        self.issued += 1
        now = time.time()
        claims = {"sub": "groundswell", "aud": self._audience, "iat": now, "exp": now + self.lifetime_s}
        parts = [_coded(json.dumps(each).encode()) for each in ({"alg": "RS256", "kid": KEY_ID}, claims)]
        signature = self._key.sign(".".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
        return {
            "access_token": ".".join([*parts, _coded(signature)]),
            "token_type": "Bearer",
            "expires_in": self.lifetime_s,
        }

    def _public(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "kid": KEY_ID,
            "alg": "RS256",
            "use": "sig",
            "n": _coded(numbers.n.to_bytes(256)),
            "e": _coded(numbers.e.to_bytes(3)),
        }


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
