"""What a diff asks: one question at two instants, or by two methods; read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from estimates.comparison.history import end_of
from estimates.comparison.options import OptionAsked, read_option
from estimates.comparison.reading import read
from estimates.what_if import Fault, InvalidQuestion

#: Methods that any question can be answered by now.
PHYSICS, MULTIPLIERS, CALIBRATED = "physics", "multipliers", "calibrated"
METHODS: Final = {
    PHYSICS: "datasheets and measured kernels alone, nothing learnt from published runs",
    MULTIPLIERS: "with the coefficients learnt from published runs, without the residuals of measured kin",
    CALIBRATED: "as every estimate is made",
}
INSTANT: Final = "a day (YYYY-MM-DD: its end, UTC) or a time (ISO 8601), not in the future"


class DiffAsked(BaseModel):
    """A what-if or a stored estimate, and either two instants or two methods."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: dict[str, Any] | None = Field(
        default=None, description="a what-if as POST /estimates/evaluate takes"
    )
    estimate: int | None = Field(default=None, description="id of a stored estimate, in its place")
    from_: str | None = Field(default=None, alias="from", max_length=40, description=INSTANT)
    to: str | None = Field(default=None, max_length=40, description=f"{INSTANT}; default: now")
    from_method: str | None = Field(
        default=None,
        max_length=40,
        description=f"{', '.join(METHODS)}, or of a stored estimate how an earlier method's version begins",
    )
    to_method: str | None = Field(default=None, max_length=40, description=f"default: {CALIBRATED}")


@dataclass(frozen=True, slots=True)
class Diff:
    """A checked diff: either both instants, or both methods."""

    asked: OptionAsked
    start: datetime | None = None
    end: datetime | None = None
    start_day: date | None = None
    end_day: date | None = None
    from_method: str = ""
    to_method: str = ""


def read_diff(data: Any) -> Diff:
    """Raises InvalidQuestion with every fault found."""
    asked = read(DiffAsked, data)
    if (asked.question is None) == (asked.estimate is None):
        detail = "a diff is of a question or of a stored estimate"
        raise InvalidQuestion(Fault("/question", "one_of", detail, ["question", "estimate"]))
    by_time = asked.from_ is not None or asked.to is not None
    by_method = asked.from_method is not None or asked.to_method is not None
    if by_time == by_method:
        detail = "a diff is between two instants or between two methods"
        raise InvalidQuestion(Fault("/from", "one_of", detail, ["from and to", "from_method and to_method"]))
    if asked.question is None:
        option = read_option({"estimate": asked.estimate}, "")
    else:
        option = read_option(asked.question, "/question")
    if by_method:
        return _by_method(asked, option)
    if asked.from_ is None:
        raise InvalidQuestion(Fault("/from", "missing", "from is required", INSTANT))
    if option.question.price.as_of is not None:
        detail = "price.as_of is set by from and to"
        raise InvalidQuestion(Fault("/question/price/as_of", "conflict", detail, "none"))
    start, start_day = instant_of(asked.from_, "/from")
    end, end_day = instant_of(asked.to, "/to") if asked.to is not None else _now()
    if start >= end:
        detail = f"from is {asked.from_}, not before to"
        raise InvalidQuestion(Fault("/from", "order", detail, "an earlier instant than to"))
    return Diff(option, start, end, start_day, end_day)


def _by_method(asked: DiffAsked, option: OptionAsked) -> Diff:
    if asked.from_method is None:
        raise InvalidQuestion(Fault("/from_method", "missing", "from_method is required", list(METHODS)))
    to_method = asked.to_method or CALIBRATED
    if to_method not in METHODS:
        detail = f"to_method is {to_method!r}; earlier methods are compared with today's"
        raise InvalidQuestion(Fault("/to_method", "unknown_method", detail, list(METHODS)))
    if asked.from_method == to_method:
        raise InvalidQuestion(Fault("/from_method", "same", "the two methods are one", list(METHODS)))
    if asked.from_method not in METHODS and to_method != CALIBRATED:
        detail = f"to_method is {to_method!r}; earlier methods are compared with today's whole one"
        raise InvalidQuestion(Fault("/to_method", "unknown_method", detail, [CALIBRATED]))
    if asked.from_method not in METHODS and option.estimate is None:
        detail = f"from_method is {asked.from_method!r}: stored estimates alone have answers of earlier ones"
        raise InvalidQuestion(Fault("/from_method", "unknown_method", detail, list(METHODS)))
    return Diff(option, from_method=asked.from_method, to_method=to_method)


def instant_of(text: str, pointer: str) -> tuple[datetime, date]:
    """The instant of a text, and its day. Raises InvalidQuestion."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            instant = end_of(day)
        else:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=UTC)
            instant = instant.astimezone(UTC)
            day = instant.date()
    except (ValueError, OverflowError):
        raise InvalidQuestion(Fault(pointer, "invalid", f"{pointer[1:]} is {text[:40]!r}", INSTANT)) from None
    now = timezone.now()
    if day > now.date() or (len(text) != 10 and instant > now):
        raise InvalidQuestion(Fault(pointer, "future", f"{pointer[1:]} is {text}, in the future", INSTANT))
    return instant, day


def _now() -> tuple[datetime, date]:
    now = timezone.now()
    return now, now.date()
