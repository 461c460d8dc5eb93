"""Tests of request bodies: none before the sign-in, a size limit for everybody, and one declared length."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from page_process import web_of
from serving import served
from signed_in import token_of

from agents.web.security.request_bodies import LOGIN_LIMIT, MOST
from streams.store.warehouse import Warehouse
from tests.costs import of_a_loop

DECIDE, LOGIN, CLOCK = "/api/codebook/decide", "/login", "/clock"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
LOOPS = 40
"""What a body may cost the loop of all agents, in plain loops of a million steps."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    closed: bool
    """Whether the connection is over."""


@dataclass
class Server:
    address: tuple[str, int]
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def loop_s(self) -> float:
        """Return the processor seconds that the server's loop has used so far."""
        return float(self.send("GET", CLOCK, {}).body)

    def send(
        self, method: str, path: str, headers: dict[str, str], *pieces: bytes, patience_s: float = 20.0
    ) -> Answer:
        """Send a head, then the raw pieces; return the answer, which may arrive before the last piece."""
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in ({"Host": "localhost"} | headers).items()]
        with socket.create_connection(self.address, timeout=patience_s) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except OSError:
                pass  # the server refused it and closed the connection
            return _read(connection)


def _read(connection: socket.socket) -> Answer:
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    body = stream.read(int(headers.get("content-length", 0))).decode()
    connection.settimeout(0.3 if headers.get("connection") != "close" else 20)
    try:
        closed = stream.read(1) == b""
    except TimeoutError:
        closed = False
    except ConnectionError:
        closed = True
    return Answer(status, headers, body, closed)


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


@pytest.fixture(scope="module")
def server(small: Warehouse) -> Iterator[Server]:
    web = web_of(small)

    @web.get(CLOCK)
    async def clock() -> float:
        return time.thread_time()

    with served(web) as url:
        parts = urlsplit(url)
        yield Server((str(parts.hostname), parts.port or 0), token_of(small))
    small.settings.curators_file.unlink()


@pytest.mark.long
@pytest.mark.parametrize("path", [DECIDE, "/api/review", "/curation/decide", "/sources", "/alerts/test"])
def test_nobody_is_refused_before_the_body_is_read(server: Server, path: str) -> None:
    """Only the head is sent: a server that waited for the body would wait for ever."""
    for kind in (JSON, FORM):
        for name, value in (
            ("Content-Length", "90000"),
            ("Content-Length", "900000"),
            ("Transfer-Encoding", "chunked"),
        ):
            answer = server.send("POST", path, kind | {name: value})
            assert (answer.status, answer.closed) == (401, value != "90000"), answer
    assert server.send("POST", path, JSON | {"Content-Length": "3"}, b"[[[").status == 401


def test_a_path_that_is_not_there_is_said_without_reading(server: Server) -> None:
    assert server.send("POST", "/api/nothing", {"Content-Length": "900000"}).status == 404
    assert server.send("POST", "/api/status", {"Content-Length": "900000"}).status == 405


def test_more_than_a_decision_may_have_is_not_taken(server: Server) -> None:
    wish = json.dumps({"action": "rename", "topic_id": 1, "name": "x", "note": "n"}).encode()
    whole = wish + b" " * (MOST - len(wish))
    known = server.send("POST", DECIDE, server.bearer | JSON | {"Content-Length": str(MOST + 1)})
    chunked = server.send(
        "POST",
        DECIDE,
        server.bearer | JSON | {"Transfer-Encoding": "chunked"},
        *(chunk(whole[first : first + 65536]) for first in range(0, MOST, 65536)),
        chunk(b"  "),
    )
    for answer in (known, chunked):
        assert (answer.status, answer.closed) == (413, True), answer
        assert set(json.loads(answer.body)) == {"error", "cure"}
    taken = server.send(
        "POST", "/api/codebook/preview", server.bearer | JSON | {"Content-Length": str(MOST)}, whole
    )
    assert taken.status == 422, taken  # a preview takes no note: the body was read to its end
    assert not taken.closed


