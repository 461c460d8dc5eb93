"""Recognition of personal names: hosts and guests are no subjects, nor are the people they speak of."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from models.topics.online.words import TOKEN

_FIRST_NAMES = """
aaron abby abigail adam adrian ahmed alan albert alejandro alex alexander alexandra alexis alfred ali alice
alicia alison allison amanda amber amy ana andrea andreas andrew andy angela anita ann anna anne annie anthony
antonio arjun arthur ashley barbara ben benjamin bernard beth bethany bill billy blake bob bobby brad bradley
brandon brenda brendan brent brett brian brittany bruce bryan caitlin cameron carl carla carlos carol caroline
catherine cecilia chad charles charlie charlotte chelsea chris christian christina christine christopher cindy
clara clark colin connor corey courtney craig curtis cynthia dan dana daniel danielle danny daryl dave david
dawn dean deborah denise dennis derek diana diane diego dmitry dominic don donald donna doug douglas duncan
dustin dylan ed eddie edgar eduardo edward elaine eleanor elena eli elijah elizabeth ellen emily emma eric
erica erik erin ethan eugene eva evan felix fernando filip florian frank fred gabriel gareth gary gavin geoff
geoffrey george gerald gina glenn gordon graham greg gregory guido guillermo hannah harold harry heather
hector helen henry holly howard hugh hugo ian igor ingrid isaac isabel ivan jack jackie jacob jacqueline jake
james jamie jan jane janet jared jasmine jason jay jean jeff jeffrey jen jennifer jenny jeremy jerod jerry
jesse jessica jill jim jimmy joan joanna joe joel johan johanna johannes john johnny jon jonas jonathan jordan
jorge jose joseph josh joshua juan judith judy julie justin karen karl kate katherine kathleen kathy katie
kayla keith kelly kelsey ken kenneth kenny kevin kim kimberly kris kristen kristin kurt kyle larry lars laura
lauren laurie lawrence leah lee leo leon leslie lewis liam linda lisa logan lois lori louis louise lucas lucy
luis luke lynn maggie marc marco marcus margaret maria marie marina mario marion marissa mark marko martha
martin mary mathieu matt matthew maureen max megan mehdi melanie melissa michael michele michelle miguel mike
mikhail mohamed mohammed molly monica morgan nadia nancy natalia natalie natasha nathan neil nicholas nick
nicolas nicole nikita niklas nina noah nora norman olga oliver olivia oscar pablo pam pamela pat patricia
patrick paul paula pedro peggy pete peter phil philip phillip pierre priya rachel rafael rajesh ralph ramon
randall randy ray raymond rebecca renee ricardo richard rick ricky rob robert roberta robin rodrigo roger
roland ron ronald rosa rose ross roy russell ruth ryan sally sam samantha samuel sandra sanjay sara sarah
scott sean sebastian sergey sergio seth shane shannon sharon shaun shawn sheila shelby shirley simon sofia
sophia sophie spencer stacy stan stanley stefan steph stephanie stephen steve steven stewart stuart sue susan
suzanne sven sylvia tamara tara taylor ted teresa terry theresa thomas tim timothy tina toby todd tom tommy
toni tony tracy travis trevor tristan troy tyler valerie vanessa victor victoria vijay vincent virginia vlad
vladimir walter warren wayne wendy wes wesley will william yuri zach zachary zack
"""

FIRST_NAMES = frozenset(_FIRST_NAMES.split())
"""Given names that are common among speakers of English and not products (without Claude, Julia, Ruby)."""


def is_person(term: str, pairs: frozenset[str] = frozenset()) -> bool:
    """Return whether a name is a person's: it begins with a given name, or follows one in a pair.

    Args:
        pairs: two-word terms of the same talks.

    >>> is_person("simon willison"), is_person("jamie"), is_person("claude code")
    (True, True, False)
    >>> is_person("willison", frozenset({"simon willison", "llm tool"}))
    True
    """
    words = term.split()
    if words[0] in FIRST_NAMES:
        return True
    return any(pair.endswith(f" {term}") and pair.split()[0] in FIRST_NAMES for pair in pairs)


CALLED = 0.5
"""Share of a word's mentions between commas, in a talk, from which it is the name of a person addressed …"""
CALLED_TIMES = 2
"""… if there are at least this many: `yeah, Chris, so …`."""

_CALLED = re.compile(
    r"""(?:\b[a-z][\w'’-]* | (?:^|[.?!]\ )[A-Z][\w'’-]*)  # no name before it, as in a list
        ,\ ([^\W\d_][\w'’-]+) (?=[.?!] | ,\ (?!and\ |or\ )[a-z])""",
    re.VERBOSE,
)
_BEGINNINGS = frozenset(["will"])
"""Given names that also begin questions: `Will Docker do?`."""
_SURNAME = re.compile(r"([A-Z][\w’'-]+) (?:[A-Z]\.? )?([A-Z][\w’'-]+)")


def full_names(text: str) -> frozenset[str]:
    """Return the words, in lower case, of each given name that a capitalised word follows.

    >>> sorted(full_names("Prompt Engineering with Simon Willison"))
    ['simon', 'willison']
    """
    pairs = (pair for pair in _SURNAME.findall(text) if _bare(pair[0]) in FIRST_NAMES - _BEGINNINGS)
    return frozenset(_bare(word) for pair in pairs for word in pair)


def people_of(texts: Sequence[str], people: Iterable[str] = ()) -> frozenset[str]:
    """Return the words, in lower case, of the names of persons in a talk.

    Evidence is who speaks, given names with a surname, and who is addressed between commas.

    Args:
        people: names of the talk's speakers and guests.

    >>> talk = ["We have Daksh here.", "So, Daksh, what is RAG?", "And why, Daksh?", "Ann Lovelace knew."]
    >>> sorted(people_of(talk, ["Bo Chen"]))
    ['ann', 'bo', 'chen', 'daksh', 'lovelace']
    >>> sorted(people_of(["We use git, Bower, NPM, and Yarn.", "We tried git, Bower, NPM, and more."]))
    []
    """
    found = {_bare(word) for name in people for word in TOKEN.findall(name)}
    called: Counter[str] = Counter()
    for text in texts:
        found |= full_names(text)
        called.update(word for word in _CALLED.findall(text) if word[0].isupper())
    often = {word: times for word, times in called.items() if times >= CALLED_TIMES}
    if often:
        times = Counter(word.lower() for text in texts for word in TOKEN.findall(text))
        found |= {_bare(word) for word in often if often[word] >= CALLED * times[word.lower()]}
    return frozenset(found)


def without_people(texts: Sequence[str], people: Iterable[str] = ()) -> list[str]:
    """Return the paragraphs of a talk without the words of personal names.

    Only words with a capital are removed, unless the talk has none: the will of Will is a subject.

    >>> without_people(["Jordan says that Willison, Simon Willison, met Claude."])
    [' says that ,  , met Claude.']
    """
    names = people_of(texts, people) | FIRST_NAMES
    caseless = not any(character.isupper() for text in texts for character in text)

    def kept(match: re.Match[str]) -> str:
        word = match[0]
        return "" if (caseless or word[0].isupper()) and _bare(word) in names else word

    return [TOKEN.sub(kept, text) for text in texts]


def _bare(word: str) -> str:
    return word.lower().replace("’", "'").removesuffix("'s").rstrip(".'-")
