"""The web application behind a real server, in a thread of the test's process."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from agents.web.app import end
from agents.web.server import bound, configured


@contextmanager
def served(web: FastAPI, proxies: Sequence[str] = ()) -> Iterator[str]:
    """Run an application on a free port; yield its address."""
    config = configured(web, proxies=proxies)
    server = uvicorn.Server(config)
    listening = bound(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        end(web)
        server.should_exit = True
        thread.join(30)
        listening.close()
        assert not thread.is_alive(), "an open page keeps the server from ending"
