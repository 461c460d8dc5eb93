"""Corrections of talks: a person's correction → the log of corrections → ClickHouse.

A talk is withdrawn, restored, redated, or kept although it repeats another talk; a speaker is named. The
correction is logged before it is sent, so that it survives a loss of the broker's data. The numbers follow
without processing the talk again, except that the model has to learn a talk that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from agents.curation.decision_service import DecisionService
from agents.instance.event_publisher import deliver_kept
from agents.queries.wording import day
from models.codebook import commands
from models.errors import BadInput
from streams.events import VideoCorrected
from streams.logs.corrections import ActiveCorrections, Corrections, active
from streams.store.rows.talks import WholeTalk
from streams.timestamps import whole_ms

FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M")
MOMENT = timedelta(milliseconds=1)
"""The minimum time between two corrections, since their timestamps define their order."""
What = Literal["withdrawn", "restored", "redated", "kept", "named"]


class SpeakerNaming(NamedTuple):
    """The name of a transcript's speaker; an empty name removes it."""

    transcript_version: str = ""
    speaker: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The result of a request to correct a talk.

    Attributes:
        talk: the talk before the correction.
        event: the correction; None if it would change nothing.
        said: in words, the change, or why there is none.
    """

    talk: WholeTalk
    event: VideoCorrected | None
    said: str


class Corrector(DecisionService):
    """Corrects talks of a study; uses the views `talk` and `corrections`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._log = Corrections(self.blobs)

    def withdraw(self, video_ids: Sequence[str], reason: str) -> list[Corrected]:
        """Exclude talks from every number. The model keeps what it learned; `restore` includes them again.

        If one of the talks is unknown, none is corrected. Earlier undelivered corrections are sent as well.

        Raises:
            BadInput: there is no such talk, or the reason is empty.
            Unavailable: the corrections are logged, but could not be sent.
        """
        return self._correct(video_ids, "withdrawn", reason_of(reason))

    def restore(self, video_ids: Sequence[str], reason: str = "") -> list[Corrected]:
        """Count withdrawn talks again. The reason is optional; otherwise as `withdraw`."""
        return self._correct(video_ids, "restored", reason_of(reason, needed=False))

    def redate(self, video_id: str, published_at: datetime, reason: str) -> list[Corrected]:
        """Correct the date of publication (see `moment_of`): the talk then counts in that month.

        Otherwise as `withdraw`.
        """
        return self._correct([video_id], "redated", reason_of(reason), published_at)

    def keep(self, video_id: str, reason: str) -> list[Corrected]:
        """Count a talk that was rejected as a repetition of another talk.

        Discover finds the decision and sends the talk to be learned (`agents.discovery.kept_duplicates`), now
        or when it runs again; a rebuild learns it as well. Otherwise as `withdraw`.

        Raises:
            BadInput: the talk is not rejected as a duplicate, or it has no transcript.
        """
        return self._correct([video_id], "kept", reason_of(reason))

    def name(
        self, talk: WholeTalk, version: str, speaker: str, name: str, reason: str = ""
    ) -> list[Corrected]:
        """Name a speaker in one of a talk's transcripts (`speaker_candidates` lists the speakers).

        Raises:
            BadInput: the name is empty, too long, or has control characters.
            Unavailable: as for `withdraw`.
        """
        naming = SpeakerNaming(version, speaker, commands.clean(name, "the name"))
        return self._correct([talk["video_id"]], "named", reason_of(reason, needed=False), naming=naming)

    def unname(self, talk: WholeTalk, version: str, speaker: str, reason: str = "") -> list[Corrected]:
        """Remove the name of a speaker. Otherwise as `name`."""
        naming = SpeakerNaming(version, speaker, "")
        return self._correct([talk["video_id"]], "named", reason_of(reason, needed=False), naming=naming)

    def _correct(
        self,
        video_ids: Sequence[str],
        what: What,
        reason: str,
        published_at: datetime | None = None,
        naming: SpeakerNaming = SpeakerNaming(),  # noqa: B008 - a constant
    ) -> list[Corrected]:
        talks = [known(self.ask, video_id) for video_id in dict.fromkeys(video_ids)]
        kept = self._log.events()
        moment = self._after(kept)
        found = []
        for number, talk in enumerate(talks):
            event = VideoCorrected(
                video_id=talk["video_id"],
                what=what,
                published_at=published_at,
                **naming._asdict(),
                reason=reason,
                author=self.author,
                corrected_at=moment + number * MOMENT,
            )
            if what == "kept":
                _raise_unless_heard_again(talk)
            already = _already(talk, active(kept, event.video_id), event)
            found.append(
                Corrected(talk, None, already) if already else Corrected(talk, event, _changed(talk, event))
            )
        self._bring(kept, [each.event for each in found if each.event is not None])
        return found

    def _after(self, kept: Sequence[VideoCorrected]) -> datetime:
        """Return a timestamp after the latest correction, at least now: the latest correction applies."""
        now = whole_ms(self.now())
        return max(now, kept[-1].corrected_at + MOMENT) if kept else now

    def _bring(self, kept: Sequence[VideoCorrected], new: Sequence[VideoCorrected]) -> None:
        """Log the new corrections, and deliver them with those that never arrived."""
        held = self._held()
        lost = [event for event in kept if event.event_id not in held]
        if not lost and not new:
            return
        for event in new:
            self._log.append(event)
        deliver_kept(
            self.deliver,
            [*lost, *new],
            "the correction is kept, but not sent to the store",
            "do not correct it again: it is sent with the next correction, or when the store starts",
        )
        wanted = {event.event_id for event in (*lost, *new)}
        if not self._arrived(lambda: wanted <= self._held()):
            self.say("the correction is logged and sent; the store has not taken it up yet")

    def _held(self) -> set[str]:
        return {row["correction_id"] for row in self.ask("corrections")}


