"""Known onsets: concepts of the shows' talks and labels of a stream, with the time each became current."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import pairwise

from benchmarks.topics import streams
from benchmarks.topics.streams import Video

PATTERNS = {
    "TypeScript": r"typescript",
    "Kubernetes": r"kubernetes?|k8s",
    "COVID": r"covid|coronaviru|pandemic|quarantine|lockdown",
    "Stable Diffusion/DALL-E/Midjourney": r"stable diffusion|diffusion|dall-?e?|midjourney",
    "Mastodon": r"mastodon|fediverse",
    "ChatGPT": r"chat-?gpt",
    "generative AI": r"generative|gen ai|genai",
    "GPT-4": r"gpt-4",
    "LLM": r"llm|large language|language model",
    "Llama (model)": r"llama",
    "DeepSeek": r"deep ?seek",
    "MCP": r"mcp|model context protocol",
    "Cursor (editor)": r"cursor",
    "vibe coding": r"vibe",
    "agents (AI/LLM/coding/agentic)": r"agent|agentic",
    "Claude Code": r"claude code",
    "WebAssembly": r"webassembly|wasm",
    "serverless": r"serverless",
    "blockchain": r"blockchain",
    "React hooks": r"hook",
    "Go generics": r"generic",
    "NFT/web3": r"nft|web3",
    "explainability": r"explainab\w+|interpretab\w+",
    "GDPR": r"gdpr",
    "AutoML": r"automl",
    "reinforcement learning": r"reinforcement( learning)?",
    "GANs": r"gan",
    "edge/IoT AI": r"edge|iot",
    "BERT": r"bert",
    "GPT-2": r"gpt-2",
    "deepfakes": r"deep ?fake",
    "Python 2": r"python-2(\.\d)?",
    "federated learning": r"federated",
    "Svelte": r"svelte|sveltekit",
    "GPT-3": r"gpt-3",
    "transformers (ML)": r"transformer",
    "AGI": r"agi",
    "MLOps": r"mlops",
    "feature store": r"feature store",
    "Copilot": r"copilot",
    "server components": r"server component",
    "foundation models": r"foundation(al)? model",
    "log4j": r"log4j|log4shell",
    "fine-tuning": r"fine tun\w+|fine tune",
    "Deno": r"deno",
    "diffusion models": r"diffusion",
    "layoffs": r"layoff|laid off",
    "FastAPI": r"fastapi",
    "RLHF": r"rlhf",
    "prompt engineering": r"prompt|prompting|prompt engineer\w*",
    "LangChain/LlamaIndex": r"langchain|llamaindex",
    "vector database": r"vector( database| db| store)?",
    "evals": r"eval",
    "free-threaded/no-GIL": r"free thread\w*|no gil|nogil|gil",
    "EU AI Act": r"eu ai|ai act",
    "retrieval augmented": r"retrieval augmented|augmented generation",
    "Bun (JS)": r"bun",
    "Ruff": r"ruff",
    "RAG": r"rag|retrieval augmented|augmented generation",
    "htmx": r"htmx",
    "xz backdoor": r"xz|liblzma",
    "hallucinat": r"hallucinat\w+",
    "o1/reasoning models": r"o1|reasoning model",
    "Claude": r"claude|anthropic",
    "uv (Astral)": r"uv",
    "Pydantic": r"pydantic",
    "PyScript/Pyodide": r"pyscript|pyodide",
    "asyncio": r"asyncio",
    "Polars": r"polar",
}
"""What the terms of an alert look like (lower case, singular) that found a concept of `onset_summary.csv`."""

CONTROLS = {"reinforcement learning", "fine-tuning"}
"""Current all along, or gradually: an alert for one of these is a mistake."""

ALERTED = {
    "vibe coding": "vibe coding",
    "retrieval augmented": r"retrieval[ -]augmented",
    "uv (Astral)": r"\buv\b",
}
"""Where a concept's terms are looser than what counts as a mention of it in a text."""


@dataclass(frozen=True)
class Concept:
    """Something whose beginning is known.

    Attributes:
        name: its name. half: `tune` or `test`, by a hash of the name.
        first: position in the stream of the first of two videos within three months that speak of it.
        first_on, onset_on: that video's day, and when it had become current.
        control: it has no onset, and should not be alerted.
        pattern: a whole term that names it. label: or the label of the videos of an alert.
    """

    name: str
    first: int
    first_on: date
    onset_on: date
    control: bool = False
    pattern: str | None = None
    label: str | None = None

    @property
    def half(self) -> str:
        """Settings may be chosen on one half; the other is reported."""
        return "tune" if hashlib.blake2b(self.name.encode(), digest_size=1).digest()[0] % 2 else "test"

    def named_by(self, term: str) -> bool:
        """Return whether a term names it."""
        return self.pattern is not None and bool(re.search(rf"(?<![\w.])(?:{self.pattern})(?![\w.])", term))


def of_shows(
    videos: Sequence[Video], groups: Sequence[str], warm_up: int
) -> tuple[list[Concept], list[Concept]]:
    """The concepts with a clear onset in these groups of shows, controls with them; and all others listed.

    Concepts that are first spoken of within the first `warm_up` videos are among the others.
    """
    rows: dict[str, list[dict[str, str]]] = {}
    with streams.data_file("onset_summary.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["group"] in groups and row["term"] in PATTERNS:
                rows.setdefault(row["term"], []).append(row)
    texts = [" ".join(video.texts).lower() for video in videos]
    clear, others = [], []
    for name, found in rows.items():
        mentioned = ALERTED.get(name) or rf"(?<![\w.])(?:{PATTERNS[name].replace(' ', '[ -]')})s?(?![\w.])"
        at = _begins([i for i, text in enumerate(texts) if re.search(mentioned, text)], videos)
        if at is None:
            continue
        onsets = [row["onset_month"] for row in found if row["clear_onset"] == "1" and row["onset_month"]]
        day = _day(videos[at])
        onset = max(day, min(date.fromisoformat(f"{month}-01") for month in onsets)) if onsets else day
        concept = Concept(name, at, day, onset, name in CONTROLS, PATTERNS[name])
        (clear if concept.control or (onsets and at >= warm_up) else others).append(concept)
    return clear, others


def of_labels(videos: Sequence[Video], warm_up: int, least: int = 8) -> tuple[list[Concept], list[Concept]]:
    """Labels that begin after `warm_up` videos and come into use: a third of `least` in their first year.

    The onset is the day of a label's third video. The others are the labels that were there from the start,
    or that never came into use.
    """
    where: dict[str, list[int]] = {}
    for at, video in enumerate(videos):
        for label in dict.fromkeys(video.labels):
            where.setdefault(label, []).append(at)
    clear, others = [], []
    for label in sorted(where):
        at = where[label]
        first = _day(videos[at[0]])
        soon = [i for i in at if _day(videos[i]) <= first + timedelta(days=365)]
        onset = _day(videos[at[min(2, len(at) - 1)]])
        concept = Concept(label, at[0], first, onset, label=label)
        current = len(at) >= least and len(soon) >= 5
        (clear if at[0] >= warm_up and current else others).append(concept)
    return clear, others


def _begins(at: Sequence[int], videos: Sequence[Video]) -> int | None:
    """The first of these videos that another follows within three months: lone hits have another sense."""
    for one, other in pairwise(at):
        if _day(videos[other]) - _day(videos[one]) <= timedelta(days=92):
            return one
    return None


def _day(video: Video) -> date:
    return video.published_at.astimezone(UTC).date()
