"""/login, /account: sign in with a token, and sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.web.curation.context import Present
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Access, Curates, login, within
from agents.web.site import Site, TemplateContext


def mount(site: Site) -> None:
    """Add the pages."""
    web = site.web

    def asked(request: Request, path: str, refused: RequestRefused | None = None) -> Response:
        access: Access = web.state.access
        page: TemplateContext = {
            "title": "Sign in",
            "refused": refused,
            "next": path,
            "curators": bool(access.curators.all()),
        }
        return site.render(request, "login.html", page, refused.status if refused else 200)

    @web.get("/login", include_in_schema=False, response_class=HTMLResponse)
    def sign_in(request: Request, next: str = "/curation") -> Response:
        path = within(next)
        return RedirectResponse(path, 303) if request.state.who else asked(request, path)

    @web.post("/login", include_in_schema=False, response_class=HTMLResponse)
    def signed_in(
        request: Request,
        token: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/curation",
    ) -> Response:
        path = within(next)
        answer = RedirectResponse(path, 303)
        access: Access = web.state.access
        try:
            access.sign_in(request, token, answer)
        except RequestRefused as error:
            return asked(request, path, error)
        return answer

    @web.post("/logout", include_in_schema=False)
    def signed_out(request: Request, who: Curates) -> Response:
        answer = RedirectResponse("/login?next=/", 303)
        access: Access = web.state.access
        access.sign_out(request, answer)
        return answer

    @site.page("/account", "account.html")
    def account(who: Present) -> TemplateContext | Response:
        return {"title": "Account"} if who else RedirectResponse(login("/account"), 303)
