"""What the claims page is asked: which verdict, which figures, which part, which claim is open."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from estimates.claims.printed import SAID
from estimates.pages.question import Problem, QuestionError

#: Groups of claims by what answers them.
FIGURES: Final = {
    "catalogue": "capacities, counts and rates",
    "speed": "speeds and waits",
    "ratio": "one machine against another",
    "fit": "what fits on what",
    "cost": "costs",
}
KIND_OF: Final = {
    "system_figure": "catalogue",
    "accelerator_figure": "catalogue",
    "estimate": "speed",
    "ratio": "ratio",
    "fit": "fit",
    "cost": "cost",
}


@dataclass(frozen=True, slots=True)
class ClaimsQuestion:
    """The page's question; its address holds all of it."""

    verdict: str = ""
    figures: str = ""
    vendor: str = ""
    open: str = ""

    def address(self, **changes: Any) -> str:
        """The query string with some parts changed; "?" where nothing is asked."""
        asked = asdict(replace(self, **changes))
        return "?" + urlencode({name: value for name, value in asked.items() if value})


def read_claims_question(given: QueryDict, vendors: list[str]) -> ClaimsQuestion:
    """Raises QuestionError for a value that is not accepted."""
    accepted = {"verdict": list(SAID), "figures": list(FIGURES), "vendor": vendors}
    problems = [
        Problem(name, f"{given[name][:60]!r} is not accepted", tuple(values))
        for name, values in accepted.items()
        if given.get(name) and given[name] not in values
    ]
    if problems:
        raise QuestionError(problems)
    return ClaimsQuestion(
        **{name: given.get(name, "") for name in accepted},
        open=given.get("open", "")[:200],
    )
