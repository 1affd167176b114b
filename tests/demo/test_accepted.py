"""The list of accepted messages is what a killed product is judged by: it must forget nothing it has answered for."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from worker.demo.accepted import AcceptedList, Message
from worker.demo.twilio_api import TwilioAccount


@contextmanager
def running_alone(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The providers as a process of their own, and the words of its first line."""
    command = [sys.executable, "-m", "worker.demo.providers", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own module
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split()
        finally:
            process.kill()


def send(url: str, number: int) -> str | None:
    """The message's id if the provider answered for it."""
    account = TwilioAccount()
    form = {"To": "+46701740605", "From": "Kallelse", "Body": f"Tid nr {number}\u2028på torsdag"}
    path = f"{url}/2010-04-01/Accounts/{account.sid}/Messages.json"
    try:
        answer = httpx.post(path, data=form, auth=(account.sid, account.token), trust_env=False)
    except httpx.TransportError:
        return None
    return str(answer.json()["sid"])


@pytest.mark.fault
def test_nothing_that_was_answered_for_is_lost_by_kill_9(tmp_path: Path) -> None:
    with running_alone(tmp_path) as (process, words), ThreadPoolExecutor(4) as threads:
        ready, url, smtp, address = words
        assert (ready, smtp) == ("ready", "smtp")
        assert address.startswith("127.0.0.1:")
        answers = [threads.submit(send, url, number) for number in range(200)]
        assert answers[25].result(timeout=30)
        os.kill(process.pid, signal.SIGKILL)
        answered = [sid for answer in answers if (sid := answer.result(timeout=30))]
    assert 0 < len(answered) < 200
    with running_alone(tmp_path) as (_, words):
        listed = [message["id"] for message in httpx.get(f"{words[1]}/messages", trust_env=False).json()]
    assert set(answered) <= set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.fault
def test_run_alone_it_stops_when_told_to(tmp_path: Path) -> None:
    with running_alone(tmp_path) as (process, _):
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_the_order_and_the_statuses_survive_a_restart(tmp_path: Path, message: Message) -> None:
    first = AcceptedList(tmp_path / "a.jsonl")
    first.accept(message)
    first.accept(replace(message, id="SM2", channel="email", subject="Ämne", segments=2))
    first.progress(message.id, "sent", sent_at=message.accepted_at)
    first.progress(message.id, "undelivered", sent_at=None, error_code=30003)
    before = first.messages()
    first.close()
    again = AcceptedList(tmp_path / "a.jsonl")
    assert again.messages() == before
    assert [m.id for m in before] == [message.id, "SM2"]
    assert (before[0].status, before[0].sent_at, before[0].error_code) == ("undelivered", message.accepted_at, 30003)
    again.close()


def test_a_line_that_a_kill_cut_off_spoils_neither_the_old_nor_the_next(tmp_path: Path, message: Message) -> None:
    path = tmp_path / "a.jsonl"
    first = AcceptedList(path)
    first.accept(replace(message, body="rad\u2028separator\u0085å"))
    first.close()
    with path.open("ab") as file:
        file.write(b'{"accepted": {"id": "SM9", "bo')
    second = AcceptedList(path)
    second.accept(replace(message, id="SM2"))
    second.close()
    third = AcceptedList(path)
    assert [m.id for m in third.messages()] == [message.id, "SM2"]
    third.close()
    assert all(json.loads(line) for line in path.read_bytes().splitlines())
    assert path.stat().st_mode & 0o077 == 0


def test_neither_number_nor_text_shows_in_a_repr(message: Message) -> None:
    assert message.to not in repr(message)
    assert message.body not in repr(message)
