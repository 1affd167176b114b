"""Being told to stop, by a signal. Who waits for it is told even when the signal reaches another thread."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_UP_SECONDS = 0.5


@contextmanager
def signals(stopping: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set the event, for as long as this lasts. Only in the main thread."""
    before = {one: signal.signal(one, lambda *_: stopping.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def wait_for(stopping: threading.Event) -> None:
    """Returns within half a second of the signal. Only in the main thread.

    The system may hand a signal to any thread. Python calls its handler in the main one, which a wait without end would
    keep asleep: so this looks up now and then.
    """
    while not stopping.wait(_LOOK_UP_SECONDS):
        pass
