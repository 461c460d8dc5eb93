"""ClickHouse's engine in this process (chDB), with the request handling of a server.

chDB leaves this to its caller: one statement at a time, settings and a database that apply to one request
only, sessions that expire, and rows of an insert that are data and not SQL.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import chdb

SESSION_SECONDS = 60.0  # the server's default

# ClickHouse answers 500 for every error that is not listed here.
STATUS: dict[int, re.Pattern[str]] = {
    401: re.compile("REQUIRED_PASSWORD"),
    403: re.compile("UNKNOWN_USER|WRONG_PASSWORD|AUTHENTICATION_FAILED|ACCESS_DENIED"),
    400: re.compile(
        "BAD_ARGUMENTS|SYNTAX_ERROR|TYPE_MISMATCH|INCORRECT_DATA|DUPLICATE_COLUMN|ILLEGAL_COLUMN"
        "|CANNOT_COMPILE_REGEXP|THERE_IS_NO_COLUMN|UNKNOWN_ELEMENT_IN_AST|UNKNOWN_TYPE_OF_AST_NODE"
        "|UNEXPECTED_AST_STRUCTURE|TOO_(DEEP|BIG)_AST|VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE|CANNOT_PARSE_(TEXT"
        "|ESCAPE_SEQUENCE|QUOTED_STRING|DATE|DATETIME|NUMBER|DOMAIN_VALUE_FROM_STRING|IPV4|IPV6|UUID"
        "|INPUT_ASSERTION_FAILED)"
    ),
    404: re.compile(
        "UNKNOWN_(TABLE|FUNCTION|IDENTIFIER|TYPE|STORAGE|DATABASE|SETTING|DIRECTION_OF_SORTING"
        "|AGGREGATE_FUNCTION|FORMAT|DATABASE_ENGINE|TYPE_OF_QUERY|ROLE)"
    ),
    408: re.compile("TIMEOUT_EXCEEDED"),
    413: re.compile("QUERY_IS_TOO_LARGE"),
    501: re.compile("NOT_IMPLEMENTED"),
    503: re.compile("SOCKET_TIMEOUT|CANNOT_OPEN_FILE|CANNOT_SCHEDULE_TASK"),
}


class EngineError(Exception):
    """An error as ClickHouse reports it: a code, the message and a symbolic name."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text} ({name})")
        self.code = code
        self.status = next((status for status, names in STATUS.items() if names.fullmatch(name)), 500)

    @classmethod
    def of_engine(cls, error: Exception) -> EngineError:
        """Parse an error of the engine; one that is not in ClickHouse's format is UNKNOWN_EXCEPTION."""
        found = re.search(
            r"Code: (\d+)\. DB::Exception: (.*?)(?: \(([A-Z][A-Z0-9_]+)\))?\s*$", str(error), re.S
        )
        if found is None:
            return cls(1002, "UNKNOWN_EXCEPTION", str(error))
        return cls(int(found[1]), found[3] or "UNKNOWN_EXCEPTION", found[2])


def not_implemented(what: str) -> EngineError:
    """Return the error for a feature of a ClickHouse server that is missing here."""
    return EngineError(48, "NOT_IMPLEMENTED", f"{what}: chdb_http.py cannot do it, a ClickHouse server can")


