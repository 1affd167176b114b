"""The facilities of the simulated region, every one invented. Knows no person and no booking."""

from worker.demo.care_units import BookingSystem, Facility, TimeType

AURORA = BookingSystem("Aurora")
KVARTEN = BookingSystem("Kvarten", writes_minutes_only=True)
GEMEN = BookingSystem("Gemen", writes_lower_case_ids=True)
BLANKETT = BookingSystem("Blankett", writes_empty_elements=True)
ARTIKEL = BookingSystem("Artikel", writes_docbook=True)

DOCTOR = TimeType("LAKARE", "Läkarbesök", 30)
NURSE = TimeType("SSK", "Besök hos sjuksköterska", 20)
SAMPLES = TimeType("PROV", "Provtagning", 15, preparations="Ät och drick ingenting annat än vatten efter midnatt.")
VIDEO = TimeType("VIDEO", "Videobesök", 20, is_remote=True, preparations="Ha din legitimation till hands.")
TELEPHONE = TimeType("TELEFON", "Telefontid", 15, is_remote=True)
FIRST_VISIT = TimeType("NYBESOK", "Nybesök", 45, preparations="Ta med en lista över dina läkemedel.")
FOLLOW_UP = TimeType("ATERBESOK", "Återbesök", 30)
SCAN = TimeType(
    "DT",
    "Datortomografi",
    40,
    preparations="Ät ingenting de sista fyra timmarna.\n\nTa av smycken före undersökningen.",
)
CHECK_UP = TimeType("UNDERSOKNING", "Undersökning", 45)
TALK = TimeType("SAMTAL", "Samtal", 50)
TRAINING = TimeType("TRANING", "Träning i grupp", 60)

