"""`groundswell web` that also stores talks: one more for each line on its standard input.

An embedded database has one process, in which a study's agents store talks while the page is served. This one
has the page and, instead of agents, a thread that stores a talk as they would, and then writes a line.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.retold import tell_again
from benchmarks.topics import streams
from streams.settings import Settings
from streams.store.warehouse import Warehouse

STORED = "a talk was stored"


def main() -> None:
    """Serve the page; the argument is a file of talks, of which the first is stored."""
    video = streams.read_all([Path(sys.argv[1])])[0]
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w")  # the page's process redirects its output
    threading.Thread(target=_store, args=(video, said), daemon=True).start()
    from agents.cli import main as groundswell

    sys.argv = ["groundswell", "web"]
    groundswell()


def _store(video: streams.Video, said: TextIO) -> None:
    with Warehouse(Settings()) as warehouse:
        for turn, _ in enumerate(sys.stdin, start=1):
            tell_again(warehouse, video, turn)
            print(STORED, file=said, flush=True)


if __name__ == "__main__":
    main()