@dataclass(frozen=True)
class Statement:
    """One SQL statement as received, and its properties that are needed before the engine runs it."""

    text: bytes
    verb: bytes  # first word, in upper case; INSERT SELECT for an insert without inline rows
    format: str | None  # format of its FORMAT clause, except in an insert
    infile_at: int | None = None  # INSERT ... FORMAT x: offset at which FROM INFILE can be inserted
    rows_at: int | None = None  # offset at which the rows begin

    _TOKEN = re.compile(
        rb"'(?:\\.|''|[^'\\])*'|\"(?:\\.|\"\"|[^\"\\])*\"|`(?:\\.|``|[^`\\])*`|--[^\n]*|/\*.*?\*/"
        rb"|[A-Za-z_][A-Za-z0-9_]*|[()\[\]{};]",
        re.DOTALL,
    )
    _OPENING, _CLOSING = (b"(", b"[", b"{"), (b")", b"]", b"}")
    _OF_SESSIONS = frozenset((b"SET", b"USE", b"BEGIN", b"START", b"COMMIT", b"ROLLBACK"))

    @classmethod
    def parse(cls, text: bytes) -> Statement:
        """Scan the SQL up to the rows of an insert. Raises EngineError for several statements."""
        verb, previous, depth, settled, ended = b"", b"", 0, False, False
        output: str | None = None
        infile_at: int | None = None
        for token in cls._TOKEN.finditer(text):
            word = token.group().upper()
            if word.startswith((b"--", b"/*")):
                continue
            if ended:
                raise EngineError(62, "SYNTAX_ERROR", "Multi-statements are not allowed")
            depth += (word in cls._OPENING) - (word in cls._CLOSING)
            ended = word == b";"
            if depth or ended or word in cls._CLOSING:
                continue
            verb = verb or word
            if verb == b"INSERT":
                if word == b"VALUES":
                    break  # the engine finds the end of VALUES itself
                if word in (b"SELECT", b"WITH"):
                    verb = b"INSERT SELECT"
                if word in (b"SETTINGS", b"FORMAT") and infile_at is None:
                    infile_at = token.start()
                if previous == b"FORMAT":
                    return cls(text, verb, None, infile_at, cls._after_newline(text, token.end()))
            if previous == b"FORMAT":
                output = token.group().decode()
            elif word == b"SETTINGS" and output:
                settled = True
            elif not settled:
                output = None  # only SETTINGS may follow a FORMAT clause, so this was an alias named FORMAT
            previous = word
        return cls(text, verb, output)

    @property
    def leaves_state(self) -> bool:
        """Whether it changes the state of the connection (not only data) for later statements."""
        return self.verb in self._OF_SESSIONS or b"TEMPORARY" in self.text[: self.rows_at].upper()

    @staticmethod
    def _after_newline(text: bytes, offset: int) -> int:
        """Return the offset of the data after `FORMAT x`: after blanks and one newline, as in ClickHouse."""
        while text[offset : offset + 1] in (b" ", b"\t", b"\f", b"\r"):
            offset += 1
        return offset + 1 if text[offset : offset + 1] == b"\n" else offset


@dataclass(frozen=True)
class Query:
    """One request to the engine."""

    statement: Statement
    database: str | None
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    default_format: str
    session: str | None = None
    session_seconds: float = SESSION_SECONDS
    session_must_exist: bool = False


@dataclass(frozen=True)
class Answer:
    """The engine's answer: the body, its format (None if the statement has no result), and the counts."""

    body: bytes
    format: str | None
    summary: dict[str, str]


@dataclass
class Handle:
    """One connection to the engine with its own SET and USE, like a ClickHouse session.

    Settings and database of a request override those of the session, and are reset before a later request
    could see them. The reset is lazy, because clients send the same ones with every request.
    """

    connection: Any
    expires: float = float("inf")
    _database: str = "default"  # database of the session
    _used: str = "default"  # current database of the connection
    _laid: dict[str, str] | None = field(default_factory=dict)  # None: interrupted while applying
    _below: dict[str, str | None] = field(default_factory=dict)  # previous values; None: the default

    def __post_init__(self) -> None:
        # chDB accepts a bare expression as a SELECT; a server does not.
        self.run("SET implicit_select = 0")

    def run(
        self, sql: str | bytes, output: str = "TabSeparated", parameters: Mapping[str, str] | None = None
    ) -> Any:
        """Run SQL and return the engine's result object. Raises EngineError."""
        try:
            return self.connection.query(sql, output, params=dict(parameters or {}))
        except Exception as error:
            raise EngineError.of_engine(error) from error

    def prepare(self, query: Query) -> None:
        """Apply the database and settings of the request."""
        own_state = query.statement.verb in (b"SET", b"USE")
        self._lay({} if own_state else dict(query.settings))
        self._use(self._database if own_state or not query.database else query.database)

    def remember(self, query: Query) -> None:
        """After a successful USE, make that database the session's own."""
        if query.statement.verb == b"USE":
            self._used = self._database = (
                self.run("SELECT currentDatabase() FORMAT TSVRaw").bytes().decode()[:-1]
            )

    def _use(self, database: str) -> None:
        if database != self._used:
            escaped = database.replace("\\", "\\\\").replace("`", "\\`")
            self.run(f"USE `{escaped}`")
            self._used = database

    def _lay(self, settings: dict[str, str]) -> None:
        if settings == self._laid:
            return
        self._laid = None
        for name, value in self._below.items():
            self.run(f"SET {name} = {'DEFAULT' if value is None else quoted(value)}")
        self._below = {}
        if settings:
            names = ", ".join(quoted(name) for name in settings)
            told = self.run(
                f"SELECT name, value FROM system.settings WHERE changed AND name IN ({names})", "JSONEachRow"
            )
            before = {row["name"]: row["value"] for row in map(json.loads, told.bytes().splitlines())}
            for name, value in settings.items():
                self.run(f"SET {setting_name(name)} = {quoted(value)}")
                self._below[name] = before.get(name)
        self._laid = settings


