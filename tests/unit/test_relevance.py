"""A ranking that is useful without labels, gets better with them, and never pretends to know more."""

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformdirs import user_cache_path
from sklearn.metrics import roc_auc_score

from models.bundled_models import prepare
from models.embedding.embedder import Embedder
from models.errors import BadInput
from models.relevance.prompts import KINDS, PROMPTS
from models.relevance.ranking import Classes, LabelledVideo, RelevanceModel, TalkMetadata, fit
from models.relevance.threshold import choose
from streams.events import TalkKind

SUBJECT = ("Running large language models in production: retrieval, agents, evaluation, cost and latency.",)
REPORT, TUTORIAL = "experience report", "tutorial"
THINGS = (
    "our support chatbot", "a document search", "an invoice reader", "code review", "fraud detection",
    "a shopping assistant", "call summaries", "contract analysis", "our data platform", "a medical scribe",
)  # fmt: skip
KEPT = [
    TalkMetadata(f"{said.format(thing=thing)}", f"At {company} {more}", "LLM Conf", 1_700.0 + 13 * at)
    for at, (thing, company) in enumerate(
        zip(THINGS * 2, ("Acme", "Initech", "a bank", "a hospital") * 5, strict=True)
    )
    for said, more in [
        (
            ("Moving {thing} to language models", "the team saw costs triple before latency came down.")
            if at % 2
            else (
                "Language models behind {thing}",
                "evaluation turned out harder than serving, users disagreed.",
            )
        )
    ]
]
EXCLUDED = [
    TalkMetadata(f"{said.format(thing=thing)}", more, "Code Academy", 900.0 + 17 * at)
    for at, thing in enumerate(THINGS * 2)
    for said, more in [
        (
            (
                "Language models for {thing}: code walk",
                "We open the notebook and type every line, cell by cell.",
            )
            if at % 2
            else (
                "Transformers and {thing}",
                "Definitions, the loss function and a proof, then exam questions.",
            )
        )
    ]
]


@cache
def embedder() -> Embedder:
    return Embedder(
        prepare(Path(user_cache_path("groundswell")) / "models").embedding, "cpu", threads=1, max_tokens=300
    )


@cache
def classes() -> Classes:
    return Classes(embedder().embed, "minilm", SUBJECT)


@cache
def labels() -> tuple[LabelledVideo, ...]:
    vectors = embedder().embed([talk.text for talk in (*KEPT, *EXCLUDED)])
    return tuple(
        LabelledVideo(f"v{at:02d}", talk, vector, talk in KEPT, REPORT if talk in KEPT else TUTORIAL)
        for at, (talk, vector) in enumerate(zip((*KEPT, *EXCLUDED), vectors, strict=True))
    )


def scores(model: RelevanceModel, of: Sequence[LabelledVideo]) -> list[float]:
    ranked = model.rank([each.talk for each in of], np.array([each.embedding for each in of]))
    return [each.score for each in ranked]


def ranked(model: RelevanceModel, *talks: TalkMetadata) -> Any:
    return model.rank(talks, embedder().embed([talk.text for talk in talks]))


def test_kinds_of_talks_match_the_events_and_are_described() -> None:
    assert get_args(TalkKind) == KINDS
    assert tuple(PROMPTS) == KINDS
    assert all(len(texts) >= 3 for texts in PROMPTS.values())


def test_without_labels_reports_on_the_subject_rank_first() -> None:
    model = fit(classes(), [])
    talks = [
        TalkMetadata(
            "How we run LLM agents in production at Acme",
            "Lessons we learned with our customers.",
            "",
            1800.0,
        ),
        TalkMetadata(
            "RAG tutorial for beginners", "You will learn step by step how to build a chatbot.", "", 1500.0
        ),
        TalkMetadata(
            "Hands-on workshop: evaluate your language model",
            "Bring your laptop for the exercises.",
            "",
            9000.0,
        ),
        TalkMetadata("Lecture 3: attention", "The professor proves it.", "", 4000.0),
        TalkMetadata("How we renovated our kitchen", "Lessons learned from builders.", "", 1800.0),
    ]
    found = ranked(model, *talks)
    assert [each.talk_kind for each in found[:4]] == [REPORT, TUTORIAL, "workshop", "lecture"]
    assert found[0].score == max(each.score for each in found)
    assert found[0].score > 0.8
    assert max(each.score for each in found[1:4]) < 0.3
    assert found[4].score < 0.5, "an experience report, but on another subject"
    assert any(reason.startswith("for: “how we …”") for reason in found[0].reasons)
    assert any("against: far from the study's subject" in reason for reason in found[4].reasons)
    assert model.name.endswith("no labels")


def test_of_a_video_without_words_only_the_studys_prior_counts() -> None:
    (found,) = ranked(fit(classes(), []), TalkMetadata(""))
    assert found.score == pytest.approx(189 / 664, abs=0.01)
    assert found.reasons == ()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_labels_does_not_matter(seed: int) -> None:
    shuffled = random.Random(seed).sample(labels(), len(labels()))
    one, other = fit(classes(), labels()), fit(classes(), shuffled)
    assert one.name == other.name
    assert scores(one, labels()) == scores(other, labels())
    assert one.threshold(0.9) == other.threshold(0.9)
    assert one.name != fit(classes(), labels()[1:]).name


def test_labels_of_one_verdict_move_all_scores_that_way() -> None:
    before = scores(fit(classes(), []), labels())
    for keep in (True, False):
        said = [LabelledVideo(each.video_id, each.talk, each.embedding, keep, REPORT) for each in labels()]
        after = scores(fit(classes(), said), labels())
        assert all(0 < score < 1 for score in after)
        assert (np.array(after) > before).all() if keep else (np.array(after) < before).all()
        assert fit(classes(), said).threshold(0.9).at is None


