"""Text by others is shown on the terminal without controlling it."""

import json
import re
from pathlib import Path

import pytest

from agents.cli import console

EVIL = "RAG\x1b[2J\x1b]0;title\x07 in\x9b31m production\r\ud83d\x00\tnow"
SHOWN = "RAG[2J]0;title in31m production\ufffd\tnow"
CLI = Path(console.__file__).parent


def test_a_title_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    console.say(EVIL)
    console.tell(EVIL)
    console.complain(EVIL, "c")
    console.print_json({"title": EVIL})
    console.print_rows([{"title": EVIL}], {"title": ("TITLE", str)})
    said = capsys.readouterr()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", said.out + said.err)
    assert said.out.startswith(f"{SHOWN}\n")
    assert said.err.startswith(f"{SHOWN}\nerror: {SHOWN}\n")


def test_json_of_a_title_is_still_json(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json([{"title": EVIL}, {"title": "née 😀"}])
    (evil, fine) = json.loads(capsys.readouterr().out)
    assert fine == {"title": "née 😀"}
    assert evil["title"].startswith("RAG")


def test_every_command_prints_by_way_of_the_console() -> None:
    bare = [
        path.name
        for path in CLI.glob("*.py")
        if path.name != "console.py" and re.search(r"(?<![\w.])print\(", path.read_text())
    ]
    assert bare == []
