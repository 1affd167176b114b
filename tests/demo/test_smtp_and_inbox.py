"""Mail as it is taken, and the page that shows what has come: nothing in a message may become part of the page."""

import smtplib
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import httpx
from lxml import html

from worker.demo.accepted import Message
from worker.demo.inbox import inbox_page
from worker.demo.providers import RunningProviders


def test_a_mail_is_listed_with_its_subject_and_plain_text(
    providers: RunningProviders, provider_http: httpx.Client
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Kallelse <kallelse@example.se>", "a@example.se", "Ändrad tid på fredag"
    mail["Message-ID"], mail["Auto-Submitted"] = "<1@example.se>", "auto-generated"
    mail.set_content("Din tid är ändrad.\n.\nHälsningar")
    mail.add_alternative("<p>Din tid är ändrad.</p>", subtype="html")
    with smtplib.SMTP(providers.smtp_host, providers.smtp_port, timeout=10) as smtp:
        smtp.send_message(mail, to_addrs=["a@example.se", "b@example.se"])
    first, second = provider_http.get("/messages").json()
    assert (first["channel"], first["to"], second["to"]) == ("email", "a@example.se", "b@example.se")
    assert (first["subject"], first["body"]) == ("Ändrad tid på fredag", "Din tid är ändrad.\n.\nHälsningar")
    assert first["status"] == "accepted"
    assert datetime.fromisoformat(first["accepted_at"]).tzinfo is not None
    assert providers.messages()[0].details["auto-submitted"] == "auto-generated"


def test_mail_and_sms_are_listed_together_oldest_first(
    providers: RunningProviders, provider_http: httpx.Client
) -> None:
    path = f"/2010-04-01/Accounts/{providers.account.sid}/Messages.json"
    provider_http.post(path, data={"To": "+46701740605", "From": "Kallelse", "Body": "Ett"})
    with smtplib.SMTP(providers.smtp_host, providers.smtp_port, timeout=10) as smtp:
        smtp.sendmail("k@example.se", ["a@example.se"], "Subject: x\r\n\r\nTwå\r\n".encode())
    provider_http.post(path, data={"To": "+46701740605", "From": "Kallelse", "Body": "Tre"})
    assert [message["channel"] for message in provider_http.get("/messages").json()] == ["sms", "email", "sms"]


def test_the_inbox_shows_messages_newest_last_without_running_what_they_hold(
    providers: RunningProviders, provider_http: httpx.Client
) -> None:
    path = f"/2010-04-01/Accounts/{providers.account.sid}/Messages.json"
    for body in ("<script>alert(1)</script>", "Välkommen"):
        provider_http.post(path, data={"To": "+46701740605", "From": "Kallelse", "Body": body})
    answer = httpx.get(providers.inbox_url, trust_env=False)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = html.document_fromstring(answer.text)
    assert page.get("lang") == "sv"
    assert [bubble.text_content() for bubble in page.find_class("bubble")] == ["<script>alert(1)</script>", "Välkommen"]
    assert list(page.iter("script")) == []
    assert len(list(page.iter("h1"))) == 1
    narrowed = httpx.get(providers.inbox_url, params={"to": "+46701740606"}, trust_env=False)
    assert "Inga meddelanden än." in narrowed.text


def test_times_are_shown_as_swedish_clocks_show_them_and_english_texts_say_so(message: Message) -> None:
    summer = replace(
        message, accepted_at=datetime(2026, 7, 1, 10, 0, tzinfo=UTC), body="See your clinic", subject="A<b"
    )
    page = html.document_fromstring(inbox_page([summer], to=None))
    assert [time.text for time in page.iter("time")] == ["2026-07-01 12:00"]
    assert page.find_class("bubble")[0].get("lang") == "en"
    assert [title.text for title in page.iter("h2")] == ["A<b"]


def test_a_link_on_the_phone_can_be_pressed_without_the_full_stop_behind_it_and_nothing_else_becomes_one() -> None:
    body = 'Öppna https://x.example/a/Ab1?b="><script>. Sedan http://127.0.0.1:8000/a/x.'
    message = Message(
        id="SM1", channel="sms", to="+46701740605", body=body, accepted_at=datetime.now(UTC), status="sent"
    )
    page = html.document_fromstring(inbox_page([message], to=None))
    assert [link.get("href") for link in page.iter("a")] == ["https://x.example/a/Ab1?b=", "http://127.0.0.1:8000/a/x"]
    assert [bubble.text_content() for bubble in page.find_class("bubble")] == [body]
    assert {"JA", "AVBOKA", "STOPP"} <= {button.get("value") for button in page.iter("button")}
