"""Studies for the pages: rows that the real writer makes from real events."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from streams import events as e
from streams.store import writer
from streams.store.warehouse import Warehouse

Rows = Iterator[tuple[str, writer.Columns]]
MODEL, TRANSCRIPT = "model-1", "captions-1"
TODAY = datetime(2025, 12, 17, 9, tzinfo=UTC)
CODEBOOK = Path(__file__).parents[2] / "models" / "codebooks" / "llm-in-production.yaml"
SCRIPT = "<script>alert(1)</script>"
LONG = "Retrieval" * 1111 + "!"
RIGHT_TO_LEFT = "כיצד בנינו סוכן שמזמין כבלים \u202eتجربة"
EMOJI = "Ship it 🚀👩🏽‍💻 — what broke after the demo 🔥"
BORN = 21
UNSORTED, PART = 31, 32
"""Topics of `unsorted`: one that is about something else, and one that is about the topic Agents."""
AGENTS = 2
MERGED = 22
GREETING = "Welcome, and thank you for having me."
BLOB = e.Blob(key="transcripts/x", sha256="0" * 64, size=1)


def topic(topic_id: int, name: str, theme: str | None, words: Sequence[str] = ()) -> Rows:
    """Yield the rows of a topic seeded from a codebook."""
    weights = tuple((word, 1 / (rank + 1)) for rank, word in enumerate(words))
    yield from writer.rows_of(
        e.TopicBorn(
            model_version=MODEL,
            topic_id=topic_id,
            sequence=0,
            label=name,
            words=weights,
            origin="seeded",
            theme=theme,
            codebook_key=name.lower().replace(" ", "-"),
        )
    )


def video(video_id: str, published_at: str | datetime, **about: object) -> e.Video:
    published = datetime.fromisoformat(published_at) if isinstance(published_at, str) else published_at
    return e.Video.model_validate(
        {
            "video_id": video_id,
            "title": f"Talk {video_id}",
            "show": "Night Deploys",
            "url": f"https://www.youtube.com/watch?v={video_id}",
            "published_at": published.replace(tzinfo=UTC),
            "duration_s": 1800.0,
        }
        | about
    )


def seen(of: e.Video) -> Rows:
    """Yield the rows of a video that a source has listed and no agent has handled."""
    sighting = e.Sighting(source_id="search-1", kind="search", query="LLMOps", rank=1, seen_at=TODAY)
    yield from writer.rows_of(e.VideoSeen(video=of, sighting=sighting))


def transcribed(of: e.Video, words: int = 150, transcript: str = TRANSCRIPT) -> e.TranscriptReady:
    return e.TranscriptReady(
        video=of,
        transcript=BLOB,
        transcript_version=transcript,
        language="en",
        duration_s=of.duration_s or 0.0,
        words=words,
        speakers=1,
    )


def talk(
    index: int,
    of: e.Video,
    paragraphs: Sequence[tuple[int | None, str]],
    probability: float = 0.9,
    transcript: str = TRANSCRIPT,
) -> Rows:
    """Yield the rows of a complete talk; `paragraphs`: (topic, text), one a minute, probability falling."""
    yield from seen(of)
    yield from writer.rows_of(e.VideoAccepted(video=of))
    yield from writer.rows_of(transcribed(of, 150 * len(paragraphs), transcript))
    ids = [e.paragraph_id(of.video_id, transcript, position) for position in range(len(paragraphs))]
    for position, (paragraph_id, (_, text)) in enumerate(zip(ids, paragraphs, strict=True)):
        yield writer.paragraph_row(
            of.video_id,
            transcript,
            position,
            paragraph_id=paragraph_id,
            start_s=60.0 * position + 3.4,
            end_s=60.0 * position + 58.0,
            text=text,
            speakers=list(of.speakers),
            tokens=80,
        )
    yield from writer.rows_of(
        e.ParagraphsAssigned(
            video=of,
            video_index=index,
            model_version=MODEL,
            transcript_version=transcript,
            sequence=index + 1,
            assignments=tuple(
                e.AssignedParagraph(
                    paragraph_id=paragraph_id,
                    topic_id=topic_id,
                    probability=probability - position / 100,
                    boilerplate=text == GREETING,
                )
                for position, (paragraph_id, (topic_id, text)) in enumerate(zip(ids, paragraphs, strict=True))
            ),
        )
    )


def dead_letter(offset: int, video_id: str | None = None) -> Rows:
    yield from writer.rows_of(
        e.DeadLettered(
            agent="fetch",
            cause=f"the video is private {SCRIPT}",
            cure="ask its owner, or drop it",
            log_id="log-1",
            topic="videos.accepted",
            partition=0,
            offset=offset,
            video_id=video_id,
            payload="e30=",
            failed_at=TODAY,
        )
    )


def small(warehouse: Warehouse) -> None:
    """Write six talks that can be counted by hand; the topic Greetings is not retained.

    January: a (RAG twice, Agents), b (Evaluation), c (only Greetings).
    February: d (Agents, Evaluation), e (no topic). March: f (RAG).
    """
    topics = (
        (1, "RAG", "Architecture"),
        (2, "Agents", "Architecture"),
        (3, "Evaluation", "Evaluation"),
        (4, "Greetings", None),
    )
    talks: tuple[tuple[str, str, list[int | None]], ...] = (
        ("a", "2025-01-10", [1, 1, 2]),
        ("b", "2025-01-11", [3]),
        ("c", "2025-01-12", [4]),
        ("d", "2025-02-10", [2, 3]),
        ("e", "2025-02-11", [None]),
        ("f", "2025-03-31", [1]),
    )
    rows: list[tuple[str, writer.Columns]] = []
    for topic_id, name, theme in topics:
        rows += topic(topic_id, name, theme, (name.lower(), "model"))
    excluded = {"model_version": MODEL, "topic_id": 4, "name": "Greetings", "theme": "", "retained": 0}
    rows.append(("codebook_entries", excluded | {"revision": 1, "target": 0, "reason": "greetings"}))
    for index, (video_id, day, assigned) in enumerate(talks):
        rows += talk(index, video(video_id, day), [(each, f"{video_id} says it") for each in assigned])
    rows += dead_letter(1)
    rows += dead_letter(2)
    settled = e.stable_id("DeadLettered", "fetch", "log-1", "videos.accepted", 0, 2)
    rows += writer.rows_of(e.DeadLetterSettled(letter_id=settled, action="dropped", settled_at=TODAY))
    rows += writer.rows_of(
        e.AlertRaised(
            rule="new topic",
            model_version=MODEL,
            topic_id=3,
            title="New topic: Evaluation",
            reason="because",
            raised_at=datetime(2025, 2, 10, tzinfo=UTC),
            video_ids=("b", "d"),
        )
    )
    writer.write(warehouse, rows)


def lively(warehouse: Warehouse) -> None:
    """Write two years of a community: 8 themes, 20 topics and a newborn one, some talks with hostile text."""
    chance = random.Random(7)
    codebook = yaml.safe_load(CODEBOOK.read_text())["topics"]
    rows: list[tuple[str, writer.Columns]] = []
    for topic_id, each in enumerate(codebook, 1):
        said = {word.strip(",.:;?").lower() for word in each["description"].split()}
        words = sorted(said, key=lambda word: (len(word), word))[-8:]
        rows += topic(topic_id, each["name"], each["theme"], words)
    weights = [1 / (1 + rank / 4) for rank in range(20)]
    chance.shuffle(weights)
    titles = [SCRIPT, LONG, RIGHT_TO_LEFT, EMOJI]
    born_in: list[e.Video] = []
    for index, published in enumerate(_days(chance)):
        title = titles[index] if index < len(titles) else f"What we learned running {_subject(chance)}"
        of = video(
            f"talk{index:07}",
            published,
            title=title,
            show=chance.choice(("Night Deploys", "MLOps Evenings", "The Late Standup", EMOJI)),
            speakers=chance.choice((("Ottilie Hwang",), ("Joel Hartwell", "Ann Ó Briain"), (RIGHT_TO_LEFT,))),
            url=_url(index),
            duration_s=chance.uniform(1200, 3000),
        )
        about = list(dict.fromkeys(chance.choices(range(1, 21), weights, k=2 + index % 2)))
        paragraphs = [(topic_id, _said(codebook[topic_id - 1]["description"], index)) for topic_id in about]
        if published >= datetime(2025, 4, 1, tzinfo=UTC) and chance.random() < 0.45:
            born_in.append(of)
            paragraphs.append((BORN, f"We put the tools behind one MCP server. {SCRIPT} Then it grew."))
        paragraphs.append((None, GREETING))
        rows += talk(index, of, paragraphs, probability=0.99 if index < len(titles) else 0.9)
    rows += _birth(born_in)
    rows += _history(born_in[0])
    for number, day in enumerate(("2009-05-05", "2025-03-01", "2025-08-01")):
        short = video(f"short{number:06}", day)
        rows += seen(short)
        rows += writer.rows_of(e.VideoRejected(video=short, rule="too short", reason="40 s"))
    rows += dead_letter(7)
    writer.write(warehouse, rows)


def unsorted(warehouse: Warehouse) -> None:
    """Write `lively`, and two more topics that were born; every paragraph of `PART` is also about Agents."""
    lively(warehouse)
    said = {
        UNSORTED: ("voice, calls, accents", "Callers interrupt the voice assistant, and the line is noisy."),
        PART: ("planner, tool calls, loops", "The planner calls a tool, reads the result and plans again."),
    }
    rows: list[tuple[str, writer.Columns]] = []
    for topic_id, (label, text) in said.items():
        videos = [video(f"born{topic_id}{each:05}", TODAY - timedelta(days=9 * each)) for each in range(4)]
        for index, of in enumerate(videos):
            rows += talk(
                200 + 10 * topic_id + index, of, [(topic_id, text), (topic_id, text), (None, "Thanks.")]
            )
        born = e.TopicBorn(
            model_version=MODEL,
            topic_id=topic_id,
            sequence=300 + topic_id,
            label=label,
            words=tuple((word, 0.5) for word in label.split(", ")),
            origin="born",
            video_ids=tuple(of.video_id for of in videos),
            emerged_at=TODAY,
        )
        rows += writer.rows_of(born)
        if topic_id == PART:
            for of in videos:
                rows += writer.rows_of(_about_agents(of))
    writer.write(warehouse, rows)


def _about_agents(of: e.Video) -> e.ConceptsRejudged:
    return e.ConceptsRejudged(
        video=of,
        model_version=MODEL,
        sequence=900,
        judge="judge-1",
        paragraphs=tuple(
            e.RejudgedParagraph(
                paragraph_id=e.paragraph_id(of.video_id, TRANSCRIPT, position),
                concepts=(e.ConceptMembership(topic_id=AGENTS, probability=0.8),),
            )
            for position in range(2)
        ),
    )


def _days(chance: random.Random) -> Iterable[datetime]:
    day = datetime(2024, 1, 9, 18, tzinfo=UTC)
    while day < TODAY:
        if (day.year, day.month) != (2024, 8):
            yield day
        day += timedelta(days=chance.randint(3, 11))


def _said(description: str, index: int) -> str:
    sentences = description.strip().rstrip(".").split(". ")
    turn = index % len(sentences)
    return ". ".join([*sentences[turn:], *sentences[:turn]]) + "."


def _subject(chance: random.Random) -> str:
    what = chance.choice(("agents", "retrieval", "a judge", "small models"))
    return f"{what} for {chance.choice(('a brewery', 'two hospitals', 'freight mails', 'a museum'))}"


def _url(index: int) -> str:
    other = ("javascript:alert(1)", "https://example.org/talks/1.mp4", "https://youtu.be/abc", "")
    return other[index] if index < len(other) else f"https://www.youtube.com/watch?v=talk{index:07}"


def _history(of: e.Video) -> Rows:
    """Yield later events of topics: a merge, a dormancy, a drift, and the emergence of a subject."""
    yield from topic(MERGED, f"tools {SCRIPT}", None, ("tools",))
    about = {"model_version": MODEL, "label": "", "sequence": 80, "day": TODAY.date()}
    yield from writer.rows_of(e.TopicMerged(topic_id=MERGED, into=BORN, **about))
    yield from writer.rows_of(e.TopicDormant(topic_id=2, asleep=True, **about))
    drift = e.TopicDrifted(
        model_version=MODEL,
        topic_id=1,
        sequence=80,
        label="",
        share_before=0.0,
        share_after=0.0,
        what="words",
        moved=0.31,
        words_before=("gpt-3",),
        words_after=("agents", SCRIPT),
        since=TODAY.date(),
        videos_before=40,
        videos_after=12,
    )
    yield from writer.rows_of(drift)
    outliers = e.HealthChanged(
        model_version=MODEL, sequence=80, what="outliers", before=0.12, after=0.2, since=TODAY.date()
    )
    yield from writer.rows_of(outliers)
    said = e.Quote(
        paragraph_id="p",
        video_id=of.video_id,
        source="Night Deploys",
        published_on=TODAY.date(),
        start=75.0,
        text=f"We let it write the code {SCRIPT} and only looked at the result.",
    )
    evidence = e.Evidence(
        terms=("vibe coding", SCRIPT),
        channel="term",
        sources=4,
        recent=6,
        recent_of=50,
        earlier=1,
        earlier_of=200,
        log10_p=-6.0,
        first_on=TODAY.date(),
        latest_on=TODAY.date(),
        quotes=(said,),
    )
    alert = e.AlertRaised(
        rule="emergence",
        model_version=MODEL,
        topic_id=None,
        title="New topic: vibe coding",
        reason="6 of the last 50 talks speak of it",
        raised_at=datetime(2024, 3, 1, tzinfo=UTC),
        video_ids=(of.video_id,),
        evidence=evidence,
    )
    yield from writer.rows_of(alert)


def _birth(videos: Sequence[e.Video]) -> Rows:
    words = (("mcp", 0.9), ("server", 0.7), ("protocol", 0.6), ("tools", 0.5), (SCRIPT, 0.4), ("client", 0.3))
    founders = [of.video_id for of in videos[:5]]
    emerged_at = videos[4].published_at
    born = e.TopicBorn(
        model_version=MODEL,
        topic_id=BORN,
        sequence=70,
        label="mcp, server, protocol",
        words=words,
        origin="born",
        video_ids=tuple(founders),
        emerged_at=emerged_at,
    )
    yield from writer.rows_of(born)
    yield from writer.rows_of(
        e.AlertRaised(
            rule="new topic",
            model_version=MODEL,
            topic_id=BORN,
            title="New topic: mcp, server, protocol",
            reason="5 talks speak alike about something no topic covered; their words: mcp, server, protocol",
            raised_at=emerged_at,
            video_ids=tuple(founders),
        )
    )
