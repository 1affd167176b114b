"""A page that shows the simulated providers' messages as a telephone would. Knows no provider's protocol."""

import re
from collections.abc import Sequence
from html import escape
from zoneinfo import ZoneInfo

from worker.demo.accepted import Message

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'"

_SWEDEN = ZoneInfo("Europe/Stockholm")
_REFRESH_SECONDS = 5
_CHANNELS = {"sms": "SMS", "email": "E-post"}
_STATUSES = {
    "accepted": "mottaget av leverantören",
    "queued": "mottaget av leverantören",
    "created": "mottaget av leverantören",
    "sent": "skickat",
    "delivered": "levererat",
    "undelivered": "kunde inte levereras",
    "failed": "kunde inte skickas",
}
_WORDS = ("JA", "AVBOKA", "STOPP", "START", "HJÄLP", "FEL PERSON")
_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,:;]")  # as phones see one: without the full stop behind it
_STYLE = """
:root { color-scheme: light dark; --page: #eef1f4; --phone: #fff;
  --bubble: #e3ecf7; --text: #15202b; --faint: #4a5966; }
@media (prefers-color-scheme: dark) {
  :root { --page: #10161c; --phone: #1a232c; --bubble: #26384b; --text: #f0f4f7; --faint: #b3c0cb; }
}
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 28rem; margin: 0 auto; padding: 1rem; min-height: 100vh; background: var(--phone); }
h1 { font-size: 1.25rem; }
ol { list-style: none; margin: 0; padding: 0; }
li { margin: 0 0 1.25rem; }
.meta { margin: 0; font-size: .875rem; color: var(--faint); }
.bubble { margin: .25rem 0; padding: .75rem 1rem; border-radius: 1rem; background: var(--bubble);
  white-space: pre-wrap; overflow-wrap: anywhere; }
button { font: inherit; min-height: 2.75rem; padding: .25rem .75rem; }
.bubble h2 { margin: 0 0 .5rem; font-size: 1rem; }
"""


def inbox_page(messages: Sequence[Message], *, to: str | None) -> str:
    """The page, newest message last; `to` narrows it to one recipient."""
    shown = [message for message in messages if to in (None, message.to)]
    content = f"<ol>{''.join(_item(message) for message in shown)}</ol>" if shown else "<p>Inga meddelanden än.</p>"
    return (
        '<!doctype html>\n<html lang="sv">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="refresh" content="{_REFRESH_SECONDS}">\n'
        f"<title>Telefonen – {len(shown)} meddelanden</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>Telefonen</h1>\n"
        '<p class="meta">Simulerade meddelanden. Ingenting här har skickats på riktigt.</p>\n'
        f"{content}\n{_answering(shown)}</main>\n</body>\n</html>\n"
    )


def _answering(messages: Sequence[Message]) -> str:
    """Buttons that send a text from the phone that got the last SMS."""
    texts = [message for message in messages if message.channel == "sms"]
    if not texts:
        return ""
    number, provider = escape(texts[-1].to), escape(texts[-1].details.get("provider", ""))
    buttons = " ".join(f'<button name="body" value="{word}">{word}</button>' for word in _WORDS)
    return (
        f'<form method="post" action="/inbound"><p class="meta">Svara från {number}:</p>'
        f'<input type="hidden" name="from" value="{number}">\n'
        f'<input type="hidden" name="provider" value="{provider}">\n<p>{buttons}</p></form>\n'
    )


def _item(message: Message) -> str:
    subject = f"<h2>{escape(message.subject)}</h2>" if message.subject else ""
    return (
        f'<li><article><p class="meta">{_CHANNELS[message.channel]} till {escape(message.to)}, {_time(message)}</p>'
        f'<div class="bubble" lang="{_language(message)}">{subject}{_pressable(message.body)}</div>'
        f'<p class="meta">{_state(message)}</p></article></li>\n'
    )


def _pressable(body: str) -> str:
    """The text with its links as links. Each piece is escaped by itself."""
    pieces, end = [], 0
    for found in _LINK.finditer(body):
        address = escape(found[0])
        pieces += [escape(body[end : found.start()]), f'<a href="{address}" rel="noreferrer">{address}</a>']
        end = found.end()
    return "".join([*pieces, escape(body[end:])])


def _time(message: Message) -> str:
    at = message.accepted_at.astimezone(_SWEDEN)
    return f'<time datetime="{at.isoformat(timespec="minutes")}">{at:%Y-%m-%d %H:%M}</time>'


def _language(message: Message) -> str:
    """For screen readers: texts are Swedish or English, and only English ones say `your` or `the`."""
    return "en" if {"your", "the"} & set(message.body.casefold().split()) else "sv"


def _state(message: Message) -> str:
    parts = f", {message.segments} sms-delar" if message.segments > 1 else ""
    return f"{_STATUSES.get(message.status, escape(message.status)).capitalize()}{parts}"
