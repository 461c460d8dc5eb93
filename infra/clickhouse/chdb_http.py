"""The ClickHouse engine over HTTP: chDB behind enough of ClickHouse's HTTP interface for clickhouse-connect.

It serves tests, and trials of distributed operation on a machine without a ClickHouse server. It is the real
engine (parser, MergeTree, views, functions), in one process and one query at a time. It is not a server: it
has no replication, users, quotas or native protocol. For production, run a ClickHouse server.

    python infra/clickhouse/chdb_http.py --path DIR --port 8123

Supported, as on a server: `query` as parameter or body; `param_*`; settings in the query string;
`database`; sessions (`session_id`, `session_timeout`, `session_check`); `default_format` and FORMAT clauses;
inserts with rows of any format in the body; bodies and answers in lz4, zstd, gzip or deflate; `/ping`; errors
with ClickHouse's texts, X-ClickHouse-Exception-Code and the server's HTTP status; with `--config`, the
settings of a server's configuration file, such as the folder of BACKUP and RESTORE (chDB cannot do .zip).

Refused with NOT_IMPLEMENTED: external data, roles, ClickHouse's own block compression (`compress=1`,
`decompress=1`), other encodings of a body.

Differences without an error: an answer is complete in memory before its first byte is sent; a client that
disconnects does not cancel its query; X-ClickHouse-Summary counts written rows for inserts with FORMAT only;
INFILE, OUTFILE and file() can access every file that this process can. Limits of chDB: the database `default`
has no refreshable views (one created with CREATE DATABASE has), DateTime('zone') is returned without its zone
(DateTime64 keeps it), and there is no system.query_log.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gzip
import json
import os
import secrets
import signal
import socket
import ssl
import sys
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import uvicorn
from backports import zstd
from chdb_engine import SESSION_SECONDS, Answer, Engine, EngineError, Query, Statement, not_implemented
from fastapi import FastAPI, Request, Response

PASSWORD_VARIABLE = "GROUNDSWELL_CLICKHOUSE_PASSWORD"
LONGEST_SESSION_SECONDS = 3600.0  # the server's default
SECONDS_TO_FINISH = 30  # for the query in progress at SIGTERM

# Parameters of the HTTP interface, which the engine would reject as unknown settings.
TRANSPORT = {
    *(
        "query",
        "database",
        "default_format",
        "query_id",
        "quota_key",
        "user",
        "password",
        "role",
        "stacktrace",
    ),
    *("session_id", "session_timeout", "session_check", "compress", "decompress", "buffer_size"),
    *(
        "wait_end_of_query",
        "client_protocol_version",
        "enable_http_compression",
        "http_zlib_compression_level",
    ),
    *("send_progress_in_http_headers", "http_headers_progress_interval_ms", "add_http_cors_header"),
    "cancel_http_readonly_queries_on_client_close",
}
READS = {b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN", b"CHECK"}
CONTENT_TYPES = {
    "Native": "application/octet-stream",
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
}


def decompressed_lz4(data: bytes) -> bytes:
    """Decompress all lz4 frames of `data`: clients send one for each block."""
    whole = b""
    while data:
        frame = lz4.frame.LZ4FrameDecompressor()
        whole += frame.decompress(data)
        if not frame.eof:
            raise EOFError("the last lz4 frame is incomplete")
        data = frame.unused_data
    return whole


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
    "gzip": lambda data: gzip.compress(data, 3),
    "deflate": lambda data: zlib.compress(data, 3),
}
DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": decompressed_lz4,
    "zstd": zstd.decompress,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "identity": bytes,
}


def read_body(body: bytes, encoding: str) -> bytes:
    """Return the decoded body of a request. Raises EngineError for an unknown encoding or invalid data."""
    if encoding not in DECOMPRESS:
        raise not_implemented(f"Unknown compression method {encoding} (known: {', '.join(sorted(COMPRESS))})")
    try:
        return DECOMPRESS[encoding](body)
    except (OSError, EOFError, RuntimeError, zlib.error, zstd.ZstdError) as error:
        raise EngineError(271, "CANNOT_DECOMPRESS", f"The body is not valid {encoding}: {error}") from error


def form_fields(body: bytes, content_type: str) -> dict[str, str]:
    """Return the text fields of a multipart form; a file in it is external data, which is refused."""
    message: Message = BytesParser().parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    fields: dict[str, str] = {}
    for part in message.walk():
        if part.is_multipart():
            continue
        if part.get_filename() is not None:
            raise not_implemented("External data")
        payload = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        fields[str(name)] = payload.decode() if isinstance(payload, bytes) else ""
    return fields


def read_query(given: Mapping[str, str], headers: Mapping[str, str], method: str, body: bytes) -> Query:
    """Return the query of a request. Raises EngineError for unsupported features."""
    for unsupported in ("compress", "decompress"):
        if given.get(unsupported, "0") not in ("0", "false"):
            raise not_implemented(f"ClickHouse's own block compression ({unsupported}=1)")
    if given.get("role"):
        raise not_implemented("Roles")
    statement = Statement.parse(b"\n".join(part for part in (given.get("query", "").encode(), body) if part))
    if not statement.verb and not statement.text.strip():
        raise EngineError(62, "SYNTAX_ERROR", "Empty query")
    if method == "GET" and statement.verb and statement.verb not in READS:
        raise EngineError(
            164, "READONLY", "Method GET implies readonly: use method POST for queries that modify"
        )
    return Query(
        statement=statement,
        database=given.get("database") or headers.get("X-ClickHouse-Database"),
        settings={
            name: value
            for name, value in given.items()
            if name not in TRANSPORT and not name.startswith("param_")
        },
        parameters={
            name.removeprefix("param_"): value for name, value in given.items() if name.startswith("param_")
        },
        default_format=given.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated",
        session=given.get("session_id") or None,
        session_seconds=session_seconds(given.get("session_timeout")),
        session_must_exist=given.get("session_check") == "1",
    )


def session_seconds(told: str | None) -> float:
    """Return the timeout of an idle session (seconds). Raises EngineError if it is no number or too long."""
    if not told:
        return SESSION_SECONDS
    if not told.isdecimal() or float(told) > LONGEST_SESSION_SECONDS:
        raise EngineError(374, "INVALID_SESSION_TIMEOUT", f"Invalid session timeout: {told}")
    return float(told)


@dataclass(frozen=True)
class Credentials:
    """User and password for access. Without a password, everyone has access under any name."""

    user: str
    password: str

    def check(self, given: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Raise EngineError unless the request has this user and password, in any of ClickHouse's forms."""
        if not self.password:
            return
        user, password = given.get("user"), given.get("password")
        user, password = headers.get("X-ClickHouse-User", user), headers.get("X-ClickHouse-Key", password)
        scheme, _, encoded = headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            with suppress(ValueError):
                user, _, password = base64.b64decode(encoded).decode().partition(":")
        if user is None and password is None:
            raise EngineError(194, "REQUIRED_PASSWORD", "Password is required: send user and password")
        right = [(user or "default", self.user), (password or "", self.password)]
        if not all(secrets.compare_digest(a.encode(), b.encode()) for a, b in right):
            raise EngineError(
                516,
                "AUTHENTICATION_FAILED",
                f"{user or 'default'}: Authentication failed: wrong password, or no such user",
            )