def known(ask: Callable[..., Any], video_id: str) -> WholeTalk:
    """Return the row of a talk.

    Raises:
        BadInput: there is no such talk.
    """
    found: WholeTalk | None = ask("talk", video_id=video_id)
    if found is None:
        raise BadInput(f"there is no talk {video_id[:80]!r}", "see groundswell videos list, or /talks")
    return found


def moment_of(text: str, now: datetime) -> datetime:
    """Return a date of publication (UTC).

    Raises:
        BadInput: it is not a date, in the future, or before 1970.

    Example:
        >>> moment_of("2025-03-31T18:00", datetime(2026, 1, 1, tzinfo=UTC)).isoformat()
        '2025-03-31T18:00:00+00:00'
    """
    moment = None
    for form in FORMATS:
        try:
            moment = datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    if moment is None:
        raise BadInput(f"{text[:40]!r} is not a date", "write it as 2025-03-31 or 2025-03-31T18:00 (UTC)")
    if moment > now:
        raise BadInput(f"{text} is in the future", "write the date on which the talk was published")
    if moment.year < 1970:
        raise BadInput(f"{text} is before 1970", "write the year in which the talk was published")
    return moment


def reason_of(text: str, *, needed: bool = True) -> str:
    """Return a reason, cleaned to one line.

    Raises:
        BadInput: it is empty (and needed), too long, or has control characters.
    """
    if needed and not text.strip():
        raise BadInput("say why", "add a reason for those who see the numbers change")
    return commands.clean(text, "the reason", commands.LONG, needed=False)


def named(talk: WholeTalk) -> str:
    """Return a talk's id and title."""
    return f"{talk['video_id']} “{talk['title']}”" if talk["title"] else str(talk["video_id"])


def _already(talk: WholeTalk, holds: ActiveCorrections, event: VideoCorrected) -> str:
    """Return why a correction would change nothing, in words; empty if it changes something."""
    match event.what:
        case "withdrawn":
            if (by := holds.withdrawal) is None:
                return ""
            return f"withdrawn already: {named(talk)}, by {by.author} on {day(by.corrected_at)} ({by.reason})"
        case "restored":
            return "" if holds.withdrawal else f"not withdrawn, so nothing to restore: {named(talk)}"
        case "kept":
            if (by := holds.keeping) is None:
                return ""
            return f"kept already: {named(talk)}, by {by.author} on {day(by.corrected_at)} ({by.reason})"
        case "redated":
            held = holds.redating.published_at if holds.redating else talk["published_at"]
            if held is None or datetime.fromisoformat(str(held)) != event.published_at:
                return ""
            return f"published then already: {named(talk)}, {event.published_at:%Y-%m-%d %H:%M} UTC"
        case "named":
            naming = holds.namings.get((event.transcript_version, event.speaker))
            if (naming.name if naming else "") != event.name:
                return ""
            if naming is None or not event.name:
                return f"{event.speaker} of {named(talk)} has no name, so there is none to remove"
            return f"named so already: {event.speaker} of {named(talk)} is {event.name}, by {naming.author}"


def _raise_unless_heard_again(talk: WholeTalk) -> None:
    """Raise BadInput unless `keep` applies to a talk: rejected by its transcript, or kept before."""
    screening = talk["screening"]
    if talk["state"] == "rejected" and screening is not None and screening["rule"] == "duplicate":
        if not talk["transcripts"]:
            raise BadInput(
                f"{named(talk)} was rejected before it was fetched ({screening['reason']}): "
                "it has no transcript to learn",
                "ingest it with groundswell ingest and its address, which skips the duplicate check",
            )
        return
    if any(each["what"] == "kept" for each in talk["corrections"]):
        return
    because = (
        f": {screening['rule']}, {screening['reason']}" if screening and talk["state"] == "rejected" else ""
    )
    raise BadInput(
        f"{named(talk)} is not rejected as a duplicate (its state is {talk['state'] or 'unknown'}{because})",
        "see groundswell videos show; keep applies only to talks rejected as a repetition of another talk",
    )


def _changed(talk: WholeTalk, event: VideoCorrected) -> str:
    """Return the change in words."""
    match event.what:
        case "withdrawn":
            return f"withdrawn: {named(talk)} counts nowhere from now on"
        case "restored":
            return f"restored: {named(talk)} counts again, as of {day(talk['published_on'])}"
        case "kept":
            return (
                f"kept: {named(talk)} is learned, and counts, within the minute; "
                "if groundswell is not running, at its next run"
            )
        case "redated":
            was = f"was {day(talk['published_on'])}" if talk["published_on"] else "it had no date"
            to = event.published_at
            return f"redated: {named(talk)} counts in {to:%Y-%m}, as of {to:%Y-%m-%d} ({was})"
        case "named":
            who = f"is {event.name}" if event.name else "has no name"
            return f"named: {event.speaker} of {named(talk)} {who} from now on"
