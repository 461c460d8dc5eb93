#!/usr/bin/env python3
"""Generated parts of README.md and docs/: the text between the comments `generated` and `end`.

python infra/docs.py            rewrite them from the code
python infra/docs.py --check    exit 1 if they differ from the code (tests/test_docs.py checks the same)
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import typer.main  # noqa: E402 - the project's packages need the path set above
from pydantic import SecretStr  # noqa: E402

from agents.cli import app  # noqa: E402
from agents.runtime.wiring import NAMES, SharedResources  # noqa: E402
from agents.web.app import build_web  # noqa: E402
from streams.kafka.codec import decode  # noqa: E402
from streams.kafka.topics import TOPIC_OF, TOPICS, KafkaTopic  # noqa: E402
from streams.settings import Settings  # noqa: E402
from streams.store.data_dictionary import LEFT_OUT, TABLES  # noqa: E402
from streams.store.writer import rows_of  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GOLDEN = ROOT / "tests" / "golden" / "events"
FROM_ARTEFACT = {"ParagraphsEmbedded": ("paragraphs",)}
"""Tables whose rows the store agent reads from the artefact of an event."""
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
"""Modules that create events but are not agents: the command or agent to name instead."""
LEAVES_OUT = "`groundswell dead-letters`"
"""Command that can write to any topic; the diagram of the path leaves it out."""
PAGING = ("limit", "offset", "format")
SELECTION = ("first", "last", "source", "channel", "show", "speaker", "language", "codebook")
"""API parameters that many views share; they are described once."""


def readers() -> dict[str, list[KafkaTopic]]:
    """Return the topics that each agent reads."""
    reads = {}
    for name in NAMES:
        (path,) = (ROOT / "agents").rglob(f"{name}.py")
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        reads[name] = list(getattr(module, name.capitalize()).reads)
    return reads


@cache
def writers() -> dict[KafkaTopic, list[str]]:
    """Return the writers of each topic: the modules in agents/ that call its event classes."""
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


def modules() -> dict[str, str]:
    """Return the module of each agent."""
    return {
        name: str(found.relative_to(ROOT))
        for name in NAMES
        for found in (ROOT / "agents").rglob(f"{name}.py")
    }


def path() -> str:
    """Return the diagram of a talk's path: the writers of each topic, and its readers besides `store`."""
    reads = readers()
    rows = [("sources", "", "discover")]
    for topic in TOPICS:
        by = [name for name in NAMES if topic in reads[name] and name != "store"] or ["store"]
        wrote = [
            name.strip("`").replace("groundswell ", "$ ")
            for name in writers()[topic]
            if name != LEAVES_OUT and "/" not in name
        ]
        rows.append((", ".join(wrote), topic.name, ", ".join(by)))
    rows += [("store", "", "ClickHouse"), ("ClickHouse", "", "page, API, CLI, alerts")]
    left, middle = (max(len(row[at]) for row in rows) for at in (0, 1))
    lines = [
        f"{writer:>{left}} ──{f' {name} ' if name else '':─^{middle + 2}}─▶ {by}" for writer, name, by in rows
    ]
    unread = ", ".join(topic.name for topic in TOPICS if topic not in reads["store"])
    return "\n".join(
        [
            "```text",
            *lines,
            "",
            f"store also reads every topic except {unread}. $: a groundswell command.",
            "```",
        ]
    )


def agents() -> str:
    """Return the table of agents: module, and topics read and written."""
    reads = readers()
    lines = ["| agent | module | reads | writes |", "| --- | --- | --- | --- |"]
    for name, module in modules().items():
        wrote = [topic for topic in TOPICS if name in writers()[topic]]
        cells = (", ".join(f"`{topic.name}`" for topic in topics) or "–" for topics in (reads[name], wrote))
        lines.append(f"| {name} | `{module}` | {' | '.join(cells)} |")
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
        variable = f"GROUNDSWELL_{name.upper()}"
        about = f"{field.description}"
        if field.annotation is SecretStr:
            about += f" Or `{variable}_FILE`: a file that contains it."
        lines.append(f"| `{variable}` | {default} | {about} |")
    return "\n".join(lines)


def tables() -> str:
    """Return the tables of the database, each with a description of its rows."""
    lines = ["| table | a row is |", "| --- | --- |"]
    lines += [f"| `{name}` | {said} |" for name, said in TABLES.items()]
    lines += ["", "Tables that `groundswell export` leaves out:", "", "| table | why |", "| --- | --- |"]
    lines += [f"| `{name}` | {why} |" for name, why in LEFT_OUT.items()]
    return "\n".join(lines)


def cell(text: str) -> str:
    """Return text escaped for a table cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def walk(group: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command of a group with its words; a group precedes its commands."""
    for name, command in group.commands.items():
        yield (*words, name), command
        if hasattr(command, "commands"):
            yield from walk(command, *words, name)


def parameters(command: Any) -> Iterator[tuple[str, str, bool]]:
    """Yield a command's arguments and options: syntax, help, and whether it is required."""
    for each in command.params:
        if each.name == "help" or each.hidden:
            continue
        if each.param_type_name == "argument":
            written = (each.metavar or each.name.upper()).strip("[]").replace("...", "…")
        else:
            value = "" if each.is_flag else f" {each.metavar or each.name.upper()}"
            written = f"{', '.join((*each.opts, *each.secondary_opts))}{value}"
        default = each.default
        told = default not in (None, "", False, ()) and not callable(default) and not each.required
        yield written, f"{each.help or ''}{f' Default: {default}.' if told else ''}", each.required


