"""The subscription address over real HTTP, on both databases: every status, header and way of asking."""

import gzip
import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from feeds.conditional import http_date
from feeds.ical import RENDERER
from feeds.routes import in_front_of
from feeds.subscribing import revoke_link, rotate_link
from feeds.web.misses import Misses, MissRules
from store.database import open_database
from store.standing import Standing
from store.vault import Vault, make_key_file, read_key_file
from tests.conftest import NOW
from tests.feeds.test_links import TOKEN, test_b48_b49_a_bent_address_is_no_address
from tests.feeds.world import DAY, World

ETAG = f'"1-{RENDERER}"'  # of a calendar's first revision
GZIP_ETAG = f'"1-{RENDERER}-gz"'
BENT = next(mark for mark in test_b48_b49_a_bent_address_is_no_address.pytestmark).args[1]  # type: ignore[attr-defined]


async def _inner(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Stands where the framework stands: answers 418 to all that is not ours."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"inner"})


class Server:
    """A real web server on a port of its own."""

    def __init__(self, world: World, vault: Vault | None = None) -> None:
        self.feeds = in_front_of(_inner, world.sessions, vault or world.vault)
        config = uvicorn.Config(
            self.feeds, port=0, log_config=None, access_log=False, lifespan="on", http="httptools", loop="uvloop"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        _wait_for(lambda: self._server.started or not self._thread.is_alive())
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"accept-encoding": "identity"}, trust_env=False
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def raw(self, request: bytes) -> int:
        """The status of a request written byte by byte."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status

    def stop(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(20)
        self.feeds.close()


@pytest.fixture
def booking(world: World) -> Any:
    """A visit in three days, in a calendar with an address."""
    booked = world.add(world.now + 3 * DAY)
    world.open()
    return booked


@pytest.fixture
def server(world: World, booking: Any) -> Iterator[Server]:
    running = Server(world)
    yield running
    running.stop()


def test_a_subscription_gets_its_calendar_with_every_header(world: World, server: Server) -> None:
    answer = server.get(world.path)

    assert answer.status_code == 200
    assert answer.content == world.body()
    assert dict(answer.headers) | {"date": "", "server": ""} == {
        "date": "",
        "server": "",
        "content-type": "text/calendar; charset=utf-8",
        "content-disposition": 'inline; filename="kalender.ics"',
        "content-length": str(len(world.body())),
        "etag": ETAG,
        "last-modified": http_date(world.calendar().changed_at),
        "vary": "Accept-Encoding",
        "cache-control": "private, max-age=900",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
        "x-content-type-options": "nosniff",
    }


def test_head_says_what_get_would_and_sends_nothing(world: World, server: Server) -> None:
    head, got = server.client.head(world.path), server.get(world.path)

    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


def test_gzip_has_its_own_tag_and_the_same_text(world: World, server: Server) -> None:
    plain = server.get(world.path)
    with server.client.stream("GET", world.path, headers={"accept-encoding": "br, gzip;q=0.8"}) as packed:
        raw = b"".join(packed.iter_raw())

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert packed.headers["etag"] == GZIP_ETAG
    assert "content-encoding" not in server.get(world.path, accept_encoding="gzip;q=0").headers


def test_check_27_unchanged_is_304_by_either_tag_and_bytes_stay(world: World, server: Server) -> None:
    answers = {server.get(world.path).content for _ in range(100)}
    assert len(answers) == 1

    for tag in (ETAG, f"W/{ETAG}", GZIP_ETAG, f'"0-1", {ETAG}', "*"):
        answer = server.get(world.path, if_none_match=tag)
        assert (answer.status_code, answer.content) == (304, b""), tag
        assert answer.headers["cache-control"] == "private, max-age=900"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert server.get(world.path, if_none_match=GZIP_ETAG).headers["etag"] == GZIP_ETAG


def test_an_unchanged_answer_says_what_guides_a_cache_and_describes_no_content(world: World, server: Server) -> None:
    """RFC 9110 15.4.5: a date or type here could overwrite what the program has kept."""
    answer = server.get(world.path, if_none_match=ETAG)
    assert dict(answer.headers) | {"date": ""} == {
        "date": "",
        "etag": ETAG,
        "vary": "Accept-Encoding",
        "cache-control": "private, max-age=900",
        "referrer-policy": "no-referrer",
    } | ({"server": "uvicorn"} if "server" in answer.headers else {})
    head = server.client.head(world.path, headers={"if-none-match": ETAG})
    assert (head.status_code, head.headers["etag"]) == (304, ETAG)


def test_a_header_given_twice_is_one_list(world: World, server: Server) -> None:
    request = b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n"
    twice = b'If-None-Match: "0-1"\r\nIf-None-Match: ' + ETAG.encode() + b"\r\n"
    assert server.raw(request % (world.path.encode(), twice)) == 304
    assert server.raw(request % (world.path.encode(), twice.replace(b'"1-', b'"2-'))) == 200


def test_check_28_a_change_breaks_the_etag_and_then_304_again(world: World, server: Server, booking: Any) -> None:
    before = server.get(world.path)
    world.change(booking, standing=Standing.CANCELLED, stands_since=world.now, sequence=1)

    after = server.get(world.path, if_none_match=before.headers["etag"])
    assert after.status_code == 200
    assert b"STATUS:CANCELLED" in after.content
    assert after.headers["etag"] != before.headers["etag"]
    assert after.headers["last-modified"] != before.headers["last-modified"]
    assert server.get(world.path, if_none_match=after.headers["etag"]).status_code == 304


def test_check_28_if_none_match_goes_before_the_date(world: World, server: Server) -> None:
    fresh = http_date(world.calendar().changed_at)

    assert server.get(world.path, if_modified_since=fresh).status_code == 304
    assert server.get(world.path, if_none_match='"old"', if_modified_since=fresh).status_code == 200
    assert server.get(world.path, if_none_match=ETAG, if_modified_since="garbage").status_code == 304
    for date in ("garbage", "Thu, 01 Jan 1970 00:00:00 GMT", http_date(datetime.now(UTC) + timedelta(days=400))):
        assert server.get(world.path, if_modified_since=date).status_code == 200, date


def test_check_31_unknown_is_404_and_says_nothing(world: World, server: Server) -> None:
    answer = server.get(f"/f/{TOKEN}.ics")

    assert (answer.status_code, answer.text) == (404, "Not Found\n")
    assert answer.headers["cache-control"] == "no-store"
    assert TOKEN not in str(answer.headers)


def test_check_31_a_rotated_address_is_410_at_once(world: World, server: Server) -> None:
    with world.sessions.writing() as session:
        fresh = rotate_link(session, world.vault, world.link.link_id, world.now)

    assert server.get(world.path).status_code == 410
    assert server.get(world.path, if_none_match=ETAG).status_code == 410
    world.link = fresh
    assert server.get(world.path).status_code == 200


def test_check_31_under_load_nobody_gets_a_revoked_address_or_an_old_tag_after_the_change(
    world: World, server: Server, booking: Any
) -> None:
    """Whoever asks after a commit is answered from after it, however many ask at once."""
    changed, revoked, stop = threading.Event(), threading.Event(), threading.Event()
    wrong: list[str] = []
    asked = threading.Semaphore(0)

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
            while not stop.is_set():
                was_changed, was_revoked = changed.is_set(), revoked.is_set()
                status = client.get(world.path, headers={"if-none-match": ETAG}).status_code
                allowed = {410} if was_revoked else {200, 410} if was_changed else {200, 304, 410}
                if status not in allowed:
                    wrong.append(f"{status} {was_changed=} {was_revoked=}")
                asked.release()

    def some_more() -> None:
        for _ in range(30):
            assert asked.acquire(timeout=20)

    with ThreadPoolExecutor(6) as threads:
        askers = [threads.submit(ask) for _ in range(6)]
        some_more()
        world.change(booking, start_at=world.now + 9 * DAY, sequence=1)
        changed.set()
        some_more()
        with world.sessions.writing() as session:
            revoke_link(session, world.link.link_id, world.now)
        revoked.set()
        some_more()
        stop.set()
        for asker in askers:
            asker.result(20)
    assert wrong == []


def test_a_database_that_has_closed_its_connections_is_found_again(postgresql_url: str, vault: Vault) -> None:
    """A restart must not leave every calendar at 503 until we are restarted too."""
    sessions = open_database(postgresql_url)
    world = World(sessions, vault, NOW)
    world.add(world.now + 3 * DAY)
    world.open()
    server = Server(world)
    try:
        assert server.get(world.path).status_code == 200
        for headers in ({}, {"if_none_match": ETAG}):
            with sessions.writing() as session:
                session.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where pid <> pg_backend_pid() and datname = current_database()"
                    )
                )
            assert server.get(world.path, **headers).status_code == (304 if headers else 200)
    finally:
        server.stop()
        sessions.close()


def test_a_browser_gets_a_page_for_a_revoked_address_that_names_nobody(world: World, server: Server) -> None:
    with world.sessions.writing() as session:
        revoke_link(session, world.link.link_id, world.now)

    program, browser = server.get(world.path), server.get(world.path, accept="text/html,*/*;q=0.8")
    assert (program.status_code, program.text) == (410, "Gone\n")
    assert browser.status_code == 410
    assert browser.headers["content-type"] == "text/html; charset=utf-8"
    assert "style-src 'sha256-" in browser.headers["content-security-policy"]
    assert "Den här kalenderadressen gäller inte längre" in browser.text
    assert "This calendar address is no longer in use" in browser.text
    for answer in (program, browser):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert not any(secret in answer.text for secret in (world.link.token, "Eken", "Anna"))


def test_b48_b49_a_bent_path_is_404_like_any_unknown_one(world: World, server: Server) -> None:
    for path in BENT:
        bent = path.replace(TOKEN.encode(), world.link.token.encode())
        if not path.startswith(b"/f/") or bent == world.path.encode() or b" " in bent:
            continue  # not ours, or a space that ends the path for the HTTP parser
        is_sendable = all(32 < byte < 127 for byte in bent)
        status = server.raw(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % bent)
        assert status == 404 or (status == 400 and not is_sendable), path


def test_b51_nothing_but_reading(world: World, server: Server) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "MOVE", "TRACE"):
        for path in (world.path, f"/f/{TOKEN}.ics"):
            answer = server.client.request(method, path, headers={"x-http-method-override": "GET"})
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD"), method
    assert server.get(world.path).status_code == 200


def test_b52_b53_other_headers_have_no_effect(world: World, server: Server) -> None:
    for name, value in {
        "X-Forwarded-For": "127.0.0.1",
        "X-Original-URL": "/admin",
        "X-Rewrite-URL": "/admin",
        "X-Forwarded-Host": "evil.example.com",
        "Range": "bytes=" + ",".join(["0-"] * 1000),
        "Depth": "infinity",
        "If-Match": '"other"',
    }.items():
        assert server.client.get(world.path, headers={name: value}).status_code == 200, name


def test_b53_headers_have_a_limit(world: World, server: Server) -> None:
    assert server.get(world.path, if_none_match=",".join(['"x"'] * 20_000)).status_code == 431


def test_everything_else_passes_on(world: World, server: Server) -> None:
    assert server.get("/").status_code == 418
    assert server.get("/f").status_code == 418
    assert server.get("/feeds/x").status_code == 418


def test_misses_are_limited_but_a_valid_address_never(world: World, server: Server) -> None:
    with world.sessions.writing() as session:
        revoked = rotate_link(session, world.vault, world.link.link_id, world.now)
    gone, world.link = world.path, revoked
    server.feeds._feeds._misses = Misses(time.monotonic, MissRules(most=5, seconds=600))

    assert [server.get(gone).status_code for _ in range(10)] == [410] * 10  # not a miss
    answers = [server.get(f"/f/{TOKEN}.ics") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [404] * 5 + [429] * 3
    assert answers[-1].headers["retry-after"] == "60"
    assert server.get(gone).status_code == 410
    assert server.get(world.path).status_code == 200


def test_an_unreadable_database_is_503_and_never_an_empty_calendar(world: World, server: Server) -> None:
    with world.sessions.writing() as session:
        session.execute(text("alter table calendar_bodies rename to elsewhere"))

    for headers in ({}, {"if_none_match": ETAG}):
        answer = server.get(world.path, **headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "120")
        assert answer.headers["cache-control"] == "no-store"
        assert b"VCALENDAR" not in answer.content

    with world.sessions.writing() as session:
        session.execute(text("alter table elsewhere rename to calendar_bodies"))
    assert server.get(world.path).status_code == 200


def test_a_calendar_whose_body_is_missing_is_503(world: World, server: Server) -> None:
    with world.sessions.writing() as session:
        session.execute(text("delete from calendar_bodies"))
    assert server.get(world.path).status_code == 503


def test_f55_without_the_key_it_is_503_but_unchanged_stays_304(world: World, booking: Any, tmp_path: Any) -> None:
    """The digest key finds the link; the wrapping key, which opens the body, is another one."""
    make_key_file(tmp_path / "keys.json")
    strange, ours = read_key_file(tmp_path / "keys.json"), world.vault._keys
    mixed = Vault(type(ours)(strange.current, strange.wrapping, ours.current_digest, ours.digesting))
    server = Server(world, mixed)
    try:
        assert server.get(world.path).status_code == 503
        assert server.get(world.path, if_none_match=ETAG).status_code == 304
    finally:
        server.stop()


def test_a_fetch_is_noted_once_a_day_and_nobody_waits_for_it(world: World, server: Server) -> None:
    assert world.links()[0].last_fetched_at is None
    server.get(world.path)
    _wait_for(lambda: world.links()[0].last_fetched_at is not None)
    first = world.links()[0].last_fetched_at
    assert first is not None

    for _ in range(5):
        server.get(world.path, if_none_match=ETAG)
    assert world.links()[0].last_fetched_at == first

    server.feeds._feeds._real_now = lambda: first + timedelta(days=1)
    server.get(world.path, if_none_match=ETAG)
    _wait_for(lambda: world.links()[0].last_fetched_at == first + timedelta(days=1))


def test_an_emptied_calendar_is_200_and_empty_then_410(world: World, server: Server) -> None:
    from feeds.calendars import refresh_due

    etag = server.get(world.path).headers["etag"]
    world.set_subject(protected_on=world.now.date())
    world.rewrite()

    emptied = server.get(world.path, if_none_match=etag)
    assert emptied.status_code == 200
    assert b"BEGIN:VCALENDAR" in emptied.content
    assert b"BEGIN:VEVENT" not in emptied.content

    refresh_due(world.sessions, world.vault, world.now + 30 * DAY)
    assert server.get(world.path).status_code == 410


def test_check_31_no_token_in_any_log(world: World, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.get(world.path)
    server.get(world.path + "x")
    with world.sessions.writing() as session:
        session.execute(text("delete from calendar_bodies"))
    server.get(world.path)

    others = ("httpx", "httpcore", "uvicorn.access")  # the client, and a log that is off: pytest put a handler on it
    ours = [f"{record.name} {record.getMessage()}" for record in caplog.records if not record.name.startswith(others)]
    assert [message for message in ours if world.link.token in message] == []


def test_readers_during_a_storm_of_changes_always_get_a_whole_calendar(
    world: World, server: Server, booking: Any
) -> None:
    """Validators and bytes are read together: no reader may store a new body under an old tag, or the reverse."""
    seen: dict[str, bytes] = {}
    stop = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
            while not stop.is_set():
                answer = client.get(world.path, headers={"accept-encoding": "identity"})
                tag = answer.headers.get("etag", "")
                if answer.status_code != 200 or seen.setdefault(tag, answer.content) != answer.content:
                    wrong.append(f"{answer.status_code} {tag}")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 20):
        world.change(booking, start_at=world.now + (3 + number) * DAY, sequence=number)
    _wait_for(lambda: len(seen) > 1)
    stop.set()
    for reader in readers:
        reader.join(20)
    assert wrong == []


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
