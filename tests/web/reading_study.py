"""A study to read: a long talk, corrected talks, hostile ids, topics that were merged and excluded."""

from datetime import UTC, datetime

import studies

from streams import events as e
from streams.store import writer
from streams.store.warehouse import Warehouse

ODD = 'files/../a b%2Fc?d#é"<i>'
"""An id with everything that an address could trip over."""
LONG, WITHDRAWN, REDATED, REJECTED = "long0000001", "gone0000001", "late0000001", "tiny0000001"
AWAY, PERSON, EXCLUDED = 4, 5, 6
"""Merged by the model into 1; merged by a person into 2; excluded."""
REASON = f"only greetings {studies.SCRIPT}"
NEWS = datetime(2025, 4, 2, 12, tzinfo=UTC)
TOLD = e.AlertRaised(
    rule="emergence",
    model_version=studies.MODEL,
    topic_id=AWAY,
    title=f"New: indexes {studies.SCRIPT}",
    reason="3 of the last 20 talks speak of it",
    raised_at=NEWS,
    video_ids=("a0000000001", "b0000000001"),
    evidence=e.Evidence(
        terms=("index", "chunk"),
        channel="both",
        sources=3,
        recent=12,
        recent_of=40,
        earlier=2,
        earlier_of=80,
        log10_p=-5.0,
        first_on=datetime(2025, 2, 1, tzinfo=UTC).date(),
        latest_on=NEWS.date(),
        quotes=(),
    ),
)
RISING = e.AlertRaised(
    rule="rising",
    model_version=studies.MODEL,
    topic_id=2,
    title="Agents rises",
    reason="its share went from 10 to 40 %",
    raised_at=datetime(2025, 3, 2, tzinfo=UTC),
)
LAG = e.AlertRaised(
    rule="lag",
    model_version="",
    topic_id=None,
    title="Talks wait",
    reason="400 messages wait",
    raised_at=NEWS,
)


def reading(warehouse: Warehouse, turns: int = 500) -> None:
    """Write the study: topics 1 RAG, 2 Agents, 3 Evaluation; months January to April 2025.

    RAG (with 4, merged by the model): a, b, odd, long. Agents (with 5, merged by a person): b, odd, long.
    Evaluation: long, late. Excluded 6: c. Withdrawn: gone (RAG).
    `turns`: number of the long talk's paragraphs.
    """
    rows: list[tuple[str, writer.Columns]] = []
    for topic_id, name, theme in (
        (1, "RAG", "Architecture"),
        (2, "Agents", "Architecture"),
        (3, "Evaluation", "Evaluation"),
        (AWAY, "Indexes", None),
        (PERSON, "Assistants", None),
        (EXCLUDED, "Greetings", None),
    ):
        rows += studies.topic(topic_id, name, theme, (name.lower(), "model"))
    of = {"model_version": studies.MODEL, "revision": 1, "theme": "", "name": "", "reason": ""}
    rows.append(("codebook_entries", of | {"topic_id": PERSON, "retained": 1, "target": 2}))
    rows.append(
        ("codebook_entries", of | {"topic_id": EXCLUDED, "retained": 0, "target": 0, "reason": REASON})
    )
    rows += writer.rows_of(
        e.TopicMerged(
            model_version=studies.MODEL, topic_id=AWAY, into=1, label="", sequence=90, day=NEWS.date()
        )
    )
    voices = ("Ann", "Bo", "SPEAKER_00")
    long = [(1 + turn % 3, f"Paragraph {turn} says retrieval and agents.") for turn in range(turns)]
    talks: tuple[tuple[str, str, list[tuple[int | None, str]], tuple[str, ...]], ...] = (
        (
            "a0000000001",
            "2025-01-10",
            [(AWAY, "We build an index of chunks."), (1, "Retrieval first.")],
            ("Ann",),
        ),
        (
            "b0000000001",
            "2025-02-10",
            [(1, "検索拡張生成を使う。"), (2, f"Agents act. {studies.SCRIPT}")],
            ("Ann", "Bo"),
        ),
        ("c0000000001", "2025-02-11", [(EXCLUDED, "Hello and welcome.")], ("Bo",)),
        (
            ODD,
            "2025-03-01",
            [(1, "Odd, but retrieval."), (PERSON, "An assistant.")],
            (studies.RIGHT_TO_LEFT,),
        ),
        (LONG, "2025-03-02", list(long), voices),
        (WITHDRAWN, "2025-03-03", [(1, "Withdrawn retrieval.")], ("Ann",)),
        (REDATED, "2025-03-04", [(3, "Judged by a judge."), (None, studies.GREETING)], ("Bo",)),
    )
    for index, (video_id, day, said, speakers) in enumerate(talks):
        url = "https://example.org/media/a.mp3" if video_id == "a0000000001" else ""
        about = {"url": url or f"https://www.youtube.com/watch?v={video_id[:11]}", "speakers": speakers}
        duration = 61.0 * len(said)
        of_talk = studies.video(video_id, day, duration_s=duration, title=_title(video_id), **about)
        rows += studies.talk(index, of_talk, said)
    rejected = studies.video(REJECTED, "2025-03-05")
    rows += studies.seen(rejected)
    rows += writer.rows_of(e.VideoRejected(video=rejected, rule="too short", reason="it lasts 40 s"))
    for what, video_id, published_at in (
        ("withdrawn", WITHDRAWN, None),
        ("redated", REDATED, datetime(2025, 4, 1, 12, tzinfo=UTC)),
    ):
        rows += writer.rows_of(
            e.VideoCorrected.model_validate(
                {
                    "video_id": video_id,
                    "what": what,
                    "published_at": published_at,
                    "reason": REASON,
                    "author": "Ottilie",
                    "corrected_at": studies.TODAY,
                }
            )
        )
    taken_down = studies.video(ODD, "2025-03-01", title=studies.SCRIPT)
    rows += writer.rows_of(e.VideoFollowed(video=taken_down, change="deleted", seen_at=studies.TODAY))
    for alert in (TOLD, RISING, LAG):
        rows += writer.rows_of(alert)
    writer.write(warehouse, rows)


def _title(video_id: str) -> str:
    hostile = {
        ODD: studies.SCRIPT,
        LONG: studies.LONG,
        REDATED: studies.RIGHT_TO_LEFT,
        WITHDRAWN: studies.EMOJI,
    }
    return hostile.get(video_id, f"Talk {video_id}")
