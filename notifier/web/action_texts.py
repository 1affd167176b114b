"""The words of the pages behind links in messages, Swedish and English. Before a press of a button they name nobody.
Pure."""

from dataclasses import dataclass
from typing import Final

from notifier.actions import Acted, LinkState, Looked, Outcome
from notifier.visit_state import VisitState
from store.link_actions import LinkAction


@dataclass(frozen=True, slots=True)
class Words:
    """One page. `after` stands below the visits; `button` acts; `back` leads to the way back."""

    title: str
    paragraphs: tuple[str, ...] = ()
    button: str = ""
    after: tuple[str, ...] = ()
    call: str = ""
    back: str = ""


_CALL = {"sv": "Ring", "en": "Call"}
BY: Final = {"sv": "Avboka senast {} för att slippa avgift.", "en": "Cancel by {} to avoid a fee."}
CHOOSE_BUTTON: Final = {
    LinkAction.CONFIRM: {"sv": "Jag kommer", "en": "I am coming"},
    LinkAction.CANCEL: {"sv": "Jag vill avboka", "en": "I want to cancel"},
}

_OPEN = {
    LinkAction.CONFIRM: {
        "sv": Words(
            "Kommer du?",
            ("Länken kom i ett meddelande om ett bokat besök. Tryck på knappen om du kommer.",),
            "Jag kommer",
            ("Kan du inte komma? Ring mottagningen eller gå till 1177.",),
        ),
        "en": Words(
            "Are you coming?",
            ("The link came in a message about a booked visit. Press the button if you are coming.",),
            "I am coming",
            ("If you cannot come, call the clinic or go to 1177.",),
        ),
    },
    LinkAction.CANCEL: {
        "sv": Words(
            "Vill du avboka?",
            (
                "Länken kom i ett meddelande om ett bokat besök.",
                "Tryck på knappen, så antecknar vi att du vill avboka och visar vem du ska ringa. Inget händer förrän "
                "du trycker.",
            ),
            "Jag vill avboka",
            ("Vill du behålla tiden? Då behöver du inte göra något. Stäng sidan.",),
        ),
        "en": Words(
            "Do you want to cancel?",
            (
                "The link came in a message about a booked visit.",
                "Press the button, and we note that you want to cancel and show whom to call. Nothing happens until "
                "you press.",
            ),
            "I want to cancel",
            ("If you want to keep the visit you need not do anything. Close this page.",),
        ),
    },
    LinkAction.UNSUBSCRIBE: {
        "sv": Words(
            "Vill du avsluta påminnelserna?",
            (
                "Tryck på knappen, så skickar vi inga fler påminnelser till den här adressen.",
                "Dina bokade tider gäller som förut. Om en tid flyttas eller ställs in säger vi fortfarande till.",
            ),
            "Avsluta påminnelserna",
        ),
        "en": Words(
            "Do you want to end the reminders?",
            (
                "Press the button, and we send no more reminders to this address.",
                "Your visits still stand. If one is moved or cancelled we still tell you.",
            ),
            "End the reminders",
        ),
    },
    LinkAction.WRONG_PERSON: {
        "sv": Words(
            "Är meddelandet inte till dig?",
            (
                "Tryck på knappen, så skickar vi inget mer till den här adressen.",
                "Är det ändå till dig? Stäng sidan. Annars får du inte veta om dina tider ändras.",
            ),
            "Det är inte till mig",
        ),
        "en": Words(
            "Is the message not meant for you?",
            (
                "Press the button, and we send nothing more to this address.",
                "If it is meant for you after all, close this page: else you will not hear if your visits change.",
            ),
            "It is not for me",
        ),
    },
    LinkAction.START: {
        "sv": Words(
            "Vill du få påminnelser igen?",
            ("Tryck på knappen, så påminner vi om dina bokade tider på den här adressen.",),
            "Påminn mig igen",
        ),
        "en": Words(
            "Do you want reminders again?",
            ("Press the button, and we remind you of your visits at this address.",),
            "Remind me again",
        ),
    },
    LinkAction.READ: {
        "sv": Words(
            "Inför ditt besök",
            (
                "Länken kom i ett meddelande om ett bokat besök.",
                "Tryck på knappen, så visar vi det som du ska läsa före besöket.",
            ),
            "Visa texten",
        ),
        "en": Words(
            "Before your visit",
            (
                "The link came in a message about a booked visit.",
                "Press the button, and we show what you should read before the visit.",
            ),
            "Show the text",
        ),
    },
}

