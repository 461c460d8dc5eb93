"""A YouTube on this machine, which the real, unchanged yt-dlp reaches through a CONNECT proxy.

It answers yt-dlp's requests to www.youtube.com (pages, browse, search, player) and *.googlevideo.com
(audio), with content made up by the test. Nothing leaves the machine: other hosts are refused.
"""

import asyncio
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

import trustme
from aiohttp import web

from tests import loopback_youtube_pages as pages
from tests.loopback_youtube_pages import FakeVideo, m4a

__all__ = ["FakeVideo", "LoopbackYouTube", "m4a"]

PAGE = 30
"""Entries per page of a listing, as on a real channel tab."""

_HOSTS = (".youtube.com", ".googlevideo.com")
_PLAYER_JS = "var config={signatureTimestamp:20500};"


class Request(NamedTuple):
    """A request that arrived."""

    method: str
    host: str
    path: str
    range: str | None
    cookie: str | None = None


class LoopbackYouTube:
    """A loopback YouTube: give `.proxy` to yt-dlp and let it accept any certificate.

    Example:
        with LoopbackYouTube() as youtube:
            youtube.add(FakeVideo("abcdefghijk", "RAG in production", audio=m4a(2.0)))
            YouTube(proxy=youtube.proxy, insecure_tls=True).metadata("abcdefghijk")
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._videos: dict[str, FakeVideo] = {}
        self._playlists: dict[str, tuple[str, ...]] = {}
        self._failures: dict[str, str] = {}
        self._drops: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback-youtube", daemon=True)

    def add(self, *videos: FakeVideo) -> None:
        """Publish videos; a channel lists the last one first. An existing id is replaced."""
        self._videos.update({video.id: video for video in videos})

    def add_playlist(self, playlist_id: str, *video_ids: str) -> None:
        """Publish a playlist."""
        self._playlists[playlist_id] = video_ids

    def fail(self, name: str, how: str) -> None:
        """Refuse a video (by id), a channel (by the requested name) or a playlist (by id) from now on.

        `how` is one of `pages.REFUSALS`, `gone` (a playlist), or a kind of request and its HTTP status:
        `page 404`, `player 429`, `next page 503`, `media 403`, `captions 429`; or `next page empty`,
        `captions empty`; or `page blocked`: a page that asks for proof of being human; or `signed out`: one
        that takes the account's cookies away, as YouTube does after they were used elsewhere.
        """
        self._failures[name] = how

    def heal(self, name: str) -> None:
        """Undo `fail`."""
        self._failures.pop(name, None)

    def drop_transfers(self, video_id: str, times: int) -> None:
        """Cut the next `times` transfers of this video's audio after half of the requested bytes."""
        self._drops[video_id] = times

    def asked(self, path: str) -> list[Request]:
        """Return the requests so far whose path matches."""
        return [request for request in self.requests if re.search(path, request.path)]

    def __enter__(self) -> Self:
        self._thread.start()
        self.proxy = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("www.youtube.com", "*.googlevideo.com").configure_cert(context)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self._tunnels: set[asyncio.Task[None]] = set()
        self._proxy = await asyncio.start_server(self._tunnel, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._proxy.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        self._proxy.close()
        for tunnel in list(self._tunnels):
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)
        await self._runner.cleanup()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tunnels.add(task)
        try:
            connect = re.match(rb"CONNECT ([^ :]+):443 ", await reader.readuntil(b"\r\n\r\n"))
            if connect is None or not connect[1].decode().endswith(_HOSTS):
                writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                await writer.drain()
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._runner.addresses[0][1])
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the tunnel ends when either side closes
        finally:
            writer.close()
            self._tunnels.discard(task)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        ranged = request.headers.get("Range")
        cookie = request.headers.get("Cookie")
        self.requests.append(Request(request.method, request.host, request.path_qs, ranged, cookie))
        asked = await request.json() if request.method == "POST" else {}
        match request.path.strip("/").split("/"):
            case ["videoplayback"]:
                return await self._audio(request)
            case ["watch"]:
                return self._page(request.query["v"], lambda name: pages.watch_page(*self._about(name)))
            case ["playlist"]:
                return self._page(request.query["list"], self._playlist_page)
            case ["channel", name, "videos" | "streams" as tab] | [name, "videos" | "streams" as tab]:
                return self._page(name, lambda name: self._channel_page(name, tab))
            case [""] | ["embed", _]:
                return self._page("home", lambda _: pages.html(ytInitialData={"contents": {}}))
            case ["api", "timedtext"]:
                return self._caption_file(request.query)
            case ["s", "player", *_]:
                return web.Response(text=_PLAYER_JS)
            case ["youtubei", "v1", "player"]:
                video_id = asked["videoId"]
                return self._json(video_id, "player", lambda: pages.player(*self._about(video_id)))
            case ["youtubei", "v1", "next"]:
                return web.json_response(pages.watch_data(self._videos.get(asked["videoId"])))
            case ["youtubei", "v1", "search"] if "continuation" not in asked:
                return self._json(asked["query"], "page", lambda: self._search(asked["query"]))
            case ["youtubei", "v1", "browse" | "search"]:
                kind, _, rest = asked["continuation"].partition("/")
                name, _, start = rest.rpartition("/")
                return self._json(name, "next page", lambda: self._next_page(kind, name, int(start)))
        return web.Response(status=404)

    def _failure(self, name: str, part: str) -> int | None:
        how = self._failures.get(name, "")
        return int(how.removeprefix(part)) if re.fullmatch(rf"{part} \d+", how) else None

    def _page(self, name: str, make: Callable[[str], str | None]) -> web.Response:
        if self._failures.get(name) == "page blocked":
            return web.Response(text=pages.BLOCKED, content_type="text/html")
        html = None if self._failure(name, "page") else make(name)
        if html is None:
            return web.Response(status=self._failure(name, "page") or 404)
        response = web.Response(text=html, content_type="text/html")
        if self._failures.get(name) == "signed out":
            response.del_cookie("LOGIN_INFO", domain=".youtube.com")
        return response

    def _json(self, name: str, part: str, make: Callable[[], dict[str, Any]]) -> web.Response:
        status = self._failure(name, part)
        return web.Response(status=status) if status else web.json_response(make())

    def _listed(self, kind: str, name: str) -> list[FakeVideo]:
        """Return the videos of a listing: `videos` or `streams` of a channel, a `playlist`, or a `search`.

        A search finds the titles with any of its words, in the order in which they were added.
        """
        videos = list(self._videos.values())
        if kind == "playlist":
            return [self._videos[video_id] for video_id in self._playlists[name]]
        if kind == "search":
            words = name.lower().split()
            return [video for video in videos if any(word in video.title.lower() for word in words)]
        mine = [video for video in reversed(videos) if name in (video.channel_id, video.handle)]
        return [video for video in mine if video.streamed == (kind == "streams")]

    def _entries(self, kind: str, name: str, start: int = 0) -> list[dict[str, Any]]:
        listed = self._listed(kind, name)
        shapes = {"playlist": pages.playlist_entry, "search": pages.search_entry}
        shape = shapes.get(kind, pages.channel_entry)
        entries = [shape(video) for video in listed[start : start + PAGE]]
        more = [pages.continuation(f"{kind}/{name}/{start + PAGE}")] if len(listed) > start + PAGE else []
        if kind == "search":
            return [{"itemSectionRenderer": {"contents": entries}}, *more]
        return entries + more

    def _next_page(self, kind: str, name: str, start: int) -> dict[str, Any]:
        if self._failures.get(name) == "next page empty":
            return {"responseContext": {}}
        actions = "onResponseReceivedCommands" if kind == "search" else "onResponseReceivedActions"
        items = self._entries(kind, name, start)
        return {actions: [{"appendContinuationItemsAction": {"continuationItems": items}}]}

    def _channel_page(self, name: str, tab: str) -> str | None:
        owner = next((v for v in self._videos.values() if name in (v.channel_id, v.handle)), None)
        if owner is None:
            return None
        entries = self._entries(tab, name)
        shown = tab if entries else "featured"  # YouTube answers with the home tab if a tab is missing
        tabs = [
            {
                "tabRenderer": {
                    "title": title,
                    "selected": path == shown,
                    "endpoint": {
                        "commandMetadata": {"webCommandMetadata": {"url": f"/{owner.handle}/{path}"}}
                    },
                    "content": {"richGridRenderer": {"contents": entries if path == shown else []}},
                }
            }
            for path, title in {"featured": "Home", "videos": "Videos", "streams": "Live"}.items()
        ]
        about = {"channelMetadataRenderer": {"title": owner.channel, "externalId": owner.channel_id}}
        return pages.html(ytInitialData={"metadata": about, **pages.tabs(tabs)})

    def _playlist_page(self, playlist_id: str) -> str | None:
        if self._failures.get(playlist_id) == "gone":
            alert = {"type": "ERROR", "text": {"simpleText": "The playlist does not exist."}}
            return pages.html(ytInitialData={"contents": {}, "alerts": [{"alertRenderer": alert}]})
        if playlist_id not in self._playlists:
            return None
        videos = {"playlistVideoListRenderer": {"contents": self._entries("playlist", playlist_id)}}
        section = {"sectionListRenderer": {"contents": [{"itemSectionRenderer": {"contents": [videos]}}]}}
        about = {"playlistMetadataRenderer": {"title": f"Playlist {playlist_id}"}}
        tabs = [{"tabRenderer": {"selected": True, "content": section}}]
        return pages.html(ytInitialData={"metadata": about, **pages.tabs(tabs)})

    def _search(self, query: str) -> dict[str, Any]:
        results = {"sectionListRenderer": {"contents": self._entries("search", query)}}
        return {"contents": {"twoColumnSearchResultsRenderer": {"primaryContents": results}}}

    def _refusal(self, video_id: str) -> str | None:
        how = self._failures.get(video_id, "")
        return how if how in pages.REFUSALS else None

    def _about(self, video_id: str) -> tuple[str, FakeVideo | None, str | None]:
        return video_id, self._videos.get(video_id), self._refusal(video_id)

    def _caption_file(self, asked: Mapping[str, str]) -> web.Response:
        video_id = asked["v"]
        if self._failures.get(video_id) == "captions empty":
            return web.Response(text="")
        status = self._failure(video_id, "captions")
        video = self._videos[video_id]
        tracks = video.heard if asked.get("kind") == "asr" else video.captions
        if status or asked.get("fmt") != "vtt" or "tlang" in asked:
            return web.Response(status=status or 404)
        return web.Response(body=tracks[asked["lang"]], content_type="text/vtt")

    async def _audio(self, request: web.Request) -> web.StreamResponse:
        video_id = request.query["id"]
        status = self._failure(video_id, "media")
        if status:
            return web.Response(status=status)
        audio = self._videos[video_id].audio or b""
        asked = request.http_range
        part = audio[asked]
        if not part:
            return web.Response(status=416)
        first = asked.start or 0
        response = web.StreamResponse(status=206)
        response.content_length = len(part)
        response.headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{len(audio)}"
        await response.prepare(request)
        if self._drops[video_id] > 0:
            self._drops[video_id] -= 1
            await response.write(part[: len(part) // 2])
            await asyncio.sleep(0.05)  # otherwise the cut overtakes the written bytes
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(part)
        return response


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
