"""A linear axis of days: ticks at the first of months or years, as few as can be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from estimates.pages.chart import Tick, per_cent

#: Months between two labels, the smallest that leaves at most so many of them.
STEPS = (1, 2, 3, 6, 12, 24, 60)
MOST_TICKS = 9


@dataclass(frozen=True)
class DayAxis:
    """From one day to a later one."""

    first: date
    last: date

    def share(self, day: date) -> float:
        return (day - self.first).days / max(1, (self.last - self.first).days)

    def ticks(self) -> list[Tick]:
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        step = next((step for step in STEPS if months / step <= MOST_TICKS), STEPS[-1])
        found = []
        for count in range(self.first.year * 12, self.last.year * 12 + 12, step):
            day = date(count // 12, count % 12 + 1, 1)
            if self.first <= day <= self.last:
                text = f"{day:%Y}" if day.month == 1 else f"{day:%b}" if step < 12 else ""
                found.append(Tick(per_cent(self.share(day)), text, day.month == 1))
        return found
