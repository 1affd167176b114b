"""Thunderbird without a window, led by its own remote control (Marionette: lengths and JSON over a loopback socket)."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.readers import HERE
from tests.stories.test_demo import within

# Nothing leaves the machine: whatever it asks of the world goes to a port where nobody listens.
PREFERENCES = {
    "marionette.port": 0,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "127.0.0.1",
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.inappnotifications.enabled": False,
    "mailnews.start_page.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
}
WRAPPED = """
const done = arguments[arguments.length - 1];
(async (...args) => {{ {script} }})(...arguments)
    .then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));
"""


class Thunderbird:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._stream = self._socket.makefile("rwb")
        self._script = WRAPPED.format(script=(HERE / "thunderbird_calendar.js").read_text())
        self._heard()
        self._command("WebDriver:NewSession", capabilities={})
        self._command("Marionette:SetContext", value="chrome")

    def does(self, *words: str) -> Any:
        """One of what `thunderbird_calendar.js` offers, with its words."""
        answer = self._command(
            "WebDriver:ExecuteAsyncScript", script=self._script, args=list(words), newSandbox=True, sandbox="system"
        )
        assert "error" not in answer["value"], answer["value"]["error"]
        return answer["value"]["value"]

    def close(self) -> None:
        self._command("Marionette:Quit", flags=["eForceQuit"])
        self._stream.close()
        self._socket.close()

    def _command(self, name: str, **words: Any) -> dict[str, Any]:
        message = json.dumps([0, 1, name, words]).encode()
        self._stream.write(b"%d:%b" % (len(message), message))
        self._stream.flush()
        _, _, error, result = self._heard()
        assert error is None, error
        return dict(result)

    def _heard(self) -> Any:
        length = b"".join(iter(lambda: self._stream.read(1), b":"))
        return json.loads(self._stream.read(int(length)))


@contextmanager
def thunderbird(folder: Path) -> Iterator[Thunderbird]:
    profile = folder / "profile"
    profile.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    command = ["thunderbird", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
    program = subprocess.Popen(
        [*command, "--profile", profile],
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    port = profile / "MarionetteActivePort"
    try:
        within(60, lambda: port.exists() and bool(port.read_text().strip()))
        opened = Thunderbird(int(port.read_text()))
        yield opened
        opened.close()
        program.wait(30)
    finally:
        program.kill()
        program.wait()
        shutil.rmtree(profile, ignore_errors=True)
