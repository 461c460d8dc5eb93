"""groundswell videos: which talks there are, what each counts as, and putting one right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.correcting import correcting, known, misused, print_corrections
from agents.cli.study import speakers
from agents.cli.study.reading import JSON, NO_TALKS
from agents.cli.study.retranscribing import retranscribe
from agents.queries.wording import day

if TYPE_CHECKING:
    from streams.store.rows.talks import Correction, WholeTalk

app = typer.Typer(
    help="Talks: list, show, see which wait; withdraw, restore, redate or keep one; say who speaks.",
    no_args_is_help=True,
)
app.command()(retranscribe)
speakers.register(app)
IDS = typer.Argument(metavar="ID...", help="Ids as `videos list` shows them.")
REASON = typer.Option(..., "--reason", help="Why; it is kept with the correction.")


@app.command("list")
def list_(
    search: str = typer.Option("", help="Only those with this text in title, show, channel or id."),
    limit: int = typer.Option(50, min=1, max=1000, help="At most so many."),
    as_json: bool = JSON,
) -> None:
    """Show talks, newest first."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "talks", search=search, limit=limit)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "video_id": ("ID", str),
        "published_on": ("PUBLISHED", day),
        "show": ("SHOW", lambda show: show or "-"),
        "title": ("TITLE", str),
        "state": ("STATE", str),
        "withdrawn": ("COUNTS", lambda withdrawn: "no, withdrawn" if withdrawn else ""),
    }
    print_rows(rows, shown, f"no talk has {search!r} in title, show, channel or id" if search else NO_TALKS)


@app.command()
def show(video_id: str = typer.Argument(metavar="ID"), as_json: bool = JSON) -> None:
    """One talk: where it was seen, how far it got, its topics, what was corrected."""
    found = known(video_id)
    if as_json:
        print_json(found)
        return
    for name, value in _about(found):
        say(f"{name:11} {value}")


def _about(found: WholeTalk) -> Iterator[tuple[str, str]]:
    """Yield what is said about a talk, line by line."""
    from agents.curation.video_corrections import named

    yield "talk", named(found)
    fields: Mapping[str, Any] = found
    yield from ((name, fields[name]) for name in ("show", "channel", "url") if fields[name])
    first, now = day(found["published_first"]), day(found["published_at"])
    yield "published", now if first == now else f"{now} (its source says {first})"
    if found["speakers"]:
        yield "speakers", ", ".join(found["speakers"])
    yield "state", found["state"] + (", withdrawn: it counts nowhere" if found["withdrawn"] else "")
    if (screened := found["screening"]) is not None:
        said = (screened["verdict"], screened["rule"], screened["reason"])
        yield "screening", ": ".join(filter(None, said))
    for seen in found["sightings"]:
        query = f" “{seen['query']}”" if seen["query"] else ""
        yield "seen", f"{day(seen['first_seen_at'])}  {seen['kind']}{query} ({seen['source_id']})"
    for transcript in found["transcripts"]:
        length = (
            f"{transcript['duration_s'] / 60:.0f} min, {transcript['words']} words, {transcript['language']}"
        )
        draft = ", captions until it is transcribed" if transcript["draft"] else ""
        counts = ", counts" if transcript["counts"] else ""
        yield "transcript", f"{transcript['transcript_version']}: {length}{draft}{counts}"
    for topic in found["topics"]:
        paragraphs = f"{topic['paragraphs']} paragraph{'s' * (topic['paragraphs'] != 1)}"
        left_out = "" if topic["retained"] else ", not retained"
        minutes = f"{topic['minutes']:.1f} min{left_out}"
        yield "topic", f"{topic['name']} ({topic['topic_id']}): {paragraphs}, {minutes}"
    for change in found["followed"]:
        told = f"retitled, was {change['was']!r}" if change["change"] == "retitled" else change["change"]
        yield "followed", f"{day(change['seen_at'])}  {told}"
    for correction in found["corrections"]:
        yield "corrected", f"{day(correction['corrected_at'])}  {_corrected(correction)}"


