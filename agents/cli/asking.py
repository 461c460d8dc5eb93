"""Asking the study from a command: the groundswell that holds its database, or the database itself."""

from __future__ import annotations

from typing import Any

from agents.running import Running, find, opened
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.holding import Busy

ANSWER_S = 60.0
"""How long the page is waited for (seconds)."""


def ask(settings: Settings, view: str, **parameters: Any) -> Any:
    """Return a view's rows: from the database, or from the process that holds the embedded one.

    Raises:
        Unavailable: nobody answers, or a process that serves no page holds the database.
        Misconfigured: the question is wrong (a month that is none, …).
    """
    if not settings.embedded_clickhouse:
        return _of_the_database(settings, view, parameters)
    if (running := find(settings)) is not None:
        return _over_http(running, view, parameters)
    try:
        return _of_the_database(settings, view, parameters)
    except Busy:  # unless it started this moment
        if (running := find(settings)) is None:
            raise
        return _over_http(running, view, parameters)


def _of_the_database(settings: Settings, view: str, parameters: dict[str, Any]) -> Any:
    from agents.views import VIEWS
    from streams.telemetry import configure_logging

    configure_logging(settings)
    with opened(settings) as warehouse:
        return VIEWS[view](warehouse, **parameters)


def _over_http(running: Running, view: str, parameters: dict[str, Any]) -> Any:
    """Ask with what Python brings: an HTTP client would take longer to import than the page to answer."""
    import json
    from http import HTTPStatus

    status, content = _got(running, view, parameters)
    if status == HTTPStatus.OK:
        return json.loads(content)
    try:
        said: dict[str, Any] = dict(json.loads(content))
    except (ValueError, TypeError):
        said = {}
    cause = said.get("error") or f"the question is wrong ({content[:200].decode(errors='replace')})"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(cause, said.get("cure", "look at the log of the running groundswell"))
    if status == HTTPStatus.NOT_FOUND and "error" in said:
        return None  # as the view says it when it is asked directly
    raise Misconfigured(cause, said.get("cure") or "see --help of this command")


def _got(running: Running, view: str, parameters: dict[str, Any]) -> tuple[int, bytes]:
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import urlencode, urlsplit

    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in parameters.items()
        if value is not None
    }
    connection = HTTPConnection(urlsplit(running.url).netloc, timeout=ANSWER_S)
    try:
        connection.request("GET", f"/api/{view}?{urlencode(given, doseq=True)}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException) as error:
        raise Unavailable(
            f"the groundswell of this study (pid {running.pid}) does not answer at {running.url} ({error})",
            "look at its log, or stop it and try again",
        ) from error
    finally:
        connection.close()
