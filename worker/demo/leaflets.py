"""What one clinic of the simulated region has people read before visits, as its own file for `preparations import`."""

from worker.demo.facilities import RADIOLOGY

CLINIC = RADIOLOGY.clinic
FORM_HOST = "formular.norrviken.example"
LEAFLETS = f'''\
clinic = "{CLINIC}"

[[text]]
facility = "{RADIOLOGY.hsa_id}"
time_type = "DT"
language = "sv"
text = """
# Ta med
- [ ] Legitimation
- [ ] En lista över dina läkemedel

# Innan du kommer
1. Svara på [frågorna om kontrastmedel](https://{FORM_HOST}/kontrast).
2. **Ring oss** om du kan vara gravid.

Undersökningen tar ungefär 40 minuter. Läs mer på [1177](https://www.1177.se)."""

[[text]]
facility = "{RADIOLOGY.hsa_id}"
time_type = "DT"
language = "en"
text = """
# Bring
- [ ] Proof of identity
- [ ] A list of your medicines

# Before you come
1. Answer [the questions about contrast agents](https://{FORM_HOST}/kontrast).
2. **Call us** if you may be pregnant.

The examination takes about 40 minutes. Read more at [1177](https://www.1177.se)."""

[[text]]
language = "sv"
text = "Kom gärna tio minuter före. Huvudentrén har en ramp och hiss."

[[text]]
language = "en"
text = "Please come ten minutes early. The main entrance has a ramp and a lift."
'''
