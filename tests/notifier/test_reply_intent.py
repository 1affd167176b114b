"""B22: what a text asks for. Whatever says more than one known word must change nothing."""

import pytest

from notifier import reply_texts
from notifier.reply_intent import intent
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
    Intent.UNKNOWN: [
        "AVBOKA 1A2B", "avboka", "JA", "1", "Yes", "CANCEL", "ja tack men ej fredag", "", " ", "👍", "!!!",
        "stopp jag kan inte komma", "Jag vill inte ha stopp", "stop. ring mig", "stoppa inte", "stop\u200bp", "s t o p",
        "nonstop", "restart", "start stop", "STOPP STOPP", "hjälp mig boka", "inte fel person", "fel", "person",
        "Jag är på semester och läser inte sms. STOPP", "BEGIN:VCARD\nFN:STOPP\nEND:VCARD", "x" * 1600, "stopp " * 266,
        "stopp" + " " * 1595, "s\x00top", "' or 1=1 --", "СТОП",
    ],
}  # fmt: skip


@pytest.mark.parametrize("wanted", READ, ids=str)
def test_b22_only_a_whole_text_that_is_a_known_word_asks_for_anything(wanted: Intent) -> None:
    assert {text: intent(text) for text in READ[wanted]} == dict.fromkeys(READ[wanted], wanted)


@pytest.mark.parametrize("language", ["sv", "en", "ar"])
def test_every_answer_is_one_part_and_costs_no_more(language: str) -> None:
    answers = [reply_texts.answer(one, language) for one in Intent]
    assert [(cost(text).parts, cost(text).costly) for text in answers] == [(1, ())] * len(Intent)
    assert len(set(answers)) == len(Intent)
