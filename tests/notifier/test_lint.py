"""A text that tells of somebody's health, or leads to a stranger's page, must be stopped before it can be sent."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import email_frame, health_words
from notifier.examples import About, example_values, longest_values
from notifier.fields import CATALOGUE, Field
from notifier.languages import is_from_the_right
from notifier.lint import Draft, House, lint, worst
from notifier.ready_texts import texts
from notifier.sms_text import cleaned, cost, dear_characters
from notifier.wording import InvalidTemplate, MissingField, parse, render
from store.purposes import Purpose
from store.templates import Shipped

TODAY = date(2026, 11, 25)
HOUSE = House("Ekens vårdcentral", About("https://www.1177.se", cost=3100), cost_on=date(2026, 1, 15))
GOOD = "Tid ((datum)), ((mottagning)). ((länk))"


def blocked(text: str, purpose: Purpose = Purpose.REMINDER, house: House = HOUSE, language: str = "sv") -> list[str]:
    draft = Draft(purpose, "sms", language, "", text)
    return [one.sentence for one in lint(draft, house, TODAY) if one.blocks]


def seen(text: str, house: House = HOUSE) -> list[str]:
    return [
        one.sentence for one in lint(Draft(Purpose.REMINDER, "sms", "sv", "", text), house, TODAY) if not one.blocks
    ]


@pytest.mark.parametrize("text", texts(), ids=lambda text: f"{text.name}-{text.channel}-{text.language}")
def test_every_shipped_text_is_faultless_and_one_part_at_worst(text: Shipped) -> None:
    draft = Draft(text.purpose, text.channel, text.language, text.subject_line, text.text)

    assert lint(draft, HOUSE, TODAY) == ()
    if text.channel == "sms":
        assert worst(draft, parse(text.text, text.purpose), HOUSE.about)[1].parts == 1


def test_a_good_text_passes() -> None:
    assert blocked(GOOD) == []
    assert seen(GOOD) == []


@pytest.mark.parametrize(
    "word",
    ["Psykiatri", "bröstcancer", "HIV", "hudmottagningen", "e-recept", "gyn-undersökning", "cancer", "pregnancy"],
)
def test_check_23_a_word_about_health_blocks(word: str) -> None:
    assert any("säger något om hälsa" in one for one in blocked(f"{GOOD} {word}"))


@pytest.mark.parametrize("word", ["receptionen", "senast", "latest", "arkiv", "plastmatta", "hjärtligt", "huvudentrén"])
def test_an_ordinary_word_is_no_health_word(word: str) -> None:
    assert blocked(f"{GOOD} {word}") == []


def test_check_23_the_list_of_health_words_is_the_operators() -> None:
    words = health_words.read(["# vår lista", "fotvård*", "-*cancer*"])
    own = House("Eken", HOUSE.about, health_words=words)

    assert blocked(f"{GOOD} fotvården", house=own) != []
    assert blocked(f"{GOOD} cancer", house=own) == []
    assert blocked(f"{GOOD} hiv", house=own) != []


B21 = [
    "https://1177.se.evil.se", "https://1177.se/@evil", "1177.se/@evil", "https://xn--1177-abc.se", "hxxp://evil.se",
    "evil.se", "https://1177.se@evil.se", "http://1177.se", "https://evil.se/1177.se", "https:\\\\evil.se", "evil。se",
    "https://1177.se\\@evil.se", "http://192.168.0.1/", "ëvil.se", "info@evil.example", "1177.se:8443/x@y",
]  # fmt: skip
B27 = ["javascript:alert(1)", "[x](data:text/html,x)", '<img onerror="x" src="https://evil.se">', "<a href=evil.se>"]


@pytest.mark.parametrize("address", [*B21, *B27])
def test_check_23_b21_b27_an_address_that_is_not_allowed_exactly_blocks(address: str) -> None:
    assert any(one.startswith("Adressen") for one in blocked(f"{GOOD} {address} "))


@pytest.mark.parametrize(
    "text",
    ["t.ex. nu", "kl. 13.30", "https://www.1177.se.", "2026.12.01", "nr.1", "m.fl.", "https://1177.se/x", "1177.se"],
)
def test_what_is_no_address_or_an_allowed_one_passes(text: str) -> None:
    assert blocked(f"{GOOD} {text}") == []


def test_check_23_a_shortener_blocks_even_where_somebody_allowed_it() -> None:
    house = House("Eken", HOUSE.about, hosts=frozenset({"bit.ly"}))
    assert any("förkortad länk" in one for one in blocked(f"{GOOD} https://bit.ly/x", house=house))


@pytest.mark.parametrize("text", ["Tid ((datum)). ((länk))", "Tid ((telefon??((mottagning)))). ((länk))"])
def test_check_23_a_text_that_does_not_say_who_writes_blocks(text: str) -> None:
    assert any("vem som skriver" in one for one in blocked(text))
    assert blocked(f"{text} /Ekens vårdcentral") == []


def test_check_23_a_text_that_does_not_say_how_to_cancel_blocks() -> None:
    assert any("hur man avbokar" in one for one in blocked("Tid ((datum)), ((mottagning))."))
    assert blocked("Tid ((datum)), ((mottagning)). Ring 010-123 45 67.") == []
    assert blocked("Din tid, ((mottagning)), är avbokad.", Purpose.CANCELLED) == []


def test_nested_and_unbalanced_brackets_and_unknown_fields_block_with_their_place() -> None:
    assert "Menade du ((datum))?" in blocked("((datm))")[0]
    assert "stängs aldrig" in blocked("((datum)")[0]
    assert "inuti ett annat villkor" in blocked("((telefon??((datum??x))))")[0]


def test_what_is_worth_seeing_comes_with_its_remedy() -> None:
    assert "((telefon?? ... ((telefon)) ...))" in seen(f"{GOOD} Ring ((telefon)).")[0]
    assert seen(f"{GOOD} Ring ((telefon?? ((telefon)))).") == []
    assert "skrivs '010-123 45 67'" in seen(f"{GOOD} 0101234567")[0]
    assert "finns inte i Sverige" in seen(f"{GOOD} 010-123 45 6")[0]
    assert any("2 delar" in one for one in seen(GOOD + "x" * 100))
    assert any(
        "Räkna om" in one for one in seen(GOOD + "((kostnad??.))", House("E", HOUSE.about, cost_on=date(2024, 1, 1)))
    )


def test_c31_the_very_character_that_makes_an_sms_dearer_is_pointed_at() -> None:
    assert any("'ç' (tecken 41, LATIN SMALL LETTER C WITH CEDILLA)" in one for one in seen(f"{GOOD} ç"))
    names = House("E", About("https://www.1177.se", names=["Ájtte vårdcentral"]))
    assert any("'Á' (LATIN CAPITAL LETTER A WITH ACUTE)" in one for one in seen(GOOD, names))
    assert dear_characters("åäö é ’ – … \u00a0 a\u030a") == ()  # normalised before it is sent: costs nothing


def test_c32_a_part_is_counted_in_septets_of_what_is_sent_not_in_octets() -> None:
    assert cost(cleaned("å" * 160)).parts == 1  # 320 octets as UTF-8, 960 as a form


def test_every_field_has_an_example_and_a_longest_value_that_no_day_exceeds() -> None:
    for language in ("sv", "en", "ar"):
        example, longest = example_values(language, HOUSE.about), longest_values(language, HOUSE.about)
        assert example.keys() == longest.keys() == CATALOGUE.keys()
        assert all(cost(example[one]).units <= max(cost(longest[one]).units, 30) for one in CATALOGUE)


def test_a_text_from_the_right_isolates_each_value_and_hides_nothing_else() -> None:
    words = parse("موعد ((mottagning)) \u202e((telefon))", Purpose.REMINDER)
    text = render(words, {Field.CLINIC: "Eken \u2066x", Field.PHONE: "010-1 ((x"}, from_the_right=True)

    assert text == "موعد \u2068Eken x\u2069 \u2068010-1 (x\u2069"
    assert is_from_the_right("fa")
    assert not is_from_the_right("so")
    assert 'dir="rtl"' in email_frame.html("x", text, "ar", "")


def test_persian_keeps_the_joiners_it_needs_and_loses_those_that_hide() -> None:
    assert cleaned("سه\u200cشنبه") == "سه\u200cشنبه"
    assert cleaned("سه\u200c\u200cشنبه") == "سه\u200cشنبه"
    assert cleaned("a\u200cb (\u200d( \u200cسه\u200c") == "ab (( سه"


@given(st.text(st.sampled_from("سهش\u200c\u200da(\u064b\u0dca 1")))
def test_a_joiner_stays_only_between_letters_that_join(text: str) -> None:
    clean = cleaned(text)
    assert cleaned(clean) == clean
    for place, char in enumerate(clean):
        if unicodedata.category(char) == "Cf":
            assert place
            assert unicodedata.category(clean[place - 1]) != "Cf"


def test_words_in_another_language_must_be_able_to_say_that_a_time_is_in_doubt() -> None:
    assert any("obekräftad sedan" in one for one in blocked("((mottagning)) ((länk))", language="ar"))


@given(
    st.lists(
        st.sampled_from(["(", ")", "((", "))", "??", "((datum))", "((telefon??", "x", "((länk))", "سه", "\u200c"])
    ),
    st.dictionaries(st.sampled_from(list(Field)), st.text("()\u200b\u200c?سb\u202e\n", max_size=8)),
)
def test_check_21_c20_no_literal_brackets_ever_leave_in_words_from_the_right(
    pieces: list[str], values: dict[Field, str]
) -> None:
    try:
        text = render(parse("".join(pieces), Purpose.REMINDER), values, from_the_right=True)
    except (InvalidTemplate, MissingField):
        return
    assert "((" not in text


def test_b27_markup_in_a_text_is_shown_as_it_is_written() -> None:
    html = email_frame.html("<script>x</script>", "<svg onload=x></textarea>", "sv", "")
    assert "<script>" not in html
    assert "<svg" not in html
    assert "&lt;svg onload=x&gt;&lt;/textarea&gt;" in html
