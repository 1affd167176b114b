"""What is wrong with a template, in sentences that say what to write instead: what blocks, what to look at. Pure.

What concerns fields and brackets is told by `notifier.wording`, and blocks too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

import phonenumbers
from phonenumbers import PhoneNumberFormat

from notifier import health_words, languages
from notifier.examples import About, longest_values
from notifier.fields import CATALOGUE, Field
from notifier.links_in_text import Fault, addresses
from notifier.sms_text import Cost, cost, dear_characters
from notifier.wording import InvalidTemplate, Words, parse, render
from store.purposes import Purpose

SMS = "sms"
_MUST_NAME_CANCELLING = frozenset(
    {Purpose.DEADLINE, Purpose.REMINDER, Purpose.PREPARATIONS, Purpose.CONFIRMATION, Purpose.MOVED, Purpose.RESTORED}
)
_MAY_BE_IN_DOUBT = CATALOGUE[Field.UNCONFIRMED_SINCE].purposes
_OLD_COST_DAYS = 2 * 365
_MOST_CHARACTERS_POINTED_AT = 5
# From a 0, +46 or 00: what people would dial. Dates and times of day have no such start or are too short.
_PHONE = re.compile(r"(?<![\w./:-])(?:\+|00?)[1-9](?:[ ()/-]{0,2}\d){5,14}(?!\w)")
_WELL_WRITTEN = re.compile(r"0\d{1,3}-\d{2,3}(?: \d{2,3}){1,3}|\+\d{2}(?: \d{2,3}){3,5}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A template as it is to be saved."""

    purpose: Purpose
    channel: str
    language: str
    subject_line: str
    text: str

    @property
    def from_the_right(self) -> bool:
        return languages.is_from_the_right(self.language)


@dataclass(frozen=True, slots=True)
class House:
    """What holds for a clinic's texts. `hosts`: where links may lead. `clinic`: its own name."""

    clinic: str
    about: About
    hosts: frozenset[str] = frozenset({"1177.se", "www.1177.se"})
    health_words: tuple[str, ...] = field(default=health_words.SHIPPED, repr=False)
    cost_on: date | None = None  # the day of its own figure for a missed visit


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a template. What blocks is neither saved, approved nor sent."""

    sentence: str
    blocks: bool


def lint(draft: Draft, house: House, today: date) -> tuple[Finding, ...]:
    """Everything about the template, what blocks first."""
    try:
        words, subject_line = parse(draft.text, draft.purpose), parse(draft.subject_line, draft.purpose)
    except InvalidTemplate as wrong:
        return tuple(Finding(sentence, blocks=True) for sentence in wrong.problems)
    reading = _Reading(draft, house, words, subject_line, today)
    blocking = [Finding(one, blocks=True) for one in chain.from_iterable(rule(reading) for rule in _BLOCKING)]
    worth_seeing = [Finding(one, blocks=False) for one in chain.from_iterable(rule(reading) for rule in _WORTH_SEEING)]
    return (*blocking, *worth_seeing)


def worst(draft: Draft, words: Words, about: About) -> tuple[str, Cost]:
    """The dearest that the text can become, and what it costs: with the longest values, and with a time in doubt."""
    tried = [_tried(draft, words, about, in_doubt=in_doubt) for in_doubt in _doubts(draft.purpose)]
    return max(((text, cost(text)) for text in tried), key=lambda one: (one[1].parts, one[1].units))


@dataclass(frozen=True, slots=True)
class _Reading:
    draft: Draft
    house: House
    words: Words
    subject_words: Words
    today: date

    @property
    def both(self) -> str:
        """Subject line and text, as one: with a line between, places in the text alone are not told of."""
        return f"{self.draft.subject_line}\n{self.draft.text}" if self.draft.subject_line else self.draft.text


def _health(reading: _Reading) -> Iterator[str]:
    for found in health_words.found_in(_without_holes(reading.both), reading.house.health_words):
        yield (
            f"Ordet {found.word!r} säger något om hälsa. Stryk det: i SMS och e-post står bara att det finns ett besök,"
            " resten läses på 1177."
        )


def _links(reading: _Reading) -> Iterator[str]:
    for found in addresses(_without_holes(reading.both), reading.house.hosts):
        if found.fault is not None:
            yield f"Adressen {found.address[:60]!r} {_LINK_REMEDIES[found.fault]}"


_LINK_REMEDIES = {
    Fault.HOST: "leder till en plats som inte är godkänd. Skriv ((länk)), be driften godkänna platsen, eller skriv"
    " mellanslag efter punkten om det inte är en adress.",
    Fault.SHORTENER: "är en förkortad länk: ingen ser vart den leder. Skriv ((länk)) eller hela adressen.",
    Fault.DISGUISED: "är skriven så att den ser ut som en annan. Skriv ((länk)) eller hela adressen, utan @ och omvända"
    " snedstreck, med bokstäverna a-z.",
    Fault.INSECURE: "är inte en säker webbadress. Skriv den med https://, eller ((länk)); ett telefonnummer skrivs med"
    " bara siffror.",
}


def _identity(reading: _Reading) -> Iterator[str]:
    named = {Field.CLINIC, Field.VISITS} & reading.words.always
    if not named and reading.house.clinic.casefold() not in reading.words.plain.casefold():
        yield "Det framgår inte vem som skriver. Sätt in ((mottagning)) utanför alla villkor."


def _cancelling(reading: _Reading) -> Iterator[str]:
    if (
        reading.draft.purpose not in _MUST_NAME_CANCELLING
        or {Field.LINK, Field.CANCEL_LINK, Field.PREPARATIONS_LINK, Field.PHONE} & reading.words.always
    ):
        return
    plain = reading.words.plain
    if not any(one.fault is None for one in addresses(plain, reading.house.hosts)) and not _PHONE.search(plain):
        yield "Det framgår inte hur man avbokar. Sätt in ((länk)) eller ett telefonnummer utanför alla villkor."


def _doubt(reading: _Reading) -> Iterator[str]:
    """The product adds the sentence itself in its own languages, and only there."""
    draft = reading.draft
    if draft.language in languages.SHIPPED or draft.purpose not in _MAY_BE_IN_DOUBT:
        return
    if Field.UNCONFIRMED_SINCE not in reading.words.fields:
        yield (
            "På det här språket finns ingen färdig mening om att en tid inte har kunnat bekräftas. Skriv den i ett"
            " villkor: ((obekräftad sedan?? ... ((obekräftad sedan)).))"
        )


def _empty(reading: _Reading) -> Iterator[str]:
    if not reading.draft.text.strip():
        yield "Texten är tom. Skriv vad mottagaren ska få veta."
    if (reading.draft.channel == SMS) == bool(reading.draft.subject_line.strip()):
        yield "E-post och brev ska ha en ämnesrad, SMS ingen."


def _unguarded(reading: _Reading) -> Iterator[str]:
    for one in sorted(reading.words.unguarded | reading.subject_words.unguarded):
        if CATALOGUE[one].is_optional:
            yield (
                f"Fältet ({one}) saknas för en del besök, och då skickas ingenting. Skriv"
                f" (({one}?? ... (({one})) ...)), så utelämnas det i stället."
            )


def _phones(reading: _Reading) -> Iterator[str]:
    for match in _PHONE.finditer(_without_holes(reading.both)):
        written = match[0]
        right = _swedish_form(written)
        if right is None:
            yield f"Telefonnumret {written!r} finns inte i Sverige. Kontrollera det."
        elif right != written:
            yield f"Telefonnumret {written!r} skrivs {right!r}, så att det går att ringa från meddelandet."


def _dear(reading: _Reading) -> Iterator[str]:
    """Only where the author's own characters cost: a language that needs others anyway has nothing to change."""
    if reading.draft.channel != SMS or reading.draft.language not in languages.SHIPPED:
        return
    for one in dear_characters(reading.draft.text)[:_MOST_CHARACTERS_POINTED_AT]:
        yield (
            f"Tecknet {one.char!r} (tecken {one.place}, {one.name}) gör att SMS:et rymmer 70 tecken per del i stället"
            " för 160. Skriv ett vanligt tecken i stället, om inget namn kräver det."
        )


