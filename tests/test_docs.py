"""Tests of the documentation: every command, variable, path and link in it exists."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main
import yaml
from pydantic import SecretStr

from agents.alerting import config_file
from agents.cli import app
from models.codebook.codebook import Codebook
from streams.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
GENERATED_COMMANDS = ROOT / "docs" / "reference" / "commands.md"
DECISIONS = ROOT / "infra" / "decisions"
PACKAGES = ("agents", "models", "streams")
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *DOCS,
    *sorted(path for folder in (*PACKAGES, "infra", "tests") for path in (ROOT / folder).rglob("*.md")),
]
OTHER_VARIABLES = {"GROUNDSWELL_TEST_DATA", "GROUNDSWELL_MODELS", "GROUNDSWELL_AUTHOR"}
"""Read by the tests, or by the command line; no settings."""
OPTIONS_WITH_VALUE = {"--study", "--log-level"}
"""What may stand between `groundswell` and a command."""
TEMPLATES = sorted((ROOT / "agents").glob("*/templates/*"))
WORDING = {
    r"\bvideos?\b(?<!YouTube video)(?<!YouTube videos)(?<!single video)": "talk",
    r"\bspe(?:ak|aks|aking|oke|oken) of\b": "discuss; of a word: mention",
    r"\bno[a-z]* [^.]{0,60}so far\b": "yet",
    r"\b(?:all the same|none the less)\b": "anyway",
    r"\bwhole time\b": "all time",
    r"\bperhaps not\b": "may not",
    r"\bby themselves\b": "independently",
    r"\bis told\b|\bare told\b": "is notified",
    r"\bin vain\b": "lost",
    r"\bmore than chance explains\b(?<!by more than chance explains)": "by more than chance explains",
    r"\bof its own any more\b": "no longer a separate one",
}
"""Wording that readers stumble over, and what to write instead (docs/reference/glossary.md)."""


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"by_path_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _code(page: Path) -> Iterator[str]:
    """Yield a page's lines of code: those of fenced blocks, and text in backticks."""
    fenced = False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            yield line
        else:
            yield from re.findall(r"`([^`]+)`", line)


def _prose(text: str) -> str:
    """Return what people read of a page or template: no code, expressions, addresses and generated parts."""
    for code in (
        r"<!-- generated: .*?<!-- end -->",
        r"^```.*?^```",
        r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}",
        r"<(script|code|kbd|style).*?</\1>",
        r"`[^`]*`|\]\([^)]*\)",
    ):
        text = re.sub(code, " ", text, flags=re.DOTALL | re.MULTILINE)
    labels = re.findall(r'\b(?:aria-label|title|placeholder|data-label)="([^"]*)"', text)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split() + labels)


def _commands() -> dict[tuple[str, ...], set[str]]:
    """Return every command, subcommands included, with its options, from the typer app itself."""

    def walk(group: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, command in group.commands.items():
            yield (*words, name), command
            if hasattr(command, "commands"):
                yield from walk(command, *words, name)

    commands = dict(walk(typer.main.get_command(app)))
    assert {("demo",), ("sources", "add"), ("codebook", "theme", "create")} <= set(commands)
    return {
        words: {option for parameter in command.params for option in parameter.opts}
        for words, command in commands.items()
    }


def _groups() -> set[tuple[str, ...]]:
    """Return the groups of commands: words that need a further word to be a command."""
    return {words[:at] for words in _commands() for at in range(1, len(words))}


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


def test_the_generated_parts_are_those_of_the_code() -> None:
    docs = _load(ROOT / "infra" / "docs.py")
    texts = {page: page.read_text() for page in docs.PAGES}
    assert {README, *DOCS} <= set(texts)
    assert not docs.missing(list(texts.values()))
    for page, text in texts.items():
        assert docs.rewritten(text) == text, f"{page} differs: run python infra/docs.py"


@pytest.mark.parametrize("page", [README, *DOCS, *TEMPLATES], ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_use_the_terms_of_the_glossary(page: Path) -> None:
    text = _prose(page.read_text())
    found = {match[0]: instead for bad, instead in WORDING.items() for match in re.finditer(bad, text, re.I)}
    assert not found, f"instead of {found}"


def test_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """The build is strict: a page outside the menu, or a broken link or anchor, is an error."""
    mkdocs = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path)
    built = subprocess.run(mkdocs, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(DOCS)  # the decisions are pages, too
    for page in pages:
        text = page.read_text()
        assert "mermaid" not in text, page  # Material would load it from a CDN
        assert not re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\W?(?:https?:)?//", text), page
        assert not re.findall(r"<link\b[^>]*\bhref=\W?(?:https?:)?//", text), page
    for style in tmp_path.rglob("*.css"):
        assert not re.findall(r"url\(\W?(?:https?:)?//|@import", style.read_text()), style


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    commands, groups = _commands(), _groups()
    for words in _mentioned(page):
        command = words[:1]
        while command in groups and len(words) > len(command):
            command = words[: len(command) + 1]
        assert command in commands, f"groundswell {' '.join(words)}"
        options = {word for word in words if word.startswith("--")}
        assert options <= commands[command] | {"--help"}, f"groundswell {' '.join(words)}"


def test_every_command_that_exists_is_mentioned() -> None:
    """The generated list of commands does not count."""
    mentioned = {
        words for page in (README, *DOCS) if page != GENERATED_COMMANDS for words in _mentioned(page)
    }
    missing = [
        f"groundswell {' '.join(command)}"
        for command in _commands()
        if command not in _groups() and not any(words[: len(command)] == command for words in mentioned)
    ]
    assert not missing


@pytest.mark.parametrize(
    "page",
    [*PAGES, ROOT / ".env.example", ROOT / "docker-compose.yml"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_variable_that_is_mentioned_exists(page: Path) -> None:
    known = {f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    secrets = (name for name, field in Settings.model_fields.items() if field.annotation is SecretStr)
    known |= {f"GROUNDSWELL_{name.upper()}_FILE" for name in secrets}
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
    places = "agents|streams|models|infra|tests|benchmarks|docs|[.]ci"
    paths = {
        match[1]
        for line in _code(page)
        for match in re.finditer(rf"(?<![\w/.-])((?:{places})/[\w./-]*)", line)
    }
    assert not [path for path in sorted(paths) if not (ROOT / path.rstrip(".")).exists()]


def test_examples_of_files_are_read_by_what_reads_such_files() -> None:
    read = set()
    for page in DOCS:
        for example in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            if "destinations:" in example:
                assert config_file.parse(example, page.name).destinations, page
            else:
                assert Codebook.model_validate(yaml.safe_load(example)).topics, page
            read.add(page.stem)
    assert read == {"alerts", "own-codebook", "tutorial"}


def test_the_two_commands_of_readme_are_those_that_ci_runs() -> None:
    start = re.compile(r"^(?:start \w+ )?python3 infra/bootstrap\.py (\w+)", re.MULTILINE)
    section = README.read_text().split("\n## Try it\n")[1].split("\n## ")[0]
    assert start.findall(section)[:2] == ["demo", "test"]
    run = start.findall((ROOT / ".ci" / "run").read_text())
    assert {"demo", "test", "check"} <= set(run)


def test_readme_counts_the_sample_talks_right() -> None:
    talks = len(list((ROOT / "agents" / "cli" / "demo" / "talks").glob("*.json")))
    recordings = len(list((ROOT / "agents" / "cli" / "demo" / "audio").glob("*.ogg")))
    text = " ".join(README.read_text().split())
    assert f"ingests {talks + recordings} sample talks: {talks} ready transcripts and {recordings}" in text


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