@app.command()
def waiting(
    state: str = typer.Option("", help="Only those that wait for this, such as `sign-in` or `recheck`."),
    as_json: bool = JSON,
) -> None:
    """Videos that wait: for their premiere or recording, for YouTube, or for people; the next one first."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "parked", state=state)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "video_id": ("ID", str),
        "title": ("TITLE", lambda title: title or "-"),
        "state": ("WAITS FOR", str),
        "until": ("NEXT LOOK", lambda at: str(at)[:16].replace("T", " ") if at else "when asked for"),
        "attempt": ("LOOKS", str),
        "reason": ("REASON", str),
    }
    print_rows(rows, shown, f"no video waits for {state!r}" if state else "no video waits")


@app.command()
def recheck(
    video_ids: list[str] = typer.Argument(metavar="ID...", help="Ids as `videos waiting` shows them."),
) -> None:
    """Look at videos that wait now, as after setting GROUNDSWELL_COOKIES or a proxy."""
    from agents.instance.clock import utc_now
    from streams.state.blobs import Blobs
    from streams.state.parked_videos import ParkingLot

    lot = ParkingLot(Blobs(load_settings().blobs_url))
    unknown = [video_id for video_id in video_ids if lot.get(video_id) is None]
    if unknown:
        raise typer.BadParameter(f"no video {unknown[0]!r} waits: see groundswell videos waiting")
    for video_id in video_ids:
        lot.wake(video_id, utc_now())
        tell(f"{video_id} is looked at within the minute, by the groundswell that runs or is started next")


@app.command()
def withdraw(
    video_ids: list[str] = IDS, reason: str = REASON, author: str = AUTHOR, as_json: bool = JSON
) -> None:
    """Take talks out of every number. What was learned from them stays; restore puts them back."""
    with correcting(author) as corrector:
        print_corrections(corrector.withdraw(video_ids, reason), as_json=as_json)


@app.command()
def restore(
    video_ids: list[str] = IDS,
    reason: str = typer.Option("", "--reason", help="Why; it is kept with the correction."),
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Let withdrawn talks count again."""
    with correcting(author) as corrector:
        print_corrections(corrector.restore(video_ids, reason), as_json=as_json)


@app.command()
def keep(
    video_id: str = typer.Argument(metavar="ID", help="Id as `videos list` shows it."),
    reason: str = REASON,
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Let a talk count that was rejected because it says again what another one said."""
    with correcting(author) as corrector:
        print_corrections(corrector.keep(video_id, reason), as_json=as_json)


@app.command()
def redate(
    video_id: str = typer.Argument(metavar="ID", help="Id as `videos list` shows it."),
    published_at: str = typer.Argument(metavar="YYYY-MM-DD[THH:MM]", help="When it was published (UTC)."),
    reason: str = REASON,
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Set the publication date of a talk right: it counts in that month from now on."""
    from agents.curation.video_corrections import moment_of
    from agents.instance.clock import utc_now

    with misused("DATE"):
        moment = moment_of(published_at, utc_now())
    with correcting(author) as corrector:
        print_corrections(corrector.redate(video_id, moment, reason), as_json=as_json)


@app.command()
def corrections(as_json: bool = JSON) -> None:
    """Show what was corrected about talks, newest first: why an old number differs from today's."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "corrections")
    if as_json:
        print_json(rows)
        return
    rows = [row | {"said": _corrected(row)} for row in rows]
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "corrected_at": ("WHEN", lambda moment: str(moment)[:16].replace("T", " ")),
        "video_id": ("ID", str),
        "title": ("TITLE", str),
        "said": ("CORRECTION", str),
    }
    print_rows(rows, shown, "no talk was corrected")


def _corrected(row: Correction) -> str:
    what = row["what"]
    if what == "redated":
        what = f"redated from {day(row['published_before'])} to {day(row['published_at'])}"
    if what == "named":
        what = (
            f"{row['speaker']} named {row['name']}" if row["name"] else f"name of {row['speaker']} taken back"
        )
    return f"{what} by {row['author']}" + (f": {row['reason']}" if row["reason"] else "")
