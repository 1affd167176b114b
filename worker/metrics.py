"""The figures of `/metrics`, in the format that monitors read. Labels take few values, all of them ours: kinds, states,
purposes, providers, sources. Nothing of a person is in them.

Everything comes from the database, so one web process answers for all processes; but what was refused at the door is
each web process's own count.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from notifier.channels.explaining import explained
from notifier.web.hooks import REFUSED
from store import figures, vitals
from store.delivery_states import DeliveryState
from store.figures import Figures
from store.heartbeats import Part
from store.vitals import Vitals
from worker.finding import Finding
from worker.health import LIVES, cap_shares
from worker.heartbeat import VERSION
from worker.wiring import Wiring

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SETTLED = (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.EXPIRED)


def count(wiring: Wiring) -> Figures:
    """A day's and an hour's rows are gone through. Raises SQLAlchemyError where the database does not answer."""
    with wiring.sessions.reading() as session:
        return figures.read(session)


def exposition(wiring: Wiring, counted: Figures, findings: Iterable[Finding]) -> bytes:
    """The whole page. Raises SQLAlchemyError where the database does not answer."""
    sources = [source.name for source in wiring.configuration.sources]
    with wiring.sessions.reading() as session:
        vital = vitals.read(session, wiring.now(), sources)
    registry = CollectorRegistry()
    registry.register(REFUSED)
    cap = wiring.settings.clinic_messages_per_day
    families = [*_of_vitals(vital, sources), _of_caps(vital, cap), *_of_figures(counted), *_of_findings(findings)]
    registry.register(_Families(families))
    return generate_latest(registry)


class _Families(Collector):
    """What has been read already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _of_vitals(vital: Vitals, sources: Iterable[str]) -> Iterator[Metric]:
    yield _gauge("due_unsent_oldest_seconds", "How long the oldest due delivery has waited.", vital.overdue["dispatch"])
    yield _gauge("uncertain", "Messages of which nobody knows whether they went.", vital.uncertain)
    yield _gauge("uncertain_oldest_seconds", "How long the oldest of them has been so.", vital.uncertain_for)
    yield _gauge("poll_age_oldest_seconds", "Age of the oldest answer about anybody.", vital.polled or timedelta())
    yield _gauge("frozen_facilities", "Facilities under mass disappearance.", vital.frozen)
    yield _gauge("paused", "1 while nothing is sent.", vital.paused_at is not None)
    yield _gauge("paused_clinics", "Clinics of which nothing is sent.", vital.paused_clinics)
    failed = _labelled("failed_last_hour", "Messages of the last hour that failed, by why.", "provider", "reason")
    for (provider, reason), number in sorted(_by_reason(vital).items()):
        failed.add_metric([provider, reason], number)
    yield failed
    yield _gauge("clock_ahead_seconds", "The web's clock, of the database's.", vital.ahead)
    due = _labelled("due_oldest_seconds", "How long the oldest due row of a kind has waited.", "kind")
    for kind, waited in vital.overdue.items():
        due.add_metric([kind], waited.total_seconds())
    silent = _labelled("source_silent_seconds", "How long a source has answered nobody; 0: it answers.", "source")
    for source in sources:
        silent.add_metric([source], vital.silent.get(source, timedelta()).total_seconds())
    yield from (due, silent, *_of_processes(vital), *_of_weights(vital))
    yield InfoMetricFamily("kallelse_build", "What runs here.", {"version": VERSION})


def _of_caps(vital: Vitals, clinic_cap: int) -> Metric:
    most = max(cap_shares(vital, clinic_cap).values(), default=0.0)
    return _gauge("clinic_cap_used_ratio", "The most that any clinic has used of its day's messages.", most)


def _by_reason(vital: Vitals) -> Counter[tuple[str, str]]:
    """In our words: a label for every code that a provider ever had would be too many."""
    counted: Counter[tuple[str, str]] = Counter()
    for (provider, code), number in vital.faults.items():
        counted[provider, explained(provider, code).reason] += number
    return counted


def _of_processes(vital: Vitals) -> Iterator[Metric]:
    living = _labelled("living_processes", "Processes that get on with their work.", "kind")
    silence = _labelled("heartbeat_age_seconds", "Since the last sign of life; none while nobody runs.", "kind")
    for part in Part:
        silences = [beat.silent_for for beat in vital.beats if beat.kind == part]
        living.add_metric([part], sum(one <= LIVES for one in silences))
        if silences:
            silence.add_metric([part], min(silences).total_seconds())
    yield from (living, silence)


def _of_weights(vital: Vitals) -> Iterator[Metric]:
    """Nothing where one provider has it all."""
    if vital.sms_weights is None:
        return
    weight = _labelled("provider_weight", "Of 100 SMS, those by the provider; 0 while it is stopped.", "provider")
    last = _labelled("provider_weights_version", "Rises with each change; why the last was made.", "cause")
    for row in vital.sms_weights.rows:
        weight.add_metric([row.provider], 0 if row.is_stopped else row.weight)
    last.add_metric([vital.sms_weights.rows[0].cause], vital.sms_weights.number)
    yield from (weight, last)


def _of_figures(counted: Figures) -> Iterator[Metric]:
    yield _gauge("queued", "Deliveries that wait to be sent, due or not.", counted.queued)
    yield _gauge("planned_last_day", "Deliveries planned within 24 h.", sum(counted.deliveries.values()))
    stand = _labelled("deliveries_last_day", "Where those planned within 24 h stand now.", "purpose", "state")
    for (purpose, state), count in sorted(counted.deliveries.items()):
        stand.add_metric([purpose, state], count)
    tried = _labelled("attempts_last_hour", "Attempts begun within an hour, by their end.", "provider", "outcome")
    for (provider, outcome), count in sorted(counted.attempts.items()):
        tried.add_metric([provider, outcome], count)
    yield from (stand, tried)
    rate = _delivered_rate(counted)
    if rate is not None:
        yield _gauge("delivered_ratio_last_day", "Delivered, of those planned within 24 h whose end is known.", rate)


def _delivered_rate(counted: Figures) -> float | None:
    ends = {end: sum(n for (_, state), n in counted.deliveries.items() if state == end) for end in _SETTLED}
    ended = sum(ends.values())
    return ends[DeliveryState.DELIVERED] / ended if ended else None


def _of_findings(findings: Iterable[Finding]) -> Iterator[Metric]:
    well = _labelled("well", "1 where a finding of /health/ready is well.", "finding")
    for finding in findings:
        well.add_metric([finding.what], finding.is_well)
    yield well


def _gauge(name: str, meaning: str, value: float | timedelta) -> Metric:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return GaugeMetricFamily(f"kallelse_{name}", meaning, value=seconds)


def _labelled(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"kallelse_{name}", meaning, labels=labels)
