"""Claims and their answers in words: for the command line, the API and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.models import PublishedClaim
from estimates.claims.verdict import WORDS

#: A verdict as a word and a glyph whose shape alone tells it.
SAID: Final = {
    "agrees": "agrees",
    "disagrees": "disagrees",
    "answered": "answered",
    "cannot_be_evaluated": "cannot be evaluated",
}
RELATIONS: Final = {"eq": "", "le": "at most ", "ge": "at least "}


def claimed(claim: PublishedClaim) -> str:
    """What is claimed, in a few words."""
    if claim.value is None:
        return "an open question"
    if claim.quantity == "fits":
        return "fits" if claim.value else "does not fit"
    stated = (claim.parameters or {}).get("range")
    number = f"{figure(stated[0])} to {figure(stated[1])}" if stated else figure(claim.value)
    return RELATIONS.get(claim.relation, "") + with_unit(number, claim.unit)


def ours(answer: Mapping[str, Any], unit: str, quantity: str = "") -> str:
    """Our own number, and in brackets its 80% interval."""
    width = our_interval(answer)
    return our_number(answer, unit, quantity) + (f" (80%: {width})" if width else "")


def our_number(answer: Mapping[str, Any], unit: str, quantity: str = "") -> str:
    """One value, or the range over the open conditions."""
    if answer["value"] is None:
        return "none"
    if quantity == "fits":
        fitting = sum(row["value"] == 1 for row in answer["rows"])
        if answer["combinations"] > 1:
            return f"fits in {fitting} of {answer['combinations']}"
        return "fits" if fitting else "does not fit"
    start, end = figure(answer["value_from"]), figure(answer["value_to"])
    return with_unit(start if start == end else f"{start} to {end}", unit)


def our_interval(answer: Mapping[str, Any]) -> str:
    """The 80% intervals of all open conditions together; none of a figure of the catalogue."""
    if answer["low"] is None or (answer["low"], answer["high"]) == (answer["value_from"], answer["value_to"]):
        return ""
    return f"{figure(answer['low'])} to {figure(answer['high'])}"


def difference(answer: Mapping[str, Any]) -> str:
    """By how much a claim lies beyond what would agree."""
    off = answer["off_by"]
    if off is None:
        return ""
    if 0.8 < off < 1.25:
        return f"{abs(off - 1):.0%} {'above our highest' if off > 1 else 'below our lowest'}"
    return f"{figure(off)} times our highest" if off > 1 else f"our lowest is {figure(1 / off)} times it"


def verdict_line(answer: Mapping[str, Any]) -> str:
    """The verdict with its reason: by how much, in how many conditions, which fact."""
    word = SAID[answer["verdict"]]
    if answer["verdict"] == "disagrees":
        return f"{word}: {difference(answer) or answer['why']}"
    if answer["verdict"] == "cannot_be_evaluated":
        lacking = ", ".join(answer["missing"]) or answer["why"]
        return f"{word}, for want of {lacking}" if answer["missing"] else f"{word}: {lacking}"
    if answer["verdict"] == "agrees" and answer["combinations"] > 1 and not answer["holding"]:
        return f"{word}: between the conditions answered"
    if answer["verdict"] == "agrees" and answer["combinations"] > 1:
        return f"{word} in {answer['holding']} of {answer['combinations']} conditions"
    return word


def over_words(answer: Mapping[str, Any]) -> str:
    """What the answer is a range over."""
    return "; ".join(
        f"{name}: {values[0]}" if len(values) == 1 else f"{name}: {', '.join(values)}"
        for name, values in answer["over"].items()
    )


def printed(claim: PublishedClaim, answer: Mapping[str, Any], *, rows: bool = False) -> str:
    """A claim and its answer on a few lines."""
    grade = f", grade {answer['grade']}" if answer["grade"] else ""
    lines = [
        f"{claim.slug}",
        f"  {claim.subject}: {claim.quantity.replace('_', ' ')} {claimed(claim)}",
        f"  ours: {ours(answer, claim.unit, claim.quantity)}{grade}",
        f"  {verdict_line(answer)}",
    ]
    if answer["over"]:
        lines.append(f"  over {over_words(answer)}")
    if answer["fitted"]:
        lines.append(f"  no test: {answer['fitted']}")
    if rows:
        for row in answer["rows"]:
            at = ", ".join(row["conditions"].values()) or "as stated"
            value = "none" if row["value"] is None else figure(row["value"])
            width = "" if row["low"] == row["high"] else f" ({figure(row['low'])} to {figure(row['high'])})"
            tail = "; ".join(filter(None, (row["grade"], row["deployment"], row["detail"])))
            lines.append(f"    {at}: {value}{width} {tail}")
    return "\n".join(lines) + "\n"


def counted(answers: Sequence[Mapping[str, Any]]) -> str:
    """How many claims have each verdict."""
    found = Counter(answer["verdict"] for answer in answers)
    parts = [f"{found[word]} {SAID[word]}" for word in WORDS if found[word]]
    if not answers:
        return "no claims"
    fitted = sum(bool(answer["fitted"]) for answer in answers if answer["verdict"] == "agrees")
    note = f"; of those that agree {fitted} are figures the method was fitted to" if fitted else ""
    return f"{len(answers)} claims: {', '.join(parts)}{note}"


def with_unit(number: str, unit: str) -> str:
    if unit == "x":
        return f"{number} times"
    return f"USD {number}" if unit == "USD" else f"{number} {unit}".rstrip()


def figure(value: float | None) -> str:
    """Three significant digits, never an exponent."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