def _dear_names(reading: _Reading) -> Iterator[str]:
    if reading.draft.channel != SMS or reading.draft.language not in languages.SHIPPED:
        return
    for name in reading.house.about.names:
        if Field.CLINIC in reading.words.fields and (dear := dear_characters(name)):
            yield (
                f"Mottagningens namn {name!r} har tecknet {dear[0].char!r} ({dear[0].name}): SMS:et rymmer 70 tecken"
                " per del i stället för 160."
            )


def _parts(reading: _Reading) -> Iterator[str]:
    if reading.draft.channel != SMS:
        return
    counted = worst(reading.draft, reading.words, reading.house.about)[1]
    if counted.parts > 1:
        yield (f"I värsta fall blir det {counted.parts} delar ({counted.units} tecken). Korta texten, så blir det en.")


def _old_cost(reading: _Reading) -> Iterator[str]:
    if Field.MISSED_COST not in reading.words.fields:
        return
    if reading.house.about.cost is None or reading.house.cost_on is None:
        yield "Mottagningen har inte sagt vad ett uteblivet besök kostar: meningen utelämnas tills den gör det."
    elif (reading.today - reading.house.cost_on).days > _OLD_COST_DAYS:
        yield f"Kostnaden för ett uteblivet besök är från {reading.house.cost_on}. Räkna om den."


_Rule = Callable[[_Reading], Iterator[str]]
_BLOCKING: tuple[_Rule, ...] = (_empty, _health, _links, _identity, _cancelling, _doubt)
_WORTH_SEEING: tuple[_Rule, ...] = (_unguarded, _phones, _dear, _dear_names, _parts, _old_cost)


def _without_holes(text: str) -> str:
    """The author's own words: fields and conditions hold none. One character stays one."""
    return re.sub(r"\(\([^()?]{1,60}\?\?|\(\([^()?]{1,60}\)\)", lambda match: " " * len(match[0]), text)


def _swedish_form(written: str) -> str | None:
    """As it should be written; None for a number that does not exist. Several ways to part it are right."""
    try:
        number = phonenumbers.parse(written, "SE")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if _WELL_WRITTEN.fullmatch(written):
        return written
    is_here = number.country_code == phonenumbers.country_code_for_region("SE")
    form = PhoneNumberFormat.NATIONAL if is_here else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def _doubts(purpose: Purpose) -> tuple[bool, ...]:
    return (False, True) if purpose in _MAY_BE_IN_DOUBT else (False,)


def _tried(draft: Draft, words: Words, about: About, *, in_doubt: bool) -> str:
    values = longest_values(draft.language, about, in_doubt=in_doubt)
    return render(words, values, from_the_right=draft.from_the_right)
