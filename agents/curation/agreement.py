"""Agreement of reviewers about topics, by pairs, and the topics on which they disagree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from models.relevance import kappa
from models.relevance.kappa import Agreement, PairAgreement, disagreements, pairs
from streams.store.rows.codebook import Judgement


@dataclass(frozen=True, slots=True)
class Agreed:
    """The agreement of reviewers.

    Attributes:
        pairs: the agreement of each pair of reviewers, by name.
        disagreements: rows {topic_id, name, judgements: [{reviewer, verdict, theme, note}, …]} by topic.
    """

    pairs: tuple[PairAgreement, ...]
    disagreements: tuple[dict[str, Any], ...]


def agreed(rows: Iterable[Judgement]) -> Agreed:
    """Return the agreement of reviewers, from rows of the view `codebook_judgements`."""
    rows = list(rows)
    names = {row["topic_id"]: row["name"] for row in rows}
    said = [
        kappa.Judgement(row["topic_id"], row["reviewer"], row["verdict"], row["theme"], row["note"])
        for row in rows
    ]
    differing = [
        {
            "topic_id": topic_id,
            "name": names[topic_id],
            "judgements": [
                {name: getattr(each, name) for name in ("reviewer", "verdict", "theme", "note")}
                for each in judgements
            ],
        }
        for topic_id, judgements in disagreements(said).items()
    ]
    return Agreed(tuple(pairs(said)), tuple(differing))


def describe_agreement(found: Agreement) -> str:
    """Return the agreement of two reviewers in words.

    Example:
        >>> describe_agreement(Agreement(4, 0.75, 0.5))
        'the same for 75.0 % of 4 topics, kappa 0.50'
    """
    if found.observed is None:
        return found.undefined
    kappa = (
        f"kappa {found.kappa:.2f}" if found.kappa is not None else f"kappa is not defined: {found.undefined}"
    )
    return f"the same for {100 * found.observed:.1f} % of {found.both} topics, {kappa}"
