"""The libraries in use are the ones that the lock names."""

import re
from pathlib import Path

import urllib3

ROOT = Path(__file__).parents[2]


def test_urllib3_is_itself_and_not_the_fork_that_the_caldav_client_brings() -> None:
    """Twilio's requests, and everybody's, would go through it from interpreter start."""
    locked = re.search(r"^urllib3==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)

    assert locked is not None
    assert urllib3.__version__ == locked[1]
