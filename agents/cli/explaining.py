"""Explains errors of the machine, files and database with cause and cure; any other error is a bug."""

from __future__ import annotations

import errno
import re

from streams.errors import DataError, Explained, Unavailable

_CURES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space on that disk, then try again"),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        "give yourself read and write permission, or choose another folder (GROUNDSWELL_HOME)",
    ),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n), then try again"),
    **dict.fromkeys(
        (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY),
        "a file or folder of that name is in the way: move it, or choose another name",
    ),
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "it does not exist: check the name, or restore it",
}
_OURS = frozenset(
    {
        *("SYNTAX_ERROR", "UNKNOWN_IDENTIFIER", "UNKNOWN_FUNCTION", "TYPE_MISMATCH", "NOT_AN_AGGREGATE"),
        *("ILLEGAL_TYPE_OF_ARGUMENT", "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", "AMBIGUOUS_COLUMN_NAME"),
        *("BAD_ARGUMENTS", "ILLEGAL_AGGREGATION", "NO_COMMON_TYPE", "UNKNOWN_QUERY_PARAMETER"),
    }
)
"""ClickHouse error codes of invalid statements: bugs. All other codes concern the machine or the data."""


def explained(error: Exception) -> Explained | None:
    """Return the error with cause and cure, or None if it must be a bug in groundswell."""
    if isinstance(error, Explained):
        return error
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, UnicodeDecodeError):
        return DataError(
            f"a file that should be text is not (byte {error.start} is not valid {error.encoding})",
            "save it as UTF-8, or use another file",
        )
    if isinstance(error, MemoryError):
        return Unavailable(
            "there is not enough memory", "close other programs, or use a machine with more memory"
        )
    if type(error).__module__.startswith("clickhouse_connect"):
        return _of_the_database(error)
    return None


def _of_the_system(error: OSError) -> Explained:
    if isinstance(error, ConnectionError | TimeoutError):
        return Unavailable(
            f"a connection failed ({error.strerror or error})", "run groundswell doctor, then try again"
        )
    what = " and ".join(str(name) for name in (error.filename, error.filename2) if name) or "the system"
    cure = _CURES.get(error.errno or 0, "check the disk and the system log, then try again")
    return DataError(f"{what} cannot be used ({error.strerror or error})", cure)


def _of_the_database(error: Exception) -> Explained | None:
    said = str(error)
    named = re.findall(r"\(([A-Z][A-Z_]+)\)", said)
    if not named or named[-1] in _OURS:
        return None
    first = next((line for line in said.splitlines() if "Exception" in line), said.splitlines()[0])
    return Unavailable(
        f"the database refused the statement ({first.strip()[:300]})",
        "run groundswell doctor; check the database's disk, memory and user rights",
    )
