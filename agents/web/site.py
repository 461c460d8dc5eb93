"""Shared parts of all pages: layout, views, error pages and security headers.

A page is a function from its query to the variables of its template. Text from talks is untrusted and escaped
by the template; as a second defence the Content-Security-Policy allows only scripts from /static.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.queries import wording
from agents.queries.media_links import at_second, clock
from agents.web.dependencies import code_of
from agents.web.period_presets import presets
from agents.web.player import player
from agents.web.static_files import Static
from agents.web.view_cache import ViewCache
from streams.errors import Explained
from streams.store.queries.selection import NAMES, Selection

if TYPE_CHECKING:
    from agents.web.context import WebContext

P = ParamSpec("P")
T = TypeVar("T")
TemplateContext = dict[str, Any]
"""The variables that a template is rendered with."""
PageView = Callable[P, TemplateContext | Response]

HERE = Path(__file__).parent
VENDOR = HERE / "static" / "vendor"
FONTS: list[str] = json.loads((VENDOR / "vendor.json").read_text("utf-8"))["preload"]
"""Files in `VENDOR` with the fonts that every page needs."""
REFRESH_S = 5
"""Interval in seconds at which an error page reloads itself and, without scripts, a changing page does."""
SECTIONS = (
    ("/", "Overview"),
    ("/trends", "Trends"),
    ("/cooccurrence", "Co-occurrence"),
    ("/emerging", "Emerging"),
    ("/topics", "Topics"),
    ("/talks", "Talks"),
    ("/sources", "Sources"),
    ("/review", "Review"),
    ("/curation", "Curation"),
    ("/system", "System"),
)
NO_NAMES = frozenset({"first", "last", "codebook"})
"""Fields of a selection that are no names of anything that talks have."""
PLAYERS = "https://www.youtube-nocookie.com"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; "
    f"img-src 'self' data:; frame-src {PLAYERS}; media-src 'self' https:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    # YouTube's player requires the embedding origin; paths are not sent.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
    "Vary": "HX-Boosted",
}


class Site:
    """The pages of one process.

    Attributes:
        web: the application that the pages are added to.
        runtime: the serving process.
        warehouse: the study's database, for reading.
    """

    def __init__(self, web: FastAPI, runtime: WebContext, kept: ViewCache) -> None:
        self.web = web
        self.runtime = runtime
        self.warehouse = kept.warehouse
        self._kept = kept
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.do"],
        )
        environment.filters |= {
            "at_second": at_second,
            "clock": clock,
            "compared": wording.compared,
            "described": described,
            "drifted": wording.drifted,
            "figures": wording.figures,
            "happened": wording.happened,
            "health": wording.health,
            "percent": percent,
            "player": player,
            "query": query,
            "thousands": "{:,}".format,
        }
        self._templates = Jinja2Templates(env=environment)
        environment.globals |= {"fonts": FONTS, "licence": runtime.settings.web_licence}
        frames = " ".join(runtime.settings.web_frames) or "'none'"
        self._headers = HEADERS | {"Content-Security-Policy": f"{POLICY}; frame-ancestors {frames}"}
        web.mount("/static", Static(directory=HERE / "static"), name="static")

    def ask(self, view: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Return the result of a view, cached within a request.

        Raises:
            Unavailable: the database does not answer, cannot be opened here, or has no tables yet.
        """
        return self._kept.ask(view, *args, **kwargs)

    @property
    def today(self) -> str:
        """The current month, 'YYYY-MM'."""
        return self.runtime.parts.now().strftime("%Y-%m")

    def page(
        self, path: str, template: str, *, section: str = "", twin: str = ""
    ) -> Callable[[PageView[P]], PageView[P]]:
        """Register a function as a page; it returns the variables of the page's template.

        They include `title`. A parameter `selected` (`dependencies.Selected`) gives the page the filters. An
        `Explained` that the function raises becomes a page with cause and cure. A response that it returns
        (a redirect) is sent unchanged.

        Args:
            path: the page's path, in FastAPI's syntax.
            template: file name of the template.
            section: the path in `SECTIONS` that the page belongs to; empty: its own.
            twin: address of the same data as JSON, with {names} of path parameters; the query is appended.
        """

        def register(view: PageView[P]) -> PageView[P]:
            @wraps(view)
            def shown(request: Request, **given: Any) -> Response:
                with self._kept.reading():
                    found: Any = view(**given)  # type: ignore[call-arg]
                if isinstance(found, Response):
                    return found
                selected = given.get("selected")
                about = {
                    "section": section or path,
                    "selected": selected,
                    "twin": twin.format(**given) if twin else "",
                }
                return self.render(request, template, about | found)

            asked = inspect.signature(view, eval_str=True)
            itself = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
            rest = [each for each in asked.parameters.values() if each.name != "request"]
            shown.__signature__ = inspect.Signature([itself, *rest])  # type: ignore[attr-defined]
            self.web.get(path, include_in_schema=False, response_class=HTMLResponse)(shown)
            return view

        return register

    def render(self, request: Request, template: str, page: Mapping[str, Any], code: int = 200) -> Response:
        """Return a rendered page, or 304 if the browser has the current version."""
        kept = {name: value for name, value in request.query_params.items() if name in NAMES and value}
        shared = {
            "study": self.runtime.settings.study,
            "sections": SECTIONS,
            "kept": kept,
            "presets": presets(kept, self.runtime.parts.now().date()),
            "here": request.url.path,
            "home": (self.runtime.settings.web_url or str(request.base_url)).rstrip("/"),
            "asked": dict(request.query_params),
            "boosted": "hx-boosted" in request.headers,
            "why_not_ready": "" if self.runtime.health.ready else self.runtime.health.why_not,
            "today": self.today,
            "who": getattr(request.state, "who", None),
            "has_curators": lambda: bool(self.web.state.access.curators.all()),
            "refresh_s": None,
            "section": "",
            "selected": None,
            "twin": "",
            "error": None,
        }
        answer = self._templates.TemplateResponse(request, template, shared | dict(page), code, self._headers)
        if code != 200:
            return answer
        tag = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
        answer.headers["ETag"] = tag
        if tag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=self._headers | {"ETag": tag})
        return answer

    def say(self, request: Request, error: Explained) -> Response:
        """Return the error page with cause and cure."""
        code = code_of(error)
        page = {
            "title": "Not available" if code == 503 else "Cannot be shown",
            "error": error,
            "changing": code == 503,
            "refresh_s": REFRESH_S if code == 503 and request.query_params.get("refresh") != "off" else None,
        }
        return self.render(request, "error.html", page, code)


