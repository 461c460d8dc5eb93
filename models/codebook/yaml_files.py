"""YAML files of human decisions: some come with Groundswell and have a name, others are given by path."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from models.errors import BadInput

Content = TypeVar("Content", bound=BaseModel)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser, nine times as fast, where PyYAML was built with it."""


@dataclass(frozen=True, slots=True)
class YamlFiles(Generic[Content]):
    """Files of one kind.

    Attributes:
        kind: the name of the kind in messages, such as "codebook".
        folder: the folder of the bundled files in this package.
        content: the model that validates a file.
        form: a description of a valid file, as the cure in errors.
    """

    kind: str
    folder: str
    content: type[Content]
    form: str

    def load(self, name_or_path: str | Path) -> Content:
        """Read a bundled file, by name, or any other, by path.

        A string without a slash or a `.yaml`/`.yml` ending is a name.

        Raises:
            BadInput: there is no such file, or it is not valid.
        """
        source = self._source(name_or_path)
        named = f"{self.kind} {name_or_path}"
        try:
            text = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text in UTF-8"
            raise BadInput(f"cannot read {named} ({why})", "check the path and the encoding") from error
        try:
            return self.content.model_validate(yaml.load(text, LOADER))
        except yaml.YAMLError as error:
            line = " ".join(str(error).split())
            raise BadInput(f"{named} is not YAML ({line})", "correct that line") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise BadInput(f"{named} is not valid at {where} ({first['msg']})", self.form) from error

    def available(self) -> tuple[str, ...]:
        """Return the names of the bundled files, sorted."""
        return tuple(
            sorted(Path(each.name).stem for each in self._packaged().iterdir() if _is_yaml(each.name))
        )

    def _source(self, name_or_path: str | Path) -> Traversable | Path:
        if isinstance(name_or_path, Path) or "/" in name_or_path or _is_yaml(name_or_path):
            return Path(name_or_path).expanduser()
        if name_or_path not in self.available():
            raise BadInput(
                f"there is no {self.kind} named {name_or_path!r}",
                f"choose one of {', '.join(self.available())}, or give the path of a YAML file",
            )
        return self._packaged() / f"{name_or_path}.yaml"

    def _packaged(self) -> Traversable:
        return files("models") / self.folder


def _is_yaml(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))
