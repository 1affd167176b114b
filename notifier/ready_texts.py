"""The rules and templates shipped with the product, in Swedish and English. Each SMS fits one part with its link.
`deadline_cost` says what a missed visit costs, where the clinic has said it: a rule may name it instead of `deadline`.

Only words: putting them into the database is `install`, which never touches a clinic's own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from notifier.rules import merged
from store import clinic_rules, replannings, templates
from store.database import Session
from store.purposes import Purpose
from store.templates import ReminderRule, Shipped

_SINCE_SV = "((obekräftad sedan?? Obekräftad sedan ((obekräftad sedan)).))"
_SINCE_EN = "((obekräftad sedan?? Unconfirmed since ((obekräftad sedan)).))"
_HONEST_SV = "((obekräftad sedan?? Vi har inte kunnat bekräfta tiden sedan ((obekräftad sedan)).))"
_HONEST_EN = "((obekräftad sedan?? We have not been able to confirm this time since ((obekräftad sedan)).))"
_BY_SV = "((sista avbokning??Avboka senast ((sista avbokning)): ))"
_BY_EN = "((sista avbokning??Cancel by ((sista avbokning)): ))"
_WHEN_SV = "((veckodag)) ((datum)) kl. ((tid))"
_WHEN_EN = "((veckodag)) ((datum)), ((tid))"
_DOUBT_SHORT_SV = "((obekräftad sedan?? Ej bekräftat.))"  # several visits leave no room for since when
_DOUBT_LEAST_SV = "((obekräftad sedan?? Obekräftad.))"  # a link of our own leaves less
_DOUBT_LEAST_EN = "((obekräftad sedan?? Unconfirmed.))"
_DOUBT_SHORT_EN = "((obekräftad sedan?? Not confirmed.))"
_ALL_SV = "((antal besök)) ((veckodag)) ((datum)) kl. ((tider)), ((mottagning))"
_ALL_EN = "((antal besök)) ((veckodag)) ((datum)) at ((tider)), ((mottagning))"

_COST_SV = "((kostnad?? Ett missat besök kostar vården ((kostnad)).))"
_COST_EACH_SV = "Varje missat besök kostar vården ((kostnad))."
_COST_EACH_EN = "Each missed visit costs healthcare ((kostnad))."
_COST_EN = "((kostnad?? A missed visit costs healthcare ((kostnad)).))"

_PLACE_SV = "Mottagning: ((mottagning))((telefon??\nTelefon: ((telefon))))"
_PLACE_EN = "Clinic: ((mottagning))((telefon??\nPhone: ((telefon))))"
_CANCEL_SV = (
    "((sista avbokning??\n\nKan du inte komma? Avboka senast ((sista avbokning)), så kan någon annan få tiden.))"
    "\n\nVill du avboka: ((avbokningslänk))"
)
_CANCEL_EN = (
    "((sista avbokning??\n\nCannot come? Please cancel by ((sista avbokning)), so that somebody else can have it.))"
    "\n\nTo cancel: ((avbokningslänk))"
)
_DOUBT_SV = "((obekräftad sedan??\n\nVi har inte kunnat bekräfta tiden sedan ((obekräftad sedan)).))"
_DOUBT_EN = "((obekräftad sedan??\n\nWe have not been able to confirm this time since ((obekräftad sedan)).))"
_PREPARE_SV = "((förberedelser??\n\nBesöket har förberedelser. Läs dem i god tid: ((förberedelselänk))))"
_PREPARE_EN = (
    "((förberedelser??\n\nThere is something to prepare. Please read about it in good time: ((förberedelselänk))))"
)
_END_SV = "\n\nSe besöket, avboka eller boka om: ((länk))"
_END_EN = "\n\nSee, cancel or rebook your visit: ((länk))"


class ReadyRule(NamedTuple):
    name: str
    purpose: Purpose
    offset: str
    words: str = ""  # those of its own name, where nothing else is said
    visits_from: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class _Both:
    """One occasion's words in both channels and both languages."""

    name: str
    purpose: Purpose
    sms_sv: str
    sms_en: str
    subject_sv: str
    subject_en: str
    email_sv: str
    email_en: str


RULES = (
    ReadyRule("deadline", Purpose.DEADLINE, "deadline:24h:10.00"),
    ReadyRule("day_before", Purpose.REMINDER, "days:1:16.00"),
    ReadyRule("preparations", Purpose.PREPARATIONS, "days:5:10.00"),
    ReadyRule("same_day", Purpose.REMINDER, "hours:3", "day_before", "11.00", is_active=False),  # a clinic's to turn on
)

