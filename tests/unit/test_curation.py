"""Decisions about topics and themes: what they change, what is refused, and how they are taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.codebook import commands
from models.codebook.commands import (
    assign,
    create_theme,
    describe_theme,
    exclude,
    include,
    merge,
    remove_theme,
    rename,
    rename_theme,
    split,
)
from models.codebook.file_format import carry_over, read, take_over, write
from models.codebook.state import CodebookChange, CodebookState, ThemeRecord, TopicEntry, TopicRecord
from models.codebook.undo import PastDecision, newest, undo, undone
from models.errors import BadInput
from models.relevance.kappa import Judgement, agreement, disagreements, pairs
from streams.store.codebook.sql_fragments import UNSORTED

RAG, AGENTS, EVALUATION, GREETINGS, STORES = 1, 2, 3, 21, 22
BUILT, CHECKED = "Architecture", "Evaluation"
HELLO = "greetings only"


def seeded(topic_id: int, name: str, theme: str) -> TopicRecord:
    return TopicRecord(TopicEntry(topic_id, theme=theme), own=name, key=name.lower().replace(" ", "-"))


STUDY = CodebookState(
    topics={
        RAG: seeded(RAG, "RAG Systems", BUILT),
        AGENTS: seeded(AGENTS, "Agents", BUILT),
        EVALUATION: seeded(EVALUATION, "Evaluation", CHECKED),
        GREETINGS: TopicRecord(TopicEntry(GREETINGS), own="hello, welcome"),
        STORES: TopicRecord(TopicEntry(STORES), own="vector stores"),
    },
    themes={BUILT: "How it is built.", CHECKED: ""},
    model_version="m1",
)


class History:
    """A codebook with every decision about it."""

    def __init__(self) -> None:
        self.standings = [STUDY]
        self.decisions: list[PastDecision] = []

    @property
    def now(self) -> CodebookState:
        return self.standings[-1]

    def decide(self, change: CodebookChange) -> CodebookState:
        self.decisions.append(
            PastDecision(
                revision=self.now.revision + 1,
                action=change.action,
                said=change.said,
                author="ann",
                topic_ids=frozenset(entry.topic_id for entry in change.entries),
                theme_names=frozenset(theme.theme for theme in change.themes),
                undoes=change.undoes,
            )
        )
        self.standings.append(self.now.after(change))
        return self.now

    def undo(self, revision: int) -> CodebookState:
        decision, later = self.decisions[revision - 1], self.decisions[revision:]
        return self.decide(undo(self.now, self.standings[revision - 1], decision, later))


@pytest.fixture
def history() -> History:
    return History()


def content(standing: CodebookState) -> object:
    """Return the codebook's topics and themes without the times of their decisions."""
    return {topic_id: topic.entry for topic_id, topic in standing.topics.items()}, dict(standing.themes)


def test_an_excluded_topic_says_why_and_is_included_again() -> None:
    out = exclude(STUDY, GREETINGS, f"  {HELLO} ")
    assert out.entries == (TopicEntry(GREETINGS, retained=False, reason=HELLO),)
    assert out.said == f"hello, welcome (21) is excluded: {HELLO}"
    back = include(STUDY.after(out), GREETINGS)
    assert content(STUDY.after(out).after(back)) == content(STUDY)


def test_excluding_a_topic_takes_those_merged_into_it_along() -> None:
    merged = STUDY.after(merge(STUDY, STORES, RAG))
    assert "and so is 1 merged into it" in exclude(merged, RAG, "off the subject").said


def test_a_merge_counts_for_the_other_and_earlier_merges_follow() -> None:
    once = STUDY.after(merge(STUDY, STORES, RAG))
    twice = once.after(merge(once, RAG, AGENTS))
    assert [twice.counts_as(topic_id) for topic_id in (STORES, RAG, AGENTS)] == [AGENTS] * 3
    apart = twice.after(split(twice, RAG))
    assert [apart.counts_as(topic_id) for topic_id in (STORES, RAG, AGENTS)] == [RAG, RAG, AGENTS]


