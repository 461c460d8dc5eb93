"""Tests of the guarded HTTP client with real servers: forbidden addresses, size limits, complete downloads.

Only two facts are faked: 127.0.0.2 counts as a public address, and names resolve to test addresses.
"""

import gzip
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from streams.errors import DataError, Misconfigured, Unavailable
from streams.http import ssrf_guard
from streams.http.client import HttpClient, NotModified, Page, Timeouts
from streams.http.errors import HostBusy, NotServed, shown

PUBLIC, INSIDE = "127.0.0.2", "127.0.0.1"
KEY = "s3cr3t-k3y"
LIMIT = 1_000_000


class Server:
    """An HTTP server with a function for each path; `asked` holds the requests that arrived."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None) -> None:
        self.paths: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                server.asked.append((self.path, dict(self.headers)))
                try:
                    server.paths.get(path, lambda ask: answer(ask, b"nothing", 404))(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://{address}:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(ask: BaseHTTPRequestHandler, body: bytes = b"", status: int = 200, **headers: str) -> None:
    ask.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        if value:
            ask.send_header(name.replace("_", "-"), value)
    ask.end_headers()
    ask.wfile.write(body)


def redirect(to: str, status: int = 302) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda ask: answer(ask, status=status, Location=to)


@contextmanager
def served(address: str, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(address, tls)
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def public() -> Iterator[Server]:
    with served(PUBLIC) as server:
        yield server


@pytest.fixture
def inside() -> Iterator[Server]:
    with served(INSIDE) as server:
        server.paths["/secret"] = lambda ask: answer(ask, b"secret")
        yield server


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return {host name: addresses}, which the faked name server gives one after the other."""
    really, names = ssrf_guard.is_internal, {"feeds.example.org": [PUBLIC]}
    lookup = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        given = names.get(host if isinstance(host, str) else host.decode())
        if given is not None:
            host = given.pop(0) if len(given) > 1 else given[0]
        return lookup(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(
        ssrf_guard, "is_internal", lambda one: one != ipaddress.ip_address(PUBLIC) and really(one)
    )
    return names


@pytest.fixture
def reader(internet: dict[str, list[str]]) -> Iterator[HttpClient]:
    reader = HttpClient(patience=Timeouts(piece_s=2.0, page_s=3.0, download_s=20.0))
    yield reader
    reader.close()


def page(reader: HttpClient, url: str, max_bytes: int = LIMIT) -> Page:
    found = reader.get(url, max_bytes=max_bytes)
    assert isinstance(found, Page)
    return found


class TestWhatMustNotBeReached:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "localhost",
            "LOCALHOST.",
            "any.localhost",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fd00::1]",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "metadata.google.internal",
            "１２７.0.0.1",
        ],
    )
    @pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"])
    def test_no_spelling_of_an_internal_address_is_read(self, host: str, proxy: str) -> None:
        with pytest.raises(DataError) as raised:
            HttpClient(proxy).get(f"http://{host}:1/feed?key={KEY}", max_bytes=LIMIT)
        assert KEY not in str(raised.value)
        assert raised.value.cure

    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd",
            "ftp://example.org/feed",
            "gopher://example.org/",
            "data:text/xml,<rss/>",
            "javascript:alert(1)",
            "/etc/passwd",
            "example.org/feed",
            "",
            "http://",
            "http://[::1",
            "http://example.org:99999/",
            "http://ex ample.org/",
            "http://example.org\r\nHost: x/",
            "http://me:pw@example.org/feed",
            "http://pw@example.org/feed",
        ],
    )
    def test_what_is_no_address_of_the_web_is_refused(self, url: str) -> None:
        with pytest.raises(DataError) as raised:
            HttpClient().get(url, max_bytes=LIMIT)
        assert "pw" not in str(raised.value)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_no_redirect_leads_inside(
        self, status: int, reader: HttpClient, public: Server, inside: Server
    ) -> None:
        public.paths["/feed"] = redirect(f"{inside.url}/secret", status)
        public.paths["/first"] = redirect("/feed")
        for path in ("/feed", "/first"):
            with pytest.raises(DataError, match="inside this machine's network"):
                page(reader, public.url + path)
        assert inside.asked == []

    @pytest.mark.parametrize(
        "to", ["file:///etc/passwd", "http://me:pw@127.0.0.2/", "http://[::1", "//localhost/x"]
    )
    def test_no_redirect_leads_elsewhere_either(self, to: str, reader: HttpClient, public: Server) -> None:
        public.paths["/feed"] = redirect(to)
        with pytest.raises(DataError):
            page(reader, f"{public.url}/feed")

    def test_a_download_is_not_led_inside_either(
        self, reader: HttpClient, public: Server, inside: Server, tmp_path: Path
    ) -> None:
        public.paths["/a.mp3"] = redirect(f"{inside.url}/secret")
        with pytest.raises(DataError, match="inside this machine's network"):
            reader.download(f"{public.url}/a.mp3", tmp_path / "a", max_bytes=LIMIT)
        assert inside.asked == []
        assert list(tmp_path.iterdir()) == []

    def test_what_is_connected_to_is_what_was_checked(
        self, reader: HttpClient, public: Server, inside: Server, internet: dict[str, list[str]]
    ) -> None:
        """DNS rebinding: the name server gives another address the second time."""
        internet["feeds.example.org"] = [PUBLIC, INSIDE]
        public.paths["/feed"] = lambda ask: answer(ask, b"feed")
        assert page(reader, f"http://feeds.example.org:{public.port}/feed").body == b"feed"
        assert public.asked[0][1]["Host"] == f"feeds.example.org:{public.port}"
        with pytest.raises(DataError):
            page(reader, f"http://feeds.example.org:{public.port}/feed")
        assert inside.asked == []

    def test_a_redirect_inside_is_refused_through_a_proxy_too(self, inside: Server) -> None:
        with served(INSIDE) as proxy:
            proxy.paths["http://feeds.example.org/feed"] = redirect(f"{inside.url}/secret")
            proxy.paths["http://feeds.example.org/fine"] = lambda ask: answer(ask, b"fine")
            reader = HttpClient(proxy.url)
            assert page(reader, "http://feeds.example.org/fine").body == b"fine"
            with pytest.raises(DataError, match="inside this machine's network"):
                page(reader, "http://feeds.example.org/feed")
            with pytest.raises(DataError, match="a name without a domain"):
                page(reader, "http://fileserver/")
        assert inside.asked == []

    def test_an_operator_may_allow_it(self, inside: Server) -> None:
        assert page(HttpClient(internal_addresses=True), f"{inside.url}/secret").body == b"secret"

    def test_a_form_goes_to_the_address_that_the_operator_set(
        self, reader: HttpClient, inside: Server
    ) -> None:
        inside.paths["/subscribe"] = lambda ask: answer(ask, status=202)
        inside.paths["/moved"] = redirect("/subscribe")
        inside.paths["/wrong"] = lambda ask: answer(ask, b"Restricted\x1b[31m topic", 400)
        assert reader.submit(f"{inside.url}/subscribe", {"hub.mode": "subscribe"}) == 202
        with pytest.raises(NotServed, match="HTTP 302"):
            reader.submit(f"{inside.url}/moved", {})
        with pytest.raises(NotServed, match=r"HTTP 400: Restricted \[31m topic"):
            reader.submit(f"{inside.url}/wrong", {})

    def test_a_proxy_that_is_none_says_so(self) -> None:
        with pytest.raises(Misconfigured, match="GROUNDSWELL_PROXY"):
            HttpClient("gopher://127.0.0.1:1")


