"""Letters as files: whole or not at all, and for the owner's eyes only."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notifier.channels import Channel, Message, Refused, Remedy, Unreachable
from notifier.channels.paper import Paper
from tests.contracts.test_channel import ChannelContract, message


class TestPaperIsAChannel(ChannelContract):
    kind = "paper"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def message(self) -> Message:
        return message()

    @contextmanager
    def accepting(self) -> Iterator[Channel]:
        yield Paper(self.folder)

    @contextmanager
    def unreachable(self) -> Iterator[Channel]:
        yield Paper(self.folder / "not there")


def test_a_letter_holds_all_a_printer_needs_with_its_letters_intact(tmp_path: Path) -> None:
    taken = Paper(tmp_path).send(message(html="<p>Hej Åsa</p>", subject_line="Påminnelse"))
    letter = json.loads((tmp_path / taken.provider_id).read_bytes())
    assert letter["text"] == "Påminnelse: tisdag 1 december kl. 13.30, Tandregleringen Ängsgatan."
    assert letter["html"] == "<p>Hej Åsa</p>"
    assert letter["to"] == "+46701740605"
    assert letter["language"] == "sv"


def test_a_file_name_names_no_recipient_and_others_on_the_machine_cannot_read_it(tmp_path: Path) -> None:
    taken = Paper(tmp_path).send(message())
    (path,) = tmp_path.iterdir()  # and nothing half written is left beside it
    assert path.name == taken.provider_id == "Vx3nR0mQ_k-Zb7yPq2sT1A.json"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_attempt_twice_is_one_letter(tmp_path: Path) -> None:
    paper = Paper(tmp_path)
    assert paper.send(message()) == paper.send(message())
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("attempt_id", ["", "../../etc/passwd", "a/b", ".", "a.json", "å", "x" * 65])
def test_an_attempt_id_cannot_lead_a_file_out_of_its_folder(tmp_path: Path, attempt_id: str) -> None:
    with pytest.raises(Refused) as caught:
        Paper(tmp_path).send(message(attempt_id=attempt_id))
    assert caught.value.remedy is Remedy.OPERATOR
    assert list(tmp_path.iterdir()) == []


def test_a_full_or_unwritable_folder_leaves_no_half_letter_behind(tmp_path: Path) -> None:
    (tmp_path / "Vx3nR0mQ_k-Zb7yPq2sT1A.json").mkdir()  # the name is taken by something that cannot be replaced
    with pytest.raises(Unreachable):
        Paper(tmp_path).send(message())
    assert [path.name for path in tmp_path.iterdir()] == ["Vx3nR0mQ_k-Zb7yPq2sT1A.json"]
