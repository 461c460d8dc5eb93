"""Tests of the architecture beyond import-linter's checks (`infra/bootstrap.py check` runs that)."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest

from streams.kafka.topics import TOPICS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("agents", "models", "streams")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
LONGEST, WIDEST = 350, 13
"""Lines of a module, and modules of a package."""
LONGEST_NAME = 60
"""Characters of a test's name."""
PUBLISHED = ("agents/web/api/", "agents/queries/rows.py", "streams/store/rows/")
"""The names of their classes are those of the schemas in openapi.json; they describe other classes."""
RIDDLES = {"told", "said", "made", "_moment", "patiently", "believe", "in_less", "side_by_side", "underway"}
"""Of functions and methods: a name says what comes back or what is done, in words to search for."""
QUESTIONS = {"what", "how", "who", "which", "when", "where", "whether", "if", "why"}
HEAVY = ("torch", "bertopic", "faust", "clickhouse_connect", "kafka", "yt_dlp", "pandas")
LIGHT = {
    "agents",
    "typer",
    "click",
    "rich",
    "shellingham",
    "annotated_doc",
    "pygments",
    "markdown_it",
    "mdurl",
}
"""What `--help` may import beyond the standard library; `attr` because rich looks for it."""
OUTSIDE = [
    re.compile(pattern)
    for pattern in (
        *(rf"(?<![\w.-])/{folder}/" for folder in ("work", "root")),
        r"py" r"pi\.org",
        r"files\.python" r"hosted\.org",
        r"registry\.npm" r"js\.org",
        r"repo\.maven\." r"apache\.org",
    )
]
"""A developer's machine, or a registry: neither belongs into the repository. Split, so as not to match."""
CONTAINER = {"infra/docker/Dockerfile"}
"""Speaks of a container's own folders."""


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def _files() -> list[Path]:
    """Return the files that git tracks or would track; without git, all files except generated ones."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        made = {"__pycache__", "build", "dist"}
        kept = {".ci", ".gitignore", ".dockerignore", ".env.example"}
        return [
            path
            for path in ROOT.rglob("*")
            if path.is_file()
            and not made & set(path.parts)
            and (not (top := path.relative_to(ROOT).parts[0]).startswith(".") or top in kept)
        ]


@pytest.mark.parametrize("name", PACKAGES)
def test_the_packages_that_are_imported_are_ours(name: str) -> None:
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found).resolve().is_relative_to(ROOT)


def test_openai_agents_is_not_installed() -> None:
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.distribution("openai-agents")  # openai-agents ships a package named agents


def test_help_imports_nothing_heavy() -> None:
    program = """
import json, sys
before = set(sys.modules)
sys.argv = ["groundswell", "--help"]
from agents.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, env=os.environ, check=True
    )
    loaded = json.loads(ended.stdout.splitlines()[-1])
    assert "Usage: groundswell" in ended.stdout
    packages = {module.split(".")[0] for module in loaded}
    assert not packages & set(HEAVY)
    assert not packages & {"models", "streams"}  # the command that needs them imports them
    beyond = packages - set(sys.stdlib_module_names) - LIGHT - {"attr", "attrs"}
    assert not beyond, f"--help also imports {sorted(beyond)}"
    assert len(loaded) < 500, f"--help imports {len(loaded)} modules more than an empty program"


def test_only_the_engine_imports_bertopic() -> None:
    importing = {path.relative_to(ROOT).as_posix() for path in MODULES if "bertopic" in _imports(path)}
    assert importing == {
        "models/topics/online/bertopic_adapter.py"
    }  # BERTopic imports torch, umap and plotly


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_one_thing_and_short(path: Path) -> None:
    assert path.stem not in ("utils", "util", "helpers", "common", "manager", "misc")
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST, f"{lines} lines: is it two things?"


def test_a_package_holds_as_many_modules_as_one_can_overlook() -> None:
    count = Counter(path.parent.relative_to(ROOT).as_posix() for path in MODULES if path.stem != "__init__")
    assert {package: modules for package, modules in count.items() if modules > WIDEST} == {}


def test_a_public_class_has_its_name_to_itself() -> None:
    where: dict[str, list[str]] = {}
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(PUBLISHED):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(name)
    assert {name: modules for name, modules in where.items() if len(modules) > 1} == {}


def test_a_function_says_what_it_returns_or_does() -> None:
    found = []
    for path in MODULES:
        tree = ast.parse(path.read_text())
        scopes = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
        found += [
            f"{path.relative_to(ROOT).as_posix()}: {node.name}"
            for scope in scopes
            for node in scope.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in RIDDLES
        ]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_described_by_a_statement(path: Path) -> None:
    first = re.split(r"\W+", ast.get_docstring(ast.parse(path.read_text())) or "")[0]
    assert first.lower() not in QUESTIONS, f"{first!r} opens a riddle: name what the module is or does"


def test_the_name_of_a_test_can_be_read_at_a_glance() -> None:
    names = {
        f"{path.relative_to(ROOT).as_posix()}: {node.name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name) > LONGEST_NAME
    }
    assert names == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_pickled(path: Path) -> None:
    assert not _imports(path) & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.is_relative_to(ROOT / "models")], ids=lambda path: path.stem
)
def test_models_ask_no_clock(path: Path) -> None:
    clocks = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
    clocks |= {("time", "monotonic"), ("time", "perf_counter")}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            assert (name, node.attr) not in clocks, f"line {node.lineno}: pass the time in"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            pytest.fail(f"line {node.lineno}: pass the time in")


def test_topics_say_who_writes_them() -> None:
    spec = importlib.util.spec_from_file_location("docs_by_path", ROOT / "infra" / "docs.py")
    assert spec is not None and spec.loader is not None
    docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs)
    for topic in TOPICS:
        if topic.name != "dead.letters":  # any agent's
            agents = [name for name in docs.writers()[topic] if name in docs.NAMES]
            assert list(filter(None, topic.written_by.split(", "))) == agents, topic.name


def test_no_file_names_a_developers_machine_or_a_registry() -> None:
    found = []
    for path in _files():
        name = path.relative_to(ROOT).as_posix()
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for pattern in OUTSIDE[2:] if name in CONTAINER else OUTSIDE:
            found += [f"{name}: {match[0]}" for match in pattern.finditer(text)]
    assert not found
