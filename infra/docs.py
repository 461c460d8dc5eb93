#!/usr/bin/env python3
"""Writes the parts of README.md that come from the code: the path, the map of events, the settings.

python infra/docs.py            rewrite them
python infra/docs.py --check    exit 1 when they differ (tests/test_docs.py does the same)
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from agents.runtime.wiring import NAMES  # noqa: E402 - the project's own packages, also when run as a file
from streams.kafka.codec import decode  # noqa: E402
from streams.kafka.topics import TOPIC_OF, TOPICS, KafkaTopic  # noqa: E402
from streams.settings import Settings  # noqa: E402
from streams.store.writer import rows_of  # noqa: E402

README = ROOT / "README.md"
GOLDEN = ROOT / "tests" / "golden" / "events"
FROM_ARTEFACT = {"ParagraphsEmbedded": ("paragraphs",)}
"""Tables whose rows the store agent reads from the artefact an event points to."""
OTHERS = {
    "dead_letter": "any agent",
    "ingest": "`groundswell ingest`",
    "replay": "`groundswell dead-letters`",
    "topics": "`groundswell topics consolidate`",
    "codebook": "`groundswell codebook`",
    "codebook_service": "`groundswell codebook`",
    "video_corrections": "`groundswell videos`",
    "rebuild": "`groundswell rebuild`",
    "event_mapper": "track",
    "near_duplicates": "track",
    "watch": "alert",
    "delivery": "alert",
    "admission": "screen",
    "video_reviews": "`groundswell review`",
}
"""What modules that make events but are no agents are called: a command, or the agent that uses them."""
SHAPES = {"any agent": 'any(["any agent"])', "`groundswell ingest`": 'files(["files and links"])'}
"""How these look in the picture; the command for dead letters is left out of it."""


def readers() -> dict[str, list[KafkaTopic]]:
    """Return the topics each agent reads, from the agents themselves."""
    reads = {}
    for name in NAMES:
        (path,) = (ROOT / "agents").rglob(f"{name}.py")
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        reads[name] = list(getattr(module, name.capitalize()).reads)
    return reads


@cache
def writers() -> dict[KafkaTopic, list[str]]:
    """Return who writes each topic: the modules of agents/ that make its events (call their class)."""
    topics = {kind.__name__: topic for kind, topic in TOPIC_OF.items()}
    found: dict[KafkaTopic, set[str]] = {topic: set() for topic in TOPICS}
    for path in sorted((ROOT / "agents").rglob("*.py")):
        name = path.stem
        called = name if name in NAMES else OTHERS.get(name, f"`{path.relative_to(ROOT)}`")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in topics:
                found[topics[node.func.id]].add(called)
    for names in found.values():
        if "any agent" in names:
            names.difference_update(NAMES)
    order = [*NAMES, *OTHERS.values()]
    return {
        topic: sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))
        for topic, names in found.items()
    }


def path() -> str:
    """Return the picture of a talk's path."""
    reads = readers()
    lines = ["```mermaid", "flowchart LR"]
    lines += ['    sources(["channels, playlists, searches"]) --> discover']
    for topic in TOPICS:
        # One dotted arrow below says that store reads what others read too.
        by = [name for name in NAMES if topic in reads[name] and name != "store"] or ["store"]
        for writer in writers()[topic]:
            if writer in NAMES or writer in SHAPES:
                lines += [f'    {SHAPES.get(writer, writer)} -->|"{topic.name}"| {name}' for name in by]
    unread = ", ".join(topic.name for topic in TOPICS if topic not in reads["store"])
    lines += [f'    every(["every topic but {unread}"]) -.-> store']
    lines += ['    store --> clickhouse[("ClickHouse")]']
    lines += ['    clickhouse --> page(["page, API, command line"])', "```"]
    return "\n".join(lines)


def events() -> str:
    """Return the map from topics to events to tables."""
    reads = readers()
    lines = ["| topic | events | written by | read by | tables |", "| --- | --- | --- | --- | --- |"]
    for topic in TOPICS:
        kinds = [kind.__name__ for kind in topic.carries]
        tables: dict[str, None] = {}
        for kind in kinds:
            example = decode((GOLDEN / f"{kind}.v1.json").read_bytes())
            tables |= dict.fromkeys((*(table for table, _ in rows_of(example)), *FROM_ARTEFACT.get(kind, ())))
        written = ", ".join(writers()[topic])
        by = ", ".join(name for name in NAMES if topic in reads[name])
        into = ", ".join(f"`{table}`" for table in tables) or "–"
        lines.append(f"| `{topic.name}` | {', '.join(kinds)} | {written} | {by} | {into} |")
    return "\n".join(lines)


def settings() -> str:
    """Return the table of settings."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        if field.default_factory is not None:
            default = "the user's data folder"
        else:
            value = field.default
            text = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            if isinstance(text, bool):
                text = str(text).lower()
            default = f"`{str(text).replace(chr(39), chr(34))}`" if text not in ("", None) else ""
        lines.append(f"| `GROUNDSWELL_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {"path": path, "events": events, "settings": settings}


def rewritten(text: str) -> str:
    """Return README's text with its generated parts made anew."""
    for name, make in PARTS.items():
        pattern = re.compile(rf"(<!-- generated: {name} -->\n)((?!<!-- ).*\n)*?(<!-- end -->)")
        if not pattern.search(text):
            raise SystemExit(
                f'README.md has no part "<!-- generated: {name} -->" … "<!-- end -->": put it back'
            )
        text = pattern.sub(lambda match, make=make: f"{match[1]}{make()}\n{match[3]}", text)
    return text


if __name__ == "__main__":
    found = README.read_text()
    made = rewritten(found)
    if "--check" in sys.argv:
        if made != found:
            print("README.md differs from the code: run python infra/docs.py", file=sys.stderr)
        sys.exit(made != found)
    README.write_text(made)
