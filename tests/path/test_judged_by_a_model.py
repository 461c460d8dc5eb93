"""In a running study, a language model judges paragraphs, numbers follow at the refit, and all is undone."""

import json
from typing import Any

import pytest

from tests.chat_endpoint import Endpoint, judging
from tests.processes import TALKS, Study, until

FEW = sorted(TALKS.glob("*.json"))[:6]


def paragraphs(study: Study) -> dict[str, int]:
    """Return the number of paragraphs of each topic."""
    return {topic["name"]: topic["paragraphs"] for topic in study.api("topics")}


@pytest.mark.long
def test_a_models_judgements_count_until_withdrawn(study: Study, endpoint: Endpoint) -> None:
    endpoint.said = [judging(lambda _: "not about")]
    study.environment |= {"GROUNDSWELL_AUTHOR": "ann", "GROUNDSWELL_LABELLER_MODEL": "tiny"}
    study.run()
    assert study.cli("ingest", *map(str, FEW)).returncode == 0
    study.until_done(6)
    until(lambda: len(paragraphs(study)) > 5)
    before = paragraphs(study)
    assert not endpoint.asked, "nothing is asked before somebody asks for it"

    asked = study.cli(
        "codebook", "ask-model", "--limit", "1000", "--json", GROUNDSWELL_LABELLER_URL=endpoint.url
    )
    assert asked.returncode == 0, asked.stderr
    said: dict[str, Any] = json.loads(asked.stdout)
    assert len(said["judgements"]) > 20
    until(lambda: len(study.api("concept_judgements")) == len(said["judgements"]))
    assert said["unanswered"] == []
    assert len(endpoint.asked) == said["requests"] < len(said["judgements"])
    assert paragraphs(study) == before

    refit = study.cli("codebook", "refit", "--json")
    assert json.loads(refit.stdout)["judgements"] == len(said["judgements"])
    assert "only a language model's, and count half" in refit.stderr
    until(lambda: sum(paragraphs(study).values()) < sum(before.values()))

    withdrawn = study.cli("codebook", "ask-model", "--withdraw", "tiny")
    assert f"{len(said['judgements'])} judgements of tiny are withdrawn" in withdrawn.stderr
    assert json.loads(study.cli("codebook", "refit", "--json").stdout)["judgements"] == 0
    until(lambda: paragraphs(study) == before)
    assert len(endpoint.asked) == said["requests"]
