"""Numbers for people: three significant digits, SI prefixes, and a column aligned on the decimal point."""

import math
from datetime import date

FIGURE_SPACE = "\u2007"  # as wide as a digit
PUNCTUATION_SPACE = "\u2008"  # as wide as a full stop
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def significant(value: float, digits: int = 3, most_decimals: int = 6) -> str:
    """A number to so many significant digits, never in exponent form, thousands separated."""
    if value == 0:
        return "0"
    value = float(f"{value:.{digits - 1}e}")  # 0.9999 is 1.00, not 1.000
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{min(max(places, 0), most_decimals)}f}"


def aligned(value: float, decimals: int, digits: int = 3) -> str:
    """The same, padded so that right-aligned numbers of a column stand on one decimal point."""
    text = significant(value, digits, decimals)
    _, point, fraction = text.partition(".")
    padding = FIGURE_SPACE * (decimals - len(fraction))
    return text + ("" if point or not decimals else PUNCTUATION_SPACE) + padding


def prefixed(value: float, unit: str, digits: int = 3) -> str:
    """3.35e12, "B/s" -> "3.35 TB/s"."""
    for factor, prefix in PREFIXES:
        if abs(value) >= factor * 0.9995:
            return f"{significant(value / factor, digits)} {prefix}{unit}"
    return f"{significant(value, digits)} {unit}"


def duration(seconds: float) -> str:
    """Seconds in the unit a person would say: "840 µs", "12.4 ms", "1.8 s"."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor * 0.9995:
            return f"{significant(seconds / factor)} {unit}"
    return f"{significant(seconds * 1e9)} ns" if seconds > 0 else "0"


def age(day: date, today: date) -> str:
    """How long ago: "today", "12 days", "7 months", "2 years"."""
    return days_old((today - day).days)


def days_old(days: int) -> str:
    """An age in days as a person would say it."""
    if days <= 0:
        return "today"
    if days < 60:
        return f"{days} day{'s' if days > 1 else ''}"
    if days < 730:
        return f"{round(days / 30.44)} months"
    return f"{round(days / 365.25)} years"
