"""View queries from a command: to the process that holds the database, or to the database directly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.instance.last_answers import LastAnswers
from agents.instance.running_instance import RunningInstance, find, opened
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.process_lock import DatabaseBusy

if TYPE_CHECKING:
    from agents.queries.registry import Ask

ANSWER_S = 60.0
"""Timeout of an HTTP request to the page (seconds)."""
PAGE = 1000
"""Maximum number of rows per request; the same limit as in `agents.web.api.read`."""


def ask(settings: Settings, view: str, **parameters: Any) -> Any:
    """Return the rows of a view, from the database or from the process that holds the embedded database.

    Raises:
        Unavailable: neither answers, or the database is held by a process that serves no page.
        Misconfigured: a parameter is invalid, such as a month that does not exist.
    """
    with asking(settings) as asked:
        return asked(view, **parameters)


@contextmanager
def asking(settings: Settings) -> Iterator[Ask]:
    """Yield a function that queries views; a database that no process holds is opened only once.

    Raises:
        Unavailable, Misconfigured: as `ask`.
    """
    with ExitStack() as stack:
        if not settings.embedded_clickhouse:
            yield _of_the_database(settings, stack)
        elif (running := find(settings)) is not None:
            yield partial(_over_http, running)
        else:
            yield _at_rest(settings, stack)


def _at_rest(settings: Settings, stack: ExitStack) -> Ask:
    """Return a function that queries an embedded database, and opens it for the first unknown answer."""
    last = LastAnswers(settings)
    opened: Ask | None = None

    def asked(view: str, /, **parameters: Any) -> Any:
        nonlocal opened
        if opened is None:
            if (known := last.of(view, parameters)) is not None:
                return known.answer
            opened = _opened(settings, stack, last)
        answer = opened(view, **parameters)
        last.keep(view, parameters, answer)
        return answer

    return asked


def _opened(settings: Settings, stack: ExitStack, last: LastAnswers) -> Ask:
    try:
        ask = _of_the_database(settings, stack)
    except DatabaseBusy:  # an instance may have started since `find`
        if (running := find(settings)) is None:
            raise
        return partial(_over_http, running)
    stack.callback(last.write)
    return ask


def _of_the_database(settings: Settings, stack: ExitStack) -> Ask:
    from agents.queries import registry
    from streams.log_output import configure_logging, format_of

    configure_logging(format_of(settings))
    return registry.asking(stack.enter_context(opened(settings)))


class _Answer(NamedTuple):
    status: int
    content: bytes
    more: bool
    """Whether there are further rows."""


def _over_http(running: RunningInstance, view: str, /, **parameters: Any) -> Any:
    """Query a running process over HTTP; a limit above `PAGE` is fetched in several requests.

    It uses the standard library, because importing an HTTP client takes longer than the request.
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
    """Return None if the view found nothing (404), as a direct query does; raise for any other error.

    Raises:
        Unavailable, Misconfigured: as `ask`.
    """
    import json
    from http import HTTPStatus

    try:
        said: dict[str, Any] = dict(json.loads(answer.content))
    except (ValueError, TypeError):
        said = {}
    cause = said.get("error") or f"the request is invalid ({answer.content[:200].decode(errors='replace')})"
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(cause, said.get("cure", "see the log of the running groundswell"))
    if answer.status == HTTPStatus.NOT_FOUND and cause.startswith("there is no page"):
        raise Misconfigured(
            f"the groundswell that runs this study (pid {running.pid}) is another version "
            f"and does not have the view {view}",
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
            "read its log, or stop it (groundswell stop) and try again",
        ) from error
    finally:
        connection.close()