def test_contradictory_labels_leave_a_video_undecided() -> None:
    first = labels()[0]
    both = [
        LabelledVideo("v", first.talk, first.embedding, keep, REPORT if keep else TUTORIAL)
        for keep in (True, False)
    ]
    before, after = (scores(fit(classes(), said), [first])[0] for said in ([], both))
    assert abs(after - 0.5) <= abs(before - 0.5) + 1e-6
    assert fit(classes(), both).threshold(0.9).kept == 1, "where reviewers differ, it is not to be lost"


def test_few_labels_do_no_harm_and_more_rank_better() -> None:
    everyone = np.array(labels(), object)
    truth = np.array([each.keep for each in labels()])
    found: dict[int, list[float]] = {0: [], 4: [], 20: []}
    for seed in range(8):
        order = np.random.default_rng(seed).permutation(len(everyone))
        rest = order[20:]
        for count, results in found.items():
            model = fit(classes(), everyone[order[:count]])
            results.append(roc_auc_score(truth[rest], scores(model, everyone[rest])))
    none, few, many = (float(np.mean(found[count])) for count in (0, 4, 20))
    assert few >= none - 0.02, (none, few)
    assert many >= few - 0.02, (few, many)
    assert many > 0.9, many


def test_what_labels_taught_is_among_the_reasons() -> None:
    model = fit(classes(), labels())
    again = TalkMetadata(
        "Moving ticket triage to language models", "At Acme the team saw costs triple.", "LLM Conf", 1_750.0
    )
    (found,) = ranked(model, again)
    assert any("which reviewers kept" in reason and "Moving" in reason for reason in found.reasons), (
        found.reasons
    )
    assert "for: reviewers kept 20 of 20 talks of this channel" in found.reasons
    assert all(reason.startswith(("for: ", "against: ")) for reason in found.reasons)


def test_a_threshold_keeps_the_wanted_recall_and_states_its_cost() -> None:
    model = fit(classes(), labels())
    found = model.threshold(0.9)
    assert found.at is not None
    assert (found.kept, found.excluded) == (20, 20)
    assert found.recall >= 0.9
    assert found.interval.low < found.recall <= found.interval.high
    assert found.precision is not None
    assert found.precision > 0.5
    assert 0 < found.saved <= 0.55
    strict = model.threshold(0.95)
    assert strict.at is not None
    assert strict.at <= found.at
    assert strict.saved <= found.saved


def test_with_too_few_labels_nothing_is_rejected_and_it_says_so() -> None:
    found = fit(classes(), labels()).threshold(0.99)
    assert found.at is None
    assert found.saved == 0
    assert "99% recall needs 99 videos that reviewers kept; there are 20" in found.why_not
    none = fit(classes(), []).threshold(0.95)
    assert (none.at, none.recall, none.precision) == (None, 1.0, None)
    assert "10 videos that reviewers excluded are needed; there are 0" in none.why_not


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=200),
    st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]),
)
def test_any_threshold_loses_no_more_than_was_asked(said: list[tuple[float, bool]], recall: float) -> None:
    values = np.array([score for score, _ in said], np.float64)
    kept = np.array([keep for _, keep in said], np.bool_)
    found = choose(recall, values, kept)
    assert found.recall >= recall
    if found.at is not None:
        assert found.recall == (values[kept] >= found.at).mean()
        assert found.saved == pytest.approx((values < found.at).mean())


@pytest.mark.parametrize("recall", [0.0, 1.0, -1.0, float("nan")])
def test_a_recall_that_is_none_is_refused(recall: float) -> None:
    with pytest.raises(BadInput, match=r"0\.95"):
        fit(classes(), []).threshold(recall)


def test_other_languages_and_endless_titles_get_a_score() -> None:
    talks = [
        TalkMetadata("Comment nous exploitons des grands modèles de langage en production chez Acme"),
        TalkMetadata("كيف نستخدم نماذج اللغة", "في الإنتاج" * 5_000),
        TalkMetadata("x" * 10_000, "<script>alert(1)</script>" * 1_000, "y" * 10_000, float("inf")),
        TalkMetadata("\u202e\x00\ud800"),
        TalkMetadata("how " * 3_000, "we " * 50_000, duration_s=-5.0),
    ]
    vectors = embedder().embed([talk.text.encode(errors="replace").decode() for talk in talks])
    for said in ([], list(labels())):
        found = fit(classes(), said).rank(talks, vectors)
        assert all(0 < each.score < 1 and each.talk_kind in KINDS for each in found)
        assert all(len(reason) < 200 for each in found for reason in each.reasons)


def test_embeddings_not_finite_or_of_another_shape_are_refused() -> None:
    model = fit(classes(), [])
    good = labels()[0]
    broken = np.full((1, 384), np.nan)
    with pytest.raises(BadInput, match="video 1 of 1 has numbers that are not finite"):
        model.rank([good.talk], broken)
    with pytest.raises(BadInput, match=r"shape \(1, 3\)"):
        model.rank([good.talk], np.ones((1, 3)))
    with pytest.raises(BadInput, match="not finite"):
        fit(classes(), [LabelledVideo("v", good.talk, broken[0].astype(np.float32), True, REPORT)])
    with pytest.raises(BadInput, match="384 numbers"):
        fit(classes(), [LabelledVideo("v", good.talk, np.ones(3, np.float32), True, REPORT)])
    with pytest.raises(BadInput, match="not a kind of talk"):
        fit(classes(), [LabelledVideo("v", good.talk, good.embedding, True, "rant")])
    with pytest.raises(BadInput, match="to keep cannot be none"):
        Classes(embedder().embed, "minilm", kept=())
    assert model.rank([], np.zeros((0, 384))) == []
