"""How programs find an account, RFC 6764, and what they probe besides: `/` and `/principals/`."""

from typing import Final

from feeds.caldav import answers
from feeds.caldav.resources import ROOT

WELL_KNOWN: Final = frozenset({b"/.well-known/caldav", b"/.well-known/caldav/"})
PROBED: Final = frozenset({b"/", b"/principals", b"/principals/"})
"""Programs of Apple's ask these for the principal, beside the well-known address: no answer there ends their set-up."""

TO_ROOT: Final = answers.without_content(301, (b"location", ROOT.encode()))
