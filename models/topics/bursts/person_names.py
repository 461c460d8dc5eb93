"""Recognition of personal names: hosts and guests bring names that are new but are no subjects."""

_FIRST_NAMES = """
aaron abby abigail adam adrian ahmed alan albert alejandro alex alexander alexandra alexis alfred ali alice
alicia alison allison amanda amber amy ana andrea andreas andrew andy angela anita ann anna anne annie
anthony antonio arjun arthur ashley barbara ben benjamin bernard beth bethany bill billy blake bob bobby
brad bradley brandon brenda brendan brent brett brian brittany bruce bryan caitlin cameron carl carla carlos
carol caroline catherine cecilia chad charles charlie charlotte chelsea chris christian christina christine
christopher cindy clara clark colin connor corey courtney craig curtis cynthia dan dana daniel danielle
danny daryl dave david dawn dean deborah denise dennis derek diana diane diego dmitry dominic don donald
donna doug douglas duncan dustin dylan ed eddie edgar eduardo edward elaine eleanor elena eli elijah
elizabeth ellen emily emma eric erica erik erin ethan eugene eva evan felix fernando filip florian frank
fred gabriel gareth gary gavin geoff geoffrey george gerald gina glenn gordon graham greg gregory guido
guillermo hannah harold harry heather hector helen henry holly howard hugh hugo ian igor ingrid isaac isabel
ivan jackie jacob jacqueline jake james jamie jan jane janet jared jasmine jason jay jean jeff jeffrey jen
jennifer jenny jeremy jerod jerry jesse jessica jill jim jimmy joan joanna joe joel johan johanna johannes
john johnny jon jonas jonathan jordan jorge jose joseph josh joshua juan judith judy julie justin karen karl
kate katherine kathleen kathy katie kayla keith kelly kelsey ken kenneth kenny kevin kim kimberly kris
kristen kristin kurt kyle lars laura lauren laurie lawrence leah lee leo leon leslie lewis liam linda lisa
logan lois lori louis louise lucas lucy luis luke lynn maggie marc marco marcus margaret maria marie marina
mario marion marissa mark marko martha martin mary mathieu matt matthew maureen max megan mehdi melanie
melissa michael michele michelle miguel mike mikhail mohamed mohammed molly monica morgan nadia nancy
natalia natalie natasha nathan neil nicholas nick nicolas nicole niklas nikita nina noah nora norman olga
oliver olivia oscar pablo pam pamela patricia patrick paul paula pedro peggy pete peter phil philip phillip
pierre priya rachel rafael rajesh ralph ramon randall randy ray raymond rebecca renee ricardo richard rick
ricky rob robert roberta robin rodrigo roger roland ron ronald rosa rose ross roy russell ruth ryan sally
sam samantha samuel sandra sanjay sara sarah scott sean sebastian sergey sergio seth shane shannon sharon
shaun shawn sheila shelby shirley simon sofia sophia sophie spencer stacy stan stanley stefan steph
stephanie stephen steve steven stewart stuart sue susan suzanne sven sylvia tamara tara taylor ted teresa
terry theresa thomas tim timothy tina toby todd tom tommy toni tony tracy travis trevor tristan troy tyler
valerie vanessa victor victoria vijay vincent virginia vlad vladimir walter warren wayne wendy wesley wes
will william yuri zach zachary zack
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
