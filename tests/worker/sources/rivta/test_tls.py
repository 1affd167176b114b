"""Mutual TLS fails closed: no doubtful certificate on either side ever gets a question or an answer through."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.wire.answers import direct
from tests.wire.certificates import Authority, Pair, demanding
from tests.wire.platform import Platform, answering
from tests.worker.sources.rivta.conftest import SUBJECT, SourceAt
from worker.sources import SourceRefused

Started = Callable[[Pair], Platform]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def started(authority: Authority) -> Iterator[Started]:
    """Starts a platform with a certificate; it demands one of the same authority from its callers."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(
            Platform(answering(direct()), tls=demanding(server, authority.certificate))
        )


def refused(source_at: SourceAt, platform: Platform, caller: Pair | None, trust: Path | None) -> str:
    pair = {} if caller is None else {"certificate": caller.certificate, "key": caller.key}
    with pytest.raises(SourceRefused) as caught:
        source_at(platform.url, trust=trust, **pair).schedule(SUBJECT)
    assert platform.questions == []
    return caught.value.code


def test_with_good_certificates_on_both_sides_it_answers(
    started: Started, source_at: SourceAt, authority: Authority
) -> None:
    caller = authority.signed("caller")
    platform = started(authority.signed("platform"))
    source = source_at(platform.url, certificate=caller.certificate, key=caller.key, trust=authority.certificate)
    assert source.schedule(SUBJECT).slots == ()


def test_a_platform_of_an_unknown_authority_is_told_nothing(
    started: Started, source_at: SourceAt, authority: Authority
) -> None:
    platform = started(authority.signed("platform"))
    assert refused(source_at, platform, authority.signed("caller"), None) == "tls"


def test_a_platform_whose_certificate_has_expired_is_told_nothing(
    started: Started, source_at: SourceAt, authority: Authority
) -> None:
    platform = started(authority.signed("platform", valid_for=timedelta(days=-1)))
    assert refused(source_at, platform, authority.signed("caller"), authority.certificate) == "tls"


def test_a_platform_with_another_hosts_certificate_is_told_nothing(
    started: Started, source_at: SourceAt, authority: Authority
) -> None:
    platform = started(authority.signed("platform"))
    caller = authority.signed("caller")
    elsewhere = platform.url.replace("127.0.0.1", "localhost")
    source = source_at(elsewhere, certificate=caller.certificate, key=caller.key, trust=authority.certificate)
    with pytest.raises(SourceRefused, match="tls"):
        source.schedule(SUBJECT)


def test_without_our_certificate_a_person_must_act(started: Started, source_at: SourceAt, authority: Authority) -> None:
    platform = started(authority.signed("platform"))
    assert refused(source_at, platform, None, authority.certificate) == "tls"


def test_when_our_certificate_has_expired_a_person_must_act(
    started: Started, source_at: SourceAt, authority: Authority
) -> None:
    platform = started(authority.signed("platform"))
    caller = authority.signed("caller", valid_for=timedelta(days=-1))
    assert refused(source_at, platform, caller, authority.certificate) == "tls"


def test_a_certificate_without_its_key_is_found_out_at_the_start(source_at: SourceAt, authority: Authority) -> None:
    one, other = authority.signed("one"), authority.signed("other")
    with pytest.raises(ssl.SSLError):
        source_at("https://127.0.0.1:9/vp", certificate=one.certificate, key=other.key)
