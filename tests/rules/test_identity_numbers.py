"""Only published test identity numbers stand in this repository: anything else could be somebody's."""

import re
import subprocess
from datetime import date
from pathlib import Path

from store.identifiers import InvalidIdentifier, parse_subject_id

ROOT = Path(__file__).parents[2]

# Numbers published by Skatteverket, test persons of public RIV-TA projects, test vectors of personnummer.dev.
PUBLISHED = set(
    """
    191212121212 188803099368 194911172296 198611062384 192011189228 194804032094 190905271474 200002292399 195704289999
    194608239986 190901219931 200004059937 197302889931 202107919967 198004262385 198108222384 198204212396 198308172397
    198404152392 198508122382 198612092380 198708152387 198804202383 201710022383 201801202381 202402292383 190001019801
    """.split()
) | {
    f"1890010{day}98{check}"
    for day, check in zip("123456789", ("02", "19", "00", "17", "08", "15", "06", "13", "04"), strict=True)
}
PUBLISHED |= set(
    """
    189001109819 189001119800 189001129817 189001139808 189001149815 189001159806 189001169813 189001179804 189001189811
    189001199802 189001209817 189001219808 189001229815 189001239806 189001249813 189001259804 189001269811 189001279802
    189001289819
    """.split()
)
WRITTEN = re.compile(r"(?<![0-9A-Fa-f.+])(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}(?![0-9A-Fa-f])")


def test_no_other_identity_number_is_in_the_repository() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    found = [
        f"{name}: {masked(number)}"
        for name in tracked
        if name and not name.endswith(".lock") and (ROOT / name).is_file()
        for number in identity_numbers((ROOT / name).read_text(errors="replace"))
    ]

    assert found == []


def identity_numbers(text: str) -> list[str]:
    return [match for match in WRITTEN.findall(text) if is_somebodys(match)]


def is_somebodys(written: str) -> bool:
    try:
        number = parse_subject_id(written, today=date(2026, 11, 23)).number
    except InvalidIdentifier:
        return False
    return number[2:] not in {published[2:] for published in PUBLISHED}  # a short form may be read a century off


def masked(number: str) -> str:
    return number[:4] + "..."
