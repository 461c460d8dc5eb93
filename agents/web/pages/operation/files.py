"""/files: a form with which curators add files of their own: recordings, transcripts and collections.

It does what `groundswell ingest FILE` does on the server. The files of one upload lie in one folder, so that
a .json describes the recording of the same name.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData, UploadFile

from agents.acquisition.ingest import Given, Handed, Ingest
from agents.instance.event_publisher import delivering_from
from agents.web.curation.context import Present, as_refusal
from agents.web.dependencies import RequestRefused, code_of
from agents.web.security.access import Curates
from agents.web.site import Site, TemplateContext
from streams.errors import DataError, Explained
from streams.intake import TITLE_CHARS
from streams.settings import EMBEDDED
from streams.talks import talk_files

NAME_BYTES = 255
"""Maximum length of a file name on common file systems."""
COPIES = 3
"""Copies of an upload that need disk space at the same time: as received, by name, and in the blob store."""
ACCEPTED = ",".join(sorted({*talk_files.MEDIA, *talk_files.TRANSCRIPTS, ".jsonl", ".gz"}))


@dataclass(frozen=True, slots=True)
class Stated:
    """What the form says about the files, as typed."""

    published_at: str = ""
    show: str = ""
    title: str = ""

    def given(self, today: date) -> Given:
        """Return it as metadata.

        Raises:
            RequestRefused: 422, the date is not one, or is in the future; or a text is too long.
        """
        for name, text in (("show", self.show), ("title", self.title)):
            if len(text) > TITLE_CHARS:
                raise RequestRefused(422, f"this {name} has more than {TITLE_CHARS} characters", "shorten it")
        if not self.published_at:
            return Given(None, self.title, self.show)
        try:
            day = date.fromisoformat(self.published_at)
        except ValueError:
            raise RequestRefused(
                422, f"{self.published_at[:40]!r} is not a date", "write it as YYYY-MM-DD, such as 2025-03-14"
            ) from None
        if day > today:
            raise RequestRefused(422, f"the publication date {day} is in the future", "correct the date")
        return Given(datetime.combine(day, time(), UTC), self.title, self.show)


def mount(site: Site) -> None:
    """Add the page and the endpoint of its form."""

    @site.page("/files", "files.html", section="/sources")
    def page() -> TemplateContext:
        return _shown(site)

    @site.web.post("/files", include_in_schema=False, response_class=HTMLResponse)
    async def added(request: Request, room: Annotated[None, Depends(_has_room)], who: Curates) -> Response:
        async with request.form() as form:
            stated = Stated(*(_text(form, name) for name in ("published_at", "show", "title")))
            files = [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]
            try:
                with as_refusal():
                    handed = await asyncio.to_thread(_take_in, site, files, stated)
            except Explained as error:
                return _answer(site, request, _shown(site, stated, refused=error), code_of(error))
        return _answer(site, request, _shown(site, replace(stated, title=""), handed=handed))


def _has_room(request: Request, who: Present) -> None:
    """Refuse a curator's upload for which the disk has no room, before it is read.

    Raises:
        RequestRefused: 507, with the space that is needed and the space that is free.
    """
    length = request.headers.get("Content-Length", "")
    needed = COPIES * int(length) if length.isdecimal() else 0
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if who is not None and needed > free:
        raise RequestRefused(
            507,
            f"the server has {free / 1e9:.1f} GB of free disk space; these files need {needed / 1e9:.1f} GB",
            "free some space on it, or add fewer files at a time",
        )


def _take_in(site: Site, files: Sequence[UploadFile], stated: Stated) -> list[Handed]:
    """Add the talks of an upload to the study. Blocks: call it from a thread.

    Raises:
        RequestRefused: 422, there is no file, or what is stated about them is wrong.
        Unavailable: the blob store or the broker does not answer.
    """
    runtime = site.runtime
    now = runtime.parts.now()
    given = stated.given(now.date())
    if not files:
        raise RequestRefused(422, "no file was chosen", f"choose {talk_files.KNOWN}")
    if stated.title and len(files) > 1:
        raise RequestRefused(
            422, "one title was given for several files", "add them one at a time, or leave the title empty"
        )
    with (
        tempfile.TemporaryDirectory(prefix="groundswell-files-") as made,
        delivering_from(runtime.settings, runtime.bootstrap, site.warehouse) as deliver,
    ):
        folder = Path(made)
        refused = list(_by_name(files, folder))
        known = list(talk_files.talks_in(folder))
        others = [each for each in sorted(folder.iterdir()) if not talk_files.is_talk(each)]
        ingest = Ingest(runtime.parts.blobs, lambda seen: deliver([seen]), now, given)
        return [_without(folder, each) for each in ingest.files([*known, *others])] + refused


def _by_name(files: Sequence[UploadFile], folder: Path) -> Iterator[Handed]:
    """Copy files into a folder under their own names; yield a refusal for each that cannot be."""
    for each in files:
        # Some browsers send a path, also one of another system.
        name = (each.filename or "").replace("\\", "/").rpartition("/")[2]
        shown = talk_files.shown(Path(name))
        if name in {"", ".", ".."} or "\0" in name or len(name.encode(errors="replace")) > NAME_BYTES:
            yield Handed(
                shown, refused=DataError("this file has no usable name", "rename it, and add it again")
            )
            continue
        target = folder / name
        try:
            with target.open("xb") as file:
                shutil.copyfileobj(each.file, file)
        except FileExistsError:
            why = f"two of these files are called {shown}"
            yield Handed(shown, refused=DataError(why, "add the second one by itself"))


def _without(folder: Path, handed: Handed) -> Handed:
    """Return a result without the path of the folder, which is gone when people read it."""
    error = handed.refused
    if error is None:
        return handed
    return replace(handed, refused=DataError(error.cause.replace(f"{folder}/", ""), error.cure))


def _shown(
    site: Site,
    stated: Stated = Stated(),
    *,
    handed: Sequence[Handed] = (),
    refused: Explained | None = None,
) -> TemplateContext:
    runtime = site.runtime
    return {
        "title": "Add files",
        "given": asdict(stated),
        "added": [each for each in handed if each.refused is None],
        "failed": [each for each in handed if each.refused is not None],
        "refused": refused,
        "accepted": ACCEPTED,
        "longest": TITLE_CHARS,
        "most_mb": runtime.settings.web_upload_mb,
        "running": runtime.bootstrap not in {"", EMBEDDED},
        "last_day": runtime.parts.now().date(),
    }


def _answer(site: Site, request: Request, page: TemplateContext, code: int = 200) -> Response:
    return site.render(request, "files.html", {"section": "/sources"} | page, code)


def _text(form: FormData, name: str) -> str:
    given = form.get(name, "")
    return given.strip() if isinstance(given, str) else ""
