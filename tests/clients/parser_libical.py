"""What libical reads in many calendars, for Debian's Python: parser_libical.py FOLDER -> JSON by file."""

import json
import sys
from pathlib import Path

import gi

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib as ical  # noqa: E402, N813


def instant(component, kind):
    found = component.get_first_property(kind)
    if found is None:
        return None
    time = component.get_dtstart() if kind == ical.PropertyKind.DTSTART_PROPERTY else component.get_dtend()
    utc = time.convert_to_zone(ical.Timezone.get_utc_timezone())
    return (
        f"{utc.get_year():04}-{utc.get_month():02}-{utc.get_day():02}"
        f"T{utc.get_hour():02}:{utc.get_minute():02}:{utc.get_second():02}Z"
    )


def each(component, kind):
    found = component.get_first_component(kind)
    while found is not None:
        yield found
        found = component.get_next_component(kind)


def seconds(alarm):
    trigger = alarm.get_first_property(ical.PropertyKind.TRIGGER_PROPERTY).get_trigger()
    return trigger.get_duration().as_int()


def event_of(component):
    return {
        "uid": component.get_uid(),
        "start": instant(component, ical.PropertyKind.DTSTART_PROPERTY),
        "end": instant(component, ical.PropertyKind.DTEND_PROPERTY),
        "summary": component.get_summary() or "",
        "location": component.get_location() or "",
        "description": component.get_description() or "",
        "status": component.get_status().value_nick.upper(),
        "sequence": component.get_sequence(),
        "alarms": [seconds(one) for one in each(component, ical.ComponentKind.VALARM_COMPONENT)],
    }


def events(body):
    calendar = ical.Component.new_from_string(body)
    if calendar is None or calendar.count_errors():
        return "libical finds errors"
    return [event_of(one) for one in each(calendar, ical.ComponentKind.VEVENT_COMPONENT)]


json.dump({one.name: events(one.read_text()) for one in Path(sys.argv[1]).iterdir()}, sys.stdout)
