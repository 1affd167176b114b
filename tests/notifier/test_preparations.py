"""What is to be read before a visit: told in time, shown to whoever presses and to nobody else, read once, and never
told of when it is gone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import SQLModel, delete, select, update

from store.action_links import ActionLink
from store.bookings import Booking, Details
from store.clinics import Clinic
from store.consents import Consent
from store.facilities import Facility
from store.preparations import ClinicLeaflet, LinkHost
from store.preparations_read import PreparationsRead
from store.subjects import ContactPoint, Subject, SubjectKey
from tests import build
from tests.notifier.answering import FROM_HERE, SITE, Citizen, citizen_at, link_in
from tests.notifier.conftest import Provider, Scene, at, settings_with
from tests.notifier.mailed import Relay
from tests.people import ANNA, Person
from worker.clinic_leaflets import Unseen, unseen

VISIT = "2026-12-01 13:30"
FIVE_DAYS_BEFORE = at("2026-11-26 10:00")
SAID = "# Fasta\n\nÄt **inget** efter midnatt.\n\n- [ ] Legitimation\n- [ ] Remiss"
OWN = "1. Ta hissen.\n2. Svara på [formuläret](https://formular.example.se/h)."
EYES = ("Fasta", "inget", "Legitimation", "hissen", "formular")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def own_text(scene: Scene, text: str = OWN, **values: Any) -> None:
    with scene.sessions.writing() as session:
        known = {"language": "sv", "clinic_id": scene.clinic_id, "amended_at": scene.now, **values}
        session.add(ClinicLeaflet(text=text, **known))


def covers_texts(scene: Scene) -> None:
    scene.set(Clinic, scene.clinic_id, decision_covers_texts=True)


def visit(scene: Scene, said: str = "", **values: Any) -> UUID:
    person = values.pop("person", Person(ANNA.number, phone=ANNA.phone))
    return scene.booking(scene.subject(person), VISIT, details=Details(preparations=said), **values)


@pytest.fixture
def anna(scene: Scene, provider: Provider) -> Iterator[Citizen]:
    """Anna, told by SMS that there is something to read, from the source and from her clinic."""
    own_text(scene)
    visit(scene, SAID)
    with citizen_at(scene, provider, FIVE_DAYS_BEFORE, words=None) as citizen:
        citizen.told(FIVE_DAYS_BEFORE)
        yield citizen


def link(citizen: Citizen) -> str:
    return link_in(citizen.provider.texts[-1])


def reads(scene: Scene) -> list[PreparationsRead]:
    with scene.sessions.reading() as session:
        return list(session.exec(select(PreparationsRead)))


def seal_of(text: str) -> str:
    return text.split('name="seal" value="')[1].split('"')[0]


def test_an_sms_says_when_and_leads_to_a_page_and_tells_nothing_of_it(anna: Citizen) -> None:
    assert anna.provider.texts == [
        f"Läs det här före besöket tisdag 1 december kl. 13.30, Ekens vårdcentral: {SITE}{link(anna)}"
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whoever_opens_the_page_learns_nothing_and_changes_nothing(anna: Citizen, method: str) -> None:
    page = anna.asks(method, link(anna), User_Agent="Barracuda Sentinel (EE)")

    assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert [word for word in (*EYES, "december", "Ekens", "010-") if word in page.text] == []
    assert reads(anna.scene) == []


def test_a_press_shows_the_texts_as_they_are_written_as_often_as_wanted(anna: Citizen) -> None:
    for _ in range(2):
        page = anna.presses(link(anna))
        assert (page.status, page.title, page.headers["Cache-Control"]) == (200, "Läs det här före besöket", "no-store")
        assert "<h2>tisdag 1 december kl. 13.30</h2>" in page.text
        assert "<h3>Fasta</h3>" in page.text
        assert "Ät <strong>inget</strong> efter midnatt." in page.text
        assert page.text.count('<input type="checkbox"') == 2
        assert '<li value="1">Ta hissen.</li>' in page.text
    assert reads(anna.scene) == []


def test_a_link_leads_only_to_a_host_that_the_clinic_has_allowed(anna: Citizen) -> None:
    assert "<a href=" not in anna.presses(link(anna)).text.split("<main")[1].split("tel:")[0].replace("class", "")
    with anna.scene.sessions.writing() as session:
        session.add(LinkHost(clinic_id=anna.scene.clinic_id, host="formular.example.se"))
    assert '<a href="https://formular.example.se/h"' in anna.presses(link(anna)).text


def test_i_have_read_it_is_written_down_once_and_tells_nothing_of_the_text(anna: Citizen) -> None:
    shown = anna.presses(link(anna))
    for _ in range(2):
        thanks = anna.presses(link(anna), seal=seal_of(shown.text))
        assert thanks.title == "Tack, vi har antecknat att du har läst"
        assert "Jag har läst" not in thanks.text
    assert len(reads(anna.scene)) == 1
    with anna.scene.sessions.engine.connect() as connection:
        rows = [row for table in SQLModel.metadata.sorted_tables for row in connection.execute(table.select())]
    dump = "\n".join(map(repr, rows))
    assert [word for word in ("Fasta", "Legitimation", link(anna).removeprefix("/a/")) if word in dump] == []
    assert "Du har sagt att du har läst." in anna.presses(link(anna)).text


def test_a_text_that_changes_while_it_is_read_is_not_taken_for_read(anna: Citizen) -> None:
    shown = anna.presses(link(anna))
    with anna.scene.sessions.writing() as session:
        session.exec(update(ClinicLeaflet).values(text="Ring först."))

    again = anna.presses(link(anna), seal=seal_of(shown.text))

    assert (again.title, "Ring först." in again.text) == ("Texten har ändrats", True)
    assert reads(anna.scene) == []


def test_a_form_from_elsewhere_shows_nothing(anna: Citizen) -> None:
    page = anna.asks("POST", link(anna), Sec_Fetch_Site="cross-site")
    assert (page.status, [word for word in EYES if word in page.text]) == (403, [])


def test_the_page_speaks_the_readers_language_and_marks_what_is_in_another(anna: Citizen) -> None:
    own_text(anna.scene, "Take the lift.", language="en")
    with anna.scene.sessions.writing() as session:
        session.exec(update(Subject).values(language="en"))

    page = anna.presses(link(anna))

    assert page.title == "Please read this before your visit"
    assert "Take the lift." in page.text
    assert '<div lang="sv" dir="ltr">' in page.text  # what the source said is in Swedish
    assert "Läs det här" in anna.asks("POST", link(anna) + "?lang=sv", **FROM_HERE).text


def test_a_text_written_from_the_right_is_shown_so_on_a_swedish_page(anna: Citizen) -> None:
    own_text(anna.scene, "صيام", language="ar")
    with anna.scene.sessions.writing() as session:
        session.exec(update(Subject).values(language="ar"))
    page = anna.presses(link(anna))
    assert (page.title, '<div lang="ar" dir="rtl">\n<p>صيام</p>' in page.text) == ("Läs det här före besöket", True)


@pytest.mark.parametrize(
    "change", ["protected", "cancelled", "no_customer", "no_text", "wrong_person", "removed", "consent", "erased"]
)
def test_nothing_is_shown_once_it_may_not_be(anna: Citizen, change: str) -> None:
    with anna.scene.sessions.writing() as session:
        if change == "protected":
            session.exec(update(Subject).values(protected_on=anna.scene.now.date()))
        elif change == "cancelled":
            session.exec(update(Booking).values(standing="cancelled"))
        elif change == "no_customer":
            session.exec(update(Facility).values(clinic_id=None))
        elif change == "no_text":
            session.exec(delete(ClinicLeaflet))
            session.exec(update(Facility).values(is_sensitive=True))
        elif change == "wrong_person":
            session.exec(update(ContactPoint).values(dead_since=anna.scene.now, dead_reason="wrong_person"))
        elif change == "removed":
            session.exec(update(ContactPoint).values(removed_at=anna.scene.now))
        elif change == "consent":
            session.exec(update(Consent).values(withdrawn_on=anna.scene.now.date()))
        else:
            session.exec(delete(SubjectKey))
    page = anna.presses(link(anna))
    assert (page.status, [word for word in EYES if word in page.text]) == (410, [])


def test_a_visit_that_has_moved_is_shown_with_its_new_time(anna: Citizen) -> None:
    with anna.scene.sessions.writing() as session:
        session.exec(update(Booking).values(start_at=at("2026-12-02 09:00"), time_version=2))
    page = anna.presses(link(anna))
    assert "onsdag 2 december kl. 09.00" in page.text or "onsdag 2 december kl. 9.00" in page.text
    assert "Besöket har fått en ny tid" in page.text


def test_a_clinics_own_text_is_enough_for_a_message(scene: Scene) -> None:
    own_text(scene)
    visit(scene)
    scene.plan(FIVE_DAYS_BEFORE)
    assert [str(one.purpose) for one in scene.deliveries()] == ["preparations"]


@pytest.mark.parametrize("text", [None, {"time_type_id": "ANNAT"}, {"facility": build.KIRURGEN}])
def test_a_text_for_other_visits_is_not_told_of(scene: Scene, text: dict[str, str] | None) -> None:
    if text is not None:
        own_text(scene, **text)
    visit(scene)
    scene.plan(FIVE_DAYS_BEFORE)
    assert scene.deliveries() == []


@pytest.mark.parametrize(("is_covered", "planned"), [(False, 0), (True, 1)])
def test_a_sensitive_units_own_text_needs_the_clinics_decision(scene: Scene, *, is_covered: bool, planned: int) -> None:
    """A unit below a sensitive one is as sensitive."""
    scene.set(Facility, build.VARDCENTRAL, is_sensitive=True)
    with scene.sessions.writing() as session:
        build.facility(session, build.KIRURGEN, parent=build.VARDCENTRAL, clinic_id=scene.clinic_id)
    if is_covered:
        covers_texts(scene)
    own_text(scene)
    visit(scene, at=build.KIRURGEN)
    scene.plan(FIVE_DAYS_BEFORE)
    assert len(scene.deliveries()) == planned


def test_a_text_taken_away_since_is_not_told_of(scene: Scene, provider: Provider) -> None:
    own_text(scene)
    visit(scene)
    scene.plan(FIVE_DAYS_BEFORE)
    with scene.sessions.writing() as session:
        session.exec(delete(ClinicLeaflet))

    scene.send(provider.channels, FIVE_DAYS_BEFORE)

    assert (provider.texts, scene.states()) == ([], [("skipped", "nothing_to_read")])


def test_a_sensitive_units_text_is_read_on_1177(scene: Scene, provider: Provider) -> None:
    settings_with(scene, site=SITE)
    scene.set(Facility, build.VARDCENTRAL, is_sensitive=True)
    visit(scene, SAID)
    scene.plan(FIVE_DAYS_BEFORE)
    scene.send(provider.channels, FIVE_DAYS_BEFORE)

    (text,) = provider.texts
    assert text.endswith(": https://www.1177.se")
    with scene.sessions.reading() as session:
        assert list(session.exec(select(ActionLink))) == []


@pytest.mark.parametrize("is_covered", [False, True])
def test_a_mail_encloses_the_text_only_where_the_clinics_decision_covers_it(scene: Scene, *, is_covered: bool) -> None:
    settings_with(scene, site=SITE)
    if is_covered:
        covers_texts(scene)
    own_text(scene, "<b>Ta hissen</b>")
    visit(scene, SAID, person=Person(ANNA.number, email=ANNA.email))
    relay = Relay()
    scene.plan(FIVE_DAYS_BEFORE)
    scene.send({"email": relay}, FIVE_DAYS_BEFORE)

    (mail,) = relay.taken
    assert f"Läs i god tid hur du förbereder dig: {SITE}/a/" in mail.text
    assert (("\n\nInformation inför besöket\n\nFasta\n\nÄt inget" in mail.text), "Fasta</h3>" in mail.html) == (
        is_covered,
        is_covered,
    )
    assert ("&lt;b&gt;Ta hissen&lt;/b&gt;" in mail.html, "<b>" in mail.html) == (is_covered, False)
    assert mail.text.rstrip().split("\n")[-1].startswith("Är det här inte till dig?")


def test_a_sensitive_units_text_is_in_no_mail(scene: Scene) -> None:
    covers_texts(scene)
    scene.set(Facility, build.VARDCENTRAL, is_sensitive=True)
    visit(scene, SAID, person=Person(ANNA.number, email=ANNA.email))
    relay = Relay()
    scene.plan(FIVE_DAYS_BEFORE)
    scene.send({"email": relay}, FIVE_DAYS_BEFORE)
    (mail,) = relay.taken
    assert "inget" not in mail.text + mail.html


def test_who_has_read_is_not_listed_until_the_text_is_another(anna: Citizen) -> None:
    assert [(row.told is not None, row.read_at) for row in unseen_by(anna)] == [(True, None)]
    anna.presses(link(anna), seal=seal_of(anna.presses(link(anna)).text))
    assert unseen_by(anna) == []

    with anna.scene.sessions.writing() as session:
        session.exec(update(ClinicLeaflet).values(text="Ring först."))
    (row,) = unseen_by(anna)
    assert row.read_at == anna.real_now

    anna.presses(link(anna), seal=seal_of(anna.presses(link(anna)).text))
    assert unseen_by(anna) == []


def unseen_by(citizen: Citizen) -> list[Unseen]:
    scene = citizen.scene
    with scene.sessions.reading() as session:
        clinic = session.get_one(Clinic, scene.clinic_id)
        return list(unseen(session, scene.vault, clinic, citizen.now, citizen.now + timedelta(days=10)))
