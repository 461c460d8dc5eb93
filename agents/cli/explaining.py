"""Says of what a machine or a file causes where it happened and what to do; the rest is a bug of ours."""

from __future__ import annotations

import errno
import re

from streams.errors import DataError, Explained, Unavailable

_CURES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space on that disk, then do it again"),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        "make it readable and writable for you, or choose another place (GROUNDSWELL_HOME)",
    ),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n), then do it again"),
    **dict.fromkeys(
        (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY),
        "a file or folder of that name is in the way: move it, or choose another name",
    ),
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "it was removed, or never there: check the name, or restore it",
}
_OURS = frozenset(
    {
        *("SYNTAX_ERROR", "UNKNOWN_IDENTIFIER", "UNKNOWN_FUNCTION", "TYPE_MISMATCH", "NOT_AN_AGGREGATE"),
        *("ILLEGAL_TYPE_OF_ARGUMENT", "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", "AMBIGUOUS_COLUMN_NAME"),
        *("BAD_ARGUMENTS", "ILLEGAL_AGGREGATION", "NO_COMMON_TYPE", "UNKNOWN_QUERY_PARAMETER"),
    }
)
"""What ClickHouse says of a statement that is wrong; everything else is about the machine or the data."""


def explained(error: Exception) -> Explained | None:
    """Return an error with cause and cure; None: nobody but us can have caused it."""
    if isinstance(error, Explained):
        return error
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, UnicodeDecodeError):
        return DataError(
            f"a file that should be text is none (byte {error.start} is not {error.encoding})",
            "save it as UTF-8, or hand in another one",
        )
    if isinstance(error, MemoryError):
        return Unavailable("there is not enough memory", "end something else, or take a larger machine")
    if type(error).__module__.startswith("clickhouse_connect"):
        return _of_the_database(error)
    return None


def _of_the_system(error: OSError) -> Explained:
    if isinstance(error, ConnectionError | TimeoutError):
        return Unavailable(
            f"a connection failed ({error.strerror or error})", "see groundswell doctor, then do it again"
        )
    what = " and ".join(str(name) for name in (error.filename, error.filename2) if name) or "the system"
    cure = _CURES.get(error.errno or 0, "look at the disk and the system's log, then do it again")
    return DataError(f"{what} cannot be used ({error.strerror or error})", cure)


def _of_the_database(error: Exception) -> Explained | None:
    said = str(error)
    named = re.findall(r"\(([A-Z][A-Z_]+)\)", said)
    if not named or named[-1] in _OURS:
        return None
    first = next((line for line in said.splitlines() if "Exception" in line), said.splitlines()[0])
    return Unavailable(
        f"the database refuses ({first.strip()[:300]})",
        "see groundswell doctor: its disk, its memory, and what its user may do",
    )
