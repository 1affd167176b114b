"""Starting and stopping the parts of a process. Whole processes are told to stop in `tests.faults.test_stopping`."""

import logging
import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.faults.conftest import Wire
from tests.faults.conftest import clock as clock
from tests.faults.conftest import providers as providers
from tests.faults.conftest import wire_one as wire_one
from tests.faults.wired import process
from worker.actors import Kind
from worker.broker import ConsumersLoss
from worker.stopping import signals


@pytest.mark.parametrize("one", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_afterwards_is_what_it_was(one: signal.Signals) -> None:
    before, told = signal.getsignal(one), threading.Event()
    with signals(told):
        os.kill(os.getpid(), one)
        assert told.wait(10)
    assert signal.getsignal(one) is before


_TOLD_THROUGH_ANOTHER_THREAD = """
import signal, threading
from worker.stopping import signals, wait_for
told = threading.Event()
with signals(told):
    threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()
    wait_for(told)
"""


def test_a_signal_that_another_thread_gets_ends_the_program_too() -> None:
    """Else it would run on until it is killed, in the middle of its work."""
    subprocess.run([sys.executable, "-c", _TOLD_THROUGH_ANOTHER_THREAD], check=True, timeout=20)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_workers_consumers_tell_of_a_lost_broker_on_one_line(wire_one: Wire) -> None:
    """Else twenty of them would each tell of it every three seconds."""
    with process(wire_one(), ticks=False):
        watched = [logging.getLogger(f"dramatiq.worker.ConsumerThread({kind})").filters for kind in Kind]

    assert all(any(isinstance(one, ConsumersLoss) for one in filters) for filters in watched)