def build_app(engine: Engine, thread: ThreadPoolExecutor, credentials: Credentials) -> FastAPI:
    """Return the application for an open engine and its one thread, the queue of queries; it closes both."""
    busy_sessions: set[str] = set()

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.get_running_loop().run_in_executor(thread, engine.close)
        thread.shutdown()

    app = FastAPI(lifespan=closing, openapi_url=None)

    @app.api_route("/ping", methods=["GET", "HEAD"])
    async def ping() -> Response:
        return Response("Ok.\n", media_type="text/plain")

    async def answer(request: Request) -> Answer:
        given = dict(request.query_params)
        credentials.check(given, request.headers)
        body = await request.body()
        body = read_body(body, request.headers.get("Content-Encoding") or "identity")
        content_type = request.headers.get("Content-Type", "")
        if content_type.startswith("multipart/form-data"):
            given, body = given | form_fields(body, content_type), b""
        query = read_query(given, request.headers, request.method, body)
        if query.session in busy_sessions:
            raise EngineError(
                373, "SESSION_IS_LOCKED", f"Session {query.session} is locked by a concurrent client"
            )
        locked = {query.session} if query.session else set()
        busy_sessions.update(locked)
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, engine.execute, query)
        finally:
            busy_sessions.difference_update(locked)

    @app.get("/")
    @app.post("/")
    async def handle(request: Request) -> Response:
        headers = {
            "X-ClickHouse-Server-Display-Name": socket.gethostname(),
            "X-ClickHouse-Query-Id": request.query_params.get("query_id") or str(uuid.uuid4()),
            "X-ClickHouse-Timezone": engine.timezone,
        }
        if request.method == "GET" and not request.query_params.get("query"):
            return Response("Ok.\n", media_type="text/plain", headers=headers)
        try:
            told = await answer(request)
        except EngineError as error:
            headers["X-ClickHouse-Exception-Code"] = str(error.code)
            if error.status == 401:
                headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
            text = f"{error} (version {engine.version} (chdb_http.py))\n"
            return Response(text, error.status, headers, "text/plain; charset=UTF-8")
        headers["X-ClickHouse-Summary"] = json.dumps(told.summary)
        if told.format:
            headers["X-ClickHouse-Format"] = told.format
        body, encoding = told.body, wanted_encoding(request)
        if body and encoding:
            body = await asyncio.to_thread(COMPRESS[encoding], body)
            headers["Content-Encoding"] = encoding
        content_type = CONTENT_TYPES.get(told.format or "", "text/plain; charset=UTF-8")
        return Response(body, 200, headers, content_type)

    return app


