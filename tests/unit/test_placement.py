"""Placing several topics is one decision: what it changes, what it says, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_curation import AGENTS, BUILT, CHECKED, EVALUATION, GREETINGS, RAG, STORES, STUDY, History, content

from agents.curation.offers import OfferedPlace, OfferedTopic, accepted
from models.codebook.commands import exclude, merge
from models.codebook.placement import Placement, place
from models.codebook.state import TopicEntry, TopicRecord
from models.errors import BadInput

SORTED = [Placement(GREETINGS, CHECKED), Placement(STORES, into=RAG)]


def test_topics_are_placed_by_one_decision_and_one_undo() -> None:
    history = History()
    history.decide(place(history.now, SORTED))
    assert history.now.topics[GREETINGS].entry.theme == CHECKED
    assert history.now.counts_as(STORES) == RAG
    assert [each.action for each in history.decisions] == ["place"]
    history.undo(1)
    assert content(history.now) == content(STUDY)


def test_a_later_decision_about_a_placed_topic_blocks_the_undo() -> None:
    history = History()
    history.decide(place(history.now, SORTED))
    history.decide(exclude(history.now, GREETINGS, "greetings only"))
    with pytest.raises(BadInput, match="revision 2 by ann depends on it"):
        history.undo(1)


def test_the_decision_says_where_topics_go() -> None:
    assert place(STUDY, SORTED).said == (
        "2 topics are placed: hello, welcome (21) belongs to Evaluation; "
        "vector stores (22) counts for RAG Systems (1)"
    )
    assert place(STUDY, SORTED[:1]).said == "hello, welcome (21) belongs to Evaluation"


def test_many_topics_of_one_theme_are_summed_up() -> None:
    many = {each: TopicRecord(TopicEntry(each), own=f"born {each}") for each in range(30, 36)}
    study = STUDY.after(place(STUDY, SORTED))
    study = type(STUDY)({**study.topics, **many}, study.themes)
    said = place(study, [Placement(each, BUILT) for each in many]).said
    assert said == (
        "6 topics are placed: born 30 (30), born 31 (31), born 32 (32) and 3 more belong to Architecture"
    )


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no topic": (lambda: place(STUDY, []), "no topic is chosen"),
    "a topic twice": (lambda: place(STUDY, [*SORTED, SORTED[0]]), "is placed twice"),
    "no place": (lambda: place(STUDY, [Placement(STORES)]), "is given no place"),
    "two places": (lambda: place(STUDY, [Placement(STORES, BUILT, RAG)]), "is given two places"),
    "an unknown theme": (
        lambda: place(STUDY, [*SORTED, Placement(RAG, "Costs")]),
        "there is no theme 'Costs'",
    ),
    "an unknown topic": (lambda: place(STUDY, [*SORTED, Placement(99, BUILT)]), "there is no topic 99"),
    "a circle": (
        lambda: place(STUDY, [Placement(STORES, into=RAG), Placement(RAG, into=STORES)]),
        "counts for RAG Systems (1) already",
    ),
    "where it is": (lambda: place(STUDY, [*SORTED, Placement(EVALUATION, CHECKED)]), "would change nothing"),
    "of a merged one": (
        lambda: place(STUDY.after(merge(STUDY, STORES, RAG)), [Placement(STORES, BUILT)]),
        "counts for RAG Systems (1)",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_impossible_placement_refuses_all(what: str) -> None:
    decision, cause = REFUSED[what]
    with pytest.raises(BadInput) as refused:
        decision()
    assert cause in refused.value.cause and refused.value.cure


def offer(confidence: float, theme: str = "", into: int | None = None) -> OfferedPlace:
    return {"theme": theme, "into": into, "into_name": "", "confidence": confidence, "reason": ""}


OFFERED: list[OfferedTopic] = [
    {
        "topic_id": STORES,
        "name": "",
        "theme": "",
        "offers": [offer(0.4, into=RAG), offer(0.7, BUILT), offer(0.3, CHECKED)],
    },
    {"topic_id": GREETINGS, "name": "", "theme": "", "offers": [offer(0.6, CHECKED), offer(0.4, BUILT)]},
]


def test_the_first_offer_of_each_topic_is_accepted() -> None:
    assert accepted(OFFERED) == [Placement(STORES, into=RAG), Placement(GREETINGS, CHECKED)]
    assert accepted(OFFERED, [GREETINGS]) == [Placement(GREETINGS, CHECKED)]


def test_offers_below_a_confidence_are_left_out() -> None:
    assert accepted(OFFERED, least=0.5) == [Placement(GREETINGS, CHECKED)]
    with pytest.raises(BadInput, match=r"no offer is as certain as 90.0 %; the most certain is 60.0 %"):
        accepted(OFFERED, least=0.9)


def test_a_topic_gets_a_theme_where_merges_are_not_wanted() -> None:
    assert accepted(OFFERED, parts=False) == [Placement(STORES, BUILT), Placement(GREETINGS, CHECKED)]
    assert accepted(OFFERED, parts=False, least=0.65) == [Placement(STORES, BUILT)]


def test_a_topic_without_an_offer_is_refused() -> None:
    with pytest.raises(BadInput, match=f"nothing is offered to topic {AGENTS}"):
        accepted(OFFERED, [STORES, AGENTS])
    with pytest.raises(BadInput, match="every topic that counts has a theme"):
        accepted([])