def test_merges_of_model_and_person_both_ways_end_in_one_topic() -> None:
    merged = STUDY.after(merge(STUDY, RAG, AGENTS))
    later = replace(merged, topics={**merged.topics, AGENTS: replace(merged.topics[AGENTS], alias=RAG)})
    assert later.counts_as(RAG) == later.counts_as(AGENTS) == RAG


def test_a_name_that_a_person_gave_wins_over_the_topic_s_own() -> None:
    named = STUDY.after(rename(STUDY, STORES, "Vector \n databases"))
    assert named.topics[STORES].called == "Vector databases"
    assert STUDY.topics[STORES].called == "vector stores"


def test_a_topic_moves_from_theme_to_theme_and_out_of_it() -> None:
    moved = assign(STUDY, AGENTS, CHECKED)
    assert moved.entries == (TopicEntry(AGENTS, theme=CHECKED),)
    assert moved.said == "Agents (2) belongs to Evaluation, no longer to Architecture"
    assert assign(STUDY, AGENTS, "").entries == (TopicEntry(AGENTS),)


def test_a_renamed_theme_keeps_topics_and_description() -> None:
    change = rename_theme(STUDY, BUILT, "Design")
    assert {entry.topic_id: entry.theme for entry in change.entries} == {RAG: "Design", AGENTS: "Design"}
    after = STUDY.after(change)
    assert dict(after.themes) == {"Design": "How it is built.", CHECKED: ""}
    assert content(after.after(rename_theme(after, "Design", "DESIGN")))  # its own name in other letters


def test_a_theme_is_made_described_and_removed() -> None:
    made = STUDY.after(create_theme(STUDY, "Costs"))
    told = made.after(describe_theme(made, "Costs", "What it costs."))
    assert told.themes["Costs"] == "What it costs."
    assert content(told.after(remove_theme(told, "Costs"))) == content(STUDY)


def test_topics_merged_into_others_do_not_keep_a_theme() -> None:
    merged = STUDY.after(merge(STUDY, EVALUATION, RAG))
    change = remove_theme(merged, CHECKED)
    assert change.entries == (TopicEntry(EVALUATION, target=RAG),)
    assert CHECKED not in merged.after(change).themes


