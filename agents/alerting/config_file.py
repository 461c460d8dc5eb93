"""Reads the alert configuration from a YAML file; errors name the line, the cause and the cure."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from agents.alerting.config import AlertConfig, AlertRules, Bound, Destination, Quiet
from streams.errors import Misconfigured


class _Loader(yaml.SafeLoader):
    """YAML loader in which only true and false are booleans: `on` is a string, as in YAML 1.2."""


_TRUTH = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TRUTH]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_TRUTH, re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF"))


def read(path: Path, *, must_exist: bool = False) -> AlertConfig:
    """Return the configuration in a file, or the defaults if there is no file.

    Raises:
        Misconfigured: it cannot be read, is not YAML, has a wrong field, or is missing and `must_exist`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if must_exist:
            raise Misconfigured(
                f"there is no file {path}, which GROUNDSWELL_ALERTS names", "write it, or unset the variable"
            ) from error
        return AlertConfig()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"{path} cannot be read ({type(error).__name__})", "make it a readable text file in UTF-8"
        ) from error
    return parse(text, str(path))


def parse(text: str, where: str) -> AlertConfig:
    """Return the configuration in the text of a file; `where` names the file in errors.

    Raises:
        Misconfigured: the text is wrong; the error names the line, the field, the cause and the cure.
    """
    try:
        said, tree = yaml.load(text, _Loader), yaml.compose(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise Misconfigured(
            f"{where}{at} is not YAML ({problem})", "fix the indentation or quoting there"
        ) from error
    try:
        return AlertConfig.model_validate(said if said is not None else {})
    except ValidationError as error:
        first: Any = error.errors()[0]
        line = _line(tree, first["loc"])
        field = ".".join(str(part) for part in first["loc"] if part != "tuple[...]") or "the file"
        raise Misconfigured(
            f"{where}, line {line}: {field} is wrong ({_said(first)})", _cure(first)
        ) from error


def _line(tree: yaml.Node | None, loc: tuple[Any, ...]) -> int:
    """Return the line (from 1) of the deepest part of `loc` that exists in the file."""
    node, line = tree, (tree.start_mark.line if tree else 0)
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _said(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    return str(error["msg"]).removeprefix("Value error, ")


def _cure(error: Any) -> str:
    last = error["loc"][-1] if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(str(last), _fields(error["loc"]), 1)
        return f"did you mean {near[0]}?" if near else f"choose from {', '.join(_fields(error['loc']))}"
    if error["type"] == "value_error":
        return "see docs/how-to/alerts.md for an example"
    if error["type"] == "missing":
        return f"add {last}"
    return "correct this line; docs/how-to/alerts.md has an example"


def _fields(loc: tuple[Any, ...]) -> list[str]:
    """Return the fields that are allowed at the place of the unknown field `loc`."""
    if loc[0] == "rules" and len(loc) == 2:
        model: type[BaseModel] = AlertRules
    elif loc[0] == "rules" and len(loc) > 3:
        model = Bound
    elif loc[0] == "rules" and len(loc) == 3:
        model = type(AlertRules().of(str(loc[1])))
    elif loc[0] == "destinations" and len(loc) > 2:
        model = Quiet if loc[2] == "quiet" else Destination
    else:
        model = AlertConfig
    return [field.alias or name for name, field in model.model_fields.items()]
