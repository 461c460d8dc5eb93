"""Errors caused by a machine or a file are never called a bug: they say where it happened and what to do."""

import errno
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from typer.testing import CliRunner

from agents.cli import app
from agents.cli.console import exit_code_of

BUG = "please report the lines above"


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "read and write permission"),
        (errno.EPERM, "read and write permission"),
        (errno.EROFS, "read and write permission"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENOTDIR, "in the way"),
        (errno.EISDIR, "in the way"),
        (errno.ENAMETOOLONG, "shorter"),
        (errno.ENOENT, "does not exist"),
        (errno.EIO, "check the disk"),
    ],
)
def test_what_the_file_system_refuses_is_said(
    capsys: pytest.CaptureFixture[str], number: int, cure: str
) -> None:
    assert exit_code_of(OSError(number, "no", "/data/study/x.json")) == 1
    said = capsys.readouterr().err
    assert "/data/study/x.json" in said
    assert cure in said
    assert BUG not in said and "Traceback" not in said


def test_a_file_that_is_no_text_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xff".decode()
    assert exit_code_of(caught.value) == 1
    assert BUG not in capsys.readouterr().err


@pytest.mark.parametrize(
    "said",
    [
        "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)",
        "Code: 497. DB::Exception: ann: Not enough privileges. (ACCESS_DENIED)",
        "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)",
        "Code: 40. DB::Exception: Checksum doesn't match: corrupted data. (CHECKSUM_DOESNT_MATCH)",
        "Code: 164. DB::Exception: ann: Cannot execute query in readonly mode. (READONLY)",
    ],
)
def test_what_the_database_refuses_is_said(capsys: pytest.CaptureFixture[str], said: str) -> None:
    assert exit_code_of(DatabaseError(said)) == 3
    told = capsys.readouterr().err
    assert BUG not in told and "Traceback" not in told
    assert said.rsplit("(", 1)[1].rstrip(")") in told and "groundswell doctor" in told


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError("Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)"),
        DatabaseError("Code: 47. DB::Exception: Unknown identifier. (UNKNOWN_IDENTIFIER)"),
        KeyError("x"),
        AssertionError(),
    ],
)
def test_what_only_we_can_cause_is_called_a_bug(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    assert exit_code_of(error) == 1
    assert BUG in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"{", b"a: &a [*a]\n"])
@pytest.mark.parametrize("command", ["codebook import", "glossary check", "ingest", "--study new import"])
def test_a_file_that_is_handed_in_never_looks_like_a_bug(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    content: bytes,
) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GROUNDSWELL_LOG_LEVEL", "error")
    for name in ("x.yaml", "x.json", "x.jsonl.gz", "folder"):
        file = tmp_path / name
        if name == "folder":
            file.mkdir()
        else:
            file.write_bytes(content)
        answer = CliRunner().invoke(app, [*command.split(), str(file)])
        if isinstance(answer.exception, SystemExit) or answer.exception is None:
            continue
        assert isinstance(answer.exception, Exception)
        exit_code_of(answer.exception)
        assert BUG not in capsys.readouterr().err, (name, answer.exception)