MERGED = STUDY.after(merge(STUDY, STORES, RAG))
CHAINED = MERGED.after(merge(MERGED, RAG, AGENTS))
OUT = STUDY.after(exclude(STUDY, GREETINGS, HELLO))
BY_MODEL = replace(STUDY, topics={**STUDY.topics, STORES: replace(STUDY.topics[STORES], alias=RAG)})
REFUSED: dict[str, tuple[Callable[[], CodebookChange], str, str]] = {
    "an unknown topic": (lambda: exclude(STUDY, 99, HELLO), "no topic 99", "codebook show"),
    "an unknown target": (lambda: merge(STUDY, RAG, 99), "no topic 99", "codebook show"),
    "no reason": (lambda: exclude(STUDY, RAG, "  "), "reason is empty", "write at least one word"),
    "excluded already": (lambda: exclude(OUT, GREETINGS, HELLO), "change nothing", "show"),
    "included already": (lambda: include(STUDY, RAG), "change nothing", "show"),
    "into itself": (lambda: merge(STUDY, RAG, RAG), "into itself", "two topics"),
    "in a circle": (lambda: merge(MERGED, RAG, STORES), "counts for RAG Systems (1) already", "split 22"),
    "in a longer circle": (lambda: merge(CHAINED, RAG, STORES), "RAG Systems (1) already", "split 22"),
    "into an excluded one": (lambda: merge(OUT, STORES, GREETINGS), "is excluded", "include 21"),
    "merged already": (lambda: merge(MERGED, STORES, RAG), "change nothing", "show"),
    "of a merged one": (lambda: exclude(MERGED, STORES, HELLO), "counts for RAG Systems (1)", "split 22"),
    "of one the model merged": (lambda: rename(BY_MODEL, STORES, "x"), "the model merged them", "topic 1"),
    "not merged": (lambda: split(STUDY, RAG), "is not merged", "show"),
    "an empty name": (lambda: rename(STUDY, RAG, " \n "), "is empty", "write at least one word"),
    "a long name": (lambda: rename(STUDY, RAG, "x" * 201), "201 characters", "shorter"),
    "a name that is none": (lambda: rename(STUDY, RAG, "a\x00b"), "control characters", "without them"),
    "half a character": (lambda: create_theme(STUDY, "\ud800"), "control characters", "without them"),
    "a name in use": (lambda: rename(STUDY, STORES, "agents"), "Agents (2) already has", "merge 22 into 2"),
    "a theme misspelt": (lambda: assign(STUDY, STORES, "Architcture"), "no theme", "mean 'Architecture'"),
    "a theme unlike any": (lambda: assign(STUDY, STORES, "xyz"), "no theme 'xyz'", "theme create"),
    "in the theme already": (lambda: assign(STUDY, RAG, BUILT), "change nothing", "show"),
    "a theme there is": (lambda: create_theme(STUDY, "evaluation"), "'Evaluation' already", "another name"),
    "the word for none": (lambda: create_theme(STUDY, "not yet in a theme"), "without a theme", "another"),
    "onto another theme": (lambda: rename_theme(STUDY, BUILT, CHECKED), "already", "assign the topics"),
    "a theme's own name": (lambda: rename_theme(STUDY, BUILT, BUILT), "change nothing", "show"),
    "a theme with topics": (lambda: remove_theme(STUDY, BUILT), "RAG Systems (1), Agents (2)", "assign"),
    "described so already": (lambda: describe_theme(STUDY, BUILT, "How it is built."), "nothing", "show"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_an_impossible_decision_is_refused_with_cause_and_cure(what: str) -> None:
    decision, cause, cure = REFUSED[what]
    with pytest.raises(BadInput) as refused:
        decision()
    assert cause in refused.value.cause
    assert cure in refused.value.cure


def test_the_word_for_no_theme_is_the_one_that_is_shown() -> None:
    assert commands.UNSORTED == UNSORTED


def test_undo_brings_back_what_was_there_just_before(history: History) -> None:
    history.decide(rename(history.now, STORES, "Stores"))
    history.decide(merge(history.now, STORES, RAG))
    history.undo(2)
    assert history.now.topics[STORES].entry == TopicEntry(STORES, name="Stores")
    history.undo(1)
    assert content(history.now) == content(STUDY)


def test_decisions_about_other_topics_are_not_in_the_way(history: History) -> None:
    history.decide(exclude(history.now, GREETINGS, HELLO))
    history.decide(rename(history.now, STORES, "Stores"))
    history.undo(1)
    assert history.now.topics[GREETINGS].entry.retained
    assert history.now.topics[STORES].called == "Stores"


def test_a_later_decision_on_the_topic_blocks_undo_until_undone(history: History) -> None:
    history.decide(rename(history.now, STORES, "Stores"))
    history.decide(assign(history.now, STORES, BUILT))
    with pytest.raises(
        BadInput, match=r"since revision 2 by ann depends on it: Stores \(22\) belongs.*undo 2 first"
    ):
        history.undo(1)
    history.undo(2)
    history.undo(1)
    assert content(history.now) == content(STUDY)


def test_undoing_an_undo_does_it_again(history: History) -> None:
    history.decide(rename(history.now, STORES, "Stores"))
    history.undo(1)
    history.undo(2)
    assert history.now.topics[STORES].called == "Stores"
    with pytest.raises(BadInput, match="was undone already, by revision 3: undo 3"):
        history.undo(2)
    assert undone(history.decisions) == {2: 3}
    assert newest(history.decisions) == history.decisions[0]


def test_a_theme_is_not_taken_from_under_its_topics(history: History) -> None:
    history.decide(create_theme(history.now, "Costs"))
    history.decide(assign(history.now, STORES, "Costs"))
    with pytest.raises(BadInput, match="revision 2 by ann depends on it"):
        history.undo(1)


def test_undoing_a_split_closes_no_circle(history: History) -> None:
    history.decide(merge(history.now, STORES, RAG))
    history.decide(split(history.now, STORES))
    history.decide(merge(history.now, RAG, STORES))
    with pytest.raises(BadInput, match="revision 3 by ann depends on it"):
        history.undo(2)


TOPICS = st.sampled_from([*STUDY.topics])
THEMES = st.sampled_from([BUILT, CHECKED, "Costs", "Design"])
DECISIONS: st.SearchStrategy[Callable[[CodebookState], CodebookChange]] = st.one_of(
    st.builds(lambda t: lambda s: exclude(s, t, HELLO), TOPICS),
    st.builds(lambda t: lambda s: include(s, t), TOPICS),
    st.builds(lambda t, into: lambda s: merge(s, t, into), TOPICS, TOPICS),
    st.builds(lambda t: lambda s: split(s, t), TOPICS),
    st.builds(lambda t, name: lambda s: rename(s, t, name), TOPICS, st.text(max_size=3)),
    st.builds(lambda t, theme: lambda s: assign(s, t, theme), TOPICS, THEMES),
    st.builds(lambda theme: lambda s: create_theme(s, theme), THEMES),
    st.builds(lambda theme: lambda s: describe_theme(s, theme, "d"), THEMES),
    st.builds(lambda old, new: lambda s: rename_theme(s, old, new), THEMES, THEMES),
    st.builds(lambda theme: lambda s: remove_theme(s, theme), THEMES),
)


def made(history: History, decisions: list[Callable[[CodebookState], CodebookChange]]) -> None:
    for decision in decisions:
        try:
            history.decide(decision(history.now))
        except BadInput:
            continue


def sound(standing: CodebookState) -> bool:
    """Return whether every topic's theme exists and every topic counts for one that counts for itself."""
    in_themes = {topic.entry.theme for topic in standing.topics.values()} <= {*standing.themes, ""}
    return in_themes and all(standing.merges(standing.counts_as(each)) is None for each in standing.topics)


@settings(deadline=None, max_examples=300)
@given(st.lists(DECISIONS, max_size=12))
def test_undoing_everything_newest_first_restores_the_codebook(
    decisions: list[Callable[[CodebookState], CodebookChange]],
) -> None:
    history = History()
    made(history, decisions)
    while (last := newest(history.decisions)) is not None:
        history.undo(last.revision)
        assert content(history.now) == content(history.standings[last.revision - 1])
    assert content(history.now) == content(STUDY)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(DECISIONS, st.integers(1, 12)), max_size=16))
