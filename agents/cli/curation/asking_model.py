"""groundswell codebook ask-model: a language model judges doubtful paragraphs, as a reviewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, tell
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.curating import service_of
from agents.cli.curation.teaching import shortened

if TYPE_CHECKING:
    from agents.curation.model_questions import ConceptQuestion
    from agents.curation.model_reviewer import ModelReviewer, QuestionAnswered
    from models.codebook.codebook import Codebook
    from streams.settings import Settings

VERDICTS = ("about", "not about", "unsure")


def register(app: typer.Typer) -> None:
    """Add the command to `groundswell codebook`."""
    app.command("ask-model")(ask_model)


def ask_model(
    topic_id: int | None = typer.Argument(None, metavar="[TOPIC]", help="Id of a topic of the codebook."),
    limit: int = typer.Option(100, "--limit", min=1, max=1000, help="Maximum number of paragraphs."),
    withdraw: str = typer.Option(
        "", "--withdraw", metavar="MODEL", help="Withdraw all judgements of this language model; ask nothing."
    ),
    author: str = AUTHOR,
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Let the labeller's language model judge the most doubtful paragraphs, as the reviewer model:NAME.

    Their text leaves this machine if the endpoint is elsewhere. Answers are kept at once, and not asked for
    again; Ctrl-C stops. They count half, and not at all where a person has judged. Numbers change with the
    next `codebook refit`.
    """
    from agents.curation.model_reviewer import ModelReviewer

    settings = load_settings()
    if withdraw:
        with service_of(ModelReviewer, author) as reviewer:
            withdrawn = reviewer.withdraw(withdraw, topic_id)
        if as_json:
            print_json({"withdrawn": withdrawn})
        else:
            tell(f"{withdrawn} judgements of {withdraw} are withdrawn")
            tell("groundswell codebook refit updates the numbers")
        return
    _check_endpoint(settings)
    with service_of(ModelReviewer, author) as reviewer:
        asked = reviewer.questions(settings.labeller_model, _codebook(reviewer), topic_id, limit)
        tell(
            _leaves(asked, settings) if asked else "no paragraph of a topic of the codebook is left to judge"
        )
        done: list[QuestionAnswered] = []
        try:
            _ask(reviewer, settings, asked, done)
        finally:
            if as_json:
                print_json(_summary(reviewer, settings.labeller_model, done))
            elif done:
                _print(reviewer, settings.labeller_model, done)


def _check_endpoint(settings: Settings) -> None:
    from streams.errors import Misconfigured

    if not settings.labeller_url:
        raise Misconfigured(
            "no language model is set",
            "set GROUNDSWELL_LABELLER_URL to an OpenAI-compatible base, such as http://localhost:11434/v1, "
            "and GROUNDSWELL_LABELLER_MODEL",
        )


def _codebook(reviewer: ModelReviewer) -> Codebook:
    """Return the codebook by which the present epoch judges."""
    from agents.curation.codebook_service import NOTHING_YET
    from agents.topics.concepts import basis_key, stored_basis
    from streams.errors import DataError

    standing = reviewer.standing()
    if not standing.model_version:
        raise DataError(*NOTHING_YET)
    basis = stored_basis(basis_key(standing.model_version), reviewer.blobs)
    if basis is None:
        raise DataError(
            "the topics of this study's codebook are counted as clusters, which cannot be taught",
            "begin a new topic model (groundswell rebuild), then ask again",
        )
    return basis.codebook


def _leaves(asked: Iterable[ConceptQuestion], settings: Settings) -> str:
    """Return what is about to be sent, in words."""
    from streams.http.errors import shown

    asked = list(asked)
    paragraphs = sum(len(question.paragraphs) for question in asked)
    topics = len({question.topic.key for question in asked})
    return (
        f"{len(asked)} requests to {settings.labeller_model} at {shown(settings.labeller_url)} will contain "
        f"the text of {paragraphs} paragraphs, and the names, definitions and examples of {topics} topics"
    )


def _ask(
    reviewer: ModelReviewer, settings: Settings, asked: list[ConceptQuestion], done: list[QuestionAnswered]
) -> None:
    from agents.curation.model_reviewer import WAIT_S
    from streams.http.chat_completions import ChatCompletions

    model = ChatCompletions(
        settings.labeller_url, settings.labeller_model, settings.labeller_key, wait_s=WAIT_S
    )
    with _bar(sum(len(question.paragraphs) for question in asked)) as advance:
        for answered in reviewer.ask_model(model, asked):
            done.append(answered)
            advance(len(answered.question.paragraphs))


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal; yield a function that advances it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("paragraphs", total=total)
        yield lambda more: progress.advance(bar, more)


def _summary(reviewer: ModelReviewer, model: str, done: list[QuestionAnswered]) -> dict[str, Any]:
    from dataclasses import asdict

    from agents.curation.model_reviewer import reviewer_of

    def place(row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: row[name] for name in ("topic_id", "name", "video_id", "position", "paragraph_id")}

    return {
        "reviewer": reviewer_of(model),
        "requests": len(done),
        "judgements": [
            place(row) | {"verdict": judgement.verdict} for each in done for row, judgement in each.judged
        ],
        "unanswered": [place(row) | {"reason": each.reason} for each in done for row in each.unanswered],
        "agreement_with_people": asdict(reviewer.agreement_with_people(model)),
    }


def _print(reviewer: ModelReviewer, model: str, done: list[QuestionAnswered]) -> None:
    """Print what was judged, what was not answered, and how far people agree."""
    from agents.curation.model_reviewer import reviewer_of

    rows = [row | {"verdict": judgement.verdict} for each in done for row, judgement in each.judged]
    shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
        "topic_id": ("ID", str),
        "name": ("TOPIC", str),
        "verdict": ("VERDICT", str),
        "video_id": ("TALK", str),
        "position": ("PARAGRAPH", str),
        "text": ("TEXT", shortened),
    }
    print_rows(rows, shown, "no paragraph was judged")
    said = Counter(row["verdict"] for row in rows)
    tell(f"{reviewer_of(model)}: " + ", ".join(f"{said[verdict]} {verdict}" for verdict in VERDICTS))
    if unanswered := sum(len(each.unanswered) for each in done):
        reason = next(each.reason for each in done if each.unanswered)
        tell(f"{unanswered} paragraphs have no usable answer and stay doubtful ({reason})")
    agreed = reviewer.agreement_with_people(model)
    if agreed.observed is not None:
        kappa = agreed.undefined if agreed.kappa is None else f"kappa {agreed.kappa:.2f}"
        share = f"{100 * agreed.observed:.1f} %"
        tell(f"it agrees with people on {share} of the {agreed.both} paragraphs that both judged, {kappa}")
    if rows:
        tell("groundswell codebook teach overrules a judgement; groundswell codebook refit learns from all")
