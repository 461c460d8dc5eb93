"""groundswell videos: the talks of a study, their progress and their corrections."""

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
    help="Talks: list and show them, see which are waiting, correct them, name their speakers.",
    no_args_is_help=True,
)
app.command()(retranscribe)
speakers.register(app)
IDS = typer.Argument(metavar="ID...", help="Ids as shown by `videos list`.")
REASON = typer.Option(..., "--reason", help="Why; it is recorded with the correction.")


@app.command("list")
def list_(
    search: str = typer.Option("", help="Only talks with this text in title, show, channel or id."),
    limit: int = typer.Option(50, min=1, max=1000, help="Maximum number of talks."),
    as_json: bool = JSON,
) -> None:
    """List talks, newest first."""
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
    """Show a talk: its sources, progress, transcripts, topics and corrections."""
    found = known(video_id)
    if as_json:
        print_json(found)
        return
    for name, value in _about(found):
        say(f"{name:11} {value}")


def _about(found: WholeTalk) -> Iterator[tuple[str, str]]:
    """Yield the lines about a talk, each as label and text."""
    from agents.curation.video_corrections import named

    yield "talk", named(found)
    fields: Mapping[str, Any] = found
    yield from ((name, fields[name]) for name in ("show", "channel", "url") if fields[name])
    first, now = day(found["published_first"]), day(found["published_at"])
    yield "published", now if first == now else f"{now} (according to its source: {first})"
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
    state: str = typer.Option("", help="Only talks in this state, such as `sign-in` or `recheck`."),
    as_json: bool = JSON,
) -> None:
    """List waiting talks (for a premiere, a recording, YouTube, or a person), next check first."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "parked", state=state)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "video_id": ("ID", str),
        "title": ("TITLE", lambda title: title or "-"),
        "state": ("WAITS FOR", str),
        "until": ("NEXT CHECK", lambda at: str(at)[:16].replace("T", " ") if at else "on request"),
        "attempt": ("CHECKS", str),
        "reason": ("REASON", str),
    }
    print_rows(rows, shown, f"no talk waits for {state!r}" if state else "no talk waits")


@app.command()
def recheck(
    video_ids: list[str] = typer.Argument(metavar="ID...", help="Ids as shown by `videos waiting`."),
) -> None:
    """Check waiting talks again now, for instance after setting GROUNDSWELL_COOKIES or a proxy."""
    from agents.instance.clock import utc_now
    from streams.state.blobs import Blobs
    from streams.state.parked_videos import ParkingLot

    lot = ParkingLot(Blobs(load_settings().blobs_url))
    unknown = [video_id for video_id in video_ids if lot.get(video_id) is None]
    if unknown:
        raise typer.BadParameter(f"talk {unknown[0]!r} is not waiting: see groundswell videos waiting")
    for video_id in video_ids:
        lot.wake(video_id, utc_now())
        tell(
            f"{video_id} will be checked within a minute if groundswell is running, else after its next start"
        )


@app.command()
def withdraw(
    video_ids: list[str] = IDS, reason: str = REASON, author: str = AUTHOR, as_json: bool = JSON
) -> None:
    """Exclude talks from every number. The topic model keeps what it learned; `restore` reverses this."""
    with correcting(author) as corrector:
        print_corrections(corrector.withdraw(video_ids, reason), as_json=as_json)


@app.command()
def restore(
    video_ids: list[str] = IDS,
    reason: str = typer.Option("", "--reason", help="Why; it is recorded with the correction."),
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Include withdrawn talks in the numbers again."""
    with correcting(author) as corrector:
        print_corrections(corrector.restore(video_ids, reason), as_json=as_json)


@app.command()
def keep(
    video_id: str = typer.Argument(metavar="ID", help="Id as shown by `videos list`."),
    reason: str = REASON,
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Include a talk that was rejected because its content repeats another talk."""
    with correcting(author) as corrector:
        print_corrections(corrector.keep(video_id, reason), as_json=as_json)


@app.command()
def redate(
    video_id: str = typer.Argument(metavar="ID", help="Id as shown by `videos list`."),
    published_at: str = typer.Argument(
        metavar="YYYY-MM-DD[THH:MM]", help="Correct date of publication (UTC)."
    ),
    reason: str = REASON,
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Correct the publication date of a talk. It then counts in that month."""
    from agents.curation.video_corrections import moment_of
    from agents.instance.clock import utc_now

    with misused("DATE"):
        moment = moment_of(published_at, utc_now())
    with correcting(author) as corrector:
        print_corrections(corrector.redate(video_id, moment, reason), as_json=as_json)


@app.command()
def corrections(as_json: bool = JSON) -> None:
    """List the corrections of talks, newest first. They explain why an old number differs from today's."""
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
    print_rows(rows, shown, "no corrections yet")


def _corrected(row: Correction) -> str:
    what = row["what"]
    if what == "redated":
        what = f"redated from {day(row['published_before'])} to {day(row['published_at'])}"
    if what == "named":
        what = f"{row['speaker']} named {row['name']}" if row["name"] else f"name of {row['speaker']} removed"
    return f"{what} by {row['author']}" + (f": {row['reason']}" if row["reason"] else "")