def wanted_encoding(request: Request) -> str | None:
    """Return the first supported encoding that the client accepts, only with enable_http_compression=1."""
    if request.query_params.get("enable_http_compression") not in ("1", "true"):
        return None
    named = [part.partition(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")]
    return next((name for name in named if name in COMPRESS), None)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    parser = argparse.ArgumentParser(
        description="The ClickHouse engine (chDB) over HTTP, for tests and trials of distributed operation "
        "without Docker. Not a ClickHouse server: one query at a time, no replication, no users.",
        epilog=f"With {PASSWORD_VARIABLE} set, clients must send --user and that password; "
        "without it, everyone on this machine has access.",
    )
    parser.add_argument("--path", type=Path, required=True, help="data folder; created if it does not exist")
    parser.add_argument("--config", type=Path, help="a ClickHouse server's configuration, as backups.xml")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8123, help="port to listen on; 0 picks one (%(default)s)")
    parser.add_argument("--user", default="default", help="name of the user with the password (%(default)s)")
    parser.add_argument("--certificate", help="certificate and private key (PEM): serves HTTPS with them")
    parser.add_argument("--client-ca", help="authority (PEM) of the certificates that clients must have")
    given = parser.parse_args(arguments)
    if given.config is not None and not given.config.is_file():
        raise SystemExit(f"error: cannot find the configuration {given.config}: name another with --config")

    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is given explicitly; without it every answer waits 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((given.host, given.port))
    except OSError as error:
        raise SystemExit(
            f"error: cannot listen on {given.host}:{given.port} ({error.strerror}): "
            "stop the program that uses that port, or choose another with --port"
        ) from error
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
    try:
        engine = thread.submit(Engine, given.path, given.config).result()
    except (RuntimeError, OSError) as error:
        raise SystemExit(
            f"error: cannot open the data in {given.path} ({error}): stop the other process that uses "
            "the folder, or choose another with --path"
        ) from error
    app = build_app(engine, thread, Credentials(given.user, os.environ.get(PASSWORD_VARIABLE, "")))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        h11_max_incomplete_event_size=2**20,  # the server's own limit of a URI
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
        ssl_certfile=given.certificate,
        ssl_ca_certs=given.client_ca,
        ssl_cert_reqs=ssl.CERT_REQUIRED if given.client_ca else ssl.CERT_NONE,
    )
    server = uvicorn.Server(config)
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(
            stopping, lambda *_: None
        )  # uvicorn raises the signal again when it is done; exit with 0
    listening.listen()  # a client that reads the next line may connect at once
    scheme = "https" if given.certificate else "http"
    print(f"ClickHouse engine over HTTP on {scheme}://{given.host}:{listening.getsockname()[1]}", flush=True)
    server.run(sockets=[listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
