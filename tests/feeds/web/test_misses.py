"""Counting misses: per network, per window, in a table that cannot grow."""

from feeds.web.misses import Misses, MissRules, network_of


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_network_has_its_share_and_another_its_own() -> None:
    misses = Misses(Clock(), MissRules(most=2))

    assert [misses.are_too_many("192.0.2.1") for _ in range(3)] == [False, False, True]
    assert misses.are_too_many("192.0.2.250")  # the same network
    assert not misses.are_too_many("198.51.100.1")


def test_the_share_is_new_when_the_window_is_over() -> None:
    clock = Clock()
    misses = Misses(clock, MissRules(most=1, seconds=60))
    misses.are_too_many("192.0.2.1")
    assert misses.are_too_many("192.0.2.1")

    clock.seconds = 60.0
    assert not misses.are_too_many("192.0.2.1")


def test_a_million_networks_do_not_fill_the_memory() -> None:
    misses = Misses(Clock(), MissRules(origins=100))
    for number in range(10_000):
        misses.are_too_many(f"10.{number >> 8}.{number & 255}.1")
    assert len(misses) == 100


def test_networks() -> None:
    assert network_of("192.0.2.77") == network_of("::ffff:192.0.2.1") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::3") == network_of("2001:db8:1:ffff::") == "2001:db8:1::/48"
    assert network_of("") == network_of("testclient") == network_of("/run/socket") == ""