_OCCASIONS = (
    _Both(
        "deadline",
        Purpose.DEADLINE,
        f"Tid {_WHEN_SV}, ((mottagning)). {_BY_SV}((avbokningslänk)){_DOUBT_LEAST_SV}",
        f"Reminder: {_WHEN_EN}, ((mottagning)). {_BY_EN}((avbokningslänk)){_DOUBT_LEAST_EN}",
        "Påminnelse: ditt besök ((veckodag)) ((datum))",
        "Reminder: your visit on ((veckodag)) ((datum))",
        f"Du har ett besök {_WHEN_SV}.\n\n{_PLACE_SV}{_CANCEL_SV}{_DOUBT_SV}{_END_SV}",
        f"You have a visit on {_WHEN_EN}.\n\n{_PLACE_EN}{_CANCEL_EN}{_DOUBT_EN}{_END_EN}",
    ),
    _Both(
        merged("deadline"),
        Purpose.DEADLINE,
        f"Du har {_ALL_SV}. {_BY_SV}((länk)){_DOUBT_SHORT_SV}",
        f"{_ALL_EN}. {_BY_EN}((länk)){_DOUBT_SHORT_EN}",
        "Påminnelse: dina besök ((veckodag)) ((datum))",
        "Reminder: your visits on ((veckodag)) ((datum))",
        f"Du har besök ((veckodag)) ((datum)):\n\n((besök)){_CANCEL_SV}{_DOUBT_SV}{_END_SV}",
        f"You have visits on ((veckodag)) ((datum)):\n\n((besök)){_CANCEL_EN}{_DOUBT_EN}{_END_EN}",
    ),
    _Both(
        "deadline_cost",
        Purpose.DEADLINE,
        f"Tid {_WHEN_SV}, ((mottagning)).{_COST_SV} {_BY_SV}((länk)){_SINCE_SV}",
        f"Visit {_WHEN_EN}, ((mottagning)).{_COST_EN} {_BY_EN}((länk)){_SINCE_EN}",
        "Påminnelse: ditt besök ((veckodag)) ((datum))",
        "Reminder: your visit on ((veckodag)) ((datum))",
        f"Du har ett besök {_WHEN_SV}.{_COST_SV}\n\n{_PLACE_SV}{_CANCEL_SV}{_DOUBT_SV}{_END_SV}",
        f"You have a visit on {_WHEN_EN}.{_COST_EN}\n\n{_PLACE_EN}{_CANCEL_EN}{_DOUBT_EN}{_END_EN}",
    ),
    _Both(  # several visits leave no room in an SMS for what one of them costs
        merged("deadline_cost"),
        Purpose.DEADLINE,
        f"Du har {_ALL_SV}. {_BY_SV}((länk)){_DOUBT_SHORT_SV}",
        f"{_ALL_EN}. {_BY_EN}((länk)){_DOUBT_SHORT_EN}",
        "Påminnelse: dina besök ((veckodag)) ((datum))",
        "Reminder: your visits on ((veckodag)) ((datum))",
        f"Du har besök ((veckodag)) ((datum)):\n\n((besök))((kostnad??\n\n{_COST_EACH_SV}))"
        f"{_CANCEL_SV}{_DOUBT_SV}{_END_SV}",
        f"You have visits on ((veckodag)) ((datum)):\n\n((besök))((kostnad??\n\n{_COST_EACH_EN}))"
        f"{_CANCEL_EN}{_DOUBT_EN}{_END_EN}",
    ),
    _Both(
        "day_before",
        Purpose.REMINDER,
        f"Påminnelse: {_WHEN_SV}, ((mottagning)). ((länk)){_HONEST_SV}",
        f"Reminder: {_WHEN_EN}, ((mottagning)). ((länk)){_HONEST_EN}",
        "Påminnelse: ditt besök ((veckodag)) ((datum))",
        "Reminder: your visit on ((veckodag)) ((datum))",
        f"Du har ett besök {_WHEN_SV}.\n\n{_PLACE_SV}{_PREPARE_SV}{_DOUBT_SV}{_END_SV}",
        f"You have a visit on {_WHEN_EN}.\n\n{_PLACE_EN}{_PREPARE_EN}{_DOUBT_EN}{_END_EN}",
    ),
    _Both(
        merged("day_before"),
        Purpose.REMINDER,
        f"Påminnelse: {_ALL_SV}. ((länk)){_SINCE_SV}",
        f"Reminder: {_ALL_EN}. ((länk)){_DOUBT_SHORT_EN}",
        "Påminnelse: dina besök ((veckodag)) ((datum))",
        "Reminder: your visits on ((veckodag)) ((datum))",
        f"Du har besök ((veckodag)) ((datum)):\n\n((besök)){_PREPARE_SV}{_DOUBT_SV}{_END_SV}",
        f"You have visits on ((veckodag)) ((datum)):\n\n((besök)){_PREPARE_EN}{_DOUBT_EN}{_END_EN}",
    ),
    _Both(
        "preparations",
        Purpose.PREPARATIONS,
        f"Läs det här före besöket {_WHEN_SV}, ((mottagning)): ((förberedelselänk))",
        f"Read this before your visit {_WHEN_EN}, ((mottagning)): ((förberedelselänk))",
        "Inför ditt besök ((veckodag)) ((datum))",
        "Before your visit on ((veckodag)) ((datum))",
        f"Du har ett besök {_WHEN_SV}.\n\n{_PLACE_SV}\n\n"
        f"Läs i god tid hur du förbereder dig: ((förberedelselänk)){_DOUBT_SV}{_END_SV}",
        f"You have a visit on {_WHEN_EN}.\n\n{_PLACE_EN}\n\n"
        f"Please read in good time how to prepare: ((förberedelselänk)){_DOUBT_EN}{_END_EN}",
    ),
    _Both(
        merged("preparations"),
        Purpose.PREPARATIONS,
        f"Läs det här före {_ALL_SV}: ((förberedelselänk))",
        f"Read this before {_ALL_EN}: ((förberedelselänk))",
        "Inför dina besök ((veckodag)) ((datum))",
        "Before your visits on ((veckodag)) ((datum))",
        f"Du har besök ((veckodag)) ((datum)):\n\n((besök))\n\n"
        f"Läs i god tid hur du förbereder dig: ((förberedelselänk)){_DOUBT_SV}{_END_SV}",
        f"You have visits on ((veckodag)) ((datum)):\n\n((besök))\n\n"
        f"Please read in good time how to prepare: ((förberedelselänk)){_DOUBT_EN}{_END_EN}",
    ),
    _Both(
        "confirmation",
        Purpose.CONFIRMATION,
        f"Bokad tid: {_WHEN_SV}, ((mottagning)). {_BY_SV}((länk))",
        f"Booked: {_WHEN_EN}, ((mottagning)). {_BY_EN}((länk))",
        "Bokad tid ((veckodag)) ((datum))",
        "Booked visit on ((veckodag)) ((datum))",
        f"Du har fått en tid {_WHEN_SV}.\n\n{_PLACE_SV}{_PREPARE_SV}{_CANCEL_SV}{_END_SV}",
        f"You have a new visit on {_WHEN_EN}.\n\n{_PLACE_EN}{_PREPARE_EN}{_CANCEL_EN}{_END_EN}",
    ),
    _Both(
        "moved",
        Purpose.MOVED,
        f"Din tid är flyttad. Ny tid: {_WHEN_SV}, ((mottagning)). Tidigare: ((tidigare tid)). ((länk))",
        f"Your visit has moved. New time: {_WHEN_EN}, ((mottagning)). Before: ((tidigare tid)). ((länk))",
        "Din tid är flyttad till ((veckodag)) ((datum))",
        "Your visit has moved to ((veckodag)) ((datum))",
        f"Din tid är flyttad.\n\nNy tid: {_WHEN_SV}\nTidigare: ((tidigare tid))\n"
        f"{_PLACE_SV}{_PREPARE_SV}{_CANCEL_SV}{_END_SV}",
        f"Your visit has moved.\n\nNew time: {_WHEN_EN}\nBefore: ((tidigare tid))\n"
        f"{_PLACE_EN}{_PREPARE_EN}{_CANCEL_EN}{_END_EN}",
    ),
    _Both(
        "gone",
        Purpose.GONE,
        f"((mottagning)) visar inte längre din tid {_WHEN_SV}. "
        "Hör med dem innan du åker((telefon??: ((telefon)))). ((länk))",
        f"((mottagning)) no longer shows your visit {_WHEN_EN}. "
        "Check with them before you travel((telefon??: ((telefon)))). ((länk))",
        "Din tid ((veckodag)) ((datum)) visas inte längre",
        "Your visit on ((veckodag)) ((datum)) is no longer shown",
        f"((mottagning)) visar inte längre din tid {_WHEN_SV}. Vi vet inte varför.\n\n"
        "Hör med mottagningen innan du åker((telefon??: ((telefon)))).\n\nDina besök: ((länk))",
        f"((mottagning)) no longer shows your visit on {_WHEN_EN}. We do not know why.\n\n"
        "Please check with the clinic before you travel((telefon??: ((telefon)))).\n\nYour visits: ((länk))",
    ),
    _Both(
        "cancelled",
        Purpose.CANCELLED,
        f"Din tid {_WHEN_SV}, ((mottagning)), är avbokad.((telefon?? Frågor: ((telefon)).)) ((länk))",
        f"Your visit {_WHEN_EN}, ((mottagning)), has been cancelled.((telefon?? Questions: ((telefon)).)) ((länk))",
        "Din tid ((veckodag)) ((datum)) är avbokad",
        "Your visit on ((veckodag)) ((datum)) has been cancelled",
        f"Din tid {_WHEN_SV}, ((mottagning)), är avbokad.((telefon??\n\nFrågor: ((telefon))))\n\nDina besök: ((länk))",
        f"Your visit on {_WHEN_EN}, ((mottagning)), has been cancelled.((telefon??\n\nQuestions: ((telefon))))\n\n"
        "Your visits: ((länk))",
    ),
    _Both(
        "restored",
        Purpose.RESTORED,
        f"Din tid {_WHEN_SV}, ((mottagning)), gäller igen. Bortse från förra meddelandet. ((länk))",
        f"Your visit {_WHEN_EN}, ((mottagning)), is on again. Please ignore our last message. ((länk))",
        "Din tid ((veckodag)) ((datum)) gäller igen",
        "Your visit on ((veckodag)) ((datum)) is on again",
        f"Din tid {_WHEN_SV} gäller igen. Bortse från förra meddelandet.\n\n{_PLACE_SV}{_CANCEL_SV}{_END_SV}",
        f"Your visit on {_WHEN_EN} is on again. Please ignore our last message.\n\n{_PLACE_EN}{_CANCEL_EN}{_END_EN}",
    ),
)


