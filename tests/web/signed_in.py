"""A curator of a study, and a client of its page with the curator's session."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import studies
from page_process import client_of

from streams.state.curators import Curators
from streams.store.warehouse import Warehouse

OURS = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}


def token_of(warehouse: Warehouse, name: str = "Ottilie") -> str:
    """Add a curator to the study; return the curator's new token."""
    curators = Curators(warehouse.settings.curators_file)
    if any(each.name == name for each in curators.all()):
        curators.remove(name)
    return curators.add(name, studies.TODAY)


def csrf_in(page: str) -> str:
    """Return the CSRF token in the page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page[:2000]
    return found[1]


def fields(page: str) -> dict[str, list[str]]:
    """Return the fields that a preview's form sends, each with all its values."""
    form = re.search(r'<form class="decide confirm".*?</form>', page, re.DOTALL)
    assert form, page
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form[0]):
        found.setdefault(name, []).append(html.unescape(value))
    return found


@asynccontextmanager
async def signed_in(warehouse: Warehouse, name: str = "Ottilie") -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client that signed in through the form, as a browser does."""
    async with client_of(warehouse) as client:
        answer = await client.post("/login", data={"token": token_of(warehouse, name)}, headers=OURS)
        assert answer.status_code == 303, answer.text
        client.headers.update(OURS)
        yield client
