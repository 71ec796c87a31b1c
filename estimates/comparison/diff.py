"""One estimate at two instants or by two methods: what changed, by whom, and how much of it each explains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from estimates.comparison.attribution import Attributed, attribute
from estimates.comparison.diff_ends import (
    Ends,
    attributed_in_time,
    ends_by_method,
    ends_in_time,
    method_causes,
)
from estimates.comparison.diff_question import METHODS, Diff, read_diff
from estimates.comparison.earlier_methods import against_earlier, when
from estimates.method import method_version
from estimates.what_if import Fault, InvalidQuestion

#: What has no history, said with every diff of instants.
AS_THEY_STAND: Final = (
    "links and domain that the offer itself states",
    "checkpoints, efficiency data and method: today's on both sides",
)


def answer_diff(data: Any) -> dict[str, Any]:
    """The diff as plain values. Raises InvalidQuestion."""
    diff = read_diff(data)
    try:
        return _answered(diff)
    except InvalidQuestion as error:
        raise InvalidQuestion(*map(_placed, error.faults)) from None


def _placed(fault: Fault) -> Fault:
    """A fault of the question by its place in the body."""
    own = fault.pointer in ("/from", "/to", "/from_method", "/to_method")
    return fault if own else replace(fault, pointer=f"/question{fault.pointer}")


def _answered(diff: Diff) -> dict[str, Any]:
    asked = {
        "question": diff.asked.question.model_dump(mode="json", exclude_defaults=True),
        "estimate": diff.asked.estimate,
    }
    if diff.start is not None and diff.end is not None:
        ends = ends_in_time(diff.asked, (diff.start, diff.end), (diff.start_day, diff.end_day))
        return asked | {
            "from": {"at": diff.start, "method": method_version()},
            "to": {"at": diff.end, "method": method_version()},
            **_told(ends, attributed_in_time(ends)),
            "taken_as_they_stand": list(AS_THEY_STAND),
        }
    return asked | (_of_today(diff) if diff.from_method in METHODS else _of_earlier(diff))


def _of_today(diff: Diff) -> dict[str, Any]:
    ends = ends_by_method(diff.asked, (diff.from_method, diff.to_method))
    attributed = None
    if ends.before.runs and ends.after.runs:
        attributed = attribute(ends.before, ends.after, method_causes(ends.before, ends.after))
    return {
        "from": {"at": None, "method": diff.from_method, "meaning": METHODS[diff.from_method]},
        "to": {"at": None, "method": diff.to_method, "meaning": METHODS[diff.to_method]},
        **_told(ends, attributed),
        "taken_as_they_stand": ["every fact and price: today's on both sides"],
    }


def _of_earlier(diff: Diff) -> dict[str, Any]:
    earlier = against_earlier(diff.asked, diff.from_method)
    told = _told(earlier.ends, earlier.attributed)
    return {
        "from": {"at": when(earlier), "method": earlier.method.version},
        "to": {"at": None, "method": method_version()},
        **told,
        "before": earlier.before_json(),
        "taken_as_they_stand": [AS_THEY_STAND[0]],
    }


def _told(ends: Ends, attributed: Attributed | None) -> dict[str, Any]:
    before, after = ends.answers
    why_not = None
    for name, side in (("before", ends.before), ("after", ends.after)):
        if not side.runs and why_not is None:
            reason = side.estimate.reason
            why_not = f"{name}, it does not run: {reason.detail if reason else 'no answer'}"
    found = attributed.as_json() if attributed else {"metrics": {}, "not_compared": {}, "changes": {}}
    return {
        "before": before,
        "after": after,
        "facts": [change.as_json() for change in ends.changes],
        "why_not": why_not,
        **found,
    }
