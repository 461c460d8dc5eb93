"""The ClickHouse engine behind HTTP, in a separate process that tests stop and start again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "infra" / "clickhouse" / "chdb_http.py"


@contextmanager
def clickhouse(path: Path, port: int) -> Iterator[None]:
    """Serve the database in `path` at a port; the process is killed at the end, and written data stays."""
    process = subprocess.Popen(
        [sys.executable, str(ENGINE), "--path", str(path), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GROUNDSWELL_CLICKHOUSE_PASSWORD": ""},
    )
    try:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()