_DONE = {
    LinkAction.CONFIRM: {
        "sv": Words("Tack, vi har antecknat att du kommer", after=("Du behöver inte göra något mer.",)),
        "en": Words("Thank you, we have noted that you are coming", after=("You need not do anything more.",)),
    },
    LinkAction.CANCEL: {
        "sv": Words(
            "Ring mottagningen för att avboka",
            (
                "Vi har antecknat att du vill avboka, men tiden är inte avbokad än. Den är din tills mottagningen har "
                "avbokat den.",
            ),
            after=("Du kan också avboka på 1177, om mottagningen har det.",),
        ),
        "en": Words(
            "Call the clinic to cancel",
            (
                "We have noted that you want to cancel, but the visit has not been cancelled yet. It is yours until "
                "the clinic has cancelled it.",
            ),
            after=("You may also be able to cancel at 1177.",),
        ),
    },
    LinkAction.UNSUBSCRIBE: {
        "sv": Words(
            "Påminnelserna är avslutade",
            (
                "Vi skickar inga fler påminnelser till den här adressen. Dina bokade tider gäller som förut. Om en tid "
                "flyttas eller ställs in säger vi till.",
            ),
            back="Jag vill ha påminnelser igen",
        ),
        "en": Words(
            "The reminders have ended",
            (
                "We send no more reminders to this address. Your visits still stand. If one is moved or cancelled we "
                "tell you.",
            ),
            back="I want reminders again",
        ),
    },
    LinkAction.WRONG_PERSON: {
        "sv": Words("Tack för att du sade till", ("Vi skickar inget mer till den här adressen.",)),
        "en": Words("Thank you for telling us", ("We send nothing more to this address.",)),
    },
    LinkAction.START: {
        "sv": Words("Du får påminnelser igen", ("Vi påminner om dina bokade tider på den här adressen.",)),
        "en": Words("You will get reminders again", ("We remind you of your visits at this address.",)),
    },
    LinkAction.READ: {
        "sv": Words("Tack, vi har antecknat att du har läst", ("Texten finns kvar här fram till besöket.",)),
        "en": Words("Thank you, we have noted that you have read it", ("The text stays here until the visit.",)),
    },
}

_SHOWN = {"sv": Words("Läs det här före besöket"), "en": Words("Please read this before your visit")}
_CHANGED_TEXT = {
    "sv": Words("Texten har ändrats", ("Den är en annan än den du såg nyss. Läs den igen.",)),
    "en": Words("The text has changed", ("It is another than the one you just saw. Please read it again.",)),
}
READ_BUTTON: Final = {"sv": "Jag har läst", "en": "I have read it"}
IS_READ: Final = {"sv": "Du har sagt att du har läst.", "en": "You have said that you have read it."}
MOVED: Final = {
    "sv": "Besöket har fått en ny tid sedan meddelandet skickades.",
    "en": "The visit has a new time since the message was sent.",
}
CANNOT_COME: Final = {
    "sv": "Kan du inte komma? Ring mottagningen eller gå till 1177.",
    "en": "If you cannot come, call the clinic or go to 1177.",
}

_CHOOSE = {
    LinkAction.CONFIRM: {
        "sv": Words("Vilken tid kommer du till?"),
        "en": Words("Which visit are you coming to?"),
    },
    LinkAction.CANCEL: {
        "sv": Words("Vilken tid vill du avboka?", ("Inget är avbokat än.",)),
        "en": Words("Which visit do you want to cancel?", ("Nothing has been cancelled yet.",)),
    },
}

_CHANGED = {
    VisitState.MOVED: {
        "sv": Words(
            "Tiden har flyttats",
            (
                "Besöket har fått en annan tid sedan meddelandet skickades, så vi har inte antecknat något. Se dina "
                "tider på 1177 eller ring mottagningen.",
            ),
        ),
        "en": Words(
            "The visit has moved",
            (
                "The visit has another time since the message was sent, so we have noted nothing. See your visits at "
                "1177 or call the clinic.",
            ),
        ),
    },
    VisitState.CANCELLED: {
        "sv": Words("Tiden är redan avbokad", ("Du behöver inte göra något mer.",)),
        "en": Words("The visit has already been cancelled", ("You need not do anything more.",)),
    },
    VisitState.GONE: {
        "sv": Words(
            "Tiden visas inte längre",
            ("Mottagningen visar inte längre tiden, så vi har inte antecknat något. Hör med dem.",),
        ),
        "en": Words(
            "The visit is no longer shown",
            ("The clinic no longer shows the visit, so we have noted nothing. Please check with them.",),
        ),
    },
    VisitState.PASSED: {
        "sv": Words("Tiden har varit", ("Besökets tid har redan varit, så vi har inte antecknat något.",)),
        "en": Words("The visit is over", ("The time of the visit has passed, so we have noted nothing.",)),
    },
}
_CHANGED[VisitState.STANDS] = _CHANGED[VisitState.GONE]  # it stands, but the clinic is nobody's customer any more

