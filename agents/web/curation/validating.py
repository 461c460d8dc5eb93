"""Validation of the codebook from pages and the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from agents.curation.validation.coding_sheet import CodedRow
from agents.curation.validation.validator import Validator
from agents.web.curation.context import PATIENCE_S, CurationContext, as_refusal
from agents.web.security.access import Who
from streams.events import ParagraphCoded, ValidationSampleDrawn


def draw_sample(
    desk: CurationContext, who: Who, *, counted: int, near: int, random: int
) -> ValidationSampleDrawn:
    """Draw a sample of paragraphs for people to code.

    Raises:
        RequestRefused: 422, the sample would be empty or too large.
        Unavailable: it is kept, but could not be sent.
    """
    with _validator(desk, who) as validator:
        return validator.draw(counted, near, random)


def code_paragraph(
    desk: CurationContext, who: Who, paragraph_id: str, topics: Sequence[str], note: str
) -> None:
    """Record which topics a paragraph is about; a person's earlier coding is replaced.

    Raises:
        RequestRefused: 422, the paragraph is not in the sample, or there is no such topic.
        Unavailable: it is kept, but could not be sent.
    """
    with _validator(desk, who) as validator:
        validator.code([CodedRow(paragraph_id, tuple(topics), note)])


def withdraw_coding(desk: CurationContext, who: Who, paragraph_id: str) -> ParagraphCoded:
    """Withdraw a person's coding of a paragraph.

    Raises:
        RequestRefused: 422, there is none.
        Unavailable: it is kept, but could not be sent.
    """
    with _validator(desk, who) as validator:
        return validator.withdraw(paragraph_id)


@contextmanager
def _validator(desk: CurationContext, who: Who) -> Iterator[Validator]:
    now = desk.site.runtime.parts.now
    with as_refusal(), desk.deliver() as deliver:
        yield Validator(desk.blobs, desk.ask, deliver, now, who.name, patience_s=PATIENCE_S)
