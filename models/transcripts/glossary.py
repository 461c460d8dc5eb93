"""Glossary: the spelling of a field's names, and the forms that recognisers write instead.

It is a human decision, stored as YAML and versioned by its content. The recognised words are stored with the
corrected ones, so that another glossary needs no new transcription.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.codebook.yaml_files import YamlFiles
from models.errors import BadInput
from models.transcripts.glossary_matching import SpellingRule, SpellingRules, corrected, parts_of
from models.transcripts.transcript import Segment, Transcript

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\r\n\t]+$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]

WITHIN = 12
"""Words before and after that are searched for a word of `near`: about a sentence each way."""


class GlossaryEntry(BaseModel):
    """A name and its misrecognised forms.

    `write` is the correct spelling, `heard` the forms that recognisers write instead, one or several whole
    words each. If `near` has words, one of them (or its plural in -s) must occur within `within` words: "rag"
    is a cloth too. With `case: exact`, upper and lower case must be as in `heard`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    write: Text
    heard: tuple[Text, ...] = Field(min_length=1)
    near: tuple[Text, ...] = ()
    within: int = Field(WITHIN, ge=1, le=200)
    case: Literal["any", "exact"] = "any"

    @model_validator(mode="after")
    def _has_words(self) -> GlossaryEntry:
        for form in (self.write, *self.heard, *self.near):
            if not parts_of(form):
                raise ValueError(f"{form!r} has no letter and no digit")
        long = next((word for word in self.near if len(parts_of(word)) > 1), None)
        if long is not None:
            raise ValueError(f"near has {long!r}, which is more than one word")
        return self

    def rules(self) -> list[SpellingRule]:
        """Return one rule for each form in `heard`."""
        near = frozenset(part for word in self.near for part in parts_of(word))
        exact = self.case == "exact"
        return [
            SpellingRule(parts_of(form), self.write, near, self.within, form if exact else None)
            for form in self.heard
        ]


class Glossary(BaseModel):
    """The names of a field. Glossaries with the same entries in the same order have the same version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Slug
    entries: tuple[GlossaryEntry, ...] = ()

    @model_validator(mode="after")
    def _has_one_answer(self) -> Glossary:
        seen: dict[tuple[str, ...], str] = {}
        for entry in self.entries:
            for form in entry.heard:
                parts = parts_of(form)
                if parts in seen:
                    raise ValueError(f"{form!r} is heard for {seen[parts]!r} and again for {entry.write!r}")
                seen[parts] = entry.write
        for entry in self.entries:
            changed = corrected((_said(entry.write),), self._rules(near=False))[1]
            if changed:
                raise ValueError(f"{entry.write!r} would be changed again, to {changed[0].written!r}")
        return self

    @property
    def version(self) -> str:
        """Name and content hash of the glossary; safe in file names."""
        said = json.dumps(self.model_dump(mode="json")["entries"], sort_keys=True, ensure_ascii=False)
        return f"{self.name}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"

    def correct(self, transcript: Transcript) -> Transcript:
        """Return the transcript with names spelled as in the glossary.

        Only whole words are replaced, longest form first, and never across two speakers or punctuation;
        correct spellings stay. Words keep their times: if a name has fewer or more words than its recognised
        form, one word replaces all, with the first one's start, the last one's end and the lowest
        probability. Each change is in `corrections`, and the glossary's version in `made_by`. Idempotent.

        Args:
            transcript: as recognised, or as corrected by this glossary.

        Raises:
            BadInput: another glossary has corrected it already.
        """
        other = transcript.made_by.get("glossary", self.version)
        if other != self.version:
            raise BadInput(
                f"the transcript was corrected by glossary {other} already",
                "correct the recognised transcript instead",
            )
        segments, changes = corrected(transcript.segments, self._rules())
        return transcript.model_copy(
            update={
                "segments": segments,
                "corrections": (*transcript.corrections, *changes),
                "made_by": transcript.made_by | {"glossary": self.version},
            }
        )

    def _rules(self, *, near: bool = True) -> SpellingRules:
        rules = [rule for entry in self.entries for rule in entry.rules()]
        return SpellingRules(rules if near else [rule.anywhere for rule in rules])


_FILES = YamlFiles(
    "glossary",
    "glossaries",
    Glossary,
    "a glossary has a name and entries; an entry has write and heard, and may have near, within and "
    "case; one heard form belongs to one entry; see llm-in-production.yaml for an example",
)


def load(name_or_path: str | Path) -> Glossary:
    """Read a glossary that comes with Groundswell, by name, or any other, by path.

    A string without a slash or a `.yaml`/`.yml` ending is a name.

    Raises:
        BadInput: there is no such glossary, or the file is not a valid one.

    >>> try_out(load("llm-in-production"), "we tried lang chain.").segments[0].text
    'we tried LangChain.'
    """
    return _FILES.load(name_or_path)


def available() -> tuple[str, ...]:
    """Return the names of the glossaries that come with Groundswell, sorted."""
    return _FILES.available()


def try_out(glossary: Glossary, text: str) -> Transcript:
    """Return a text corrected by a glossary, as a transcript of one segment without times."""
    return glossary.correct(_said_by(text))


def _said(text: str) -> Segment:
    return Segment(start=0, end=0, text=text)


def _said_by(text: str) -> Transcript:
    return Transcript(
        language="und", language_probability=None, duration_s=0, segments=(_said(text),), made_by={}
    )
