"""What a text to us is answered with: one part of an SMS in the reader's language that names no clinic. Pure."""

from datetime import datetime

from notifier.spoken_times import moment
from store.intents import Intent

_SWEDISH = {
    Intent.STOP: (
        "Du får inga fler sms från Kallelse till det här numret. Dina bokade tider gäller som förut. "
        "Vill du ha sms igen: svara START."
    ),
    Intent.START: "Du får sms från Kallelse igen. Vill du inte ha dem: svara STOPP.",
    Intent.HELP: (
        "Kallelse påminner om bokade tider. Svara STOPP för inga fler sms, FEL PERSON om numret är fel. "
        "Boka om eller av: 1177.se."
    ),
    Intent.WRONG_PERSON: "Tack för att du sade till. Kallelse skickar inget mer till det här numret.",
    Intent.UNKNOWN: (
        "Vi kunde inte tolka ditt svar och har inte ändrat något. Boka om eller av: 1177.se eller ring mottagningen. "
        "Inga fler sms: svara STOPP."
    ),
}
_ENGLISH = {
    Intent.STOP: (
        "You will get no more texts from Kallelse at this number. Your appointments still stand. "
        "To get texts again, reply START."
    ),
    Intent.START: "You will get texts from Kallelse again. If you do not want them, reply STOP.",
    Intent.HELP: (
        "Kallelse reminds of booked appointments. Reply STOP for no more texts, WRONG PERSON if this is not you. "
        "Rebook or cancel: 1177.se."
    ),
    Intent.WRONG_PERSON: "Thank you for telling us. Kallelse will send nothing more to this number.",
    Intent.UNKNOWN: (
        "We could not read your reply and have changed nothing. Rebook or cancel: 1177.se or call the clinic. "
        "For no more texts, reply STOP."
    ),
}


def answer(intent: Intent, language: str) -> str:
    return (_ENGLISH if language == "en" else _SWEDISH)[intent]


def confirmed(visit_at: datetime, language: str) -> str:
    when = moment(visit_at, "en" if language == "en" else "sv")
    if language == "en":
        return f"Thank you. We have noted that you are coming on {when}. If you cannot come, reply CANCEL."
    return f"Tack! Vi har antecknat att du kommer {when}. Kan du inte komma: svara AVBOKA."


def cancel_here(visit_at: datetime, link: str, language: str) -> str:
    """Asks for a press of a button: a text alone cancels nothing."""
    when = moment(visit_at, "en" if language == "en" else "sv")
    if language == "en":
        return f"Cancel {when}? Nothing has been cancelled yet. Open this and press the button: {link}"
    return f"Avboka {when}? Inget är avbokat än. Öppna länken och tryck på knappen: {link}"


def which(link: str, language: str) -> str:
    if language == "en":
        return f"You have several visits, so we have changed nothing. Choose which one you mean: {link}"
    return f"Du har flera tider, så vi har inte ändrat något. Välj vilken du menar: {link}"


def has_changed(language: str) -> str:
    if language == "en":
        return (
            "That visit has changed or is over, so we have noted nothing. See your visits: 1177.se or call the clinic."
        )
    return (
        "Den tiden har ändrats eller är över, så vi har inte antecknat något. Se dina tider: 1177.se eller ring "
        "mottagningen."
    )


def no_such_visit(language: str) -> str:
    if language == "en":
        return (
            "We do not know which visit you mean and have changed nothing. Use the link in our message, 1177.se, "
            "or call the clinic."
        )
    return (
        "Vi vet inte vilken tid du menar och har inte ändrat något. Använd länken i meddelandet, 1177.se eller ring "
        "mottagningen."
    )
