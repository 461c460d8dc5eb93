"""/talks/{video_id}: one talk with its player, transcript, timeline of topics and speakers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import Query
from fastapi.responses import RedirectResponse, Response

from agents.transcription.speaker_names import names_in
from agents.transcription.transcript_export import MEDIA, Format, artefact, counting, rendered
from agents.web.dependencies import RequestRefused
from agents.web.player import player
from agents.web.site import Site
from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.store.rows.talks import Paragraph
from streams.store.talks import talks
from streams.store.talks.paragraphs import paragraphs

COLOURS = 8
"""Number of colours in the style sheet; they repeat, and names distinguish the lanes."""
SCALE = 1000
"""Width of a lane, in SVG units."""
TICKS = 4
Codebook = Annotated[int | None, Query(ge=0, lt=2**32, description="As of this revision of the codebook.")]


class ParagraphBox(NamedTuple):
    """Position of a paragraph in its lane."""

    paragraph: Paragraph
    x: float
    width: float


class Lane(NamedTuple):
    """Timeline of the paragraphs of a talk about one topic."""

    topic_id: int | None
    name: str
    retained: bool
    colour: int
    """Colour number, 1 to `COLOURS`; 0: no topic."""
    boxes: list[ParagraphBox]
    minutes: float


class SpeakerShare(NamedTuple):
    """Speaking time of one person in a talk."""

    name: str
    minutes: float
    share: float


def mount(site: Site) -> None:
    """Add the page and the download of the transcript."""
    _page(site)
    blobs = Blobs(site.runtime.settings.blobs_url)

    @site.web.get("/transcript.{form}", include_in_schema=False)
    def transcript(form: Format, video_id: str) -> Response:
        known = site.ask(talks.talk, video_id)
        version = counting(known["transcripts"]) if known else None
        if known is None or version is None:
            cause = f"there is no talk {video_id[:80]!r} with a transcript that counts"
            raise RequestRefused(404, cause, "find it on the Talks page; its own page shows its progress")
        try:
            content = rendered(artefact(blobs, video_id, version), form, names=names_in(known, version))
        except DataError as error:
            raise RequestRefused(404, error.cause, error.cure) from error
        name = re.sub(r"[^\w.-]+", "-", video_id)[:80]
        attached = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
        return Response(content, media_type=MEDIA[form], headers=attached)


def _page(site: Site) -> None:

    @site.page("/talks/{video_id:path}", "talk.html", section="/talks")
    def talk(video_id: str, codebook: Codebook = None) -> Any:
        if not video_id:
            return RedirectResponse("/talks", 302)
        known = site.ask(talks.talk, video_id)
        if known is None:
            raise RequestRefused(
                404,
                f"there is no talk {video_id[:80]!r} in this study",
                "find it on the Talks page, or search for it",
            )
        said = site.ask(paragraphs, video_id, codebook)
        length = max([known["duration_s"] or 0.0, *(row["end_s"] for row in said)])
        return {
            "title": known["title"] or known["video_id"],
            "talk": known,
            "player": player(known["url"]),
            "paragraphs": said,
            "files": tuple(MEDIA) if counting(known["transcripts"]) else (),
            "length": length,
            "lanes": lanes(said, length),
            "voices": voices(said),
            "ticks": [length * tick / TICKS for tick in range(TICKS + 1)],
            "redated": next((row for row in known["corrections"] if row["what"] == "redated"), None),
            "withdrawal": next((row for row in known["corrections"] if row["what"] == "withdrawn"), None)
            if known["withdrawn"]
            else None,
            "twin": "/api/paragraphs",
            "asked": {"video_id": video_id, "codebook": codebook},
        }


def lanes(said: Sequence[Paragraph], length: float) -> list[Lane]:
    """Return a lane for each topic of a talk, longest first, then those without a topic.

    Args:
        said: its paragraphs.
        length: of the talk, seconds.
    """
    found: dict[tuple[int | None, bool], list[Paragraph]] = {}
    known: dict[int | None, tuple[str, bool]] = {}
    for row in said:
        for topic_id, name, retained in _topics(row):
            found.setdefault((topic_id, row["boilerplate"]), []).append(row)
            known[topic_id] = (name, retained)
    ordered = sorted(
        found.items(), key=lambda each: (each[0][0] is None, each[0][1], -_seconds(each[1]), each[0][0] or 0)
    )
    scale = SCALE / length if length else 0.0
    return [
        Lane(
            topic_id=topic_id,
            name=known[topic_id][0] or ("Repeated in many talks" if repeated else "No topic"),
            retained=known[topic_id][1],
            colour=1 + place % COLOURS if topic_id is not None else 0,
            boxes=[
                ParagraphBox(row, row["start_s"] * scale, max(2.0, (row["end_s"] - row["start_s"]) * scale))
                for row in rows
            ],
            minutes=_seconds(rows) / 60,
        )
        for place, ((topic_id, repeated), rows) in enumerate(ordered)
    ]


def _topics(row: Paragraph) -> list[tuple[int | None, str, bool]]:
    """Return a paragraph's topics, each with its name and whether it counts; None stands for no topic."""
    further = [(topic["topic_id"], topic["name"], topic["retained"]) for topic in row["further"]]
    return [(row["topic_id"], row["name"] or "", row["retained"]), *further]


def voices(said: Sequence[Paragraph]) -> list[SpeakerShare]:
    """Return speaking times, longest first; a paragraph with several speakers is split evenly.

    Example:
        >>> voices([{"speakers": ["Ann", "Bo"], "start_s": 0.0, "end_s": 60.0},
        ...         {"speakers": ["Ann"], "start_s": 60.0, "end_s": 120.0}])[0]
        SpeakerShare(name='Ann', minutes=1.5, share=0.75)
    """
    seconds: dict[str, float] = {}
    for row in said:
        for name in row["speakers"]:
            part = (row["end_s"] - row["start_s"]) / len(row["speakers"])
            seconds[name] = seconds.get(name, 0.0) + part
    whole = sum(seconds.values())
    found = [
        SpeakerShare(name, spoken / 60, spoken / whole if whole else 0.0) for name, spoken in seconds.items()
    ]
    return sorted(found, key=lambda voice: (-voice.minutes, voice.name))


def _seconds(rows: Sequence[Paragraph]) -> float:
    return float(sum(row["end_s"] - row["start_s"] for row in rows))
