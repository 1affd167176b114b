"""Words that tell what a visit is about: they belong in no SMS and no e-mail. Swedish and English. Pure.

A `*` stands for any letters, so that compounds are found: `*cancer*` finds bröstcancerkontroll.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_SWEDISH = """
    *abort* adhd aids *alkohol* *allergi* *anestesi* *antibioti* *ångest* *artros* astma* *autism* bakterie*
    *behandling* *beroende* *biopsi* *blodprov* *blodtryck* bup *cancer* *cellprov* *cytostatika* *dement* *demens*
    *depression* *diabet* *diagnos* *dialys* *droger* *endoskopi* *epilepsi* *erektion* *fertilitet* *förlossning*
    *gastroskopi* *graviditet* gravid* *gynekolog* gyn *hepatit* hiv hjärtf* hjärtk* hjärtm* hjärtsv* hjärtinf* hud
    hudk* hudl* hudm* *infektion* *injektion* *inkontinens* *insulin* ivf *kirurg* *klamydia* kol *koloskopi*
    *kondylom* *könssjuk* *läkemedel* *leukemi* *mammografi* *medicin* *menstruation* *metadon* *migrän* *missbruk*
    *missfall* *narkos* *narkotika* *neuropsyk* *njur* *onkolog* *operation* *operera* *palliativ* *preventivmedel*
    *prostata* *provsvar* *provtagning* *psykiatr* *psykisk* *psykolog* *psykos* *psykoterapi* e-recept* recept*
    *reumat* *röntgen* *självmord* *sjukdom* *smitta* *steriliser* *strålbehandling* *suicid* *svulst* *symtom*
    *symptom* *terapi* test tester testet *transplant* *trauma* *tuberkulos* *tumör* *ultraljud* *undersökning*
    *urinprov* *vaccin* *vasektomi* *venereo* *återfall* *ätstörning*
"""
_ENGLISH = """
    abortion* addict* alcohol* allerg* antibiotic* anxiety arthritis asthma autism biopsy biopsies cancer* chemo*
    chlamydia contracept* dementia depress* detox* diabet* diagnos* dialysis disease* drug drugs endoscop* epilep*
    fertility gynaecolog* gynecolog* hepatitis herpes hiv illness* infect* injection* insulin ivf leukaemia leukemia
    mammogra* medication* medicine* mental* methadone miscarriage* oncolog* operation* overdose* palliative pregnan*
    prescription* prostate psychiatr* psycholog* psychos* psychotherap* radiolog* radiotherap* relapse* screening
    smear sterilis* steriliz* std sti suicid* surger* surgical symptom* therap* transplant* treatment* tumor* tumour*
    tuberculosis ultrasound vaccin* vasectom* xray* x-ray x-rays
"""
_NOT_MEANT = frozenset({"reception", "receptionen", "receptionens", "receptions", "hudiksvall", "hudiksvalls"})
SHIPPED = tuple(dict.fromkeys((*_SWEDISH.split(), *_ENGLISH.split())))


@dataclass(frozen=True, slots=True)
class HealthWord:
    """A word found in a text. `place` counts from 1."""

    place: int
    word: str


def found_in(text: str, patterns: tuple[str, ...]) -> Iterator[HealthWord]:
    """Every word that one of the patterns stands for."""
    listed = _compiled(patterns)
    for match in re.finditer(r"[\w-]+", text):
        word = match[0].casefold()
        if word not in _NOT_MEANT and (listed.fullmatch(word) or any(map(listed.fullmatch, word.split("-")))):
            yield HealthWord(match.start() + 1, match[0])


def read(lines: Iterable[str]) -> tuple[str, ...]:
    """A list of one's own: a word a line, `#` begins a remark. `-ord` takes a word off the shipped list, all others
    are added to it."""
    own = [line.partition("#")[0].strip().casefold() for line in lines]
    taken_off = {word[1:].strip(" *") for word in own if word.startswith("-")}
    added = [word for word in own if word and not word.startswith("-")]
    return tuple(word for word in dict.fromkeys((*SHIPPED, *added)) if word.strip("*") not in taken_off)


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(one).replace(r"\*", r"\w*") for one in patterns) or r"(?!)")
