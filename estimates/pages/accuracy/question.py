"""What the accuracy page is asked: a metric, what was left out, filters, the dimension of the slices."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict

from estimates.accuracy.predictions import METRICS, Predictions
from estimates.pages.question import Problem, QuestionError

#: Filters of the page, in the order of its sentence.
FILTERS: Final = ("accelerator", "software", "model", "weight_format", "serving", "tier", "grade")
BY: Final = {
    "accelerator": "accelerator",
    "software": "software",
    "model": "model",
    "weight_format": "number format",
    "serving": "serving",
    "tier": "novelty",
    "grade": "grade",
    "metric": "what was measured",
}


@dataclass(frozen=True)
class AccuracyQuestion:
    """An empty filter takes everything; `apart` adds the rows that are reported apart."""

    metric: str = METRICS[0]
    fold: str = "groups"
    by: str = "accelerator"
    accelerator: str = ""
    software: str = ""
    model: str = ""
    weight_format: str = ""
    serving: str = ""
    tier: str = ""
    grade: str = ""
    apart: str = ""
    rows: str = ""

    def address(self, **changes: object) -> str:
        """The query string, with `changes` applied; only what differs from the default is written."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        pairs = [
            (item.name, str(value))
            for item in fields(changed)
            if (value := getattr(changed, item.name)) != item.default
        ]
        return "?" + urlencode(pairs)

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filters that are set, with the fold."""
        return {"fold": [self.fold]} | {name: [value] for name in FILTERS if (value := getattr(self, name))}

    @property
    def wanted(self) -> dict[str, list[str]]:
        """The filters with the metric."""
        return self.filters | {"metric": [self.metric]}

    @property
    def complete(self) -> bool:
        return not self.apart

    @property
    def api_query(self) -> str:
        """The same question to the API."""
        given = self.wanted | {"by": [self.by]} | ({} if self.complete else {"complete": ["false"]})
        return "?" + urlencode(given, doseq=True)


def read_accuracy_question(query: QueryDict, predictions: Predictions) -> AccuracyQuestion:
    """The question an address asks; an empty parameter is one not given.

    Raises:
        QuestionError: an unknown parameter, a value no prediction has, or one given twice.
    """
    problems: list[Problem] = []
    known = {item.name: str(item.default) for item in fields(AccuracyQuestion)}
    accepted: dict[str, list[str]] = {
        **predictions.values,
        "by": list(BY),
        "apart": ["1"],
        "rows": ["all"],
    }
    chosen = {
        name: accepted[name][0] for name in ("metric", "fold") if known[name] not in accepted[name]
    }  # where nothing of the default was predicted
    for name, values in query.lists():
        filled = [value.strip() for value in values if value.strip()]
        if name not in known:
            problems.append(Problem(name[:60], "is not a parameter of this page", tuple(known)))
        elif len(filled) > 1:
            problems.append(Problem(name, "is given more than once"))
        elif filled and filled[0] not in accepted[name]:
            detail = f"“{filled[0][:60]}” is none of the values that predictions have"
            problems.append(Problem(name, detail, tuple(accepted[name][:12])))
        elif filled:
            chosen[name] = filled[0]
    if problems:
        raise QuestionError(problems)
    return AccuracyQuestion(**chosen)
