"""Access to curation services and the event publisher, for decisions from pages and the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Request

from agents.curation.codebook_service import CodebookService, standing_of
from agents.instance.event_publisher import Deliver, delivering_from
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Who
from agents.web.site import Site
from models.codebook.state import CodebookState
from models.errors import BadInput
from streams.errors import DataError
from streams.logs.codebook_log import CodebookLog
from streams.state.blobs import Blobs
from streams.store.rows.codebook import Codebook

PATIENCE_S = 8.0
"""Seconds that a page waits for the store before it reports that the numbers will follow later."""


class CurationContext:
    """Resources for people's decisions in one process.

    Attributes:
        site: the pages.
        blobs: the blob store with the decision logs.
        log: log of codebook decisions.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.blobs = Blobs(site.runtime.settings.blobs_url)
        self.log = CodebookLog(self.blobs)

    def ask(self, view: str, **parameters: Any) -> Any:
        """Return the result of a view, by its name. Blocks: call it from a thread."""
        from agents.queries.registry import VIEWS

        return self.site.ask(VIEWS[view], **parameters)

    def row(self, revision: int | None = None) -> Codebook:
        """Return the result of the view `codebook_standing`.

        Raises:
            RequestRefused: 422, there is no such revision.
        """
        row: Codebook = self.ask("codebook_standing", revision=revision)
        if revision is not None and revision > row["revision"]:
            raise RequestRefused(
                422,
                f"there is no revision {revision} of the codebook; the newest is {row['revision']}",
                "see /curation/history for the existing revisions",
            )
        return row

    def standing(self) -> CodebookState:
        """Return the current state of the codebook."""
        return standing_of(self.row())

    def looking(self, who: Who) -> CodebookService:
        """Return a read-only codebook service; publishing an event raises AssertionError."""

        def nothing(_: object) -> None:
            raise AssertionError("a read-only service cannot publish events")

        return CodebookService(self.blobs, self.ask, nothing, self.site.runtime.parts.now, who.name)

    @contextmanager
    def curator(self, who: Who) -> Iterator[CodebookService]:
        """Yield a codebook service that decides in a person's name.

        Raises:
            RequestRefused: 422, the decision is not possible; with cause and cure.
            Unavailable: the broker does not answer.
        """
        with as_refusal(), self.deliver() as deliver:
            yield CodebookService(
                self.blobs,
                self.ask,
                deliver,
                self.site.runtime.parts.now,
                who.name,
                patience_s=PATIENCE_S,
            )

    @contextmanager
    def deliver(self) -> Iterator[Deliver]:
        """Yield a function that publishes events to the store."""
        runtime = self.site.runtime
        with delivering_from(runtime.settings, runtime.bootstrap, self.site.warehouse) as deliver:
            yield deliver


@contextmanager
def as_refusal() -> Iterator[None]:
    """Convert BadInput and DataError to a refusal.

    Raises:
        RequestRefused: 422, with cause and cure.
    """
    try:
        yield
    except BadInput as error:
        raise RequestRefused(422, error.cause, error.cure) from error
    except DataError as error:
        raise RequestRefused(422, error.cause, error.cure) from error


def _present(request: Request) -> Who | None:
    who: Who | None = request.state.who
    return who


Present = Annotated[Who | None, Depends(_present)]
"""Endpoint parameter: the person who is signed in, or None."""
