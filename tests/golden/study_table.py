"""The published study's figures, and how a set of talks was found that has all of them at once.

The study does not say which talk has which topics. `study_table.json` holds one answer: sets of topics, and
how many of the 178 talks have each. It is a solution of an integer program with a variable for every set of
up to four of the 20 topics (6,195) and an equation for every figure (47); sets of up to three cannot do it.
To find it again:

    python tests/golden/study_table.py
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

FOUND = Path(__file__).with_suffix(".json")
TALKS, COUNTED = 189, 178
"""Talks in all, and those with at least one paragraph of any of the 20 topics."""

Figures = tuple[int, float]
"""Videos, and their percentage of 178 as it was printed."""
TABLE: dict[str, tuple[Figures, dict[str, Figures]]] = {
    "Architecture & Design": (
        (93, 52.2),
        {
            "RAG Systems": (72, 40.4),
            "User Interfaces": (23, 12.9),
            "Memory": (16, 9.0),
            "Agents": (15, 8.4),
        },
    ),
    "Model Capabilities & Techniques": (
        (83, 46.6),
        {
            "Fine-Tuning": (43, 24.2),
            "Prompt Engineering": (41, 23.0),
            "Latency": (22, 12.4),
            "Model Size & Performance": (8, 4.5),
            "LLM Optimization": (5, 2.8),
        },
    ),
    "Tools, Infrastructure & LLM Providers": (
        (74, 41.6),
        {
            "Tools and Landscape": (31, 17.4),
            "LLMs on Premise or Cloud": (29, 16.3),
            "Infrastructure Management": (21, 11.8),
            "Cloud Security and Privacy": (12, 6.7),
        },
    ),
    "Evaluation": ((50, 28.1), {"Evaluation": (50, 28.1)}),
    "Risks & Ethics": ((44, 24.7), {"Application Security": (33, 18.5), "Hallucination": (17, 9.6)}),
    "Monitoring & Observability": ((27, 15.2), {"Monitoring & Observability": (27, 15.2)}),
    "Costs": ((15, 8.4), {"Context Length": (14, 7.9), "Pricing": (4, 2.2)}),
    "Output Verification": ((11, 6.2), {"Output Verification": (11, 6.2)}),
}
TOPICS = {topic: figures for _, topics in TABLE.values() for topic, figures in topics.items()}

RAG, EVALUATION, TUNING, TOOLS = "RAG Systems", "Evaluation", "Fine-Tuning", "Tools and Landscape"
PAIRS: dict[tuple[str, str], int] = {
    (RAG, EVALUATION): 21,
    (RAG, TUNING): 19,
    (RAG, "Prompt Engineering"): 17,
    (RAG, "Application Security"): 11,
    (RAG, "LLMs on Premise or Cloud"): 11,
    (RAG, "User Interfaces"): 11,
    (RAG, "Agents"): 10,
    (RAG, "Latency"): 10,
    (RAG, "Context Length"): 9,
    (RAG, "Memory"): 9,
    (RAG, TOOLS): 9,
    (EVALUATION, TUNING): 18,
    (EVALUATION, "Prompt Engineering"): 17,
    (EVALUATION, TOOLS): 15,
    (TUNING, "Prompt Engineering"): 18,
    (TUNING, TOOLS): 12,
    (TOOLS, "Monitoring & Observability"): 8,
}
"""Co-occurring videos that the study reports, but for the next one."""
IMPOSSIBLE = ((RAG, "Model Size & Performance"), 11)
"""It reports this one too, and its table has 8 videos with Model Size & Performance: both cannot be."""


def talks() -> list[frozenset[str]]:
    """Return the topics of each of the 178 talks, as they were found."""
    return [
        frozenset(each["topics"]) for each in json.loads(FOUND.read_text()) for _ in range(each["videos"])
    ]


def find() -> list[dict[str, object]]:
    """Find sets of topics with how many talks have each; of the impossible pair, as many as can be."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    sets = [set(each) for size in range(1, 5) for each in itertools.combinations(TOPICS, size)]
    equations = [([True] * len(sets), COUNTED)]
    equations += [([topic in each for each in sets], videos) for topic, (videos, _) in TOPICS.items()]
    for (videos, _), topics in TABLE.values():
        equations.append(([bool(each & topics.keys()) for each in sets], videos))
    nearest = {IMPOSSIBLE[0]: TOPICS[IMPOSSIBLE[0][1]][0]}
    for pair, videos in (PAIRS | nearest).items():
        equations.append(([each.issuperset(pair) for each in sets], videos))
    left = np.array([each for each, _ in equations], dtype=float)
    right = [videos for _, videos in equations]
    found = milp(
        np.zeros(len(sets)),
        constraints=LinearConstraint(left, right, right),
        integrality=np.ones(len(sets)),
        bounds=Bounds(0, COUNTED),
    )
    return [
        {"topics": [topic for topic in TOPICS if topic in each], "videos": round(videos)}
        for each, videos in zip(sets, found.x, strict=True)
        if round(videos)
    ]


if __name__ == "__main__":
    lines = ",\n".join(f" {json.dumps(each)}" for each in find())
    FOUND.write_text(f"[\n{lines}\n]\n")