class TestReading:
    def test_redirects_are_followed_up_to_five(self, reader: HttpClient, public: Server) -> None:
        for step in range(6):
            public.paths[f"/{step}"] = redirect(f"/{step + 1}?x=1#y")
        public.paths["/6"] = lambda ask: answer(ask, b"feed")
        found = page(reader, f"{public.url}/1")
        assert found.body == b"feed"
        assert found.final_url.startswith(f"{public.url}/6")
        with pytest.raises(DataError, match="redirects more than 5 times"):
            page(reader, f"{public.url}/0")

    def test_a_redirect_in_a_circle_ends(self, reader: HttpClient, public: Server) -> None:
        public.paths["/loop"] = redirect("/loop")
        with pytest.raises(DataError, match="redirects more than 5 times"):
            page(reader, f"{public.url}/loop")
        assert len(public.asked) == 6

    def test_what_has_not_changed_is_not_sent_again(self, reader: HttpClient, public: Server) -> None:
        def feed(ask: BaseHTTPRequestHandler) -> None:
            known = ask.headers.get("If-None-Match") == '"1"'
            date = "Mon, 02 Mar 2026 10:00:00 GMT"
            assert not known or ask.headers["If-Modified-Since"] == date
            answer(ask, b"" if known else b"feed", 304 if known else 200, ETag='"1"', Last_Modified=date)

        public.paths["/feed"] = feed
        found = page(reader, f"{public.url}/feed")
        again = reader.get(f"{public.url}/feed", max_bytes=LIMIT, etag=found.etag, modified=found.modified)
        assert again == NotModified(found.etag, found.modified)

    def test_a_packed_answer_is_unpacked(self, reader: HttpClient, public: Server) -> None:
        body = bytes(range(256)) * 1000
        public.paths["/feed"] = lambda ask: answer(ask, gzip.compress(body), Content_Encoding="gzip")
        assert page(reader, f"{public.url}/feed").body == body

    def test_a_gzip_bomb_is_cut_off_at_the_limit(self, reader: HttpClient, public: Server) -> None:
        import tracemalloc

        bomb = gzip.compress(b"\0" * 200_000_000)
        assert len(bomb) < 250_000
        public.paths["/feed"] = lambda ask: answer(ask, bomb, Content_Encoding="gzip")
        tracemalloc.start()
        with pytest.raises(DataError, match="more than 1,000,000 bytes"):
            page(reader, f"{public.url}/feed")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000

    @pytest.mark.parametrize(
        ("coding", "cause"), [("br", "compresses its answer as 'br'"), ("gzip", "damaged")]
    )
    def test_what_cannot_be_unpacked_says_so(
        self, coding: str, cause: str, reader: HttpClient, public: Server
    ) -> None:
        public.paths["/feed"] = lambda ask: answer(ask, b"no such thing", Content_Encoding=coding)
        with pytest.raises(DataError, match=cause):
            page(reader, f"{public.url}/feed")

    def test_half_a_packed_answer_is_none(self, reader: HttpClient, public: Server) -> None:
        half = gzip.compress(bytes(range(256)) * 1000)[:-20]
        public.paths["/feed"] = lambda ask: answer(ask, half, Content_Encoding="gzip")
        with pytest.raises(Unavailable, match="broke off"):
            page(reader, f"{public.url}/feed")

    def test_half_an_answer_is_none(self, reader: HttpClient, public: Server) -> None:
        def half(ask: BaseHTTPRequestHandler) -> None:
            answer(ask, b"half", Content_Length="8")
            ask.close_connection = True

        public.paths["/feed"] = half
        with pytest.raises(Unavailable):
            page(reader, f"{public.url}/feed")

    def test_an_endless_answer_ends_at_the_limit(self, reader: HttpClient, public: Server) -> None:
        def endless(ask: BaseHTTPRequestHandler) -> None:
            answer(ask, Content_Length="", Connection="close")
            while True:
                ask.wfile.write(b"x" * 65536)

        public.paths["/feed"] = endless
        with pytest.raises(DataError, match="more than 1,000,000 bytes"):
            page(reader, f"{public.url}/feed")

    @pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n"])
    def test_a_byte_at_a_time_is_not_waited_for(self, head: bytes, public: Server, internet: object) -> None:
        """Tested in the body and before it; each single byte arrives well within the timeout of a piece."""

        hung_up = threading.Event()

        def drip(ask: BaseHTTPRequestHandler) -> None:
            ask.wfile.write(head or b"HTTP/1.1 200 OK\r\nX: ")
            try:
                for _ in range(600):
                    ask.wfile.write(b"x")
                    ask.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                hung_up.set()

        public.paths["/feed"] = drip
        impatient = HttpClient(patience=Timeouts(piece_s=20.0, page_s=1.0))
        with pytest.raises(Unavailable, match="took longer than 1 s"):
            page(impatient, f"{public.url}/feed")
        assert hung_up.wait(60), "it listened to the end"

    def test_a_silent_server_is_not_waited_for(self, public: Server, internet: object) -> None:
        public.paths["/feed"] = lambda ask: time.sleep(5)
        with pytest.raises(Unavailable, match="does not answer in time"):
            page(HttpClient(patience=Timeouts(piece_s=0.3, page_s=60.0)), f"{public.url}/feed")

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
    def test_what_passes_is_tried_again(self, status: int, reader: HttpClient, public: Server) -> None:
        public.paths["/feed"] = lambda ask: answer(ask, b"", status, Retry_After="120")
        with pytest.raises(HostBusy) as raised:
            page(reader, f"{public.url}/feed")
        assert (raised.value.status, raised.value.after_s) == (status, 120.0)

    @pytest.mark.parametrize(
        ("status", "cause"),
        [(404, "does not exist"), (410, "was removed for good"), (403, "denies access"), (400, "HTTP 400")],
    )
    def test_what_does_not_pass_is_named(
        self, status: int, cause: str, reader: HttpClient, public: Server
    ) -> None:
        public.paths["/feed"] = lambda ask: answer(ask, b"", status)
        with pytest.raises(NotServed, match=cause) as raised:
            page(reader, f"{public.url}/feed")
        assert raised.value.status == status

    def test_a_name_without_an_address_and_a_closed_port_are_waits(
        self, reader: HttpClient, internet: dict[str, list[str]]
    ) -> None:
        with socket.socket() as probe:
            probe.bind((PUBLIC, 0))
            with pytest.raises(Unavailable, match="cannot be read"):
                page(reader, f"http://feeds.example.org:{probe.getsockname()[1]}/")
        with pytest.raises(Unavailable, match="has no address"):
            page(reader, "http://no-such-name.invalid/")

    def test_a_certificate_is_checked_against_the_name(
        self, internet: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        authority, internet["other.example.org"] = trustme.CA(), [PUBLIC]
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        real = ssl.create_default_context
        monkeypatch.setattr(
            ssl, "create_default_context", lambda *a, **k: real(cafile=str(tmp_path / "ca.pem"))
        )
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("feeds.example.org").configure_cert(tls)
        with served(PUBLIC, tls) as server:
            server.paths["/feed"] = lambda ask: answer(ask, b"feed")
            reader = HttpClient()
            assert page(reader, f"https://feeds.example.org:{server.port}/feed").body == b"feed"
            with pytest.raises(DataError, match="has no valid certificate"):
                page(reader, f"https://other.example.org:{server.port}/feed")
            insecure = HttpClient(insecure_tls=True)
            assert page(insecure, f"https://other.example.org:{server.port}/feed").body == b"feed"

    def test_no_cookie_is_kept(self, reader: HttpClient, public: Server) -> None:
        public.paths["/feed"] = lambda ask: answer(ask, b"x", Set_Cookie="who=you")
        page(reader, f"{public.url}/feed")
        page(reader, f"{public.url}/feed")
        assert "Cookie" not in public.asked[1][1]

    def test_the_key_of_a_private_feed_is_never_said(
        self, reader: HttpClient, public: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING)
        public.paths[f"/private/{KEY}/500"] = lambda ask: answer(ask, b"", 500)
        public.paths[f"/private/{KEY}/loop"] = redirect(f"/private/{KEY}/loop?key={KEY}")
        public.paths[f"/private/{KEY}/inside"] = redirect(f"http://localhost/{KEY}/?key={KEY}")
        public.paths[f"/private/{KEY}/large"] = lambda ask: answer(ask, b"x" * 20)
        public.paths[f"/private/{KEY}/bad"] = lambda ask: answer(ask, b"x", Content_Encoding="br")
        for name in ("500", "loop", "inside", "large", "bad", "missing"):
            with pytest.raises((DataError, Unavailable)) as raised:
                reader.get(f"{public.url}/private/{KEY}/{name}?key={KEY}", max_bytes=10)
            assert KEY not in str(raised.value)
            assert raised.value.__cause__ is None or KEY not in str(raised.value.__cause__)
            with pytest.raises((DataError, Unavailable)) as raised:
                reader.download(f"{public.url}/private/{KEY}/{name}?key={KEY}", tmp_path / "a", max_bytes=10)
            assert KEY not in str(raised.value)
        assert KEY not in caplog.text
        assert shown(f"https://x.org/private/{KEY}/f?key={KEY}") == "https://x.org/private/…"
        assert shown(f"https://x.org/{'k' * 50}") == f"https://x.org/{'k' * 24}…"


class TestDownloading:
    BODY = bytes(range(256)) * 4000

    def serve(self, server: Server, breaks: int = 0, **headers: str) -> None:
        """Serve a file that supports resuming; its first `breaks` answers end in the middle."""
        left = [breaks]

        def file(ask: BaseHTTPRequestHandler) -> None:
            mark = headers.get("ETag") or headers.get("Last_Modified")
            asked = ask.headers.get("Range", "")
            goes_on = bool(asked) and ask.headers.get("If-Range") == mark
            first = int(asked.removeprefix("bytes=").rstrip("-")) if goes_on else 0
            if first >= len(self.BODY):
                answer(ask, b"", 416, Content_Range=f"bytes */{len(self.BODY)}")
                return
            rest = self.BODY[first:]
            more = headers | {"Content_Length": str(len(rest))}
            if goes_on:
                more["Content_Range"] = f"bytes {first}-{len(self.BODY) - 1}/{len(self.BODY)}"
            broken = left[0] > 0
            left[0] -= 1
            answer(ask, rest[: len(rest) // 2] if broken else rest, 206 if goes_on else 200, **more)
            ask.close_connection = True

        server.paths["/1.mp3"] = file

    def get(self, reader: HttpClient, server: Server, folder: Path, **how: Any) -> Path:
        return reader.download(
            f"{server.url}/1.mp3?key=x", folder / "1.mp3", **({"max_bytes": 2_000_000} | how)
        )

    def test_a_file_comes_whole_and_only_then_under_its_name(
        self, reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        told: list[tuple[int, int | None]] = []
        self.serve(public, ETag='"1"')
        path = self.get(reader, public, tmp_path, on_progress=lambda *so_far: told.append(so_far))
        assert path.read_bytes() == self.BODY
        assert [each.name for each in tmp_path.iterdir()] == ["1.mp3"]
        assert told[-1] == (len(self.BODY), len(self.BODY))
        assert len(told) > 3

    @pytest.mark.parametrize("mark", [{"ETag": '"1"'}, {"Last_Modified": "Mon, 02 Mar 2026 10:00:00 GMT"}])
    def test_a_broken_download_goes_on_where_it_broke(
        self, mark: dict[str, str], reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        self.serve(public, breaks=2, **mark)
        for _ in range(2):
            with pytest.raises(Unavailable):
                self.get(reader, public, tmp_path)
        half = (tmp_path / "1.mp3.part").stat().st_size
        assert 0 < half < len(self.BODY)
        assert self.get(HttpClient(internal_addresses=True), public, tmp_path).read_bytes() == self.BODY
        ranges = [headers.get("Range") for _, headers in public.asked]
        assert ranges[0] is None
        assert ranges[-1] == f"bytes={half}-"
        assert [each.name for each in tmp_path.iterdir()] == ["1.mp3"]

    def test_a_file_that_changed_meanwhile_is_begun_anew(
        self, reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        self.serve(public, breaks=1, ETag='"old"')
        with pytest.raises(Unavailable):
            self.get(reader, public, tmp_path)
        (tmp_path / "1.mp3.part").write_bytes(b"old")
        self.serve(public, ETag='"new"')
        assert self.get(reader, public, tmp_path).read_bytes() == self.BODY

    @pytest.mark.parametrize("mark", [{}, {"ETag": 'W/"1"'}])
    def test_without_a_sure_mark_it_is_begun_anew(
        self, mark: dict[str, str], reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        self.serve(public, breaks=1, **mark)
        with pytest.raises(Unavailable):
            self.get(reader, public, tmp_path)
        assert self.get(reader, public, tmp_path).read_bytes() == self.BODY
        assert all("Range" not in headers for _, headers in public.asked)

    def test_a_kill_before_the_renaming_costs_no_second_download(
        self, reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        self.serve(public, ETag='"1"')
        (tmp_path / "1.mp3.part").write_bytes(self.BODY)
        (tmp_path / "1.mp3.from").write_text('"1"')
        assert self.get(reader, public, tmp_path).read_bytes() == self.BODY
        assert len(public.asked) == 1

    def test_another_part_than_was_asked_for_is_not_taken(
        self, reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        (tmp_path / "1.mp3.part").write_bytes(self.BODY[:100])
        (tmp_path / "1.mp3.from").write_text('"1"')
        public.paths["/1.mp3"] = lambda ask: answer(ask, b"x", 206, Content_Range="bytes 7-7/8", ETag='"1"')
        with pytest.raises(Unavailable, match="broke off"):
            self.get(reader, public, tmp_path)
        self.serve(public, ETag='"1"')
        assert self.get(reader, public, tmp_path).read_bytes() == self.BODY

    @pytest.mark.parametrize("said", [True, False])
    def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
        self, said: bool, reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        more = {} if said else {"Content_Length": "", "Connection": "close"}
        public.paths["/1.mp3"] = lambda ask: answer(ask, self.BODY, **more)
        with pytest.raises(DataError, match="more than 1,000 bytes"):
            self.get(reader, public, tmp_path, max_bytes=1000)
        assert not list(tmp_path.glob("*.part"))

    def test_a_full_disk_is_a_wait(self, reader: HttpClient, public: Server, tmp_path: Path) -> None:
        full = Path("/dev/full")
        if not full.exists():
            pytest.skip("this system has no /dev/full")
        (tmp_path / "1.mp3.part").symlink_to(full)
        self.serve(public, ETag='"1"')
        with pytest.raises(Unavailable, match="No space left") as raised:
            self.get(reader, public, tmp_path)
        assert isinstance(raised.value.__cause__, OSError)

    def test_what_is_missing_or_packed_is_named(
        self, reader: HttpClient, public: Server, tmp_path: Path
    ) -> None:
        with pytest.raises(NotServed, match="does not exist"):
            self.get(reader, public, tmp_path)
        public.paths["/1.mp3"] = lambda ask: answer(ask, gzip.compress(b"x"), Content_Encoding="gzip")
        with pytest.raises(DataError, match="compresses its file"):
            self.get(reader, public, tmp_path)
