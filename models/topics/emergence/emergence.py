"""Emergence of subjects: newborn topics that later talks confirm, and bursting names, as one alert each."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from models.topics.bursts import sources
from models.topics.bursts.recent_video import around
from models.topics.bursts.stream_clock import Calendar
from models.topics.bursts.term_bursts import Burst, Spoken
from models.topics.emergence.candidate import Candidate, Hit, Newborn, RateEvidence, compare_rates
from models.topics.emergence.candidates import Candidates
from models.topics.emergence.embedding_bursts import EmbeddingBurst, EmbeddingBursts
from models.topics.emergence.explanations import reason_of_birth, reason_of_burst
from models.topics.emergence.history_sample import HistorySample
from models.topics.emergence.reported import Kinship, ReportedSubjects, SubjectSighting, part_in
from models.topics.emergence.settings import EmergenceSettings
from models.topics.naming.naming import name
from models.topics.online.centring import Background, Vectors
from models.topics.results import Emergence, SourceQuote


class EmergenceWatch:
    """Reports each new subject once, whichever channel detects it first.

    A newborn topic is not yet news: it can be an old subject that no topic covered, one show's phrase, or a
    flood from one source. So it becomes a candidate, and so does a burst of similar paragraphs in several
    videos of which no topic has been born yet. A candidate becomes news when videos that arrive later confirm
    it: when more of them mention it, from several sources, than chance explains, compared with a sample of
    everything before. A burst of names is news at once.

    Two sightings are one subject if they share paragraphs, or have similar centroids, or share a name and
    have roughly similar centroids; then only the first is reported. A new name needs a closer centroid to
    count as known: GPT-4 is mentioned where ChatGPT is, and is another thing. A burst whose subject is a
    candidate is reported as seen by both channels. What one source's burst has reported is reported again, as
    a replacement, when several sources make it news. A subject that goes away and comes back is reported
    once: its return shows as a rising trend. Videos that are old when they arrive (`late`) count as past, so
    that importing an archive makes no news.

    The state is bounded by the settings: `past_paragraphs`, `glimpse_paragraphs`, `trials` and `told`.
    """

    def __init__(self, settings: EmergenceSettings) -> None:
        self._settings = s = settings
        self._arrivals = HistorySample(s.past_paragraphs, s.past_per_video, s.source_window)
        self._kinship = Kinship(s.same_paragraphs, s.same_cosine, s.named_cosine)
        self._kinship_of_names = Kinship(s.same_paragraphs, s.new_name_cosine, s.named_cosine)
        self._told = ReportedSubjects(s.told)
        self._glimpses = EmbeddingBursts(
            s.glimpse_paragraphs, s.glimpse_pair, s.glimpse_videos, s.glimpse_log10_p
        )
        self._calendar = Calendar()
        self._now = 0
        self._docket = Candidates(s.trials, s.horizon)

    def update(
        self,
        spoken: Spoken,
        index: int,
        background: Background,
        *,
        newborns: Sequence[Newborn] = (),
        bursts: Sequence[Burst] = (),
        topic_of: Callable[[Vectors], int | None] = lambda _: None,
        batch_id: str = "",
    ) -> tuple[Emergence, ...]:
        """Add a video and return the subjects that it makes news.

        Args:
            spoken: the video without boilerplate; a video that was learned before must not come again.
            index: dense number of the video, ascending (`Outcome.video_index`).
            newborns: the topics that it completed; their founders include its paragraphs.
            bursts: the result of `TermBursts.update` for it.
            topic_of: returns the topic of a direction, float64 [d] of unit length, or None: a burst's topic.
            batch_id: the batch's id in the alerts.
        """
        self._calendar.turn(spoken.published_on)
        day = self._calendar.place(spoken.published_on)
        late = day < self._calendar.today - self._settings.late
        self._now += not late
        confirmed = [] if late else self._hear(spoken, background)
        glimpses = self._look(spoken, index, background)
        for newborn in newborns:
            self._begin(newborn, background)
        if not late:
            self._weigh(glimpses, index, background)
        self._arrivals.add(
            index, spoken.video_id, spoken.source, spoken.paragraph_ids, spoken.vectors, late=late
        )
        told = [self._tell(burst, index, background, topic_of) for burst in bursts]
        told += [self._try(trial, index, background) for trial in confirmed]
        self._docket.retire(self._now)
        return tuple(replace(each, batch_id=batch_id) for each in told if each is not None)

    def _hear(self, spoken: Spoken, background: Background) -> list[Candidate]:
        """Add a recent video to the candidates that it confirms, and return these."""
        rows = self._arrivals.rows(spoken.paragraph_ids)
        if not rows:
            return []
        cosines = self._docket.cosines(spoken.vectors[rows], background)
        confirmed = []
        for trial, column in zip(self._docket.trials, cosines.T, strict=True):
            best = int(column.argmax())
            if column[best] >= self._settings.member:
                trial.confirm(Hit(at=self._now, quote=_quote(spoken, rows[best], trial.words)))
                confirmed.append(trial)
        return confirmed

    def _look(self, spoken: Spoken, index: int, background: Background) -> list[EmbeddingBurst]:
        rows = self._arrivals.rows(spoken.paragraph_ids)
        quotes = [_quote(spoken, row) for row in rows]
        return self._glimpses.add(quotes, spoken.vectors[rows], index, background)

    def _begin(self, newborn: Newborn, background: Background) -> None:
        """Add a newborn topic as a candidate, or assign it to a candidate without a topic."""
        s, videos = self._settings, tuple(newborn.videos.values())
        begun = self._docket.closest(newborn.centre, background, s.same_cosine)
        if begun is not None and begun.topic_id is None:
            begun.name(newborn)
            return
        before = newborn.onset
        trial = Candidate(
            topic_id=newborn.topic_id,
            label=newborn.label,
            words=newborn.words,
            founders=self._glimpses.quotes(newborn.paragraph_ids),
            founding_videos=videos,
            born=self._now,
            past=self._arrivals.past(newborn.centre, background, s.member, before, frozenset(videos)),
        )
        self._docket.add(trial, newborn.centre)

    def _weigh(self, glimpses: Sequence[EmbeddingBurst], index: int, background: Background) -> None:
        """Add the latest video's paragraph bursts as candidates, except known, reported and old ones."""
        s = self._settings
        for glimpse in glimpses[: s.glimpses]:
            videos = tuple(quote.video_id for quote in glimpse.quotes)
            said = tuple(quote.paragraph_id for quote in glimpse.quotes)
            if self._docket.closest(glimpse.centre, background, s.same_cosine):
                continue
            story = self._told.find(SubjectSighting((), said, glimpse.centre), background, self._kinship)
            if story is not None and not story.only_on:
                continue
            before = glimpse.indexes[0]
            past = self._arrivals.past(glimpse.centre, background, s.member, before, frozenset(videos))
            found = compare_rates(len(videos), index - before + 1, past.spoke, past.of)
            if found.log10_p <= s.glimpse_log10_p:
                trial = Candidate(founders=glimpse.quotes, founding_videos=videos, born=self._now, past=past)
                self._docket.add(trial, glimpse.centre)

    def _try(self, trial: Candidate, index: int, background: Background) -> Emergence | None:
        """Return the alert for a candidate after its latest hit, if it is significant and not reported."""
        s = self._settings
        if not self._docket.has(trial) or trial.past.of < s.warm_up:
            return None
        evidence = trial.evidence(self._now, s.least_videos, s.ratio)
        if evidence is None or evidence.log10_p > s.log10_p:
            return None
        quotes = [hit.quote for hit in trial.hits[-evidence.recent :]]
        mixed = self._arrivals.sources()
        by_source = list(Counter(quote.source for quote in quotes).values())
        videos = sources.counted(by_source, mixed, s.source_share)
        if not self._convinces(evidence.with_recent(videos), trial.past.peak):
            return None
        if len({quote.source for quote in (*trial.founders, *quotes)}) < sources.needed(mixed, s.sources):
            return None
        centre = self._docket.centre(trial)
        self._docket.drop(trial)
        if trial.topic_id is None:
            trial.words = self._glimpses.words_of([*trial.founders, *quotes])
            weights = [(word, 1.0 / (1 + rank)) for rank, word in enumerate(trial.words)]
            said = [(quote.video_id, quote.text) for quote in (*trial.founders, *quotes)]
            trial.label = name(weights, said) or ", ".join(trial.words[:3])
        seen = SubjectSighting(trial.words[:3], trial.paragraph_ids, centre, trial.topic_id)
        return self._report(_emergence(trial, evidence), seen, self._kinship, index, background)

    def _convinces(self, evidence: RateEvidence, peak: float) -> bool:
        s = self._settings
        return (
            evidence.recent >= s.least_videos
            and evidence.log10_p <= s.log10_p
            and evidence.share >= s.ratio * max(peak, evidence.earlier_share)
        )

    def _tell(
        self,
        burst: Burst,
        index: int,
        background: Background,
        topic_of: Callable[[Vectors], int | None],
    ) -> Emergence | None:
        """Return the alert for a burst, if its subject has not been reported."""
        trial = None if burst.only_on else self._trial_of(burst, background)
        born = trial.topic_id if trial else None
        if trial:
            self._docket.drop(trial)
        seen = SubjectSighting((burst.subject, *burst.terms), burst.paragraph_ids, burst.centre, born)
        kinship = self._kinship_of_names if burst.is_name else self._kinship
        emergence = Emergence(
            subject=burst.subject,
            terms=burst.terms,
            channel="both" if trial else "term",
            topic_id=born or topic_of(burst.centre),
            video_ids=burst.video_ids,
            sources=burst.sources,
            recent=burst.recent,
            recent_of=burst.recent_of,
            earlier=burst.earlier,
            earlier_of=burst.earlier_of,
            log10_p=burst.log10_p,
            first_on=min(quote.published_on for quote in burst.quotes),
            latest_on=max(quote.published_on for quote in burst.quotes),
            quotes=burst.quotes,
            reason=reason_of_burst(burst, trial),
            batch_id="",
            only_on=burst.only_on,
        )
        return self._report(emergence, seen, kinship, index, background)

    def _report(
        self,
        emergence: Emergence,
        seen: SubjectSighting,
        kinship: Kinship,
        index: int,
        background: Background,
    ) -> Emergence | None:
        """Return the alert unless its subject has been reported; one of one source is replaced."""
        story = self._told.find(seen, background, kinship)
        if story is None:
            self._told.add(seen, index, emergence.subject, emergence.only_on)
            return emergence
        self._told.touch(story, seen, index)
        if emergence.only_on or not story.only_on:
            return None
        story.only_on = ""
        return replace(emergence, replaces=story.subject)

    def _trial_of(self, burst: Burst, background: Background) -> Candidate | None:
        """Return the closest candidate that is about the same subject as a burst."""
        called = {part.lower() for term in burst.terms for part in (term, *term.split())}
        for cosine, trial in self._docket.by_closeness(burst.centre, background):
            names = not called.isdisjoint(word.lower() for word in trial.words[:3])
            one, other = burst.paragraph_ids, trial.paragraph_ids
            if self._kinship.same(max(part_in(one, other), part_in(other, one)), cosine, names):
                return trial
        return None

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the sample of the past, the latest paragraphs, and all centroids."""
        return {
            **self._docket.to_arrays(),
            **self._glimpses.to_arrays(),
            **self._arrivals.to_arrays(),
            **self._told.to_arrays(),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the rest of the state."""
        return {
            "now": self._now,
            "calendar": self._calendar.to_json(),
            "trials": self._docket.to_json(),
            "glimpses": self._glimpses.to_json(),
            "told": self._told.to_json(),
        }

    @classmethod
    def from_state(
        cls, settings: EmergenceSettings, arrays: dict[str, NDArray[Any]], state: dict[str, Any]
    ) -> "EmergenceWatch":
        """Return the watch that `to_arrays` and `to_json` stored."""
        watch = cls(settings)
        watch._now = state["now"]
        watch._calendar = Calendar.from_json(state["calendar"])
        watch._docket.restore(arrays, state["trials"])
        watch._glimpses.restore(arrays, state["glimpses"])
        watch._arrivals.restore(arrays)
        watch._told.restore(arrays, state["told"])
        return watch


