"""Bookings by RIV-TA, domain crm:scheduling 1.1: the aggregating service and single facilities. Knows no table."""

from worker.sources.rivta.settings import RivtaSettings
from worker.sources.rivta.source import RivtaSource

__all__ = ["RivtaSettings", "RivtaSource"]