@pytest.mark.parametrize("path", [DECIDE, "/api/status"])
def test_who_is_refused_while_sending_may_finish(server: Server, path: str) -> None:
    """If the server closed the connection during the upload, a reset could lose the answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(head.encode())
        time.sleep(0.1)  # by now the server has refused it
        for _ in range(5):
            connection.sendall(chunk(b"x" * 1000))
            time.sleep(0.02)
        connection.sendall(b"0\r\n\r\n")
        answer = _read(connection)
    assert (answer.status, answer.closed) == (401 if path == DECIDE else 405, True)


def test_signing_in_takes_a_token_and_no_more(server: Server) -> None:
    """Signing in is the only form that needs no session."""
    page = server.send("POST", LOGIN, FORM | {"Content-Length": str(LOGIN_LIMIT + 1)})
    assert page.status == 413
    assert "What to do:" in page.body
    content = b"token=" + server.token.encode()
    answer = server.send("POST", LOGIN, FORM | {"Content-Length": str(len(content))}, content)
    assert answer.status == 303


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b"[]," * (MOST // 3 - 2) + b"[]]",
        b"[" * MOST,
        b'{"topic_ids":[' + b"1," * (MOST // 2 - 20) + b"1]}",
        b'{"' + b'a":1,"' * (MOST // 6 - 5) + b'b":1}',
        b"1" * MOST,
        b'"\xff' + b" " * 1000,
    ],
    ids=["lists", "deep", "numbers", "names", "long number", "no text"],
)
def test_a_body_that_is_meant_ill_holds_nobody_up(server: Server, content: bytes) -> None:
    """All agents share the loop that reads the body; four megabytes once blocked it for three seconds."""
    before = server.loop_s()
    answer = server.send(
        "POST", DECIDE, server.bearer | JSON | {"Content-Length": str(len(content))}, content
    )
    assert answer.status in (400, 413, 422), answer
    assert server.loop_s() - before < LOOPS * of_a_loop()
    assert set(json.loads(answer.body)) == {"error", "cure"}


@pytest.mark.parametrize("content", [b"a&" * (MOST // 2), b"token=" + b"%41" * (MOST // 4)])
def test_a_form_that_is_meant_ill_holds_nobody_up(server: Server, content: bytes) -> None:
    before = server.loop_s()
    answer = server.send(
        "POST", "/curation/decide", server.bearer | FORM | {"Content-Length": str(len(content))}, content
    )
    assert 400 <= answer.status < 500, answer
    assert server.loop_s() - before < LOOPS * of_a_loop()


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/status", DECIDE, LOGIN])
def test_a_request_of_two_lengths_is_refused(server: Server, path: str) -> None:
    """Request smuggling: a proxy that uses one length passes on what the server reads as a second request."""
    smuggled = b"GET /api/topics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for method in ("GET", "POST"):
        answer = server.send(
            method,
            path,
            {"Content-Length": str(5 + len(smuggled)), "Transfer-Encoding": "chunked"},
            b"0\r\n\r\n" + smuggled,
        )
        assert (answer.status, answer.closed) == (400, True), answer
        assert "Content-Length" in answer.body


@pytest.mark.parametrize("host", ["[", "a]b", "a b", "[::1", "a:b:c", "%", "a\\b", ""])
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/status"])
def test_no_host_makes_the_page_fail(server: Server, host: str, path: str) -> None:
    assert server.send("GET", path, {"Host": host}).status in (200, 400, 421)


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "[", "http://a]b", "\xff"])
def test_no_origin_makes_the_page_fail(server: Server, origin: str) -> None:
    answer = server.send("POST", DECIDE, server.bearer | JSON | {"Origin": origin, "Content-Length": "0"})
    assert answer.status == 403
    for path in ("/", "/api/status"):
        assert server.send("GET", path, {"Origin": origin}).status == 200
