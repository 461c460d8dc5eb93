"""Tests of the pages of shows and speakers: their numbers are those of the selection that the page names."""

import re
from html import escape, unescape
from urllib.parse import quote_plus

import studies
from page_process import client_of

from agents.queries import registry
from streams.store.queries.corpus import corpus
from streams.store.queries.facets import choices
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.talks.listing import listing
from streams.store.warehouse import Warehouse

SHOW, SPEAKER = "Night Deploys", "Joel Hartwell"


async def get(warehouse: Warehouse, path: str) -> str:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def table(html: str, label: str) -> list[list[str]]:
    """Return the rows of the table with this label, without its head, as text."""
    body = html[html.index(f'aria-label="{label}, as table"') :]
    body = body[body.index("<tbody>") : body.index("</tbody>")]
    return [
        [
            unescape(re.sub(r"<span class=\"unseen\">.*?</span>|<[^>]*>", "", cell)).strip()
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in body.split("<tr>")[1:]
    ]


async def test_the_lists_name_who_is_in_the_selection_and_lead_to_each(lively: Warehouse) -> None:
    for path, kind, label in (("/shows", "show", "Shows"), ("/speakers", "speaker", "Speakers")):
        for query, selection in (
            ("", EVERYTHING),
            ("?first=2025-01&last=2025-02", Selection("2025-01", "2025-02")),
        ):
            html = await get(lively, path + query)
            known = [row for row in choices(lively, selection) if row["filter"] == kind]
            assert table(html, label) == [[row["value"], str(row["videos"])] for row in known]
            for row in known:
                address = f"{path}{query}{'&' if query else '?'}{kind}={quote_plus(row['value'])}"
                assert f'href="{escape(address)}"' in html


async def test_a_profile_compares_its_shares_with_those_of_all_talks(lively: Warehouse) -> None:
    for path, selection in (
        (f"/shows?show={quote_plus(SHOW)}", Selection(show=SHOW)),
        (f"/speakers?speaker={quote_plus(SPEAKER)}&first=2025-01", Selection("2025-01", speaker=SPEAKER)),
    ):
        html = await get(lively, path)
        of_all = {row["theme"]: row for row in registry.themes(lively, Selection(selection.first))}
        rows = [row for row in registry.themes(lively, selection) if row["videos"]]
        assert len(rows) > 3
        assert table(html, "Themes") == [
            [
                row["theme"],
                str(row["videos"]),
                f"{row['share']:.1%}".replace("%", " %"),
                f"{100 * row['low']:.1f} to {100 * row['high']:.1f}",
                f"{of_all[row['theme']]['share']:.1%}".replace("%", " %"),
                f"{row['share'] / of_all[row['theme']]['share']:.1f} ×",
            ]
            for row in rows
        ]
        counted = corpus(lively, selection)
        assert f">{counted['kept']}</dd>" in html and f">{counted['hours']:.1f}</dd>" in html
        newest = listing(lively, selection, state="kept", limit=20)["rows"]
        listed = html[html.index('id="newest"') :]
        assert re.findall(r'href="/talks/([^"?]+)"', listed) == [row["video_id"] for row in newest]


async def test_a_profile_keeps_its_period_where_it_leads_on(lively: Warehouse) -> None:
    html = await get(lively, f"/shows?first=2025-01&show={quote_plus(SHOW)}")
    assert f'href="/speakers?first=2025-01&amp;speaker={quote_plus(SPEAKER)}"' in html
    assert f'href="/themes?first=2025-01&amp;show={quote_plus(SHOW)}&amp;theme=Costs#talks"' in html
    assert '<a href="/shows?first=2025-01" aria-current="page">' in html, "back to every show"
    assert f'href="/api/themes?first=2025-01&amp;show={quote_plus(SHOW)}">This page as JSON' in html


async def test_talks_lead_to_their_show_and_their_speakers(lively: Warehouse) -> None:
    html = await get(lively, "/talks/talk0000001")
    assert re.search(r'href="/shows\?show=[^"]+"', html)
    assert re.search(r'href="/speakers\?speaker=[^"]+"', html)
    assert re.search(r'href="/shows\?show=[^"]+"', await get(lively, "/talks"))


async def test_a_profile_without_talks_says_so(lively: Warehouse) -> None:
    nobody = await get(lively, "/speakers?speaker=" + quote_plus(studies.SCRIPT))
    assert "No counted talk of this speaker" in nobody and studies.SCRIPT not in nobody
    silent = await get(lively, f"/shows?show={quote_plus(SHOW)}&first=2024-08&last=2024-08")
    assert "No counted talk of this show in this selection" in silent
