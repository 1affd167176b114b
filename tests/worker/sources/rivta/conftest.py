"""What the tests of this adapter share: a platform on this machine, and one subject to ask about."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from store.identifiers import PERSONNUMMER, SubjectId
from tests.people import ANNA
from tests.wire.platform import Platform, answering
from worker.sources.rivta import RivtaSettings, RivtaSource

SUBJECT = SubjectId(ANNA.number, PERSONNUMMER)
AGGREGATING = "5565594230"

SourceAt = Callable[..., RivtaSource]


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform(answering(b"")) as started:
        yield started


@pytest.fixture
def source_at() -> Iterator[SourceAt]:
    """Makes a source for an address, closed when the test ends. Keywords change its settings."""
    made: list[RivtaSource] = []

    def make(url: str, **changes: object) -> RivtaSource:
        settings = RivtaSettings("region", url, AGGREGATING, direct=True, read=timedelta(seconds=5))
        made.append(RivtaSource(replace(settings, **changes)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for source in made:
        source.close()


@pytest.fixture
def source(platform: Platform, source_at: SourceAt) -> RivtaSource:
    return source_at(platform.url)
