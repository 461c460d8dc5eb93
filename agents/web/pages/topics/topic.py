"""/topics/{topic_id}: one topic with its words, monthly shares, neighbours, quotes and history."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import RedirectResponse

from agents.queries import intervals, registry, validation
from agents.queries.validation import ValidatedCount
from agents.web.curation.context import Present
from agents.web.dependencies import NEWEST, NewestTalks, RequestRefused, Selected
from agents.web.pages.topics.months import columns
from agents.web.pages.topics.trends import lines
from agents.web.security.access import Who
from agents.web.site import Site, query
from streams.store.codebook import concepts, decisions
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.topic_facts import facts
from streams.store.queries import genealogy, prevalence
from streams.store.queries.neighbours import neighbours
from streams.store.queries.topic_speakers import speaking
from streams.store.rows.prevalence import TopicMonthCount
from streams.store.rows.topics import KnownTopic
from streams.store.talks import talk_queries

QUOTES = 3
SPEAKING = NEIGHBOURS = 10
"""Maximum numbers of shows, of people, and of co-occurring topics."""
DRIFTS = 1000
DECISIONS = 1000
"""Number of newest decisions searched for those about the topic."""
TopicId = Annotated[int, Path(ge=1, lt=2**32)]
Merged = Annotated[int | None, Query(ge=1, lt=2**32, description="Requested topic, merged into this one.")]


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/topics/{topic_id}", "topic.html", section="/topics")
    def topic(
        topic_id: TopicId,
        selected: Selected,
        who: Present,
        talks: NewestTalks = NEWEST,
        merged: Merged = None,
    ) -> Any:
        applied = site.ask(book, selected.codebook)
        if topic_id not in applied.entries:
            raise RequestRefused(
                404, f"there is no topic {topic_id}", "choose one on the Topics page, or search for it"
            )
        target = applied.counts_as(topic_id)
        if target != topic_id:
            return RedirectResponse(f"/topics/{target}{query(selected, merged=topic_id)}", 302)
        entry = applied.entries[topic_id]
        known = site.ask(genealogy.topic, topic_id, applied)
        counted = next(
            (row for row in site.ask(registry.topics, selected, applied) if row["topic_id"] == topic_id), None
        )
        said = site.ask(talk_queries.topic_talks, topic_id, QUOTES, selected, applied)
        months = columns(said.months, site.today)
        ours = [shared(row) | {"topic_id": topic_id} for row in said.months]
        family = applied.family(topic_id)
        found = site.ask(speaking, topic_id, selected, SPEAKING, applied)
        return {
            "title": entry.name,
            "topic": (known or {"topic_id": topic_id, "words": [], "words_at_birth": [], "origin": ""})
            | {"name": entry.name, "theme": entry.theme, "retained": entry.retained, "reason": entry.reason},
            "counted": counted,
            "words": words(known) if known else {},
            "into": into(applied, merged, topic_id),
            "merged": [applied.entries[each] for each in family if each != topic_id],
            "months": months,
            "rows": {row["month"]: row for row in ours if row["videos"]},
            "lines": lines(ours, "topic_id", [topic_id], months, {topic_id: entry.name}),
            "drifts": site.ask(genealogy.drifts, topic_id, DRIFTS, applied),
            "genealogy": site.ask(genealogy.genealogy, topic_id, applied),
            "decisions": [
                row
                for row in site.ask(decisions.codebook_decisions, DECISIONS)
                if topic_id in row["topic_ids"] and row["model_version"] == applied.model_version
            ],
            "neighbours": site.ask(neighbours, topic_id, selected, NEIGHBOURS, applied),
            "shows": [row for row in found if row["what"] == "show"],
            "speakers": [row for row in found if row["what"] == "speaker"],
            "own": _judged_by(site, who, topic_id, applied.model_version) if who else None,
            "validity": _validity(site, topic_id),
            "best": said.best,
            "newest": said.newest,
            "talks": site.ask(prevalence.videos, topic_id, None, selected, talks, applied),
            "twin": "/api/topic",
            "asked": {"topic_id": topic_id, "merged": merged},
        }


def _validity(site: Site, topic_id: int) -> ValidatedCount | None:
    """Return what a coded sample says about a topic; None if none was coded, or not for this topic."""
    return next((row for row in site.ask(validation.validation) if row["topic_id"] == topic_id), None)


def _judged_by(site: Site, who: Who, topic_id: int, model: str) -> dict[str, str] | None:
    """Return what a person has said of paragraphs and a topic, by paragraph; None if it cannot be taught."""
    known = site.ask(facts, model).get(topic_id)
    if known is None or not known["key"]:
        return None
    return {
        row["paragraph_id"]: row["verdict"]
        for row in site.ask(concepts.concept_judgements)
        if (row["reviewer"], row["concept"]) == (who.name, known["key"])
    }


def shared(row: TopicMonthCount) -> dict[str, Any]:
    """Add the share and its 95 % interval to the counts of a month."""
    videos, of_videos = row["videos"], row["of_videos"]
    return {**row, "share": videos / of_videos, **intervals.interval(videos, of_videos)}


def into(applied: EffectiveCodebook, merged: int | None, topic_id: int) -> str | None:
    """Return the name of the requested topic that was merged into this one, or None."""
    if merged is None or merged not in applied.entries or applied.counts_as(merged) != topic_id:
        return None
    return applied.entries[merged].name


def words(known: KnownTopic) -> dict[str, list[str]]:
    """Return a topic's words by whether it has always had them, lost them, or gained them since its birth.

    Example:
        >>> words({"words_at_birth": ["rag", "gpt-3"], "words": ["agents", "rag"]})
        {'both': ['rag'], 'then': ['gpt-3'], 'now': ['agents']}
    """
    then, now = known["words_at_birth"], known["words"]
    return {
        "both": [word for word in now if word in then],
        "then": [word for word in then if word not in now],
        "now": [word for word in now if word not in then],
    }
