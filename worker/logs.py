"""One line per event: a constant event name and allow-listed fields. What is not on the list is not written."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger",  # the line itself
        "kind", "count", "seconds", "port", "process", "signal", "version",  # what a process did
        "source", "address", "code", "meaning", "facility", "reason", "suspects", "subjects",  # sources and facilities
        "delivery_id", "outcome", "channel", "provider", "state", "purpose",
        "clinic", "engagement", "calendar", "subject",  # rows of ours
        "error", "route", "status", "method", "setting",  # faults and requests: types, patterns and names only
    }
)  # fmt: skip

_OURS = frozenset({"event", "level", "timestamp", "logger"})  # constants of the code's own, and the line's time
_LONGEST = 200  # characters
# An identity number in its written forms, a phone number, an e-mail address. An HSA-id's digits follow letters.
_PERSONAL = re.compile(
    r"(?<![\w-])(?:\d{6}|\d{8})[-+ ]?\d{4}(?![\w-])|(?<![\w-])(?:\+|0)\d[\d -]{6,16}\d(?![\w-])|\S+@\S+"
)


def configure_logs(log_format: str, least: int = logging.INFO) -> None:
    """Sends every log line from `least` up, the libraries' too, through the allow-list to standard error."""
    is_watched = sys.stderr.isatty()
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=is_watched)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whichever it is at that time
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # warns of every overrun tick, which is harmless here
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # several errors for each lost connection: we tell of it once
    for name in ("middleware.age_limit.AgeLimit", "worker.WorkerThread"):
        logging.getLogger(f"dramatiq.{name}").setLevel(logging.ERROR)  # they warn of old bells, which are to be dropped


def only_allowed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops every field that is not allow-listed, and any value that is not plain. Texts are cut, put on one line, and
    rid of what looks like a number or address of a person: a net under the list, not a reason to trust it."""
    kept = {name: value for name, value in event.items() if name in ALLOWED and isinstance(value, str | int | float)}
    return {
        name: _harmless(value) if isinstance(value, str) and name not in _OURS else value
        for name, value in kept.items()
    }


def _harmless(text: str) -> str:
    one_line = "".join(char if char.isprintable() else " " for char in text[:_LONGEST])
    return _PERSONAL.sub("[removed]", one_line)


class _ToStructlog(logging.Handler):
    """Libraries' own lines: the logger's name and the exception's type. Their texts may quote addresses or content."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        log = structlog.get_logger()
        if record.levelno >= logging.ERROR:
            log.error("library_error", logger=record.name, error=error)
        else:
            log.warning("library_warning", logger=record.name, error=error)
