"""How many SMS a text becomes: a clinic pays for each."""

import pytest

from worker.demo.sms_parts import parts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("å" * 160, 1),
        ("å" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 159 + "–", 3),
    ],
)
def test_parts(text: str, count: int) -> None:
    assert parts(text) == count
