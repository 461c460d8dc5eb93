"""Asking the study from a command: the groundswell that holds its database, or the database itself."""

from __future__ import annotations

from typing import Any

from agents.running import Running, find, opened
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings


def ask(settings: Settings, view: str, **parameters: Any) -> Any:
    """Return a view's rows: from the database, or from the process that holds the embedded one.

    Raises:
        Unavailable: nobody answers.
        Misconfigured: the question is wrong (a month that is none, …).
    """
    if settings.embedded_clickhouse and (running := find(settings)) is not None:
        return _over_http(running, view, parameters)
    from agents.views import VIEWS

    with opened(settings) as warehouse:
        return VIEWS[view](warehouse, **parameters)


def _over_http(running: Running, view: str, parameters: dict[str, Any]) -> Any:
    import httpx

    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        answer = httpx.get(f"{running.url}/api/{view}", params=given, timeout=60, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(
            f"the groundswell of this study (pid {running.pid}) does not answer at {running.url} ({error})",
            "look at its log, or stop it and try again",
        ) from error
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise Unavailable(answer.json().get("error", "unavailable"), answer.json().get("cure", "try again"))
    if answer.is_client_error:
        said = answer.json()
        if answer.status_code == httpx.codes.NOT_FOUND and "error" in said:
            return None  # as the view says it when it is asked directly
        raise Misconfigured(
            said.get("error") or f"the question is wrong ({answer.text[:200]})",
            said.get("cure") or "see --help of this command",
        )
    answer.raise_for_status()
    return answer.json()
