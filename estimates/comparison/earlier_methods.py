"""A stored estimate against what an earlier method said of it: the part of the facts, and that of the method.

The earlier method cannot be run again: of it there are figures alone. Its part is found by answering the
question as its facts stood with today's method; from there to today's answer each changed fact has its share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import log
from typing import Any, Final

from django.utils import timezone

from estimates.comparison.attribution import Attributed, Attribution, Share
from estimates.comparison.causes import Cause, Difference
from estimates.comparison.diff_ends import Ends, attributed_in_time, ends_in_time
from estimates.comparison.models import Method, SupersededEstimate
from estimates.comparison.options import OptionAsked
from estimates.comparison.superseded import kept_answers
from estimates.method import method_version
from estimates.models import Estimate, State
from estimates.what_if import Fault, InvalidQuestion

#: Names the newest earlier method of which an answer is kept.
PREVIOUS: Final = "previous"
FIGURES: Final = ("tpot_ms", "ttft_ms", "throughput_tok_s")
NOTE: Final = "the method first, with the deployment it chose, then the facts"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier method said, and the ends of what has changed in the facts since."""

    method: Method
    answer: SupersededEstimate
    ends: Ends
    attributed: Attributed | None

    def before_json(self) -> dict[str, Any]:
        """The kept figures; there is no more of that answer."""
        kept = self.answer
        return {
            "state": State(kept.state).name.lower(),
            "results": {name: getattr(kept, name) for name in FIGURES},
            "calculated_at": kept.calculated_at,
            "model_version": kept.model_version,
            "accelerator_version": kept.accelerator_version,
            "method_version": self.method.version,
        }


def against_earlier(asked: OptionAsked, wanted: str) -> Earlier:
    """The stored estimate against the kept answer of a method. Raises InvalidQuestion."""
    row = Estimate.objects.get(pk=asked.estimate or 0)
    method, answer = _kept(row, wanted)
    now = timezone.now()
    then = answer.calculated_at or now
    ends = ends_in_time(asked, (then, now), (then.date(), now.date()))
    facts = attributed_in_time(ends)
    return Earlier(method, answer, ends, None if facts is None else _with_method(method, answer, facts))


def _kept(row: Estimate, wanted: str) -> tuple[Method, SupersededEstimate]:
    known = kept_answers(row)
    found = known[:1] if wanted == PREVIOUS else [one for one in known if one[0].version.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    detail = f"no answer by the method {wanted!r} is kept of estimate {row.pk}"
    if len(found) > 1:
        detail = f"{wanted!r} begins more than one method of estimate {row.pk}"
    accepted = [method.version for method, _ in known] or None
    raise InvalidQuestion(Fault("/from_method", "unknown_method", detail, accepted))


def _with_method(method: Method, answer: SupersededEstimate, facts: Attributed) -> Attributed:
    """The attribution of the facts, with the method before it."""
    cause = Cause("method", "method", "method", differences=tuple(_method_differences(method.version)))
    metrics: dict[str, Attribution] = {}
    missing = dict(facts.missing)
    missing["usd_per_mtok_output"] = "no cost is kept of an earlier method"
    for name in FIGURES:
        kept, found = getattr(answer, name), facts.metrics.get(name)
        if not kept or found is None:
            missing.setdefault(name, "the earlier method gave none")
            continue
        part = log(found.before / kept)
        shares = (Share(cause, part, part), *found.shares)
        metrics[name] = replace(found, before=kept, shares=shares, note=NOTE)
    return Attributed((cause, *facts.causes), metrics, missing)


def _method_differences(version: str) -> list[Difference]:
    """Code and efficiency data, by their digests."""
    old, new = version.partition("-"), method_version().partition("-")
    rows = [("code", old[0], new[0]), ("efficiency data", old[2], new[2])]
    return [Difference(name, before, after) for name, before, after in rows if before != after]


def when(earlier: Earlier) -> datetime | None:
    """When the earlier answer was calculated."""
    return earlier.answer.calculated_at