HEALTH_CENTRE = Facility(
    hsa_id="SE2321000016-1A01",
    name="Björkängens vårdcentral",
    message_name="Björkängens vårdcentral",
    system=AURORA,
    time_types=(DOCTOR, NURSE, VIDEO, TELEPHONE),
    performer="Leg. läkare Maria Almqvist",
    phone="070-174 06 70",
    address="Björkallén 4, 134 56 Norrviken",
    clinic="Björkängens vårdcentral",
    cancel_deadline="hours:24",
    care_type="Primärvård",
)
LABORATORY = Facility(
    hsa_id="SE2321000016-1A02",
    name="Björkängens provtagning",
    message_name="Björkängens provtagning",
    system=AURORA,
    time_types=(SAMPLES,),
    performer="",
    phone="070-174 06 70",
    address="Björkallén 4, 134 56 Norrviken",
    clinic="Björkängens vårdcentral",
    resource="Provtagningen, plan 1",
)
ORTHOPAEDICS = Facility(
    hsa_id="SE2321000016-2B10",
    name="Ortopedmottagningen, Norrvikens sjukhus",
    message_name="Norrviken, ortopedin",
    system=ARTIKEL,
    time_types=(FIRST_VISIT, FOLLOW_UP),
    performer="Överläkare Östen Åkerlund",
    phone="070-174 06 71",
    address="Sjukhusvägen 1, 134 60 Norrviken",
    clinic="Norrvikens sjukhus",
    cancel_deadline="weekdays:3",
    care_type="Ortopedi",
    resource="Mottagningsrum 7",
    shows_end=True,
)
RADIOLOGY = Facility(
    hsa_id="SE2321000016-2B20",
    name="Röntgen, Norrvikens sjukhus",
    message_name="Norrviken, röntgen",
    system=ARTIKEL,
    time_types=(SCAN,),
    performer="",
    phone="070-174 06 72",
    address="Sjukhusvägen 1, 134 60 Norrviken",
    clinic="Norrvikens sjukhus",
    cancel_deadline="hours:72",
    care_type="Radiologi",
    resource="Kamera 2",
)
SPECIALISTS = Facility(
    hsa_id="SE2321000016-3C00",
    name="Kvarnholmens specialistcentrum",
    message_name="Kvarnholmens specialister",
    system=AURORA,
    time_types=(FIRST_VISIT, FOLLOW_UP),
    performer="Leg. läkare Yusuf Demir",
    phone="070-174 06 73",
    address="Kvarngränd 9, 134 62 Norrviken",
    clinic="Kvarnholmens specialistcentrum",
    cancel_deadline="weekdays:3",
)
SKIN = Facility(
    hsa_id="SE2321000016-3C01",
    parent=SPECIALISTS.hsa_id,
    name="Hudmottagningen, Kvarnholmen",
    message_name="Kvarnholmen, hud",
    system=AURORA,
    time_types=(FIRST_VISIT, FOLLOW_UP),
    performer="Specialistläkare Ingrid Sjöö",
    phone="070-174 06 73",
    address="Kvarngränd 9, plan 2, 134 62 Norrviken",
    clinic="Kvarnholmens specialistcentrum",
    cancel_deadline="weekdays:3",
    care_type="Hudsjukvård",
)
EYES = Facility(
    hsa_id="SE2321000016-3C02",
    parent=SPECIALISTS.hsa_id,
    name="Ögonmottagningen, Kvarnholmen",
    message_name="Kvarnholmen, ögon",
    system=AURORA,
    time_types=(FIRST_VISIT, FOLLOW_UP),
    performer="Specialistläkare Bo Ek",
    phone="070-174 06 73",
    address="Kvarngränd 9, plan 3, 134 62 Norrviken",
    clinic="Kvarnholmens specialistcentrum",
    cancel_deadline="weekdays:3",
    care_type="Ögonsjukvård",
)
DENTISTS = Facility(
    hsa_id="SE2321000016-4D20",
    name="Folktandvården Åsen",
    message_name="Folktandvården Åsen",
    system=KVARTEN,
    time_types=(CHECK_UP, TimeType("TANDHYG", "Tandhygienist", 30)),
    performer="Leg. tandläkare Leila Nordh",
    phone="070-174 06 74",
    address="Åsgatan 12, 134 64 Norrviken",
    clinic="Folktandvården Åsen",
    cancel_deadline="hours:24",
    care_type="Tandvård",
)
PSYCHIATRY = Facility(
    hsa_id="SE2321000016-5E30",
    name="Psykiatriska öppenvården Lindhagen",
    message_name="Lindhagens mottagning",
    system=GEMEN,
    time_types=(TALK, VIDEO),
    performer="Leg. psykolog Nils Wallén",
    phone="070-174 06 75",
    address="Lindhagsgatan 3, 134 66 Norrviken",
    clinic="Lindhagens mottagning",
    cancel_deadline="weekdays:1",
    care_type="Psykiatri",
    is_sensitive=True,
)
YOUTH_CLINIC = Facility(
    hsa_id="SE2321000016-6F40",
    name="Ungdomsmottagningen Hamnen",
    message_name="Mottagningen Hamnen",
    system=GEMEN,
    time_types=(TALK, NURSE),
    performer="Barnmorska Sara Lind",
    phone="070-174 06 76",
    address="Hamnplan 2, 134 68 Norrviken",
    clinic="Mottagningen Hamnen",
    care_type="Ungdomsmottagning",
    is_sensitive=True,
)
MIDWIVES = Facility(
    hsa_id="SE2321000016-7A50",
    name="Solgläntans barnmorskemottagning",
    message_name="Solgläntan",
    system=BLANKETT,
    time_types=(CHECK_UP, TELEPHONE),
    performer="Barnmorska Ebba Öhrn",
    phone="070-174 06 77",
    address="Solgläntan 8, 134 70 Norrviken",
    cancel_deadline="weekdays:1",
    care_type="Mödrahälsovård",
)
PHYSIOTHERAPY = Facility(
    hsa_id="SE2321000016-8B60",
    name="Rehab Västra Norrviken",
    message_name="Rehab Västra Norrviken",
    system=BLANKETT,
    time_types=(TRAINING, CHECK_UP),
    performer="Leg. fysioterapeut Jon Berg",
    phone="070-174 06 78",
    address="Idrottsvägen 5, 134 72 Norrviken",
    care_type="Fysioterapi",
    clinic="Rehab Västra Norrviken",
    resource="Gymnastiksalen",
)
URGENT_CARE = Facility(
    hsa_id="SE2321000016-9C80",
    name="Närakuten Torget",
    message_name="Närakuten Torget",
    system=AURORA,
    time_types=(DOCTOR, NURSE),
    performer="",
    phone="070-174 06 79",
    address="Stora torget 1, 134 50 Norrviken",
    clinic="Närakuten Torget",
    care_type="Närakut, öppen alla dagar",
)
DIGITAL_CARE = Facility(
    hsa_id="SE2321000016-1D90",
    name="Norrvikens digitala mottagning",
    message_name="Norrviken digitalt",
    system=AURORA,
    time_types=(VIDEO, TELEPHONE),
    performer="Leg. läkare Amina Holm",
    phone="070-174 06 80",
    address="",
    clinic="Norrvikens digitala mottagning",
    cancel_deadline="weekdays:1",
)
CHILDREN = Facility(
    hsa_id="SE2321000016-1E95",
    name="Barnmottagningen Ekbacken",
    message_name="Barnmottagningen Ekbacken",
    system=AURORA,
    time_types=(CHECK_UP, FOLLOW_UP),
    performer="Barnläkare Karin Åström",
    phone="070-174 06 81",
    address="Ekbacken 3, 134 74 Norrviken",
    clinic="Barnmottagningen Ekbacken",
    cancel_deadline="weekdays:1",
    care_type="Barn- och ungdomsmedicin",
)

FACILITIES = (
    HEALTH_CENTRE,
    LABORATORY,
    ORTHOPAEDICS,
    RADIOLOGY,
    SPECIALISTS,
    SKIN,
    EYES,
    DENTISTS,
    PSYCHIATRY,
    YOUTH_CLINIC,
    MIDWIVES,
    PHYSIOTHERAPY,
    URGENT_CARE,
    DIGITAL_CARE,
    CHILDREN,
)