def commands() -> str:
    """Return every command with its help, arguments and options."""
    lines = []
    for words, command in walk(typer.main.get_command(app)):
        groups = hasattr(command, "commands")
        lines += [
            f"{'#' * (1 + len(words))} groundswell {' '.join(words)}",
            "",
            *paragraphs(command.help),
            "",
        ]
        if groups and not command.params:
            continue
        found = list(parameters(command))
        if found:
            lines += ["| argument or option | meaning |", "| --- | --- |"]
            lines += [
                f"| `{cell(written)}`{' (required)' if needed else ''} | {cell(said)} |"
                for written, said, needed in found
            ]
            lines.append("")
    return "\n".join(lines).rstrip()


def paragraphs(text: str | None) -> list[str]:
    """Return a text's paragraphs, one per line, with empty lines between them."""
    parts = [" ".join(part.split()).replace("<", "&lt;") for part in (text or "").split("\n\n")]
    return "\n\n".join(parts).split("\n")


@cache
def schema() -> dict[str, Any]:
    """Return the OpenAPI schema of the page of an empty study."""
    with tempfile.TemporaryDirectory() as home:
        given: dict[str, Any] = {"home": Path(home), "clickhouse": "embedded", "push_url": ""}
        settings = Settings(**given)
        health = SimpleNamespace(ready=True, why_not="", fatal=None, lag={})
        process: Any = SimpleNamespace(
            settings=settings,
            names=(),
            page=True,
            bootstrap="",
            health=health,
            parts=SharedResources(settings),
        )
        return build_web(process).openapi()


def api() -> str:
    """Return the endpoints of the API: views with their parameters, changes with their fields."""
    views, changes = [], []
    meanings: dict[str, str] = {}
    for place, ways in schema()["paths"].items():
        for way, endpoint in ways.items():
            said = cell(endpoint.get("description", "").split("\n\n")[0])
            if way == "get":
                names = [each["name"] for each in endpoint.get("parameters", [])]
                for each in endpoint.get("parameters", []):
                    meanings.setdefault(each["name"], each.get("description", ""))
                known = {*PAGING, *(SELECTION if "source" in names else ())}
                taken = [f"`{name}`" for name in names if name not in known]
                taken += ["*selection*"] * ("source" in names)
                views.append(f"| `{place}` | {said} | {', '.join(taken)} |")
            else:
                changes += [f"### {way.upper()} {place}", "", said, "", *fields(endpoint), ""]
    lines = ["### Views", "", "| GET | returns | parameters |", "| --- | --- | --- |", *views, ""]
    lines += ["### Parameters of views", "", "| parameter | meaning |", "| --- | --- |"]
    first = (*SELECTION, *PAGING)
    order = [*first, *sorted(name for name in meanings if name not in first)]
    lines += [f"| `{name}` | {cell(meanings[name])} |" for name in order if meanings.get(name)]
    return "\n".join([*lines, "", *changes]).rstrip()


def fields(endpoint: Any) -> list[str]:
    """Return the table of the fields of an endpoint's body."""
    if "requestBody" not in endpoint:
        return []
    body = endpoint["requestBody"]["content"]["application/json"]["schema"]
    model = schema()["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    needed = model.get("required", ())
    return [
        "| field | meaning |",
        "| --- | --- |",
        *(
            f"| `{name}`{' (required)' if name in needed else ''} | {meaning(field)} |"
            for name, field in model["properties"].items()
        ),
    ]


def meaning(field: Any) -> str:
    """Return the description of a field of a body, with its allowed values if they are enumerated."""
    kinds = [field, *field.get("anyOf", ())]
    values = [value for kind in kinds for value in kind.get("enum", ()) if value]
    choices = f"One of {', '.join(f'`{value}`' for value in values)}." if values else ""
    return " ".join(filter(None, (cell(field.get("description", "")), choices)))


PARTS: dict[str, Callable[[], str]] = {
    "path": path,
    "agents": agents,
    "events": events,
    "tables": tables,
    "settings": settings,
    "commands": commands,
    "api": api,
}
PART = re.compile(r"(<!-- generated: (\w+) -->\n)(?:(?!<!-- ).*\n)*?(<!-- end -->)")


def rewritten(text: str) -> str:
    """Return a page's text with its generated parts replaced."""

    def made(match: re.Match[str]) -> str:
        if match[2] not in PARTS:
            raise SystemExit(f"there is no generated part {match[2]!r}: choose from {', '.join(PARTS)}")
        return f"{match[1]}{PARTS[match[2]]()}\n{match[3]}"

    return PART.sub(made, text)


def missing(texts: list[str]) -> list[str]:
    """Return the generated parts that no page contains."""
    found = {match[2] for text in texts for match in PART.finditer(text)}
    return [name for name in PARTS if name not in found]


if __name__ == "__main__":
    found = {page: page.read_text() for page in PAGES}
    if lost := missing(list(found.values())):
        raise SystemExit(f'no page has "<!-- generated: {lost[0]} -->" … "<!-- end -->": restore it')
    made = {page: rewritten(text) for page, text in found.items()}
    differing = [page for page in PAGES if made[page] != found[page]]
    for page in differing:
        if "--check" in sys.argv:
            print(
                f"{page.relative_to(ROOT)} differs from the code: run python infra/docs.py", file=sys.stderr
            )
        else:
            page.write_text(made[page])
    sys.exit(bool(differing) and "--check" in sys.argv)
