"""A clinic's rules out of the store into a file's form, and back: checked against what is there, in one transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from notifier import agreed, rule_files
from notifier.rule_files import Existing, FileRule, RulesFile
from store import clinic_rules, replannings, templates
from store.clinic_rules import ScopedRule, StoredRule
from store.clinics import Clinic
from store.database import Session
from store.purposes import Purpose
from store.templates import ReminderRule

_SCOPE = ("facility", "time_type", "mode", "origin")


def exported(session: Session, clinic: Clinic) -> RulesFile:
    """What the clinic has set itself."""
    rules = tuple(_file_rule(one) for one in clinic_rules.of_clinic(session, clinic.id))
    kept = RulesFile(clinic.name, rules, clinic.weekdays_only, clinic.confirms, clinic.messages_per_day)
    return kept.in_order


def inherited(session: Session) -> list[FileRule]:
    """The default rules: each holds where the clinic has none of its name."""
    return [_file_rule(one) for one in clinic_rules.shipped(session)]


def existing(session: Session, clinic: Clinic) -> Existing:
    """What the clinic's file may refer to."""
    return Existing(
        words=templates.purposes_in_use(session, clinic.id),
        facilities=frozenset(one.hsa_id for one in clinic_rules.facilities_of(session, [clinic.id])),
        shipped={one.name: Purpose(one.purpose) for one in clinic_rules.shipped(session)},
    )


def differences(session: Session, clinic: Clinic, file: RulesFile) -> list[str]:
    """What taking the file would change, a line each. Raises RulesRefused."""
    rule_files.require_valid(file, existing(session, clinic))
    return rule_files.differences(exported(session, clinic), file.in_order)


def take(session: Session, clinic: Clinic, file: RulesFile, now: datetime) -> None:
    """Puts the file in the place of what the clinic had set; all whom it may concern are planned anew, by and by."""
    had = {_file_rule(one).key: one for one in clinic_rules.of_clinic(session, clinic.id)}
    kept = [_stored(had.get(one.key), clinic.id, one) for one in file.rules]
    gone = [row for key, row in had.items() if key not in {one.key for one in file.rules}]
    clinic_rules.replace_rules(session, gone, kept)
    clinic.weekdays_only, clinic.confirms = file.weekdays_only, file.confirmations
    clinic.messages_per_day = file.messages_per_day
    session.add(clinic)
    replannings.ask_for_clinic(session, clinic.id, now)


def _file_rule(row: StoredRule) -> FileRule:
    scope = {} if isinstance(row, ReminderRule) else {name: getattr(row, name) for name in _SCOPE}
    return FileRule(
        name=row.name,
        purpose=str(row.purpose),
        when=row.offset,
        words=row.template_name,
        channels=tuple(row.channels.split(",")),
        visits_from=row.visits_from,
        weekdays_only=row.weekdays_only,
        active=row.is_active,
        **scope,
    )


def _stored(row: StoredRule | None, clinic_id: UUID, rule: FileRule) -> StoredRule:
    scope = {name: getattr(rule, name) for name in _SCOPE}
    values: dict[str, Any] = {
        "purpose": Purpose(rule.purpose),
        "offset": rule.when,
        "template_name": rule.words,
        "channels": ",".join(rule.channels),
        "visits_from": rule.visits_from,
        "weekdays_only": rule.weekdays_only,
        "is_active": rule.active,
    }
    if row is not None:
        row.sqlmodel_update(values)
        return row
    if any(scope.values()):
        return ScopedRule(clinic_id=clinic_id, name=rule.name, **scope, **values)
    return ReminderRule(id=agreed.rule_id(clinic_id, rule.name), clinic_id=clinic_id, name=rule.name, **values)
