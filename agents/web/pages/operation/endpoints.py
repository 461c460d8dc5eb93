"""/api: the read endpoints of the API, each with an example."""

from __future__ import annotations

import inspect
import json

from agents.queries.registry import VIEWS
from agents.web.api.read import EXAMPLES, columns
from agents.web.site import Site, TemplateContext, query


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/api", "endpoints.html", section="/system", twin="/openapi.json")
    def endpoints() -> TemplateContext:
        return {
            "title": "The API",
            "endpoints": [
                {
                    "name": name,
                    "says": (inspect.getdoc(view) or "").partition("\n\n")[0],
                    "path": f"/api/{name}{query(EXAMPLES.get(name, {}).get('query', {}))}",
                    "answer": json.dumps(EXAMPLES.get(name, {}).get("answer"), indent=2, ensure_ascii=False),
                    "columns": columns(name),
                }
                for name, view in sorted(VIEWS.items())
            ],
        }
