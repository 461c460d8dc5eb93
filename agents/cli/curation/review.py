"""groundswell review: independent judgements of waiting talks; disagreements are adjudicated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.curation.author import author_of
from agents.cli.curation.correcting import misused

if TYPE_CHECKING:
    from agents.instance.event_publisher import Deliver
    from agents.screening.video_reviews import Reviewer, ReviewOutcome, WaitingVideo
    from models.relevance.kappa import Agreement
    from streams.settings import Settings

app = typer.Typer(
    help="Review the talks that wait for a decision. Reviewers judge independently.",
    no_args_is_help=True,
)
JSON = typer.Option(False, "--json", help="Print JSON.")
VIDEO = typer.Argument(metavar="ID", help="Id of the talk, as shown by `review next`.")
NOTE = typer.Option("", "--note", help="Why. Other reviewers see it once enough of them have judged.")
REVIEWER = typer.Option(
    "",
    "--reviewer",
    envvar="GROUNDSWELL_AUTHOR",
    help="Name of the reviewer (default: your login name).",
    show_default=False,
)
KIND = typer.Option(
    "",
    "--as",
    metavar="CLASS",
    help="Its class: experience report, tutorial, lecture, tool introduction, workshop, opinion, other.",
    show_default=False,
)
LINES = 12
"""Maximum number of lines of a description to show."""


@app.command("next")
def next_(reviewer: str = REVIEWER, as_json: bool = JSON) -> None:
    """Show the most relevant talk that you have not judged yet, without the judgements of others."""
    with looking(reviewer) as who:
        waiting = who.waiting()
        row = who.next(waiting)
    if as_json:
        print_json(None if row is None else {name: value for name, value in row.items() if name != "own"})
        return
    if row is None:
        tell(_nothing_left(who, waiting))
        return
    for name, value in _about(row):
        say(f"{name:9} {value}")
    left = sum(each["state"] == "open" and each["own"] is None for each in waiting)
    tell(
        f"{left} to judge as {who.name}: groundswell review keep {row['video_id']}, "
        f"or exclude {row['video_id']} --as tutorial"
    )


@app.command()
def keep(
    video_id: str = VIDEO,
    note: str = NOTE,
    kind: str = KIND,
    reviewer: str = REVIEWER,
    as_json: bool = JSON,
) -> None:
    """Judge that a talk belongs to the study."""
    _judge("keep", video_id, kind, note, reviewer, as_json=as_json)


@app.command()
def exclude(
    video_id: str = VIDEO,
    kind: str = KIND,
    note: str = NOTE,
    reviewer: str = REVIEWER,
    as_json: bool = JSON,
) -> None:
    """Judge that a talk does not belong to the study, and say what class it is."""
    _judge("exclude", video_id, kind, note, reviewer, as_json=as_json)


@app.command()
def adjudicate(
    video_id: str = VIDEO,
    verdict: str = typer.Argument(metavar="keep|exclude", help="The decision."),
    kind: str = KIND,
    note: str = NOTE,
    *,
    reviewer: str = REVIEWER,
    as_json: bool = JSON,
) -> None:
    """Decide about a talk on which reviewers disagree, or overrule a decision.

    Excluding a talk that already counts withdraws it from every number; keeping one that reviewers withdrew
    restores it.
    """
    with reviewing(reviewer) as who:
        judged = who.adjudicate(video_id, _verdict(verdict), kind, note)
    _told(judged, as_json=as_json)


@app.command()
def queue(
    reviewer: str = REVIEWER,
    limit: int = typer.Option(50, min=1, max=1000, help="Maximum number of talks."),
    as_json: bool = JSON,
) -> None:
    """List the talks that wait for review, most relevant first, and the progress of each reviewer."""
    with looking(reviewer) as who:
        waiting, rulings = who.waiting(), who.rulings()
    done = Counter(each.reviewer for ruling in rulings.values() for each in ruling.said)
    disputed = [row for row in waiting if row["state"] == "disputed"]
    if as_json:
        rows = [{name: value for name, value in row.items() if name != "own"} for row in waiting[:limit]]
        progress = {name: done[name] for name in sorted(done)}
        print_json({"waiting": len(waiting), "disputed": len(disputed), "judged": progress, "rows": rows})
        return
    shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
        "video_id": ("ID", str),
        "score": ("SCORE", _score),
        "talk_kind": ("LOOKS LIKE", lambda kind: kind or "-"),
        "title": ("TITLE", str),
        "state": ("STATE", str),
        "judged": ("JUDGED BY", lambda judged: f"{judged} of {who.settings.reviewers}"),
    }
    print_rows(waiting[:limit], shown, _nothing_left(who, waiting))
    for name in sorted(done):
        tell(f"{name} judged {done[name]}")
    for row in disputed:
        tell(f"reviewers disagree: groundswell review adjudicate {row['video_id']} keep|exclude")


@app.command()
def agreement(reviewer: str = REVIEWER, as_json: bool = JSON) -> None:
    """Show how far each pair of reviewers agrees (Cohen's kappa), and where they disagree."""
    from dataclasses import asdict

    from agents.screening.rulings import describe_ruling

    with looking(reviewer) as who:
        found, rulings = who.agreement(), who.rulings()
    if as_json:
        print_json([asdict(pair) for pair in found])
        return
    if not found:
        tell("no talk has enough judgements yet: groundswell review next --reviewer NAME")
    for pair in found:
        say(f"{pair.one} and {pair.other}")
        say(f"  keep or exclude  {_agreed(pair.verdicts)}")
        say(f"  class            {_agreed(pair.kinds)}")
        for video_id in pair.differ:
            blind = ", ".join(
                f"{each.reviewer}: {'keep' if each.verdict == 'keep' else each.talk_kind}"
                for each in rulings[video_id].said
            )
            decided = rulings[video_id].adjudicated and f"; {describe_ruling(rulings[video_id])}"
            say(f"  {video_id}  {blind}{decided or ''}")


@app.command()
def undo(
    video_id: str = typer.Argument(
        "", metavar="[ID]", help="Id of the talk (default: the one that you judged last)."
    ),
    reviewer: str = REVIEWER,
    as_json: bool = JSON,
) -> None:
    """Undo your judgement of a talk that is not decided yet."""
    with reviewing(reviewer) as who:
        taken_back = who.undo(video_id)
    tell(f"undone: {who.name} judged {taken_back.verdict} for {taken_back.video_id}")
    if as_json:
        print_json(taken_back.model_dump())


@contextmanager
def reviewing(name: str) -> Iterator[Reviewer]:
    """Yield a reviewer of the study. Judgements are sent to the broker, or written if no broker runs.

    Raises:
        Unavailable: the broker does not answer, or a process that only serves the page holds the database.
    """
    from agents.instance.event_publisher import delivering

    settings = load_settings()
    with delivering(settings) as deliver, misused():
        yield _reviewer(settings, name, deliver)


@contextmanager
def looking(name: str) -> Iterator[Reviewer]:
    """Yield a reviewer for reading only, which needs no broker."""

    def nothing(_: object) -> None:
        raise AssertionError("a read-only reviewer sends nothing")

    with misused():
        yield _reviewer(load_settings(), name, nothing)


def _reviewer(settings: Settings, name: str, deliver: Deliver) -> Reviewer:
    from agents.cli.asking import ask
    from agents.instance.clock import utc_now
    from agents.screening.video_reviews import Reviewer
    from streams.state.blobs import Blobs

    blobs = Blobs(settings.blobs_url)
    return Reviewer(settings, blobs, partial(ask, settings), deliver, utc_now, author_of(name), say=tell)


def _judge(
    verdict: Literal["keep", "exclude"], video_id: str, kind: str, note: str, name: str, *, as_json: bool
) -> None:
    with reviewing(name) as who:
        judged = who.judge(video_id, verdict, kind, note)
    _told(judged, as_json=as_json)


def _told(judged: ReviewOutcome, *, as_json: bool) -> None:
    from agents.screening.rulings import describe_ruling

    event, ruling = judged.event, judged.ruling
    match ruling.state:
        case "open":
            then = "it waits for other reviewers"
        case "disputed":
            then = f"reviewers disagree: groundswell review adjudicate {event.video_id} keep|exclude"
        case "decided":
            then = f"decided: {describe_ruling(ruling)}"
    what = "keep" if event.verdict == "keep" else f"exclude, {event.talk_kind}"
    tell(f"{event.reviewer} judges {event.video_id}: {what}; {then}")
    for each in judged.corrected:
        tell(each.said)
    if as_json:
        print_json(event.model_dump() | {"state": ruling.state})


def _verdict(text: str) -> Literal["keep", "exclude"]:
    if text == "keep":
        return "keep"
    if text == "exclude":
        return "exclude"
    raise typer.BadParameter(f"{text!r} is neither keep nor exclude", param_hint="VERDICT")


def _nothing_left(who: Reviewer, waiting: Sequence[WaitingVideo]) -> str:
    if any(row["state"] == "disputed" for row in waiting):
        return "only talks on which reviewers disagree are waiting: groundswell review queue"
    if waiting:
        return f"{who.name} has judged every waiting talk; other reviewers have not"
    if who.settings.screening in ("rules", "automatic"):
        return (
            f"this study has no reviewers, because GROUNDSWELL_SCREENING is {who.settings.screening}: "
            "set it to assisted or review, and restart groundswell run"
        )
    return "no talk waits for reviewers"


def _about(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from agents.queries.media_links import clock
    from agents.queries.wording import day

    yield "video", row["video_id"]
    yield from ((name, row[name]) for name in ("title", "channel", "url") if row[name])
    yield "published", day(row["published_at"])
    yield "length", clock(row["duration_s"]) if row["duration_s"] else "-"
    yield "language", row["language"] or "unknown"
    yield "score", f"{_score(row['score'])} ({row['talk_kind'] or 'not scored by a model'})"
    yield from (("", f"  {reason}") for reason in row["reasons"])
    lines = [line for line in row["description"].splitlines() if line.strip()]
    yield from (("" if number else "text", line[:300]) for number, line in enumerate(lines[:LINES]))


def _score(score: float | None) -> str:
    return "-" if score is None else f"{score:.2f}"


def _agreed(found: Agreement) -> str:
    from agents.curation.agreement import describe_agreement

    return describe_agreement(found).replace(" topics", " talks")
