"""/login, /account: sign in with a token or as the first curator, and sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.web.curation.context import Present, as_refusal
from agents.web.dependencies import RequestRefused, code_of
from agents.web.security.access import Access, Curates, Who, login, within
from agents.web.site import Site, TemplateContext
from streams.errors import Explained


def mount(site: Site) -> None:
    """Add the pages."""
    web = site.web

    def access() -> Access:
        found: Access = web.state.access
        return found

    def asked(
        request: Request, path: str, refused: Explained | None = None, first: str = "", name: str = ""
    ) -> Response:
        page: TemplateContext = {
            "title": "Sign in",
            "refused": refused,
            "next": path,
            "first": first if access().first.accepts(first) else "",
            "name": name,
        }
        return site.render(request, "login.html", page, code_of(refused) if refused else 200)

    @web.get("/login", include_in_schema=False, response_class=HTMLResponse)
    def sign_in(request: Request, next: str = "/curation", first: str = "") -> Response:
        path = within(next)
        return RedirectResponse(path, 303) if request.state.who else asked(request, path, first=first)

    @web.post("/login/first", include_in_schema=False, response_class=HTMLResponse)
    def first_signed_in(
        request: Request,
        first: Annotated[str, Form(max_length=100)] = "",
        name: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        try:
            with as_refusal():
                token = access().sign_in_first(request, first, name)
        except Explained as error:
            return asked(request, "/", error, first, name)
        curator = access().curators.by_token(token)
        request.state.who = curator and Who(curator.name, curator.added_at)
        answer = site.render(request, "first_curator.html", {"title": "Your token", "token": token})
        answer.headers["Cache-Control"] = "no-store"
        access().sign_in(request, token, answer)
        return answer

    @web.get("/login/first", include_in_schema=False)
    def nothing_to_see() -> RedirectResponse:
        # The address in the browser after the form, requested when somebody comes back to it.
        return RedirectResponse("/login", 303)

    @web.post("/login", include_in_schema=False, response_class=HTMLResponse)
    def signed_in(
        request: Request,
        token: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/curation",
    ) -> Response:
        path = within(next)
        answer = RedirectResponse(path, 303)
        try:
            access().sign_in(request, token, answer)
        except RequestRefused as error:
            return asked(request, path, error)
        return answer

    @web.post("/logout", include_in_schema=False)
    def signed_out(request: Request, who: Curates) -> Response:
        answer = RedirectResponse("/login?next=/", 303)
        access().sign_out(request, answer)
        return answer

    @site.page("/account", "account.html")
    def account(who: Present) -> TemplateContext | Response:
        return {"title": "Account"} if who else RedirectResponse(login("/account"), 303)
