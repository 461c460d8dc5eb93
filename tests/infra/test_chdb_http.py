"""Tests of infra/clickhouse/chdb_http.py: for clickhouse-connect it works as a ClickHouse server."""

import asyncio
import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
import requests
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_migrations.connection import ClickhouseConnectConnection
from clickhouse_migrations.migration import Migration
from clickhouse_migrations.migrator import Migrator

from infra.clickhouse.chdb_engine import EngineError, Statement
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.processes import GIVE_UP_S


@dataclass
class Server:
    """A running process of chdb_http.py."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def client(self, **options: Any) -> Client:
        return clickhouse_connect.get_client(host="127.0.0.1", port=self.port, tz_mode="aware", **options)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=GIVE_UP_S)


SCRIPT = Path(__file__).resolve().parents[2] / "infra" / "clickhouse" / "chdb_http.py"


@contextmanager
def serving(path: Path, *options: str, password: str = "") -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--path", str(path), "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GROUNDSWELL_CLICKHOUSE_PASSWORD": password},
    )
    try:
        assert process.stdout is not None
        first_line = process.stdout.readline()
        assert first_line.startswith("ClickHouse engine over HTTP on http://127.0.0.1:"), first_line
        yield Server(process, int(first_line.rsplit(":", 1)[1]))
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("engine")) as server:
        yield server


@pytest.fixture
def client(server: Server, request: pytest.FixtureRequest) -> Iterator[Client]:
    """Yield a client in a separate database for each test."""
    name = f"t_{abs(hash(request.node.nodeid))}"
    with server.client() as setup:
        setup.command(f"CREATE DATABASE {name}")
    with server.client(database=name) as client:
        yield client


WHEN = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
COLUMNS = {
    "name": "String",
    "number": "UInt32",
    "share": "Float64",
    "speakers": "Array(String)",
    "embedding": "Array(Float32)",
    "published": "DateTime64(3, 'UTC')",
    "summary": "Nullable(String)",
    "language": "LowCardinality(String)",
    "counts": "Map(String, UInt64)",
}
ROWS: list[list[Any]] = [
    ["it's; \\ 'a'\n\t\x00 talk", 1, 0.25, ["Ada", "Grace"], [0.5, -1.5], WHEN, None, "en", {"words": 9}],
    ["Größe 🎤", 2**32 - 1, 1e300, [], [], WHEN, "text", "de", {}],
]


@pytest.mark.parametrize("compression", [False, "lz4", "zstd", "gzip"])
def test_every_type_used_here_comes_back_as_it_went_in(
    server: Server, client: Client, compression: str | bool
) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    client.command(f"CREATE TABLE talks ({columns}) ENGINE = MergeTree ORDER BY number")
    with server.client(database=client.database, compress=compression) as talker:
        summary = talker.insert("talks", ROWS, column_names=list(COLUMNS))
        assert summary.written_rows == 2
        assert [list(row) for row in talker.query("SELECT * FROM talks ORDER BY number").result_rows] == ROWS
        assert talker.query("SELECT * FROM talks WHERE number = 0").result_rows == []
        assert talker.query("SELECT * FROM talks LIMIT 0").column_names == tuple(COLUMNS)
        frame = talker.query_df("SELECT name, number FROM talks ORDER BY number")
        assert list(frame["number"]) == [1, 2**32 - 1]


def test_answers_and_rows_really_travel_compressed(server: Server, client: Client) -> None:
    where = {"database": str(client.database)}
    asked = {**where, "query": "SELECT repeat('groundswell', 1000)", "enable_http_compression": "1"}
    answer = requests.get(server.url, asked, headers={"Accept-Encoding": "gzip"}, timeout=GIVE_UP_S)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.text == "groundswell" * 1000 + "\n"

    client.command("CREATE TABLE lines (line String) ENGINE = Memory")
    into = {**where, "query": "INSERT INTO lines FORMAT TSV"}
    body = gzip.compress(b"one\ntwo\n")
    sent = requests.post(
        server.url, body, params=into, headers={"Content-Encoding": "gzip"}, timeout=GIVE_UP_S
    )
    assert sent.status_code == 200
    assert client.command("SELECT count() FROM lines") == 2
    for headers, status in (({"Content-Encoding": "snappy"}, 501), ({"Content-Encoding": "zstd"}, 500)):
        refused = requests.post(server.url, body, params=into, headers=headers, timeout=GIVE_UP_S)
        assert refused.status_code == status
        assert "DB::Exception" in refused.text
    own_blocks = requests.post(server.url, b"", params={**into, "decompress": "1"}, timeout=GIVE_UP_S)
    assert own_blocks.status_code == 501


def test_parameters_are_bound_by_the_engine_not_pasted_into_sql(client: Client) -> None:
    told = client.query(
        "SELECT {name:String}, {ids:Array(UInt32)}, {since:DateTime64(3, 'UTC')}, {nothing:Nullable(String)}",
        parameters={"name": "'; DROP\\n\t--", "ids": [1, 2], "since": WHEN, "nothing": None},
    )
    assert told.result_rows == [("'; DROP\\n\t--", [1, 2], WHEN, None)]
    long = "x" * 20_000  # too long for a query string: clickhouse-connect sends a form
    assert client.query("SELECT length({name:String})", parameters={"name": long}).result_rows == [(20_000,)]


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELEC 1", 62, 400),
        ("SELECT * FROM no_such_table", 60, 404),
        ("SELECT no_such_column", 47, 404),
        ("SELECT throwIf(number = 3, 'enough') FROM numbers(9)", 395, 500),
        ("SELECT 1; SELECT 2", 62, 400),
        ("SELECT 1 SETTINGS no_such_setting = 1", 115, 404),
    ],
)
def test_wrong_sql_is_refused_in_clickhouses_words(
    server: Server, client: Client, sql: str, code: int, status: int
) -> None:
    words = "Syntax error|no_such_(table|column|setting)|enough|Multi-statements are not allowed"
    with pytest.raises(DatabaseError, match=words) as raised:
        client.query(sql)
    assert raised.value.code == code
    plain = requests.post(server.url, sql, params={"database": str(client.database)}, timeout=GIVE_UP_S)
    assert (plain.status_code, plain.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert plain.text.startswith(f"Code: {code}. DB::Exception: ")
    assert client.query("SELECT 1").result_rows == [(1,)], "and the session goes on"


def test_settings_hold_for_a_query_and_set_for_a_session(client: Client) -> None:
    asked = "SELECT getSetting('max_block_size')"
    default = client.command(asked)
    assert client.query(asked, settings={"max_block_size": 7}).result_rows == [(7,)]
    assert client.command(asked) == default
    with pytest.raises(DatabaseError, match="UNKNOWN_SETTING"):
        client.command(asked, settings={"no_such_setting": 1, "max_block_size": 8})
    assert client.command(asked) == default

    client.command("SET max_block_size = 9")
    assert client.command(asked) == 9
    assert client.command(asked, settings={"max_block_size": 10}) == 10
    assert client.command(asked) == 9
    client.command("CREATE TEMPORARY TABLE mine (n UInt8)")
    assert client.command("SELECT count() FROM mine") == 0
    assert client.query("SELECT 1", settings={"readonly": 1}).result_rows == [(1,)]
    with pytest.raises(DatabaseError, match="READONLY"):
        client.command("CREATE TABLE no (n UInt8) ENGINE = Memory", settings={"readonly": 1})
    client.command("CREATE TABLE yes (n UInt8) ENGINE = Memory")


def test_a_request_without_a_database_is_back_in_the_default_one(client: Client) -> None:
    assert client.command("SELECT currentDatabase()") == client.database
    assert client.command("SELECT currentDatabase()", use_database=False) == "default"


def test_what_runs_without_a_session_leaves_only_data(server: Server, client: Client) -> None:
    def ask(sql: str, **given: str) -> str:
        return requests.post(server.url, sql, params=given, timeout=GIVE_UP_S).text.strip()

    asked = "SELECT getSetting('max_block_size'), currentDatabase()"
    before = ask(asked)
    home = str(client.database)
    for said, given in [
        (asked, {"max_block_size": "7", "database": home}),
        ("SET max_block_size = 8", {"database": home}),
        (f"USE {home}", {}),
        ("SELECT no_such_function()", {"max_block_size": "9", "database": home}),
        ("SELECT 1", {"max_block_size": "10", "no_such_setting": "1"}),
        ("SELECT 1", {"readonly": "1"}),
        ("CREATE /* for */ TEMPORARY TABLE mine (n UInt8)", {"database": home}),
    ]:
        answer = ask(said, **given)
        assert ask(asked) == before, (said, answer)
    assert ask(asked, max_block_size="7", database=home) == f"7\t{home}"
    assert "UNKNOWN_TABLE" in ask("SELECT count() FROM mine", database=home)
    assert ask("CREATE TABLE kept ENGINE = Memory AS SELECT 1 AS n", database=home) == ""
    assert ask("SELECT n FROM kept", database=home) == "1"


def test_sessions_end_and_are_locked_while_in_use(server: Server) -> None:
    def ask(sql: str, **parameters: str) -> requests.Response:
        return requests.post(server.url, sql, params={"session_id": "s", **parameters}, timeout=GIVE_UP_S)

    assert "SESSION_NOT_FOUND" in ask("SELECT 1", session_check="1").text
    assert ask("SET max_threads = 3", session_timeout="60").ok
    assert ask("SELECT getSetting('max_threads')", session_check="1", session_timeout="1").text == "3\n"
    assert "INVALID_SESSION_TIMEOUT" in ask("SELECT 1", session_timeout="for ever").text
    time.sleep(1.2)
    assert "SESSION_NOT_FOUND" in ask("SELECT 1", session_check="1").text

    slow = threading.Thread(target=ask, args=("SELECT sleep(2)",))
    slow.start()
    time.sleep(0.4)
    assert "SESSION_IS_LOCKED" in ask("SELECT 1").text
    assert requests.get(server.url + "ping", timeout=GIVE_UP_S).text == "Ok.\n"
    assert slow.is_alive(), "a query never holds up the ping"
    slow.join()


def test_get_only_reads(server: Server) -> None:
    refused = requests.get(server.url, {"query": "CREATE DATABASE got"}, timeout=GIVE_UP_S)
    assert refused.headers["X-ClickHouse-Exception-Code"] == "164"
    assert requests.get(server.url, {"query": "SHOW DATABASES"}, timeout=GIVE_UP_S).ok
    assert requests.get(server.url, timeout=GIVE_UP_S).text == "Ok.\n"


def test_two_processes_insert_at_once_and_nothing_is_lost(server: Server, client: Client) -> None:
    client.command("CREATE TABLE both (who String, n UInt32) ENGINE = MergeTree ORDER BY (who, n)")
    program = """if True:
        import sys, clickhouse_connect
        port, database, who = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        client = clickhouse_connect.get_client(host="127.0.0.1", port=port, database=database)
        for start in range(0, 1000, 50):
            client.insert("both", [[who, n] for n in range(start, start + 50)], column_names=["who", "n"])
            assert client.command(f"SELECT count() FROM both WHERE who = '{who}'") == start + 50
    """
    arguments = [sys.executable, "-c", program, str(server.port), str(client.database)]
    writers = [subprocess.Popen([*arguments, who]) for who in ("a", "b")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    told = client.query("SELECT who, count(), uniqExact(n) FROM both GROUP BY who ORDER BY who").result_rows
    assert told == [("a", 1000, 1000), ("b", 1000, 1000)]


def test_the_async_client_and_streams_work_too(server: Server) -> None:
    async def ask() -> list[Any]:
        client = await clickhouse_connect.get_async_client(host="127.0.0.1", port=server.port)
        told = await client.query("SELECT number FROM numbers(3)")
        await client.close()
        return list(told.result_rows)

    assert asyncio.run(ask()) == [(0,), (1,), (2,)]
    with server.client() as client, client.query_rows_stream("SELECT number FROM numbers(200000)") as rows:
        assert sum(1 for _ in rows) == 200_000


def test_rows_are_data_whatever_bytes_they_hold(client: Client) -> None:
    client.command("CREATE TABLE raw (n UInt32, bytes String) ENGINE = MergeTree ORDER BY n")
    rows = [[n, bytes((n * 7 + k) % 256 for k in range(n % 300))] for n in range(3000)]
    client.insert("raw", rows, column_names=["n", "bytes"], column_type_names=["UInt32", "String"])
    told = client.query("SELECT n, bytes FROM raw ORDER BY n", query_formats={"String": "bytes"})
    assert [list(row) for row in told.result_rows] == rows
    client.raw_insert("raw", ["n", "bytes"], b'{"n": 9000, "bytes": "; SELECT 1;\\n"}\n', fmt="JSONEachRow")
    client.command("INSERT INTO raw VALUES", data="(9001, 'a;b'), (9002, 'c')")
    assert client.query("SELECT bytes FROM raw WHERE n = 9000").result_rows == [("; SELECT 1;\n",)]
    assert client.command("SELECT count() FROM raw WHERE n > 9000") == 2


def test_the_latest_version_wins_with_final(client: Client) -> None:
    client.command(
        "CREATE TABLE videos (id String, version UInt32, title String) "
        "ENGINE = ReplacingMergeTree(version) ORDER BY id"
    )
    client.insert("videos", [["a", 1, "first"], ["b", 1, "other"]], column_names=["id", "version", "title"])
    client.insert("videos", [["a", 2, "second"]], column_names=["id", "version", "title"])
    told = client.query("SELECT id, title FROM videos FINAL ORDER BY id").result_rows
    assert told == [("a", "second"), ("b", "other")]


def test_a_view_of_bitmaps_counts_a_replayed_block_once(client: Client) -> None:
    client.command(
        "CREATE TABLE facts (topic UInt32, video UInt32) ENGINE = MergeTree ORDER BY topic "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    client.command(
        "CREATE TABLE per_topic (topic UInt32, videos AggregateFunction(groupBitmap, UInt32)) "
        "ENGINE = AggregatingMergeTree ORDER BY topic"
    )
    client.command(
        "CREATE MATERIALIZED VIEW fill TO per_topic AS "
        "SELECT topic, groupBitmapState(video) AS videos FROM facts GROUP BY topic"
    )
    block = [[1, video] for video in range(100)] + [[2, 7]]
    for token in ("block-1", "block-1", "block-2"):  # sent, sent again, and sent as another block
        settings = {"insert_deduplication_token": token}
        client.insert("facts", block, column_names=["topic", "video"], settings=settings)
    told = client.query("SELECT topic, groupBitmapMerge(videos) FROM per_topic GROUP BY topic ORDER BY topic")
    assert told.result_rows == [(1, 100), (2, 1)]
    assert client.command("SELECT count() FROM facts") == 202


def test_migrations_run_and_run_again(client: Client) -> None:
    script = "CREATE TABLE a (n UInt32) ENGINE = MergeTree ORDER BY n; ALTER TABLE a ADD COLUMN s String"
    migrations = [Migration(version=1, md5="1", script=script)]
    for _ in range(2):
        migrator = Migrator(ClickhouseConnectConnection(client))
        migrator.init_schema()
        migrator.apply_migration(migrations, multi_statement=True)
    assert client.query("SELECT version FROM schema_versions").result_rows == [(1,)]
    assert client.query("DESCRIBE TABLE a").column_names[:2] == ("name", "type")
    assert client.command("EXISTS TABLE a") == 1


def test_a_study_has_its_tables_here_as_on_a_server(server: Server) -> None:
    given: dict[str, Any] = {"clickhouse": f"clickhouse://default@127.0.0.1:{server.port}"}
    with Warehouse(Settings(study="over_http", **given), patience_s=0) as warehouse:
        assert warehouse.migrate() != []
        assert warehouse.migrate() == []
        assert warehouse.missing_migrations() == []


@pytest.mark.long
def test_a_restart_keeps_data_and_a_second_process_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as first:
        with first.client() as client:
            client.command("CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n")
            client.insert("kept", [[n] for n in range(1000)], column_names=["n"])
        for options, reason in (
            (["--path", str(tmp_path / "data"), "--port", "0"], "stop the other process"),
            (["--path", str(tmp_path / "other"), "--port", str(first.port)], "another with --port"),
            (
                ["--path", str(tmp_path / "other"), "--config", str(tmp_path / "no.xml")],
                "another with --config",
            ),
        ):
            second = subprocess.run(
                [sys.executable, str(SCRIPT), *options],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert second.returncode == 1
            assert "error: cannot " in second.stderr
            assert reason in second.stderr
        assert first.stop() == 0
    with serving(tmp_path / "data", "--user", "groundswell", password="s3cret:") as again:
        with again.client(username="groundswell", password="s3cret:") as client:
            assert client.command("SELECT count(), sum(n) FROM kept") == ["1000", "499500"]
        for username, password in (("groundswell", "wrong"), ("default", "s3cret:"), ("default", "")):
            with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
                again.client(username=username, password=password)
        assert requests.post(again.url, "SELECT 1", timeout=GIVE_UP_S).status_code == 401
        headers = {"X-ClickHouse-User": "groundswell", "X-ClickHouse-Key": "s3cret:"}
        assert requests.post(again.url, "SELECT 1", headers=headers, timeout=GIVE_UP_S).text == "1\n"


@pytest.mark.parametrize(
    ("sql", "verb", "output", "rows"),
    [
        (b"SELECT 1", b"SELECT", None, None),
        (b"/* ; */ select ';' -- FORMAT x\n format Native;", b"SELECT", "Native", None),
        (b"SELECT a AS format FROM t", b"SELECT", None, None),
        (b"SELECT 1 FORMAT JSON SETTINGS max_threads = 1", b"SELECT", "JSON", None),
        (b"INSERT INTO t (`a;b`) FORMAT Native\n\n\x01;", b"INSERT", None, b"\n\x01;"),
        (b"INSERT INTO t (format) SETTINGS x = 1 FORMAT TSV 1\t2", b"INSERT", None, b"1\t2"),
        (b"INSERT INTO t VALUES (1, 'FORMAT TSV; ')", b"INSERT", None, None),
        (b"INSERT INTO t SELECT 1 FORMAT Null", b"INSERT SELECT", "Null", None),
    ],
)
def test_where_sql_ends_and_rows_begin(
    sql: bytes, verb: bytes, output: str | None, rows: bytes | None
) -> None:
    statement = Statement.parse(sql)
    assert (statement.verb, statement.format) == (verb, output)
    assert rows is None if statement.rows_at is None else sql[statement.rows_at :] == rows


def test_two_statements_are_one_too_many() -> None:
    with pytest.raises(EngineError, match="SYNTAX_ERROR"):
        Statement.parse(b"SELECT 1; DROP TABLE t")
