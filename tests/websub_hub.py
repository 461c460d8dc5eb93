"""A real WebSub hub in a separate process: flask-websub with its storage, retries and signatures.

It takes subscriptions at /subscribe as YouTube's does, verifies them at the callback, and delivers what a
test publishes. A test can let it refuse with a status, hold verifications back, deny, grant a
shorter lease, or sign with another hash.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self
from xml.sax.saxutils import escape

import httpx

ROOT = Path(__file__).resolve().parents[1]


class WebSubHub:
    """The hub's process; `url` is for GROUNDSWELL_PUSH_HUB.

    Example:
        with WebSubHub(folder) as hub:
            hub.turn(deny=["UC…"])
            hub.publish("UC…", body)
    """

    def __init__(self, folder: Path) -> None:
        self._said = folder / "hub.log"
        self._command = [sys.executable, "-m", "tests.websub_hub", str(folder / "hub.db")]

    def __enter__(self) -> Self:
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with self._said.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment
            )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        assert ready[:1] == ["READY"], self.said()
        self._base = ready[1]
        self.url = f"{self._base}/subscribe"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def turn(self, **how: Any) -> None:
        """Change its behaviour: status (its answer to requests, 0: accept them), after (Retry-After),
        hold (verifications), deny (channels), lease (seconds, at most), hash (to sign with).
        """
        httpx.post(f"{self._base}/turn", json=how, trust_env=False, timeout=30).raise_for_status()

    def publish(self, channel_id: str, body: bytes) -> None:
        """Deliver a body to those who are subscribers of a channel now."""
        answer = httpx.post(
            f"{self._base}/publish",
            params={"channel_id": channel_id},
            content=body,
            trust_env=False,
            timeout=30,
        )
        assert answer.status_code == 202

    def requests(self) -> list[dict[str, str]]:
        """Return every form that /subscribe received."""
        forms: list[dict[str, str]] = httpx.get(f"{self._base}/requests", trust_env=False, timeout=30).json()
        return forms

    def subscribers(self, channel_id: str) -> dict[str, str]:
        """Return {callback: the secret that the hub signs with} for a channel."""
        address = f"{self._base}/subscribers"
        answer = httpx.get(address, params={"channel_id": channel_id}, trust_env=False, timeout=30)
        found: dict[str, str] = answer.json()
        return found


def entry(video_id: str, title: str, channel_id: str, published: str, updated: str = "") -> str:
    """Return an entry as YouTube writes it."""
    return f"""<entry><id>yt:video:{video_id}</id><yt:videoId>{video_id}</yt:videoId>
<yt:channelId>{channel_id}</yt:channelId><title>{escape(title)}</title>
<link rel="alternate" href="https://www.youtube.com/watch?v={video_id}"/>
<author><name>A meetup</name><uri>https://www.youtube.com/channel/{channel_id}</uri></author>
<published>{published}</published><updated>{updated or published}</updated></entry>"""


def tombstone(video_id: str, channel_id: str, when: str) -> str:
    """Return a tombstone: the entry for a deleted video."""
    return f"""<at:deleted-entry ref="yt:video:{video_id}" when="{when}">
<link href="https://www.youtube.com/watch?v={video_id}"/><at:by><name>A meetup</name>
<uri>https://www.youtube.com/channel/{channel_id}</uri></at:by></at:deleted-entry>"""


def notification(*entries: str) -> bytes:
    """Return the body of a delivery with these entries."""
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns:yt="http://www.youtube.com/xml/schemas/2015"
 xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="https://pubsubhubbub.appspot.com"/>
<title>YouTube video feed</title><updated>2026-11-06T08:13:10.038244344+00:00</updated>
{"".join(entries)}</feed>""".encode()


def main(database: str) -> None:
    """Serve until killed."""
    import base64

    import celery.contrib.testing.tasks  # registers the task that the worker's start needs
    from celery import Celery
    from celery.contrib.testing.worker import start_worker
    from flask import Flask, Response, jsonify, request
    from flask_websub.hub import Hub, SQLite3HubStorage
    from werkzeug.serving import make_server

    assert celery.contrib.testing.tasks
    app = Flask(__name__)
    settings = {
        "SIGNATURE_ALGORITHM": "sha1",
        "BACKOFF_BASE": 0.2,
        "MAX_ATTEMPTS": 8,
        "REQUEST_TIMEOUT": 20,
        "HUB_MIN_LEASE_SECONDS": 1,
        "HUB_DEFAULT_LEASE_SECONDS": 432_000,
        "HUB_MAX_LEASE_SECONDS": 828_000,
    }
    app.config.update(settings)
    tasks = Celery("hub", broker="memory://", backend="cache+memory://")
    tasks.conf.broker_transport_options = {"polling_interval": 0.02}
    storage = SQLite3HubStorage(database)
    hub = Hub(storage, tasks, **app.config)
    app.register_blueprint(hub.build_blueprint(url_prefix="/subscribe"))
    turned: dict[str, Any] = {"status": 0, "after": "", "deny": []}
    forms: list[dict[str, str]] = []
    open_gate = threading.Event()
    open_gate.set()

    def topic(channel_id: str) -> str:
        return f"https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel_id}"

    @hub.register_validator
    def validate(callback: str, topic_url: str, *_: object) -> str | None:
        open_gate.wait(60)
        if not topic_url.startswith(topic("")):
            return "Restricted topic"
        return "Not for you <script>" if topic_url.rpartition("=")[2] in turned["deny"] else None

    @app.before_request
    def refuse() -> Response | None:
        if request.path != "/subscribe":
            return None
        forms.append(request.form.to_dict())
        if not turned["status"]:
            return None
        return Response("busy", turned["status"], {"Retry-After": turned["after"]} if turned["after"] else {})

    @app.post("/turn")
    def turn() -> Response:
        how = request.get_json()
        turned.update({name: value for name, value in how.items() if name in turned})
        if "hold" in how:
            (open_gate.clear if how["hold"] else open_gate.set)()
        if "lease" in how:
            app.config["HUB_MAX_LEASE_SECONDS"] = app.config["HUB_DEFAULT_LEASE_SECONDS"] = how["lease"]
        if "hash" in how:
            hub.config["SIGNATURE_ALGORITHM"] = how["hash"]
        return jsonify(turned)

    @app.post("/publish")
    def publish() -> Response:
        address = topic(request.args["channel_id"])
        content = base64.b64encode(request.get_data()).decode("ascii")
        link = f'<{request.host_url}subscribe>; rel="hub", <{address}>; rel="self"'
        headers = {"Link": link, "Content-Type": "application/atom+xml"}
        sent = hub.send_change_notification.delay(address, {"headers": headers, "content": content})
        sent.get(timeout=20)  # from here on it is settled who receives it
        return Response(status=202)

    @app.get("/requests")
    def requests() -> Response:
        return jsonify(forms)

    @app.get("/subscribers")
    def subscribers() -> Response:
        return jsonify(dict(storage.get_callbacks(topic(request.args["channel_id"]))))

    quiet = {"pool": "threads", "concurrency": 4, "perform_ping_check": False, "loglevel": "warning"}
    with start_worker(tasks, shutdown_timeout=2, **quiet):
        server = make_server("127.0.0.1", 0, app, threaded=True)
        print("READY", f"http://127.0.0.1:{server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
