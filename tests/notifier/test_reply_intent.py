"""B22: what a text asks for. Whatever says more than one known word must change nothing."""

from datetime import UTC, datetime

import pytest

from notifier import reply_texts
from notifier.reply_intent import Asked, asked, intent
from notifier.sms_text import cost
from store.intents import Intent

READ = {
    Intent.STOP: [
        "STOPP", "stop ", "Stop!", "STOPPA", "«stopp»", "\tStopp.\r\n", "ＳＴＯＰＰ", "Stopp 🙏", "STOP  ALL",
        "avsluta", "Sluta!!!", "unsubscribe", "QUIT", "END", "avregistrera", "Opt out",
    ],
    Intent.START: ["START", "start.", "Starta", "UNSTOP"],
    Intent.HELP: ["HJÄLP", "hjälp?", "hja\u0308lp", "Hjalp", "HELP", "info"],
    Intent.WRONG_PERSON: ["Fel person", "FEL  PERSON!", "fel nummer", "felnummer", "Wrong person.", "wrong number"],
    Intent.CONFIRM: ["JA", "ja!", "1", " 1. ", "Ja tack", "Yes", "YES PLEASE"],
    Intent.CANCEL: ["AVBOKA", "avboka.", "Avbokning", "CANCEL", "cancel!"],
    Intent.UNKNOWN: [
        "ja tack men ej fredag", "jag kommer", "12", "1a", "avboka inte", "avboka 1A2B nu", "nej", "", " ", "👍", "!!!",
        "stopp jag kan inte komma", "Jag vill inte ha stopp", "stop. ring mig", "stoppa inte", "stop\u200bp", "s t o p",
        "nonstop", "restart", "start stop", "STOPP STOPP", "hjälp mig boka", "inte fel person", "fel", "person",
        "Jag är på semester och läser inte sms. STOPP", "BEGIN:VCARD\nFN:STOPP\nEND:VCARD", "x" * 1600, "stopp " * 266,
        "stopp" + " " * 1595, "s\x00top", "' or 1=1 --", "СТОП",
    ],
}  # fmt: skip


@pytest.mark.parametrize("wanted", READ, ids=str)
def test_b22_only_a_whole_text_that_is_a_known_word_asks_for_anything(wanted: Intent) -> None:
    assert {text: intent(text) for text in READ[wanted]} == dict.fromkeys(READ[wanted], wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("AVBOKA 1A2B", Asked(Intent.CANCEL, "1a2b")),
        (" avboka  k7mp! ", Asked(Intent.CANCEL, "k7mp")),
        ("Cancel K7MP", Asked(Intent.CANCEL, "k7mp")),
        ("avboka", Asked(Intent.CANCEL)),
        ("avboka 1A2B 3C4D", Asked(Intent.UNKNOWN)),
        ("avboka nu", Asked(Intent.UNKNOWN)),
        ("ja K7MP", Asked(Intent.UNKNOWN)),
        ("avboka k7mp" + " " * 40, Asked(Intent.UNKNOWN)),
    ],
)
def test_b22_a_code_is_four_signs_after_avboka_and_nothing_else(text: str, wanted: Asked) -> None:
    assert asked(text) == wanted


LINK = "https://paminnelser.regionen.se/a/" + "x" * 22
LONGEST = datetime(2026, 9, 30, 11, 30, tzinfo=UTC)  # onsdag 30 september


@pytest.mark.parametrize("language", ["sv", "en", "ar"])
def test_every_answer_is_one_part_and_costs_no_more(language: str) -> None:
    plain = [one for one in Intent if one not in (Intent.CONFIRM, Intent.CANCEL)]
    answers = [reply_texts.answer(one, language) for one in plain]
    answers += [
        reply_texts.confirmed(LONGEST, language),
        reply_texts.cancel_here(LONGEST, LINK, language),
        reply_texts.which(LINK, language),
        reply_texts.has_changed(language),
        reply_texts.no_such_visit(language),
    ]
    assert [(cost(text).parts, cost(text).costly) for text in answers] == [(1, ())] * len(answers)
    assert len(set(answers)) == len(answers)
