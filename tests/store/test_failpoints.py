"""Failpoints: silent unless armed, exact about which time, and refused where real people could be reached."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from store.failpoints import CrashPoint, InvalidFailpoint, arm, reached
from worker.settings import SettingsInvalid, read_settings


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def passed(*points: CrashPoint) -> list[CrashPoint]:
    """The points that are gone through unharmed, until one is not."""
    unharmed = []
    for point in points:
        try:
            reached(point)
        except RuntimeError:
            break
        unharmed.append(point)
    return unharmed


def test_where_nothing_is_armed_nothing_happens() -> None:
    assert passed(*CrashPoint) == [*CrashPoint]


def test_it_acts_where_it_is_armed_and_nowhere_else() -> None:
    arm("C9:raise")
    reached(CrashPoint.C8)

    with pytest.raises(RuntimeError):
        reached(CrashPoint.C9)


def test_it_acts_the_wanted_time_and_never_again() -> None:
    arm("C8:raise@3")
    reached(CrashPoint.C8)
    reached(CrashPoint.C8)
    with pytest.raises(RuntimeError):
        reached(CrashPoint.C8)

    reached(CrashPoint.C8)


def test_several_may_be_armed_and_an_empty_text_disarms_all() -> None:
    arm("C5:pause=0, C6:raise")
    assert passed(CrashPoint.C5, CrashPoint.C6) == [CrashPoint.C5]

    arm("C5:raise, C6:raise")
    arm("")
    assert passed(CrashPoint.C5, CrashPoint.C6) == [CrashPoint.C5, CrashPoint.C6]


def test_killing_is_kill_9() -> None:
    script = "from store.failpoints import CrashPoint, arm, reached; arm('C8:kill'); reached(CrashPoint.C8)"
    ended = subprocess.run([sys.executable, "-c", script], check=False)  # noqa: S603 - our own words

    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    "written",
    [
        "C8",
        "C8:",
        "C99:kill",
        "c8:kill",
        "C8:die",
        "C8:kill@",
        "C8:kill@0",
        "C8:kill@x",
        "C8:kill@-1",
        "C8:pause=",
        "C8:pause=x",
    ],
)
def test_what_is_no_failpoint_is_refused_with_how_one_is_written(written: str) -> None:
    with pytest.raises(InvalidFailpoint, match="C8:|pause=5"):
        arm(written)


@pytest.mark.parametrize(
    "setting",
    [
        {"KALLELSE_PUBLIC_URL": "https://kallelse.example.se"},
        {"KALLELSE_HOST": "0.0.0.0"},  # noqa: S104 - that is what is refused
        {"KALLELSE_SMTP_HOST": "smtp.example.se"},
        {"KALLELSE_TWILIO_ACCOUNT_SID": "AC1", "KALLELSE_TWILIO_API_BASE_URL": "https://api.twilio.com"},
    ],
)
def test_it_is_refused_where_anybody_beyond_this_machine_could_be_reached(setting: dict[str, str]) -> None:
    assert read_settings({"KALLELSE_FAILPOINT": "C8:kill"}).failpoint == "C8:kill"

    with pytest.raises(SettingsInvalid, match="KALLELSE_FAILPOINT"):
        read_settings({"KALLELSE_FAILPOINT": "C8:kill", **setting})