def texts() -> list[Shipped]:
    """Every shipped template."""
    return [text for one in _OCCASIONS for text in _four(one)]


def code_texts() -> list[Shipped]:
    """What is the operator's own: a code, by whichever channel is to be verified."""
    code, name = "((engångskod))", "verification"
    sv = f"{code} bekräftar att det är du. Koden gäller i 10 minuter. Har du inte bett om den? Bortse från den."
    en = f"{code} confirms that it is you. The code is valid for 10 minutes. Did not ask for it? Ignore it."
    return [
        Shipped(name, Purpose.CODE, "sms", "sv", "", sv),
        Shipped(name, Purpose.CODE, "sms", "en", "", en),
        Shipped(name, Purpose.CODE, "email", "sv", "Din kod", sv),
        Shipped(name, Purpose.CODE, "email", "en", "Your code", en),
    ]


def install(session: Session, now: datetime) -> None:
    """Puts the shipped rules and templates in place; a changed text becomes a new active version. Safe to repeat."""
    for text in (*texts(), *code_texts()):
        templates.ship(session, text, now)
    is_first = not clinic_rules.shipped(session)  # nobody has been planned by others yet
    changed = [templates.ship_rule(session, _stored(rule)) for rule in RULES]
    if any(changed) and not is_first:
        replannings.ask_for_all(session, now)


def _stored(rule: ReadyRule) -> ReminderRule:
    return ReminderRule(
        name=rule.name,
        purpose=rule.purpose,
        offset=rule.offset,
        template_name=rule.words or rule.name,
        visits_from=rule.visits_from,
        is_active=rule.is_active,
    )


def _four(one: _Both) -> list[Shipped]:
    return [
        Shipped(one.name, one.purpose, "sms", "sv", "", one.sms_sv),
        Shipped(one.name, one.purpose, "sms", "en", "", one.sms_en),
        Shipped(one.name, one.purpose, "email", "sv", one.subject_sv, one.email_sv),
        Shipped(one.name, one.purpose, "email", "en", one.subject_en, one.email_en),
    ]
