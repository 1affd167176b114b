"""One sitting with Evolution Data Server, for Debian's Python on a D-Bus of its own: the engine of GNOME's calendars.

evolution_session.py URL, user and password in the environment. Says in lines of JSON what it found; goes on at each
line it is told: "list", "sync", "write", "end".
"""

import json
import os
import sys
import threading
from urllib.parse import urlsplit

import gi

for name, version in (("EDataServer", "1.2"), ("ECal", "2.0"), ("ICalGLib", "3.0")):
    gi.require_version(name, version)
from gi.repository import ECal, EDataServer, GLib, ICalGLib  # noqa: E402

EVENTS = ECal.ClientSourceType.EVENTS
NO_WAIT = 2**32 - 1
SUPPORTED = EDataServer.WebDAVDiscoverSupports.EVENTS


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def password():
    given = EDataServer.NamedParameters.new()
    given.set("username", os.environ["CALENDAR_USER"])
    given.set("password", os.environ["CALENDAR_PASSWORD"])
    return given


def source_at(address):
    """An account's calendar as the settings dialogue writes it."""
    parts = urlsplit(address)
    source = EDataServer.Source.new(None, None)
    source.set_display_name("Kallelse")
    source.set_parent("caldav-stub")
    source.get_extension("Calendar").set_backend_name("caldav")
    source.get_extension("Offline").set_stay_synchronized(True)
    source.get_extension("Refresh").set_enabled(False)
    source.get_extension("Security").set_method("none")
    source.get_extension("WebDAV Backend").set_resource_path(parts.path)
    login = source.get_extension("Authentication")
    login.set_host(parts.hostname)
    login.set_port(parts.port)
    login.set_user(os.environ["CALENDAR_USER"])
    login.set_method("plain/password")
    return source


def discovered(url):
    """The calendars of the account, as its assistant lists them: name and address."""
    answer = EDataServer.webdav_discover_sources_sync(source_at(url), url, SUPPORTED, password(), None)
    return [(one.display_name, one.href) for one in answer.out_discovered_sources]


def opened(registry, address):
    """The calendar; its engine asks for the password in its own time."""
    scratch = source_at(address)
    registry.commit_source_sync(scratch, None)
    source = registry.ref_source(scratch.get_uid())
    source.connect("credentials-required", lambda asked, *_: asked.invoke_authenticate(password(), None, None, None))
    return ECal.Client.connect_sync(source, EVENTS, NO_WAIT, None)


def listed(client):
    """What it holds by now: it looks in the background, the near weeks first."""
    _, found = client.get_object_list_as_comps_sync("#t", None)
    return {one.get_uid(): one.get_as_string() for one in found}


def refusals(client):
    """What it says to somebody who writes all the same."""
    (first, *_) = client.get_object_list_sync("#t", None)[1]
    own = ICalGLib.Component.new_from_string(first.as_ical_string().replace("SUMMARY:", "SUMMARY:Min "))
    flags = ECal.OperationFlags.NONE
    attempts = {
        "create": lambda: client.create_object_sync(own, flags, None),
        "update": lambda: client.modify_object_sync(own, ECal.ObjModType.ALL, flags, None),
        "delete": lambda: client.remove_object_sync(own.get_uid(), None, ECal.ObjModType.ALL, flags, None),
    }
    return {name: refusal(attempt) for name, attempt in attempts.items()}


def refusal(attempt):
    try:
        attempt()
    except GLib.Error as error:
        return error.message
    return "done"


def main(url):
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    registry = EDataServer.SourceRegistry.new_sync(None)
    calendars = discovered(url)
    client = opened(registry, calendars[0][1])
    say(calendars)
    for line in sys.stdin:
        if line == "end\n":
            return
        if line == "sync\n":
            client.refresh_sync(None)
        say(refusals(client) if line == "write\n" else {"is_readonly": client.is_readonly(), "events": listed(client)})


main(sys.argv[1])
