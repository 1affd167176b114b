"""Every word of the demo's start page, in Swedish and English. Knows no page: the names say what a text is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from store.delivery_states import DeliveryState
from worker.demo.care_side import Answers
from worker.demo.forwarding import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """`{name}` and the like are filled in by the page."""

    title: str
    intro: str
    how: str
    sections: str  # what the list of links to sections is called
    pause: str
    refresh: str
    section_changed: str  # read out after a section's heading
    connection_lost: str

    time: str
    now: str
    forward: str
    targets: Mapping[Target, str]

    calendar: str
    calendar_about: str
    see_file: str
    etag: str
    feed_silent: str
    feed_refused: str
    no_events: str
    statuses: Mapping[str, str]  # by iCalendar's STATUS
    unchanged: str
    changed: str

    add: str
    add_about: str
    address: str
    address_hint: str
    profile: str
    profile_about: str
    others: str
    others_about: str
    qr_code: str
    qr_code_about: str
    account: str
    account_about: str
    account_server: str
    account_name: str
    account_opens_with: str
    account_profile: str
    account_profile_about: str

    phone: str
    phone_about: str
    no_messages: str
    everybodys_messages: str
    channels: Mapping[str, str]
    message_states: Mapping[str, str]  # by the providers' words

    care: str
    care_about: str
    by_new_id_about: str
    booked: str
    no_bookings: str
    cancelled: str
    is_cancelled: str
    invitation: str
    invitations: str
    invitations_about: str
    choose: str
    withdraw: str
    move: str
    move_by_new_id: str
    cancel: str
    restore: str
    book: str
    answering: str
    answering_about: str
    aggregator: str
    answers: Mapping[Answers, str]
    change: str

    silent: str
    silent_about: str
    nobody_silent: str
    silent_since: str
    invisible_since: str

    counts: str
    subjects: str
    coming_bookings: str
    calendars: str
    deliveries: Mapping[DeliveryState, str]

    suggestions_title: str
    suggestions: tuple[str, str, str]

    done: Mapping[str, str]  # by what has been done
    missing: str


SWEDISH: Final = Texts(
    title="Prova Kallelse",
    intro=(
        "Du följer {name}: Kallelse frågar vården om bokade tider, håller kalendern rätt och påminner i tid. "
        "Vården, mobilnätet och människorna är påhittade, och inget lämnar den här datorn."
    ),
    how=(
        "Ändra något under Vården. Kalendern följer efter inom {poll} sekunder, telefonen {settle} sekunder senare. "
        "En avbokning tar {certain} sekunder: Kallelse frågar två gånger innan den tror på den."
    ),
    sections="På sidan",
    pause="Pausa: låt sidan stå still",
    refresh="Uppdatera",
    section_changed="har ändrats.",
    connection_lost="Sidan når inte Kallelse. Den försöker igen.",
    time="Tiden",
    now="Nu är det {now} (låtsastid).",
    forward=(
        "Gå framåt till ett klockslag. Vid en planering avgörs vad {name} ska få veta. Påminnelser om sista "
        "avbokning går kl. 10, om besök i morgon kl. 16. Det du hoppar förbi räknas som för sent."
    ),
    targets={
        Target.PLANNING: "Nästa planering",
        Target.TEN: "Nästa kl. 10",
        Target.SIXTEEN: "Nästa kl. 16",
        Target.VISIT: "Nästa besök",
        Target.HOUR: "En timme",
        Target.DAY: "Ett dygn",
    },
    calendar="Kalendern",
    calendar_about="Hämtad nyss från adressen, och läst som en kalenderapp läser den.",
    see_file="Visa kalenderfilen",
    etag="Kalenderns märke (ETag): {etag}. Står det still är kalendern oförändrad.",
    feed_silent="Kalendern svarar inte just nu. Sidan försöker igen.",
    feed_refused="Kalendern svarar {status} just nu. Sidan försöker igen.",
    no_events="Inga tider i kalendern än. De kommer när vården har svarat.",
    statuses={"CONFIRMED": "Gäller", "TENTATIVE": "Osäker: vården visar den inte", "CANCELLED": "Gäller inte längre"},
    unchanged="Oändrad (SEQUENCE 0)",
    changed="Ändrad (SEQUENCE {sequence})",
    add="Lägg till kalendern",
    add_about=(
        "Kalendern kommer alltid efter: varje program tittar så ofta det vill. Lita på SMS och e-post när något "
        "ändras sent."
    ),
    address="Prenumerationsadress",
    address_hint="Den är hemlig: den som har den ser kalendern. Kopiera den till en kalender på den här datorn.",
    profile="Hämta profil för iPhone och iPad",
    profile_about="Lägger till samma kalender. Öppna filen och sedan Inställningar. Den är inte signerad i provet.",
    others="Kalendrar på nätet",
    others_about=(
        "Knapparna ger Google eller Microsoft adressen, och de hämtar kalendern till sina egna datorer. Hit når de "
        "inte, så här ser du bara hur knapparna fungerar."
    ),
    qr_code="QR-kod med prenumerationsadressen",
    qr_code_about=(
        "Rikta telefonens kamera mot koden, så erbjuder den prenumerationen. I provet leder den till den här datorn, "
        "som telefonen inte når."
    ),
    account="Som kalenderkonto (CalDAV)",
    account_about=(
        "Skriv detta i kalenderprogrammets inställningar för konton. Programmet ser då bara det som ändrats, och "
        "kallelser utan tid som uppgifter. Tiderna kan läsas, inte ändras. Varje enhet får ett eget applösenord, så "
        "att en borttappad kan stängas av för sig."
    ),
    account_server="Server",
    account_name="Kontonamn",
    account_opens_with="Applösenord",
    account_profile="Hämta kontoprofil för iPhone, iPad och Mac",
    account_profile_about="Fyller i server och kontonamn. Enheten frågar efter applösenordet.",
    phone="Telefonen",
    phone_about="Meddelanden till {name}, det nyaste först.",
    no_messages="Inga meddelanden än. Prova att gå fram till nästa planering.",
    everybodys_messages="Allas meddelanden",
    channels={"sms": "SMS", "email": "E-post"},
    message_states={
        "accepted": "mottaget av leverantören",
        "queued": "mottaget av leverantören",
        "sent": "skickat",
        "delivered": "levererat",
        "undelivered": "kunde inte levereras",
        "failed": "kunde inte skickas",
    },
    care="Vården",
    care_about="Så står tiderna i vårdens egna system. Här gör du det som en mottagning gör.",
    by_new_id_about=(
        "”Byt mot ny tid” avbokar och bokar på nytt nästa dag, med nytt nummer: så gör system som inte kan flytta."
    ),
    booked="Bokade tider",
    no_bookings="Inga bokade tider. Boka en ny.",
    cancelled="Avbokade tider",
    is_cancelled="Avbokad",
    invitation="Kallelse",
    invitations="Kallelser utan tid",
    invitations_about="Invånaren väljer själv en tid. I CalDAV-kontot är de att göra, i en lista för sig.",
    choose="Boka som invånaren",
    withdraw="Dra tillbaka",
    move="En dag senare",
    move_by_new_id="Byt mot ny tid",
    cancel="Avboka",
    restore="Ångra avbokningen",
    book="Boka en ny tid",
    answering="Hur systemen svarar",
    answering_about="Gör ett system tyst eller trasigt. Inget får då sägas vara avbokat.",
    aggregator="Den samlade tjänsten (alla mottagningar)",
    answers={
        Answers.OK: "svarar",
        Answers.TIMEOUT: "svarar inte i tid",
        Answers.FAULT: "svarar med ett fel",
        Answers.TRUNCATED: "svaret bryts mitt i",
        Answers.EMPTY: "svarar utan tider",
        Answers.NOSTATUS: "saknas i svaret",
        Answers.DENIED: "nekar",
        Answers.FORBIDDEN: "tillståndet borta för alla",
    },
    change="Ändra",
    silent="Vilka har inte svarat",
    silent_about="Tider där står kvar som de var. Kalendern säger till först när tystnaden har varat i 24 timmar.",
    nobody_silent="Alla svarar.",
    silent_since="har inte svarat sedan {since}",
    invisible_since="syns inte längre för oss, sedan {since}",
    counts="Så mycket finns här",
    subjects="Invånare",
    coming_bookings="Kommande tider",
    calendars="Kalendrar",
    deliveries={
        DeliveryState.QUEUED: "Meddelanden i kö",
        DeliveryState.SENDING: "Meddelanden som skickas nu",
        DeliveryState.ACCEPTED: "Meddelanden mottagna av leverantören",
        DeliveryState.DELIVERED: "Meddelanden levererade",
        DeliveryState.FAILED: "Meddelanden som inte gick att skicka",
        DeliveryState.SKIPPED: "Meddelanden överhoppade",
        DeliveryState.EXPIRED: "Meddelanden för sena att skicka",
        DeliveryState.UNCERTAIN: "Meddelanden som ingen vet om de gick fram",
    },
    suggestions_title="Tre saker att prova",
    suggestions=(
        "Flytta en tid en dag. Strax visar kalendern den nya tiden, och telefonen ett meddelande med båda.",
        "Låt ett system svara med ett fel, och avboka en tid där. Inget ändras, förrän systemet svarar igen.",
        "Gå fram till kl. 16. Påminnelsen om besöket i morgon kommer i telefonen.",
    ),
    done={
        "forwarded": "Tiden har gått framåt. Det som skulle hända sker nu.",
        "move": "Flyttad i vården. Kallelse märker det när nästa svar kommer.",
        "new_id": "Utbytt i vården. Kallelse ser en tid försvinna och en ny komma, och förstår att de hör ihop.",
        "cancel": "Avbokad i vården. Kallelse frågar två gånger innan den tror på det.",
        "restore": "Tiden gäller igen i vården.",
        "book": "Bokad i vården. Den kommer i kalendern när nästa svar kommer.",
        "choose": "Bokad som invånaren. Kallelsen försvinner och tiden kommer med nästa svar.",
        "withdraw": "Tillbakadragen. Kallelse frågar två gånger innan den tror på det.",
        "answers": "Ändrat. Systemet svarar så från och med nu.",
        "missing": "Den tiden finns inte längre. Inget har ändrats.",
    },
    missing="Sidan förstod inte valet. Gå tillbaka och försök igen.",
)

ENGLISH: Final = Texts(
    title="Try Kallelse",
    intro=(
        "You are following {name}: Kallelse asks the care side about booked visits, keeps the calendar right and "
        "reminds in time. The clinics, the mobile network and the people are made up, and nothing leaves this computer."
    ),
    how=(
        "Change something under Care. The calendar follows within {poll} seconds, the phone {settle} seconds later. "
        "A cancellation takes {certain} seconds: Kallelse asks twice before it believes it."
    ),
    sections="On this page",
    pause="Pause: keep the page still",
    refresh="Refresh",
    section_changed="has changed.",
    connection_lost="The page cannot reach Kallelse. It is trying again.",
    time="Time",
    now="It is now {now} (made-up time).",
    forward=(
        "Go forward to a time. Planning decides what {name} is to be told. Reminders of the last day to cancel go "
        "at 10:00, those of tomorrow’s visits at 16:00. What you jump past counts as too late."
    ),
    targets={
        Target.PLANNING: "Next planning",
        Target.TEN: "Next 10:00",
        Target.SIXTEEN: "Next 16:00",
        Target.VISIT: "Next visit",
        Target.HOUR: "One hour",
        Target.DAY: "24 hours",
    },
    calendar="The calendar",
    calendar_about="Fetched just now from the address, and read as a calendar app reads it.",
    see_file="See the calendar file",
    etag="The calendar’s mark (ETag): {etag}. While it stands still, the calendar is unchanged.",
    feed_silent="The calendar does not answer right now. The page is trying again.",
    feed_refused="The calendar answers {status} right now. The page is trying again.",
    no_events="No visits in the calendar yet. They come when the care side has answered.",
    statuses={"CONFIRMED": "On", "TENTATIVE": "Unsure: the clinic does not show it", "CANCELLED": "No longer on"},
    unchanged="Unchanged (SEQUENCE 0)",
    changed="Changed (SEQUENCE {sequence})",
    add="Add the calendar",
    add_about=(
        "The calendar always comes later: each program looks as often as it wants to. Trust text messages and e-mail "
        "when something changes late."
    ),
    address="Subscription address",
    address_hint="It is secret: whoever has it sees the calendar. Copy it to a calendar on this computer.",
    profile="Get a profile for iPhone and iPad",
    profile_about="Adds the same calendar. Open the file, then Settings. In this demo it is not signed.",
    others="Calendars on the web",
    others_about=(
        "The buttons give Google or Microsoft the address, and they fetch the calendar to their own computers. They "
        "cannot reach this one, so here you only see how the buttons work."
    ),
    qr_code="QR code of the subscription address",
    qr_code_about=(
        "Point a phone’s camera at the code and it offers the subscription. In this demo it leads to this computer, "
        "which the phone cannot reach."
    ),
    account="As a calendar account (CalDAV)",
    account_about=(
        "Type this into the calendar program’s account settings. The program then sees only what has changed, and "
        "invitations without a time as to-dos. Visits can be read and not changed. Each device gets an app password "
        "of its own, so that a lost one can be shut out alone."
    ),
    account_server="Server",
    account_name="Account name",
    account_opens_with="App password",
    account_profile="Get an account profile for iPhone, iPad and Mac",
    account_profile_about="Fills in server and account name. The device asks for the app password.",
    phone="The phone",
    phone_about="Messages to {name}, the newest first.",
    no_messages="No messages yet. Try going forward to the next planning.",
    everybodys_messages="Everybody’s messages",
    channels={"sms": "Text message", "email": "E-mail"},
    message_states={
        "accepted": "taken by the provider",
        "queued": "taken by the provider",
        "sent": "sent",
        "delivered": "delivered",
        "undelivered": "could not be delivered",
        "failed": "could not be sent",
    },
    care="Care",
    care_about="The visits as the clinics’ own systems have them. Here you do what a clinic does.",
    by_new_id_about=(
        "“Swap for a new one” cancels, and books the next day under a new number: so do systems that cannot move."
    ),
    booked="Booked visits",
    no_bookings="No booked visits. Book a new one.",
    cancelled="Cancelled visits",
    is_cancelled="Cancelled",
    invitation="Invitation",
    invitations="Invitations without a time",
    invitations_about="The citizen chooses a time. In the CalDAV account they are to-dos, in a list of their own.",
    choose="Book as the citizen",
    withdraw="Withdraw",
    move="A day later",
    move_by_new_id="Swap for a new one",
    cancel="Cancel",
    restore="Undo the cancellation",
    book="Book a new visit",
    answering="How the systems answer",
    answering_about="Make a system silent or broken. Nothing may then be said to be cancelled.",
    aggregator="The aggregating service (all clinics)",
    answers={
        Answers.OK: "answers",
        Answers.TIMEOUT: "does not answer in time",
        Answers.FAULT: "answers with a fault",
        Answers.TRUNCATED: "is cut off mid-answer",
        Answers.EMPTY: "answers without visits",
        Answers.NOSTATUS: "is missing from the answer",
        Answers.DENIED: "refuses",
        Answers.FORBIDDEN: "permission lost for everyone",
    },
    change="Change",
    silent="Who has not answered",
    silent_about="Visits there stay as they were. The calendar says so only when the silence has lasted 24 hours.",
    nobody_silent="Everybody answers.",
    silent_since="has not answered since {since}",
    invisible_since="is no longer visible to us, since {since}",
    counts="How much there is here",
    subjects="Citizens",
    coming_bookings="Coming visits",
    calendars="Calendars",
    deliveries={
        DeliveryState.QUEUED: "Messages queued",
        DeliveryState.SENDING: "Messages being sent now",
        DeliveryState.ACCEPTED: "Messages taken by the provider",
        DeliveryState.DELIVERED: "Messages delivered",
        DeliveryState.FAILED: "Messages that could not be sent",
        DeliveryState.SKIPPED: "Messages skipped",
        DeliveryState.EXPIRED: "Messages too late to send",
        DeliveryState.UNCERTAIN: "Messages nobody knows the fate of",
    },
    suggestions_title="Three things to try",
    suggestions=(
        "Move a visit by a day. Soon the calendar shows the new time, and the phone a message with both.",
        "Let a system answer with a fault, and cancel a visit there. Nothing changes until the system answers again.",
        "Go forward to 16:00. The reminder of tomorrow’s visit arrives on the phone.",
    ),
    done={
        "forwarded": "Time has gone forward. What was to happen happens now.",
        "move": "Moved at the clinic. Kallelse notices when the next answer comes.",
        "new_id": "Swapped at the clinic. Kallelse sees one visit vanish and another appear, and links the two.",
        "cancel": "Cancelled at the clinic. Kallelse asks twice before it believes so.",
        "restore": "The visit is on again at the clinic.",
        "book": "Booked at the clinic. It reaches the calendar with the next answer.",
        "choose": "Booked as the citizen. The invitation goes, and the visit comes with the next answer.",
        "withdraw": "Withdrawn. Kallelse asks twice before it believes so.",
        "answers": "Changed. The system answers so from now on.",
        "missing": "That visit is no longer there. Nothing has changed.",
    },
    missing="The page did not understand the choice. Go back and try again.",
)

TEXTS: Final[Mapping[str, Texts]] = {"sv": SWEDISH, "en": ENGLISH}
