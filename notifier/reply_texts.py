"""What a text to us is answered with: one part of an SMS in the reader's language that names no clinic. Pure."""

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