_USED = {
    "sv": Words(
        "Länken är redan använd",
        ("Det du bad om är gjort. Behöver du något mer? Ring mottagningen eller gå till 1177.",),
        back="Jag vill ha påminnelser igen",
    ),
    "en": Words(
        "The link has already been used",
        ("What you asked for has been done. If you need anything else, call the clinic or go to 1177.",),
        back="I want reminders again",
    ),
}
_USED_TO_CANCEL = {
    "sv": Words(
        "Du har redan bett om avbokning",
        ("Vi har antecknat att du vill avboka. Tiden är avbokad först när mottagningen har gjort det: ring dem.",),
    ),
    "en": Words(
        "You have already asked to cancel",
        ("We have noted that you want to cancel. The visit is cancelled only when the clinic has done so: call them.",),
    ),
}
_EXPIRED = {
    "sv": Words("Länken gäller inte längre", ("Se dina tider på 1177 eller ring mottagningen.",)),
    "en": Words("The link is no longer valid", ("See your visits at 1177 or call the clinic.",)),
}
_UNKNOWN = {
    "sv": Words(
        "Vi känner inte igen länken",
        (
            "Kontrollera att du har fått med hela länken från meddelandet. Annars: ring mottagningen eller gå till "
            "1177.",
        ),
    ),
    "en": Words(
        "We do not recognise the link",
        ("Check that you have the whole link from the message. Otherwise call the clinic or go to 1177.",),
    ),
}
_SPARED = {
    "sv": Words(
        "Adressen är fortfarande avstängd",
        ("Vi kan inte skicka till den här adressen. Ring mottagningen om du vill ha påminnelser igen.",),
    ),
    "en": Words(
        "The address is still turned off",
        ("We cannot send to this address. Call the clinic if you want reminders again.",),
    ),
}
NOT_FROM_HERE: Final = {
    "sv": Words(
        "Tryck på knappen på vår egen sida", ("Öppna länken i meddelandet igen och tryck på knappen. Inget har hänt.",)
    ),
    "en": Words(
        "Press the button on our own page",
        ("Open the link in the message again and press the button. Nothing happened.",),
    ),
}
NOT_NOW: Final = {
    "sv": Words("Det gick inte just nu", ("Inget har hänt. Försök igen om en stund eller ring mottagningen.",)),
    "en": Words("It did not work right now", ("Nothing has happened. Try again in a while or call the clinic.",)),
}


def before(looked: Looked, language: str) -> Words:
    """What a link shows to whoever opens it."""
    if looked.state == LinkState.UNKNOWN or looked.action is None:
        return _UNKNOWN[language]
    if looked.state == LinkState.OPEN:
        return _OPEN[looked.action][language]
    if looked.state == LinkState.EXPIRED:
        return _EXPIRED[language]
    return (_USED_TO_CANCEL if looked.action == LinkAction.CANCEL else _USED)[language]


def after(acted: Acted, language: str) -> Words:
    """What it shows once the button has been pressed."""
    action = acted.looked.action
    if acted.outcome == Outcome.CLOSED or action is None:
        return before(acted.looked, language)
    if acted.outcome == Outcome.SHOWN:
        is_changed = acted.reading is not None and acted.reading.is_changed
        return (_CHANGED_TEXT if is_changed else _SHOWN)[language]
    if acted.outcome == Outcome.CHOOSE:
        return _CHOOSE[action][language]
    if acted.outcome == Outcome.CHANGED:
        return _CHANGED[acted.visits[0].state][language]
    return (_SPARED if acted.outcome == Outcome.SPARED else _DONE[action])[language]


def call(language: str) -> str:
    return _CALL[language]
