"""Names that speakers are introduced with: who is meant, and what is no name."""

import pytest

from models.speakers.introductions import EARLY_S, introductions
from models.transcripts.transcript import Segment


def said(*spoken: tuple[str, str], start: float = 0.0) -> list[Segment]:
    return [
        Segment(start=start + 10 * number, end=start + 10 * number + 9, text=text, speaker=speaker)
        for number, (speaker, text) in enumerate(spoken)
    ]


def offered(segments: list[Segment]) -> list[tuple[str, str, bool]]:
    return [(each.speaker, each.name, each.own) for each in introductions(segments)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi there, my name is Ann Lee, and I build things.", "Ann Lee"),
        ("I'm Ludwig van der Berg from Utrecht.", "Ludwig van der Berg"),
        ("Hello! I am your host, Jerod Santo.", "Jerod Santo"),
        ("My name's Zoë O’Neil.", "Zoë O’Neil"),
    ],
)
def test_people_say_their_own_name(text: str, name: str) -> None:
    assert offered(said(("SPEAKER_00", text))) == [("SPEAKER_00", name, True)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Today I'm joined by Ann Lee, who knows databases.", "Ann Lee"),
        ("With me today is Ann.", "Ann"),
        ("Thanks for joining us, Ann!", "Ann"),
        ("Welcome to the show, Ann Lee. How are you?", "Ann Lee"),
        ("Please welcome Ann Lee's first talk here.", "Ann Lee"),
    ],
)
def test_who_is_announced_is_who_speaks_next(text: str, name: str) -> None:
    talk = said(("SPEAKER_00", text), ("SPEAKER_01", "Glad to be here."))
    assert offered(talk) == [("SPEAKER_01", name, False)]


@pytest.mark.parametrize(
    "text",
    [
        "Welcome to Practical AI! This week we talk about graders.",
        "I'm Sorry, I'm Not sure. I am happy.",
        'He was like "Hi, I\'m Jeff Bezos", and left.',
        "We are joined by Ann and Bo.",
        "I'm with AWS.",
        "",
    ],
)
def test_what_is_no_introduction_offers_nothing(text: str) -> None:
    assert offered(said(("SPEAKER_00", text), ("SPEAKER_01", "Yes."))) == []


def test_a_name_in_passing_or_late_in_a_talk_is_nobodys() -> None:
    thanks = ("SPEAKER_00", "Thanks for being here, Ann.")
    assert offered(said(("SPEAKER_01", "Hello."), thanks, ("SPEAKER_01", "Bye."))) == []
    late = said(thanks, ("SPEAKER_01", "Bye."), start=EARLY_S + 1)
    assert offered(late) == []
    assert offered(said(thanks)) == []


def test_a_name_is_offered_once_with_its_second_and_its_words() -> None:
    talk = said(("SPEAKER_00", "Hello."), ("SPEAKER_01", "I'm Ann Lee. Yes, I'm Ann Lee."))
    (found,) = introductions(talk)
    assert (found.start, found.quote) == (10.0, "I'm Ann Lee. Yes, I'm Ann Lee.")
    nameless = [segment.model_copy(update={"speaker": None}) for segment in talk]
    assert introductions(nameless) == []