def _emergence(trial: Candidate, evidence: RateEvidence) -> Emergence:
    quotes = [hit.quote for hit in trial.hits[-evidence.recent :]]
    everyone = [*trial.founders, *quotes]
    return Emergence(
        subject=trial.label,
        terms=trial.words,
        channel="birth",
        topic_id=trial.topic_id,
        video_ids=trial.video_ids,
        sources=len({quote.source for quote in everyone}),
        recent=evidence.recent,
        recent_of=evidence.recent_of,
        earlier=evidence.earlier,
        earlier_of=evidence.earlier_of,
        log10_p=evidence.log10_p,
        first_on=min(quote.published_on for quote in everyone),
        latest_on=max(quote.published_on for quote in everyone),
        quotes=(everyone[0], everyone[-1]),
        reason=reason_of_birth(trial, evidence),
        batch_id="",
    )


def _quote(spoken: Spoken, row: int, words: Sequence[str] = ()) -> SourceQuote:
    """Return a paragraph as a quote, cut to the text around the first of these words that it contains."""
    text = spoken.texts[row]
    found = ((text.lower().find(word.lower()), len(word)) for word in words)
    at, length = next(((at, length) for at, length in found if at >= 0), (0, 0))
    return SourceQuote(
        paragraph_id=spoken.paragraph_ids[row],
        video_id=spoken.video_id,
        source=spoken.source,
        published_on=spoken.published_on,
        start=float(spoken.starts[row]) if spoken.starts else 0.0,
        text=around(text, at, length),
    )
