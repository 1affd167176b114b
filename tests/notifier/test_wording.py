"""A misspelt field must be seen by the clinic, never by a citizen; a value must never become a template."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifier.fields import CATALOGUE, Field
from notifier.wording import InvalidTemplate, MissingField, parse, render
from store.purposes import Purpose

R = Purpose.REMINDER
FULL = {field: f"<{field}>" for field in Field}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Hej ((namn))", "(namn) finns inte"),
        ("((vecko dag))", "(vecko dag) finns inte"),
        ("((tidigare tid))", "finns inte i den här sortens"),
        ("Tid ((datum)", "(( vid tecken 5 stängs aldrig"),
        ("(datum))", ")) vid tecken 7 har ingen början"),
        ("((datun))", "Menade du ((datum))?"),
        ("((kontor))", "De som finns: veckodag, datum"),
        ("((telefon??((namn))))", "(namn) finns inte"),
        ("((namn??text))", "(namn) finns inte"),
        ("((telefon??((datum??x))))", "tecken 19 står inuti ett annat villkor"),
        ("((förberedelser))", "bara vara ett villkor"),
        ("(((( ((datum))", "(( vid tecken 1 stängs aldrig"),
        ("(())", "Dubbla parenteser"),
        ("x" * 10_001, "längre än"),
    ],
)
def test_check_21_a_template_with_an_unknown_or_broken_field_cannot_be_saved(text: str, complaint: str) -> None:
    with pytest.raises(InvalidTemplate) as caught:
        parse(text, R)

    assert any(complaint in problem for problem in caught.value.problems)


def test_check_21_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidTemplate) as caught:
        parse("((a)) ((b)) ((c??d))", R)

    assert len(caught.value.problems) == 3


def test_check_21_a_missing_value_stops_the_message_and_is_named() -> None:
    words = parse("((datum)) ((telefon))", R)

    with pytest.raises(MissingField, match="telefon") as caught:
        render(words, {Field.DATE: "1 december", Field.PHONE: ""})
    assert caught.value.fields == (Field.PHONE,)


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("((Veckodag)) (( datum ))", {Field.WEEKDAY: "tisdag", Field.DATE: "1 december"}, "tisdag 1 december"),
        ("a((telefon?? Ring ((telefon)).))b", {Field.PHONE: "010-1"}, "a Ring 010-1.b"),
        ("a((telefon?? Ring ((telefon)).))b", {Field.PHONE: ""}, "ab"),
        ("((telefon??: ((telefon)))). x", {Field.PHONE: "1"}, ": 1. x"),
        ("((förberedelser??Läs.))", {Field.PREPARATIONS: "x"}, "Läs."),
        ("(obs) ((datum))", {Field.DATE: "1/12"}, "(obs) 1/12"),
        ("((La\u0308nk))", {Field.LINK: "https://www.1177.se"}, "https://www.1177.se"),
    ],
)
def test_fields_and_conditions(text: str, values: dict[Field, str], result: str) -> None:
    assert render(parse(text, R), values) == result


@pytest.mark.parametrize(
    "value", ["((länk))", "((telefon??x))", "{{7*7}}", "${7*7}", "%(secret)s", "{0.__class__}", "\\((datum))"]
)
def test_b26_a_value_is_never_read_as_a_template(value: str) -> None:
    text = render(parse("((mottagning))", R), {**FULL, Field.CLINIC: value})

    assert "<länk>" not in text
    assert "49" not in text
    assert text == value.replace("((", "(")


@pytest.mark.parametrize("text", ["<%= 7*7 %>", "@(7*7)", "a { b", "a } b", "[a]", "100 % (moms)", "5 $, $5"])
def test_b23_what_is_no_field_anywhere_stays_as_it_was_written(text: str) -> None:
    assert render(parse(text, R), FULL) == text


B23 = ["{{7*7}}", "${7*7}", "#{7*7}", "{%25 raw %}", "{% raw %}", "*{7*7}"]
B24 = [
    "{{''.__class__.__mro__[1].__subclasses__()}}", "{{config}}", "{{self}}", "{{cycler.__init__.__globals__}}",
    "{{request|attr('application')}}", "{% set f='{0.__class__}'.format %}",
]  # fmt: skip
B25 = ["{0.__class__}", "{patient.__dict__}", "%(secret)s", "$HOME", "{namn!r}", "{namn:>1000000000}", "{}"]
B26 = ["{{ {{namn}} }}", "{{namn", "namn}}", "((telefon??{{namn}}))", "{{((datum))}}"]


@pytest.mark.parametrize("text", [*B23, *B24, *B25, *B26])
def test_b23_b24_b25_b26_another_systems_field_is_a_save_error_and_never_run(text: str) -> None:
    with pytest.raises(InvalidTemplate) as caught:
        parse(f"Hej {text} hej", R)

    assert any("Så skrivs inte fält här" in problem for problem in caught.value.problems) or "()" in text
    assert "49" not in str(caught.value)


def test_b26_ten_thousand_fields_are_refused_quickly() -> None:
    with pytest.raises(InvalidTemplate):
        parse("((datum))" * 10_000, R)
    assert render(parse("((datum))" * 1_000, R), {Field.DATE: "1"}) == "1" * 1_000


@given(
    st.lists(
        st.sampled_from(["(", ")", "((", "))", "??", "((datum))", "((telefon??", "x", "\u200b", "\r", "((länk))"])
        | st.text(max_size=5)
    ),
    st.dictionaries(st.sampled_from(list(Field)), st.text("()\u200b?ab\u202e\n", max_size=8)),
)
@example(["((datum))"], {Field.DATE: "((x"})
@example(["(", "((datum))"], {Field.DATE: "(x"})
@example(["((datum))"], {Field.DATE: "(\u200b(x"})
def test_check_21_no_literal_brackets_ever_leave(pieces: list[str], values: dict[Field, str]) -> None:
    try:
        text = render(parse("".join(pieces), R), values)
    except (InvalidTemplate, MissingField):
        return

    assert "((" not in text
    assert not {"\u200b", "\u202e", "\r"} & set(text)


def test_what_tells_of_care_can_only_be_a_condition() -> None:
    assert CATALOGUE[Field.PREPARATIONS].is_condition_only
    assert not any(name in Field.__members__ for name in ("REASON", "PERFORMER", "TIME_TYPE"))
