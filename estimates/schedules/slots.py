"""The slots of a cron expression in a time zone, as instants in UTC, over changes of the clocks.

Five fields, as in Debian's cron, by `cronsim`:

- Fixed times (neither minute nor hour begins with `*`, such as `30 2 * * *`): a local time that the change
  to summer time skips runs at the first moment after the gap; one that the change back doubles runs once,
  the first time. Two skipped times that land on one moment are one slot.
- Steps (minute or hour begins with `*`, such as `*/15 * * * *` or `0 * * * *`): they follow the time that
  passes. What is skipped does not run, the doubled hour runs twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

ACCEPTED_CRON: Final = (
    "five fields (minute hour day-of-month month day-of-week), such as 17 3 * * * or */15 8-18 * * MON-FRI"
)
#: Missed slots are counted up to here; beyond, the count is told as a lower bound.
MOST_COUNTED: Final = 5_000
#: How far back the last slots are looked for where there are more than that.
_WINDOWS: Final = tuple(timedelta(hours=hours) for hours in (1, 24, 24 * 32, 24 * 400, 24 * 366 * 30))


class InvalidSlots(ValueError):  # noqa: N818
    """A cron expression or a time zone that gives no slots: the field, its value, what is accepted."""

    def __init__(self, field: str, value: object, accepted: str) -> None:
        self.field, self.value, self.accepted = field, value, accepted
        super().__init__(f"{str(value)[:120]!r} is not accepted; accepted: {accepted}")


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every IANA time zone of this machine, posix and right copies left out."""
    return frozenset(available_timezones())


def zone_named(name: str) -> tzinfo:
    """Raises InvalidSlots for a name that is no IANA time zone, with near ones."""
    from config.rest.faults import nearest

    if name == "UTC":
        return UTC
    if name not in zone_names():
        near = nearest(str(name), zone_names(), 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise InvalidSlots("time_zone", name, f"an IANA time zone such as UTC or Europe/Berlin{hint}")
    return ZoneInfo(name)


def check(cron: str, time_zone: str) -> None:
    """Raises InvalidSlots unless the expression has a slot within the next 50 years."""
    zone = zone_named(time_zone)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    if next(_local(cron, zone, start), None) is None:
        raise InvalidSlots("cron", cron, "an expression that some day fulfils")


def _local(cron: str, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """What cronsim says, as it says it; raises InvalidSlots."""
    if not isinstance(cron, str) or len(cron.split()) != 5 or not cron.isascii():
        raise InvalidSlots("cron", cron, ACCEPTED_CRON)
    try:
        return CronSim(cron, after.astimezone(zone))
    except (CronSimError, ValueError, AssertionError, TypeError) as error:
        detail = str(error).removeprefix("Bad ")
        where = f"; see its {detail}" if detail else ""
        raise InvalidSlots("cron", cron, f"{ACCEPTED_CRON}{where}") from None


def slots_after(cron: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """Slots later than an instant, in order, each once. Raises InvalidSlots.

    cronsim reads a local time without its fold: within a doubled hour it may begin with slots of the first
    pass, and skipped times share a moment. Only what is later than the slot before counts.
    """
    last = after.astimezone(UTC)
    for local in _local(cron, zone_named(time_zone), last):
        slot = local.astimezone(UTC)
        if slot > last:
            last = slot
            yield slot


def slots_between(cron: str, time_zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Slots in (after, until]."""
    for slot in slots_after(cron, time_zone, after):
        if slot > until:
            return
        yield slot


def next_slots(cron: str, time_zone: str, after: datetime, count: int = 5) -> list[datetime]:
    """The next few slots."""
    return list(islice(slots_after(cron, time_zone, after), count))


@dataclass(frozen=True, slots=True)
class Missed:
    """The last slots of a span, oldest first, and how many it has in all (`exact`, or at least so many)."""

    last: list[datetime]
    count: int
    exact: bool


def last_slots(cron: str, time_zone: str, after: datetime, until: datetime, most: int) -> Missed:
    """At most so many of the last slots in (after, until], at a cost that long absence does not raise."""
    first = list(islice(slots_between(cron, time_zone, after, until), MOST_COUNTED + 1))
    if len(first) <= MOST_COUNTED:
        return Missed(first[-most:], len(first), exact=True)
    last: list[datetime] = []
    for window in _WINDOWS:
        last = list(slots_between(cron, time_zone, max(after, until - window), until))
        if len(last) >= most:
            break
    return Missed(last[-most:], MOST_COUNTED, exact=False)
