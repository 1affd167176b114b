"""Every module with tables, named once: importing this fills the metadata."""

import store.action_links
import store.app_passwords
import store.audit
import store.bookings
import store.budgets
import store.calendars
import store.choices
import store.clinic_rules
import store.clinics
import store.consents
import store.contact_codes
import store.deliveries
import store.engagements
import store.facilities
import store.guardianships
import store.heartbeats
import store.installation
import store.invitations
import store.letters
import store.preparations
import store.preparations_read
import store.provider_weights
import store.replannings
import store.replies
import store.subjects
import store.templates
import store.unreached
import store.visit_answers  # noqa: F401 - imported for what they declare