class Engine:
    """The embedded engine of one folder. Only one process can open it; one thread at a time may use it.

    `configuration` is a file of a ClickHouse server's configuration, such as where BACKUP may write.

    Raises RuntimeError if another process uses the folder, OSError if it cannot be created.
    """

    def __init__(self, path: Path, configuration: Path | None = None) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = str(path.resolve())
        if configuration is not None:
            self._path += f"?config-file={configuration.resolve()}"
        # Shared by all requests without a session, because opening a connection takes as long as a query.
        # It also keeps the engine open.
        self._common = Handle(chdb.connect(self._path))
        told = self._common.run("SELECT version(), timezone() FORMAT TSV").bytes().decode()
        self.version, self.timezone = told.rstrip("\n").split("\t")
        self._sessions: dict[str, Handle] = {}

    def close(self) -> None:
        """Close every connection and thereby the engine; parts are already on disk."""
        for handle in [*self._sessions.values(), self._common]:
            handle.connection.close()

    def execute(self, query: Query) -> Answer:
        """Run one statement with its database, settings and parameters. Raises EngineError."""
        with self._handle(query) as handle:
            handle.prepare(query)
            answer = (
                self._ask(handle, query) if query.statement.rows_at is None else self._insert(handle, query)
            )
            handle.remember(query)
            return answer

    @contextmanager
    def _handle(self, query: Query) -> Iterator[Handle]:
        self._end_idle_sessions()
        # `readonly` cannot be reset, so it is never applied to a shared connection
        if "readonly" in query.settings or (query.session is None and query.statement.leaves_state):
            handle = Handle(chdb.connect(self._path))
            try:
                yield handle
            finally:
                handle.connection.close()
            return
        if query.session is None:
            yield self._common
            return
        if query.session not in self._sessions:
            if query.session_must_exist:
                raise EngineError(372, "SESSION_NOT_FOUND", f"Session {query.session} not found")
            self._sessions[query.session] = Handle(chdb.connect(self._path))
        handle = self._sessions[query.session]
        try:
            yield handle
        finally:
            handle.expires = time.monotonic() + query.session_seconds

    def _end_idle_sessions(self) -> None:
        now = time.monotonic()
        for name in [name for name, handle in self._sessions.items() if handle.expires < now]:
            self._sessions.pop(name).connection.close()

    def _ask(self, handle: Handle, query: Query) -> Answer:
        declared = query.statement.format
        output = declared or query.default_format
        # The column names tell whether a statement has a result: they are printed even for a result without
        # rows, and nothing is printed without a result.
        probing = output == "TabSeparated" and declared is None
        result = handle.run(
            query.statement.text,
            "TabSeparatedWithNames" if probing else query.default_format,
            query.parameters,
        )
        body = bytes(result.bytes() or b"")
        has_result = bool(body or declared)
        if probing:
            body = body.partition(b"\n")[2]
        return Answer(body, output if has_result else None, counts(result, "read"))

    def _insert(self, handle: Handle, query: Query) -> Answer:
        """Insert rows through a file: inline, the engine would search them for the end of the statement."""
        text, infile_at, rows_at = query.statement.text, query.statement.infile_at, query.statement.rows_at
        with tempfile.NamedTemporaryFile(suffix=".rows") as file:
            file.write(text[rows_at:])
            file.flush()
            source = f" FROM INFILE {quoted(file.name)} COMPRESSION 'none' ".encode()
            sql = text[:infile_at] + source + text[infile_at:rows_at].rstrip()
            result = handle.run(sql, "TabSeparated", query.parameters)
        return Answer(b"", None, counts(result, "written"))


def quoted(text: str) -> str:
    """Return `text` as a string literal of ClickHouse's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def setting_name(name: str) -> str:
    """Return `name` if it is a valid name of a setting, because it is inserted into SQL."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise EngineError(115, "UNKNOWN_SETTING", f"Unknown setting {quoted(name)}")
    return name


def counts(result: Any, verb: str) -> dict[str, str]:
    """Return the result's statistics under the keys of X-ClickHouse-Summary."""
    return {
        f"{verb}_rows": str(result.rows_read()),
        f"{verb}_bytes": str(result.bytes_read()),
        "elapsed_ns": str(int(result.elapsed() * 1e9)),
    }
