"""Asking the study from a command: the groundswell that holds its database, or the database itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.instance.running_instance import RunningInstance, find, opened
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.process_lock import DatabaseBusy

if TYPE_CHECKING:
    from agents.queries.registry import Ask

ANSWER_S = 60.0
"""How long the page is waited for (seconds)."""
PAGE = 1000
"""So many rows at once, as `agents.web.api.read` has it."""


def ask(settings: Settings, view: str, **parameters: Any) -> Any:
    """Return a view's rows: from the database, or from the process that holds the embedded one.

    Raises:
        Unavailable: nobody answers, or a process that serves no page holds the database.
        Misconfigured: the question is wrong (a month that is none, …).
    """
    with asking(settings) as asked:
        return asked(view, **parameters)


@contextmanager
def asking(settings: Settings) -> Iterator[Ask]:
    """Lend a way to ask many views: a database that nobody holds is opened once for all of them.

    Raises:
        Unavailable, Misconfigured: as `ask`.
    """
    with ExitStack() as stack:
        yield _way(settings, stack)


def _way(settings: Settings, stack: ExitStack) -> Ask:
    if not settings.embedded_clickhouse:
        return _of_the_database(settings, stack)
    if (running := find(settings)) is not None:
        return partial(_over_http, running)
    try:
        return _of_the_database(settings, stack)
    except DatabaseBusy:  # unless it started this moment
        if (running := find(settings)) is None:
            raise
        return partial(_over_http, running)


def _of_the_database(settings: Settings, stack: ExitStack) -> Ask:
    from agents.queries import registry
    from streams.telemetry import configure_logging

    configure_logging(settings)
    return registry.asking(stack.enter_context(opened(settings)))


class _Answer(NamedTuple):
    status: int
    content: bytes
    more: bool
    """Whether rows follow on another page."""


def _over_http(running: RunningInstance, view: str, /, **parameters: Any) -> Any:
    """Ask a running process, page by page where more rows are wanted than it says at once.

    With what Python brings: an HTTP client would take longer to import than the page to answer.
    """
    import json

    wanted = parameters.get("limit") or 0
    asked = parameters | ({"limit": PAGE} if wanted > PAGE else {})
    answer = _got(running, view, asked)
    if answer.status != 200:
        return _nothing(running, view, answer)
    found = json.loads(answer.content)
    while isinstance(found, list) and answer.more and len(found) < wanted:
        answer = _got(running, view, asked | {"offset": len(found)})
        if answer.status != 200:
            return _nothing(running, view, answer)
        found += json.loads(answer.content)
    return found


def _nothing(running: RunningInstance, view: str, answer: _Answer) -> None:
    """Return None where there is no such thing, as the view says it when it is asked directly.

    Raises:
        Unavailable, Misconfigured: as `ask`.
    """
    import json
    from http import HTTPStatus

    try:
        said: dict[str, Any] = dict(json.loads(answer.content))
    except (ValueError, TypeError):
        said = {}
    cause = said.get("error") or f"the question is wrong ({answer.content[:200].decode(errors='replace')})"
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(cause, said.get("cure", "look at the log of the running groundswell"))
    if answer.status == HTTPStatus.NOT_FOUND and cause.startswith("there is no page"):
        raise Misconfigured(
            f"the groundswell that runs this study (pid {running.pid}) is of another version "
            f"and knows no {view}",
            "stop it (groundswell stop) and start it again",
        )
    if answer.status != HTTPStatus.NOT_FOUND or "error" not in said:
        raise Misconfigured(cause, said.get("cure") or "see --help of this command")


def _got(running: RunningInstance, view: str, parameters: Mapping[str, Any]) -> _Answer:
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
        return _Answer(answer.status, answer.read(), 'rel="next"' in answer.headers.get("Link", ""))
    except (OSError, HTTPException) as error:
        raise Unavailable(
            f"the groundswell of this study (pid {running.pid}) does not answer at {running.url} ({error})",
            "look at its log, or stop it and try again",
        ) from error
    finally:
        connection.close()
