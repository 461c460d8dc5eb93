"""The documentation says what the code does: every command, variable, path and link in it is looked up."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from agents.cli import app
from streams.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DECISIONS = ROOT / "infra" / "decisions"
PACKAGES = ("agents", "models", "streams")
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(path for folder in (*PACKAGES, "infra", "tests") for path in (ROOT / folder).rglob("*.md")),
]
OTHER_VARIABLES = {"GROUNDSWELL_TEST_DATA", "GROUNDSWELL_MODELS", "GROUNDSWELL_AUTHOR"}
"""Read by the tests, or by the command line; no settings."""
OPTIONS_WITH_VALUE = {"--study", "--log-level"}
"""What may stand between `groundswell` and a command."""


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"by_path_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _code(page: Path) -> Iterator[str]:
    """Yield a page's lines of code: those of fenced blocks, and what stands in backticks."""
    fenced = False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            yield line
        else:
            yield from re.findall(r"`([^`]+)`", line)


def _commands() -> dict[tuple[str, ...], set[str]]:
    """Return every command, subcommands included, with its options, from the typer app itself."""
    top: Any = typer.main.get_command(app)
    commands = {
        (name, *more): command
        for name, each in top.commands.items()
        for more, command in [
            ((), each),
            *(((sub,), it) for sub, it in getattr(each, "commands", {}).items()),
        ]
    }
    assert ("demo",) in commands and ("sources", "add") in commands
    return {
        words: {option for parameter in command.params for option in parameter.opts}
        for words, command in commands.items()
    }


def _mentioned(page: Path) -> Iterator[tuple[str, ...]]:
    """Yield the words after each `groundswell` in a page's code, or after a bootstrap that passes them on."""
    for line in _code(page):
        for match in re.finditer(r"(?<![\w/.-])(\S*/)?(groundswell|bootstrap\.py)((?: +[^\s|&;#]+)+)", line):
            words = match[3].split()
            while words and words[0].startswith("-"):
                words = words[2:] if words[0] in OPTIONS_WITH_VALUE else words[1:]
            own = match[2] == "bootstrap.py" and words and words[0] in ("test", "check", "lock")
            if words and not own and re.fullmatch(r"[a-z][a-z-]*", words[0]):
                yield tuple(words)


def test_the_generated_parts_of_readme_are_those_of_the_code() -> None:
    text = README.read_text()
    assert _load(ROOT / "infra" / "docs.py").rewritten(text) == text, "run python infra/docs.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    commands = _commands()
    groups = {words[0] for words in commands if len(words) == 2}
    for words in _mentioned(page):
        command = words[:2] if words[0] in groups else words[:1]
        assert command in commands, f"groundswell {' '.join(words)}"
        options = {word for word in words if word.startswith("--")}
        assert options <= commands[command] | {"--help"}, f"groundswell {' '.join(words)}"


def test_every_command_that_exists_is_mentioned_in_readme() -> None:
    mentioned = set(_mentioned(README))
    groups = {words[0] for words in _commands() if len(words) == 2}
    missing = [
        f"groundswell {' '.join(command)}"
        for command in _commands()
        if command not in {(group,) for group in groups}
        and not any(words[: len(command)] == command for words in mentioned)
    ]
    assert not missing


@pytest.mark.parametrize(
    "page",
    [*PAGES, ROOT / ".env.example", ROOT / "docker-compose.yml"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_variable_that_is_mentioned_exists(page: Path) -> None:
    known = {f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    assert set(re.findall(r"GROUNDSWELL_[A-Z_]*[A-Z]", page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    missing = [
        link
        for link in links
        if not re.match(r"[a-z]+:|#", link) and not (page.parent / link.split("#")[0]).exists()
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_is_named_exists(page: Path) -> None:
    places = "agents|streams|models|infra|tests|benchmarks|[.]ci"
    paths = {
        match[1]
        for line in _code(page)
        for match in re.finditer(rf"(?<![\w/.-])((?:{places})/[\w./-]*)", line)
    }
    assert not [path for path in sorted(paths) if not (ROOT / path.rstrip(".")).exists()]


def test_the_two_commands_of_readme_are_those_that_ci_runs() -> None:
    start = re.compile(r"^python3 infra/bootstrap\.py (\w+)", re.MULTILINE)
    section = README.read_text().split("\n## Try it\n")[1].split("\n## ")[0]
    assert start.findall(section)[:2] == ["demo", "test"]
    run = start.findall((ROOT / ".ci" / "run").read_text())
    assert {"demo", "test", "check"} <= set(run)


def test_readme_counts_the_sample_talks_right() -> None:
    talks = len(list((ROOT / "agents" / "cli" / "demo" / "talks").glob("*.json")))
    recordings = len(list((ROOT / "agents" / "cli" / "demo" / "audio").glob("*.ogg")))
    text = " ".join(README.read_text().split())
    assert f"hands {talks + recordings} sample talks in: {talks} ready transcripts and {recordings}" in text


def test_decisions_are_numbered_and_listed() -> None:
    records = sorted(DECISIONS.glob("0*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    index = (DECISIONS / "README.md").read_text()
    assert re.findall(r"\[\d{4}\]\(([^)]+)\)", index) == [record.name for record in records]
    for record in records:
        text = record.read_text()
        assert text.startswith(f"# {int(record.name[:4])}. ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>>" in path.read_text()
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_docstrings_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
