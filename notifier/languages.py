"""Languages that words can be in: any that dates can be said in, written from the left or from the right. Pure."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import get_day_names

SWEDISH = "sv"
SHIPPED = (SWEDISH, "en")  # what the product speaks itself; Swedish is what everything falls back on


def is_known(language: str) -> bool:
    """Whether texts may be kept in it: `ar`, `so`, `fa-AF`, ... (BCP 47)."""
    return _parsed(language) is not None


def is_from_the_right(language: str) -> bool:
    locale = _parsed(language)
    return locale is not None and locale.text_direction == "rtl"


def swedish_name(language: str) -> str:
    """`arabiska`; the code itself where Swedish has no name for it."""
    locale = _parsed(language)
    return (locale.get_display_name(SWEDISH) if locale else None) or language


@lru_cache(maxsize=256)
def dates_in(language: str) -> str:
    """The locale whose dates are said in that language; Swedish where its days have no names that we know."""
    locale = _parsed(language)
    if locale is None or (language != "en" and get_day_names(locale=locale) == get_day_names(locale="root")):
        return SWEDISH
    return str(locale)


@lru_cache(maxsize=256)
def _parsed(language: str) -> Locale | None:
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, TypeError, UnknownLocaleError):
        return None
    return locale if str(locale).replace("_", "-") == language != "root" else None