def query(parameters: Mapping[str, Any] | Selection, **more: Any) -> str:
    """Return a query string that begins with '?', without empty parameters; '' if none is left.

    Example:
        >>> query({"first": "2025-01", "show": ""}, topic_id=3), query({})
        ('?first=2025-01&topic_id=3', '')
    """
    given = {**_by_name(parameters), **more}
    pairs = [
        _pair(name, each)
        for name, value in given.items()
        if value not in (None, "")
        for each in (value if isinstance(value, list | tuple) else (value,))
    ]
    return f"?{'&'.join(pairs)}" if pairs else ""


@lru_cache(maxsize=1000, typed=True)
def _pair(name: str, value: object) -> str:
    """Return a name and its value, encoded; a table of links encodes the same ones in each of its cells."""
    return urlencode({name: value})


def percent(share: float, digits: int = 1) -> str:
    """Return a share in [0, 1] in per cent, without the % sign.

    Example:
        >>> percent(93 / 178), percent(93 / 178, 0)
        ('52.2', '52')
    """
    return f"{100 * share:.{digits}f}"


def described(parameters: Mapping[str, Any] | Selection) -> str:
    """Return a selection in words.

    Example:
        >>> described(Selection("2025-01", "2025-06", show="Night Deploys"))
        'Night Deploys, 2025-01 to 2025-06'
        >>> described({"last": "2025-06"}), described({})
        ('until 2025-06', 'All talks')
    """
    given = _by_name(parameters)
    first, last = given.get("first"), given.get("last")
    names = [str(given[name]) for name in NAMES if name not in NO_NAMES and given.get(name)]
    if first and last:
        names.append(first if first == last else f"{first} to {last}")
    elif first or last:
        names.append(f"from {first}" if first else f"until {last}")
    return ", ".join(names) or "All talks"


def _by_name(parameters: Mapping[str, Any] | Selection) -> Mapping[str, Any]:
    if isinstance(parameters, Selection):
        return {name: getattr(parameters, name) for name in NAMES}
    return parameters
