"""/curation, /curation/topics/{id}, /curation/theme: the codebook and the forms for decisions about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import RedirectResponse

from agents.curation.codebook_service import standing_of
from agents.curation.decision_preview import book_of
from agents.web.curation.context import CurationContext, Present
from agents.web.dependencies import RequestRefused, Selected
from agents.web.security.access import login
from agents.web.site import TemplateContext, query
from models.codebook.commands import UNSORTED
from models.codebook.file_format import write
from models.codebook.state import CodebookState
from streams.store.codebook.effective import EffectiveCodebook, EffectiveEntry
from streams.store.queries import prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.codebook import Codebook
from streams.store.rows.prevalence import CountedTheme
from streams.store.talks import talk_queries

QUOTES = 3
WORDS = 10
RECENT = 5
"""Number of decisions shown below the codebook; its history has all of them."""


def mount(desk: CurationContext) -> None:
    """Add the pages."""
    site = desk.site

    @site.page("/curation", "curation.html", twin="/api/codebook_standing")
    def curation(  # noqa: PLR0917 - the parameters of a page
        selected: Selected,
        who: Present,
        decided: Annotated[int | None, Query(ge=1, lt=2**32)] = None,
        judged: str = "",
        find: Annotated[str, Query(max_length=200)] = "",
        tick: Literal["", "all"] = "",
    ) -> TemplateContext:
        return book_page(desk, selected, find, ticked="all" if tick else ()) | {
            "decided": decided_as(desk, decided)
        }

    @site.page("/curation/topics/{topic_id}", "curation_topic.html", section="/curation")
    def topic(topic_id: int, who: Present) -> TemplateContext | Response:
        return topic_page(desk, topic_id)

    @site.page("/curation/topics/{topic_id}/evidence", "curation_evidence.html", section="/curation")
    def evidence(topic_id: int) -> TemplateContext:
        return {"title": "Evidence"} | evidence_of(desk, desk.row(), topic_id)

    @site.page("/curation/theme", "curation_theme.html", section="/curation")
    def theme(who: Present, name: str = "") -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login("/curation/theme" + query({"name": name})), 303)
        return theme_page(desk, name)

    @site.web.get("/curation/codebook.yaml", include_in_schema=False)
    def exported() -> Response:
        study = site.runtime.settings.study
        return Response(
            write(desk.standing(), study),
            media_type="application/yaml",
            headers={"Content-Disposition": f'attachment; filename="{study}-codebook.yaml"'},
        )


def book_page(
    desk: CurationContext,
    selected: Selection,
    find: str = "",
    *,
    ticked: Sequence[int] | Literal["all"] = (),
    given: Mapping[str, str] | None = None,
    problem: RequestRefused | None = None,
) -> TemplateContext:
    """Return the variables of the page with the codebook.

    Args:
        desk: of this process.
        selected: the talks whose numbers are shown, and the revision.
        find: only topics with this text in their name or words are shown, or the one of this number.
        ticked: the topics that are ticked for a decision about several.
        given: what was filled in for such a decision, {theme, into, reason}.
        problem: why it is not possible.
    """
    row = desk.row(selected.codebook)
    standing = standing_of(row)
    shown = groups(desk, row, standing, selected)
    if find := find.strip():
        shown = [
            group | {"topics": kept}
            for group in shown
            if (kept := [t for t in group["topics"] if _has(t, find)])
        ]
    every = [topic["id"] for group in shown for topic in group["topics"]]
    standing_alone = [
        (topic_id, topic) for topic_id, topic in standing.topics.items() if standing.merges(topic_id) is None
    ]
    return {
        "title": "Curation",
        "revision": standing.revision,
        "newest": desk.row()["revision"] if selected.codebook is not None else standing.revision,
        "groups": shown,
        "of_topics": len(standing.topics),
        "small_talk": desk.ask("small_talk") if selected.codebook is None and not find else [],
        "decided": None,
        "recent": desk.ask("codebook_decisions", limit=RECENT),
        "unsorted": sum(not topic.entry.theme and topic.entry.retained for _, topic in standing_alone),
        "find": find,
        "ticked": set(every if ticked == "all" else ticked),
        "themes": sorted(standing.themes, key=str.casefold),
        "targets": sorted(
            (
                f"{topic.called or 'topic'} ({topic_id})"
                for topic_id, topic in standing_alone
                if topic.entry.retained
            ),
            key=str.casefold,
        ),
        "given": {"theme": "", "into": "", "reason": ""} | dict(given or {}),
        "problem": problem,
    }


def _has(topic: Mapping[str, Any], text: str) -> bool:
    said = " ".join((topic["name"], *topic["words"])).casefold()
    return text.casefold() in said or text == str(topic["id"])


def groups(
    desk: CurationContext, row: Codebook, standing: CodebookState, selected: Selection
) -> list[dict[str, Any]]:
    """Return themes with their topics, then topics without a theme, then excluded ones; most prevalent first.

    Each group: {name, theme, description, videos, share, of_videos, topics}, each topic: {id, name, words,
    videos, share, status, reason, merged: [{id, name, by_model}]}.
    """
    applied = book_of(standing)
    counted = {each["topic_id"]: each for each in desk.site.ask(prevalence.topics, selected, applied)}
    themes = {each["theme"]: each for each in desk.site.ask(prevalence.themes, selected, applied)}
    excluded = any(not about.entry.retained for about in standing.topics.values())
    alone = _alone(desk, standing, selected) if excluded else {}
    words = {each["topic_id"]: each["words"][:WORDS] for each in row["topics"]}
    merged: dict[int, list[dict[str, Any]]] = {}
    for topic_id, about in standing.topics.items():
        if standing.merges(topic_id) is not None:
            branch = merged.setdefault(standing.counts_as(topic_id), [])
            branch.append({"id": topic_id, "name": about.called, "by_model": about.alias is not None})
    topics: list[dict[str, Any]] = [
        {
            "id": topic_id,
            "name": about.called or f"topic {topic_id}",
            "words": words[topic_id],
            "status": "included" if about.entry.retained else "excluded",
            "reason": about.entry.reason,
            "theme": about.entry.theme,
            "videos": counted[topic_id]["videos"] if topic_id in counted else alone.get(topic_id, 0),
            "share": counted[topic_id]["share"] if topic_id in counted else None,
            "merged": merged.get(topic_id, []),
        }
        for topic_id, about in standing.topics.items()
        if standing.merges(topic_id) is None
    ]
    topics.sort(key=lambda each: (-each["videos"], each["id"]))
    made = [
        _group(name, name, about, themes.get(name), [each for each in topics if _in(each, name)])
        for name, about in standing.themes.items()
    ]
    made.sort(key=lambda each: -each["videos"])
    rest = [each for each in topics if _in(each, "")]
    if rest:
        made.append(_group(UNSORTED, "", "", themes.get(UNSORTED), rest))
    if out := [each for each in topics if each["status"] == "excluded"]:
        made.append(_group("Excluded", None, "Excluded topics are not counted.", None, out))
    return made


def topic_page(
    desk: CurationContext,
    topic_id: int,
    problem: RequestRefused | None = None,
    given: dict[str, Any] | None = None,
) -> TemplateContext:
    """Return the variables of the page for decisions about a topic.

    Raises:
        RequestRefused: 404, there is none.
    """
    row = desk.row()
    standing = standing_of(row)
    found = evidence_of(desk, row, topic_id)
    about = standing.topics[topic_id]
    ends = standing.counts_as(topic_id)
    applied = book_of(standing)
    counted = {each["topic_id"]: each for each in desk.site.ask(prevalence.topics, EVERYTHING, applied)}
    return found | {
        "title": about.called or f"topic {topic_id}",
        "topic": about,
        "revision": standing.revision,
        "ends": {"id": ends, "name": standing.topics[ends].called} if ends != topic_id else None,
        "numbers": counted.get(topic_id),
        "alone": 0 if about.entry.retained else _alone(desk, standing, EVERYTHING).get(topic_id, 0),
        "themes": sorted(standing.themes, key=str.casefold),
        "targets": sorted(
            (
                {"id": each, "name": standing.topics[each].called or f"topic {each}"}
                for each, other in standing.topics.items()
                if each != topic_id and standing.merges(each) is None and other.entry.retained
            ),
            key=lambda each: str(each["name"]).casefold(),
        ),
        "problem": problem,
        "given": given or {"action": ""},
    }


def theme_page(
    desk: CurationContext,
    name: str,
    problem: RequestRefused | None = None,
    given: dict[str, Any] | None = None,
) -> TemplateContext:
    """Return the variables of the page for decisions about a theme; without a name, for creating one.

    Raises:
        RequestRefused: 404, there is no such theme.
    """
    standing = desk.standing()
    if name and name not in standing.themes:
        raise RequestRefused(404, f"there is no theme {name[:80]!r}", "see /curation for the existing themes")
    return {
        "title": name or "New theme",
        "theme": name,
        "description": standing.themes.get(name, ""),
        "inside": [
            {"id": topic.entry.topic_id, "name": topic.called, "retained": topic.entry.retained}
            for topic in (standing.within(name) if name else ())
            if standing.merges(topic.entry.topic_id) is None
        ],
        "problem": problem,
        "given": given or {"action": ""},
    }


def evidence_of(desk: CurationContext, row: Codebook, topic_id: int) -> TemplateContext:
    """Return a topic's evidence, {topic_id, words, quotes}.

    Raises:
        RequestRefused: 404, there is no such topic.
    """
    words = next((each["words"] for each in row["topics"] if each["topic_id"] == topic_id), None)
    if words is None:
        raise RequestRefused(
            404, f"there is no topic {str(topic_id)[:20]}", "see /curation for the existing topics"
        )
    return {
        "topic_id": topic_id,
        "words": words[:WORDS],
        "quotes": desk.site.ask(talk_queries.quotes, topic_id, QUOTES),
    }


def decided_as(desk: CurationContext, revision: int | None) -> dict[str, Any] | None:
    """Return a revision for the confirmation message; from the log, which has it before the store does."""
    if revision is None or revision > desk.log.latest():
        return None
    event = desk.log.read(revision)
    stored = desk.ask("codebook_revision")["revision"] >= revision
    return {"revision": revision, "said": event.said, "undo": event.action == "undo", "stored": stored}


def _alone(desk: CurationContext, standing: CodebookState, selected: Selection) -> dict[int, int]:
    """Return the number of videos of each topic on its own, without merges, excluded topics too."""
    themes = {topic_id: topic.entry.theme for topic_id, topic in standing.topics.items()}
    itself = EffectiveCodebook(
        standing.model_version,
        {each: EffectiveEntry(each, "", theme, True, each, "", 0) for each, theme in themes.items()},
    )
    return {each["topic_id"]: each["videos"] for each in desk.site.ask(prevalence.topics, selected, itself)}


def _group(
    name: str, theme: str | None, about: str, counted: CountedTheme | None, topics: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "theme": theme,
        "description": about,
        "topics": topics,
        "videos": counted["videos"] if counted else 0,
        "share": counted["share"] if counted else 0,
        "of_videos": counted["of_videos"] if counted else 0,
    }


def _in(topic: Mapping[str, Any], theme: str) -> bool:
    return bool(topic["theme"] == theme and topic["status"] == "included")