def test_whatever_is_decided_and_undone_the_codebook_stays_sound(
    steps: list[Callable[[CodebookState], CodebookChange] | int],
) -> None:
    history = History()
    for step in steps:
        if not isinstance(step, int):
            made(history, [step])
        elif step <= len(history.decisions):
            try:
                history.undo(step)
            except BadInput:
                continue
        assert sound(history.now)


@pytest.mark.long
@settings(deadline=None, max_examples=300)
@given(st.lists(DECISIONS, max_size=10), st.lists(DECISIONS, max_size=6))
def test_a_codebook_comes_back_from_its_file(
    before: list[Callable[[CodebookState], CodebookChange]],
    after: list[Callable[[CodebookState], CodebookChange]],
) -> None:
    history = History()
    made(history, before)
    kept, text = history.now, write(history.now, "study")
    made(history, after)
    file = read(text, "study.yaml")
    if content(history.now) != content(kept):
        history.decide(take_over(history.now, file))
    called = {topic_id: topic.called for topic_id, topic in kept.topics.items()}
    assert {topic_id: topic.called for topic_id, topic in history.now.topics.items()} == called
    assert {t: replace(topic.entry, name="") for t, topic in history.now.topics.items()} == {
        t: replace(topic.entry, name="") for t, topic in kept.topics.items()
    }
    assert history.now.themes == kept.themes


def test_a_file_names_seeded_topics_by_key_and_others_by_number() -> None:
    text = write(MERGED, "study")
    assert "key: rag-systems" in text
    assert "id: 22" in text
    assert "merged_into: rag-systems" in text


