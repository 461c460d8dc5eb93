"""/demo: a button with which curators of a study without talks start the demo.

It runs `groundswell demo`, whose study and page are separate. Only a reader on the machine that serves this
page can open that page, so it is offered only there.
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from fastapi.responses import RedirectResponse

from agents.instance.background import DEMO, last_error, start_detached
from agents.instance.running_instance import serving
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Curates, is_this_machine
from agents.web.site import Site
from streams.settings import Settings


class DemoState(NamedTuple):
    """What the page says about the demo."""

    url: str = ""
    """The demo's page; empty: it does not run."""
    starting: bool = False
    failure: str = ""
    """Why it ended before its page answered."""


class Demo:
    """The demo of this home, and the command that this process has started for it. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.model_copy(update={"study": DEMO})
        self._served_here = is_this_machine(settings.web_host) and settings.study != DEMO
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def log(self) -> Path:
        """The file of what the command prints."""
        return self._settings.study_home / "demo.log"

    def offered(self, request: Request) -> bool:
        """Return whether the reader can open the demo's page: both are on this machine."""
        return self._served_here and is_this_machine(request.url.hostname or "")

    def state(self) -> DemoState:
        """Return whether the demo runs, starts or has failed."""
        with self._lock:
            running, process = serving(self._settings), self._process
            if running is not None:
                return DemoState(running.url)
            if process is None:
                return DemoState()
            if process.poll() is None:
                return DemoState(starting=True)
            return DemoState(failure=self._failure()) if process.returncode else DemoState()

    def start(self) -> None:
        """Start `groundswell demo` in the background, unless it runs or is starting."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            own = {"GROUNDSWELL_HOME": str(self._settings.home), "GROUNDSWELL_WEB_PORT": "0"}
            self._process = start_detached(["--study", DEMO, "demo"], os.environ | own, self.log)

    def _failure(self) -> str:
        return last_error(self.log) or f"{self.log.name} in its folder has no error"


def mount(site: Site) -> None:
    """Add the endpoint of the button, and the demo to the application's state."""
    demo = site.web.state.demo = Demo(site.runtime.settings)

    @site.web.post("/demo", include_in_schema=False)
    def start(request: Request, who: Curates) -> RedirectResponse:
        if not demo.offered(request):
            raise RequestRefused(
                409,
                "the demo's page could not be opened from here, because it is served on the server only",
                "run groundswell demo on your own machine",
            )
        if not demo.state().url:
            demo.start()
        return RedirectResponse("/#demo", 303)
