"""What has been agreed about telling people, read from the store: clinics' rules and terms, citizens' choices. Decides
nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from notifier.choices import Choices, read_choices
from notifier.offsets import parse_offset
from notifier.precedence import Mode, Origin, Rule, Scope
from notifier.rules import Terms
from notifier.swedish_days import local, parse_clock
from store import budgets, choices, clinic_rules, clinics, facilities, preparations, templates
from store.choices import Choice
from store.clinic_rules import ScopedRule, StoredRule
from store.clinics import Clinic
from store.database import Session
from store.purposes import Purpose
from store.templates import ReminderRule

_NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """Clinics' own texts before visits. `places`: by clinic, the facilities and time types that it has one for;
    `sensitive`: facilities whose texts are shown only where the clinic's decision covers them, as it does at
    `covering`."""

    places: Mapping[UUID, frozenset[tuple[str, str]]] = field(default_factory=dict)
    covering: frozenset[UUID] = frozenset()
    sensitive: frozenset[str] = frozenset()

    def are_told(self, clinic_id: UUID | None, line: Sequence[str], time_type: str) -> bool:
        """`line`: the visit's facility and those above it."""
        places = self.places.get(clinic_id) if clinic_id is not None else None
        if not places or (clinic_id not in self.covering and not self.sensitive.isdisjoint(line)):
            return False
        return any((at, kind) in places for at in (*line, "") for kind in (time_type, ""))


@dataclass(frozen=True, slots=True)
class Agreed:
    """`rules` and `terms` by clinic; one that may not send is in neither. `parents` where rules or texts need them."""

    rules: Mapping[UUID, tuple[Rule, ...]]
    terms: Mapping[UUID, Terms]
    parents: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[UUID, Choices] = field(default_factory=dict)
    texts: OwnTexts = field(default_factory=OwnTexts)

    def choices_of(self, subject_id: UUID) -> Choices:
        return self.choices.get(subject_id, _NO_CHOICES)

    def above(self, facility: str) -> tuple[str, ...]:
        """The facility's parent, that one's parent, ..."""
        found: list[str] = []
        at = self.parents.get(facility)
        while at is not None and at not in found:  # a ring, which imports refuse, would have no end
            found.append(at)
            at = self.parents.get(at)
        return tuple(found)


def read(
    session: Session,
    subject_ids: Collection[UUID],
    clinic_cap: int | None,
    now: datetime,
    among: Collection[Clinic] | None = None,
) -> Agreed:
    """What holds for these people now. `among`: these clinics, whether they may send or not; else all that may.

    Messages stay off for a clinic until its needs-and-risk decision is recorded.
    """
    sending = (
        [one for one in clinics.all_by_id(session).values() if clinics.may_send(one)] if among is None else list(among)
    )
    stored: list[StoredRule] = [*templates.reminder_rules(session), *clinic_rules.all_scoped(session)]
    by_owner: dict[UUID | None, list[StoredRule]] = {}
    for rule in stored:
        by_owner.setdefault(rule.clinic_id, []).append(rule)
    texts = _own_texts(session, sending)
    has_places = any(isinstance(one, ScopedRule) and one.facility for one in stored) or texts.places
    planned = budgets.planned_on(session, local(now).date())
    return Agreed(
        rules={one.id: _of_clinic(one, by_owner.get(one.id, []), by_owner.get(None, [])) for one in sending},
        terms={one.id: _terms(one, clinic_cap, planned.get(one.id, 0)) for one in sending},
        parents={str(key): str(one) for key, one in facilities.tree(session).items()} if has_places else {},
        choices=_choices(session, subject_ids),
        texts=texts,
    )


def cap_of(clinic: Clinic, clinic_cap: int | None) -> int | None:
    """How many messages the clinic may send in a day; None: any number."""
    return clinic_cap if clinic.messages_per_day is None else clinic.messages_per_day


def rule_id(clinic_id: UUID, name: str) -> UUID:
    """Of a clinic's own rule: the same whenever it is made, so that taking one away and back tells nobody twice."""
    return uuid5(NAMESPACE_URL, f"kallelse:rule:{clinic_id}/{name}")


def of_choice(choice: Choice, clinic_ids: Iterable[UUID] = ()) -> Choices:
    """The choices, read. Raises what `notifier.choices.read_choices` does."""
    return read_choices(choice.channels, choice.quiet_from, choice.quiet_until, choice.offsets, clinic_ids)


def _of_clinic(clinic: Clinic, own: Sequence[StoredRule], shipped: Sequence[StoredRule]) -> tuple[Rule, ...]:
    # All rules of one name are one in the ledger: else a narrower one made later would tell again what was told.
    ids = {one.name: one.id for one in (*own, *shipped) if isinstance(one, ReminderRule)}
    return tuple(_rule(one, ids.get(one.name) or rule_id(clinic.id, one.name), clinic) for one in (*shipped, *own))


def _rule(stored: StoredRule, shared_id: UUID, clinic: Clinic) -> Rule:
    return Rule(
        id=shared_id,
        purpose=Purpose(stored.purpose),
        offset=parse_offset(stored.offset),
        template_name=stored.template_name,
        channels=tuple(stored.channels.split(",")),
        scope=_scope(stored) if isinstance(stored, ScopedRule) else Scope(),
        is_own=stored.clinic_id is not None,
        is_active=stored.is_active,
        weekdays_only=stored.weekdays_only or clinic.weekdays_only,
        visits_from=parse_clock(stored.visits_from) if stored.visits_from else None,
    )


def _scope(stored: ScopedRule) -> Scope:
    return Scope(
        facility=stored.facility,
        time_type=stored.time_type,
        mode=Mode(stored.mode) if stored.mode else None,
        origin=Origin(stored.origin) if stored.origin else None,
    )


def _terms(clinic: Clinic, clinic_cap: int | None, planned: int) -> Terms:
    cap = cap_of(clinic, clinic_cap)
    return Terms(clinic.confirms, None if cap is None else max(0, cap - planned))


def _own_texts(session: Session, sending: Sequence[Clinic]) -> OwnTexts:
    places = preparations.places_told(session)
    if not places:
        return OwnTexts()
    covering = frozenset(one.id for one in sending if one.decision_covers_texts)
    return OwnTexts(places, covering, facilities.sensitive(session))


def _choices(session: Session, subject_ids: Collection[UUID]) -> dict[UUID, Choices]:
    chosen = choices.of_subjects(session, subject_ids)
    elsewhere = choices.reminded_by(session, subject_ids)
    return {key: of_choice(row, elsewhere.get(key, ())) for key, row in chosen.items()}