FILES = {
    "topics: [": "is not YAML",
    "- 1": "wrong at the file",
    "topics: [{name: RAG}]": "a key or an id",
    "topics: [{key: agents, id: 2}]": "not both",
    "topics: [{key: agents}, {key: agents}]": "two topics are 'agents'",
    "topics: [{key: agents, retaind: false}]": "topics.0.retaind",
    "topics: [{key: memory}, {id: 99}, {key: agents, merged_into: costs}]": "99, costs, memory",
    "{model: m0, topics: [{key: agents}, {id: 22}]}": "here: 22; its ids are of another topic model, m0",
    "topics: [{key: agents, retained: false}]": "the reason of topic agents is empty",
    "{themes: [{name: Costs}], topics: [{key: agents, theme: Cost}]}": "does not list: Cost",
    "topics: [{key: agents, merged_into: rag-systems}, {key: rag-systems, merged_into: 2}]": "in a circle",
    "topics: [{key: agents, merged_into: agents}]": "in a circle",
    "topics: [{key: agents, theme: Not yet in a theme}]": "heading for topics without a theme",
    "themes: [{name: Architecture, description: How it is built.}, {name: Evaluation}]": "change nothing",
}


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_cannot_be_taken_over_says_why(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        take_over(STUDY, read(text, "own.yaml"))
    assert FILES[text] in str(refused.value)


def test_a_file_without_themes_takes_none_away() -> None:
    file = read("topics: [{key: agents, name: Agents, theme: Costs}]", "own.yaml")
    change = take_over(STUDY, file)
    assert change.entries == (TopicEntry(AGENTS, theme="Costs"),)
    assert change.themes == (ThemeRecord("Costs"),)


def test_decisions_on_seeded_topics_carry_over_to_another_model(history: History) -> None:
    history.decide(rename(history.now, AGENTS, "Agents and tools"))
    history.decide(rename_theme(history.now, CHECKED, "Quality"))
    history.decide(merge(history.now, RAG, STORES))  # born here, so the other model may not know it
    history.decide(exclude(history.now, GREETINGS, HELLO))
    other = replace(
        STUDY,
        topics={
            7: seeded(7, "Agents", BUILT),
            8: seeded(8, "Evaluation", CHECKED),
            9: seeded(9, "RAG Systems", BUILT),
            GREETINGS: TopicRecord(TopicEntry(GREETINGS), own="prices"),
        },
        revision=4,
        model_version="m2",
    )
    after = other.after(carry_over(other, history.now))
    assert after.topics[7].called == "Agents and tools"
    assert after.topics[8].entry == TopicEntry(8, theme="Quality")
    assert after.topics[9].entry == TopicEntry(9, theme=BUILT)
    assert after.topics[GREETINGS].entry == TopicEntry(GREETINGS)
    assert dict(after.themes) == {BUILT: "How it is built.", "Quality": ""}
    with pytest.raises(BadInput, match="change nothing"):
        carry_over(after, history.now)
    kept = other.after(carry_over(other, history.now, kept={7}))
    assert kept.topics[7].called == "Agents"


def judged(reviewer: str, *verdicts: str) -> list[Judgement]:
    return [Judgement(topic_id, reviewer, verdict) for topic_id, verdict in enumerate(verdicts, 1)]


def test_kappa_is_the_agreement_beyond_chance() -> None:
    """20 + 15 of 50 alike, 5 and 10 not: observed 0.7, by chance 0.5, so kappa 0.4."""
    one = ["include"] * 25 + ["exclude"] * 25
    other = ["include"] * 20 + ["exclude"] * 5 + ["include"] * 10 + ["exclude"] * 15
    found = agreement(one, other)
    assert (found.both, found.observed, found.kappa) == (50, 0.7, pytest.approx(0.4))


def test_kappa_is_not_defined_where_both_always_say_the_same() -> None:
    found = agreement(["include"] * 3, ["include"] * 3)
    assert (found.observed, found.kappa) == (1.0, None)
    assert "always say include" in found.undefined
    assert agreement([], []).kappa is None


def test_reviewers_are_compared_on_what_both_judged() -> None:
    ann = [*judged("ann", "include", "include", "exclude"), Judgement(4, "ann", "include", "Costs", "bills")]
    bob = [*judged("bob", "include", "exclude"), Judgement(4, "bob", "include", "Risks")]
    (pair,) = pairs([*ann, *bob])
    assert (pair.one, pair.other) == ("ann", "bob")
    assert (pair.verdicts.both, pair.verdicts.observed) == (3, pytest.approx(2 / 3))
    assert (pair.themes.both, pair.themes.observed) == (1, 0.0)
    found = disagreements([*bob, *ann])
    assert list(found) == [2, 4]
    assert [each.note for each in found[4]] == ["bills", ""]
