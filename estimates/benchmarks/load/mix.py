"""What readers of the service ask: kinds of request with their shares, and how right answers look.

The shares are those of a site whose visitors mostly look at ranked lists, sometimes open one row or a page,
and now and then ask a question of their own; a fifth of the requests come from programs that ask again
whether something has changed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote, urlencode

from estimates.benchmarks.load.client import Answer, Asked

API: Final = "/api/v1"
#: kind -> requests in a thousand.
SHARES: Final[dict[str, int]] = {
    "ranked list": 380,
    "unchanged (If-None-Match)": 200,
    "estimate": 90,
    "explain": 40,
    "compare": 10,
    "catalogue list": 80,
    "accelerator": 40,
    "price history": 50,
    "changes": 10,
    "evaluate": 15,
    "search": 5,
    "explorer page": 60,
    "prices page": 20,
}
#: What version 0.1.0 answers too.
SHARES_SINCE_0_1_0: Final[dict[str, int]] = {
    kind: share for kind, share in SHARES.items() if kind not in ("compare", "search", "prices page")
}
WORKLOADS_ASKED: Final = 4
CATALOGUE_LISTS: Final = (
    "accelerators?vendor=nvidia&memory_gb__gte=80&ordering=-memory_bandwidth_gbs",
    "accelerators?limit=200&fields=slug,memory_gb,memory_bandwidth_gbs,tdp_w",
    "systems?limit=50",
    "models?limit=50",
    "workloads",
    "vendors",
    "measurements?limit=50",
    "token-prices?limit=50",
)


@dataclass(slots=True)
class Subjects:
    """What may be asked about: slugs, and ids of estimates seen in lists."""

    models: Sequence[str]
    workloads: Sequence[str]
    accelerators: Sequence[str]
    estimates: list[int] = field(default_factory=list)
    methods: Counter[str] = field(default_factory=Counter)  # of the rows of ranked lists


@dataclass(slots=True)
class Reader:
    """One client's view: draws its next request, and knows the ETag of each list that it has seen."""

    subjects: Subjects
    shares: dict[str, int]
    chance: random.Random
    etags: dict[str, str] = field(default_factory=dict)

    def next(self) -> Asked:
        kind = self.chance.choices(list(self.shares), list(self.shares.values()))[0]
        if kind in ("estimate", "explain") and not self.subjects.estimates:
            kind = "ranked list"
        return ASKING[kind](self, kind)

    def fault(self, asked: Asked, answer: Answer) -> str:
        """What is wrong with the answer, in words; empty when nothing is. Remembers what the answer shows."""
        if answer.status == 0:
            return answer.fault
        if answer.status == 404 and asked.kind in ("estimate", "explain"):
            self.forget(asked.path)  # replaced by a recalculation since a list showed it
            return ""
        if answer.status == 304:
            return "" if asked.headers.get("If-None-Match") and not answer.body else "a 304 that nobody asked"
        if answer.status not in (200, 201):
            return f"{answer.status}: {answer.body[:200].decode(errors='replace')}"
        if asked.kind in ("explorer page", "prices page"):
            text = answer.body
            whole = b"</html>" in text[-200:] and b"<main" in text
            return "" if whole else "a page without its end"
        try:
            body = answer.json()
        except ValueError:
            return f"no JSON: {answer.body[:100]!r}"
        if answer.etag and asked.method == "GET":
            self.etags[asked.path] = answer.etag
        return CHECKS.get(asked.kind, _has_results)(self, asked, body)

    def forget(self, path: str) -> None:
        number = int(path.split("/")[4])
        if number in self.subjects.estimates:
            self.subjects.estimates.remove(number)

    def any_list(self) -> str:
        """The address of a ranked list: of each model and workload the plain one most often."""
        query = {
            "model": self.chance.choice(self.subjects.models),
            "workload": self.chance.choice(self.subjects.workloads),
        }
        extra = self.chance.random()
        if extra > 0.9:
            query |= {"objective": "fastest", "ordering": "tpot_ms"}
        elif extra > 0.8:
            query |= {"vendor": "nvidia", "count__lte": "8"}
        return f"{API}/estimates?{urlencode(query)}"


def _ranked(reader: Reader, kind: str) -> Asked:
    return Asked(kind, reader.any_list())


def _unchanged(reader: Reader, kind: str) -> Asked:
    seen = [path for path in reader.etags if path.startswith(f"{API}/estimates?")]
    if not seen:
        return Asked("ranked list", reader.any_list())
    path = reader.chance.choice(seen[-20:])
    return Asked(kind, path, headers={"If-None-Match": reader.etags[path]})


def _estimate(reader: Reader, kind: str) -> Asked:
    return Asked(kind, f"{API}/estimates/{reader.chance.choice(reader.subjects.estimates)}")


def _explain(reader: Reader, kind: str) -> Asked:
    return Asked(kind, f"{API}/estimates/{reader.chance.choice(reader.subjects.estimates)}/explain")


def _question(reader: Reader) -> dict[str, Any]:
    return {
        "model": reader.chance.choice(reader.subjects.models),
        "accelerator": reader.chance.choice(reader.subjects.accelerators),
        "count": 8,
        "workload": {"isl": reader.chance.choice((512, 1024, 4096)), "osl": 512},
    }


def _evaluate(reader: Reader, kind: str) -> Asked:
    return Asked(kind, f"{API}/estimates/evaluate", "POST", _question(reader))


def _compare(reader: Reader, kind: str) -> Asked:
    one = _question(reader)
    other = one | {"accelerator": reader.chance.choice(reader.subjects.accelerators), "label": "the other"}
    return Asked(kind, f"{API}/estimates/compare", "POST", {"options": [one | {"label": "the one"}, other]})


def _search(reader: Reader, kind: str) -> Asked:
    model = reader.chance.choice(reader.subjects.models)
    body = {"model": model, "workload": "chat", "demand": {"concurrency": 64}, "limit": 10}
    return Asked(kind, f"{API}/estimates/search", "POST", body)


def _catalogue(reader: Reader, kind: str) -> Asked:
    return Asked(kind, f"{API}/{reader.chance.choice(CATALOGUE_LISTS)}")


def _accelerator(reader: Reader, kind: str) -> Asked:
    return Asked(kind, f"{API}/accelerators/{quote(reader.chance.choice(reader.subjects.accelerators))}")


def _history(reader: Reader, kind: str) -> Asked:
    slug = reader.chance.choice(reader.subjects.accelerators)
    return Asked(kind, f"{API}/price-quotes?accelerator={quote(slug)}&ordering=-observed_on&limit=200")


def _changes(reader: Reader, kind: str) -> Asked:
    slug = reader.chance.choice(reader.subjects.accelerators)
    return Asked(kind, f"{API}/changes?subject={quote(slug)}&limit=5")


def _page(reader: Reader, kind: str) -> Asked:
    query = {
        "model": reader.chance.choice(reader.subjects.models),
        "workload": reader.chance.choice(reader.subjects.workloads),
    }
    return Asked(kind, f"/?{urlencode(query)}")


def _prices_page(reader: Reader, kind: str) -> Asked:
    return Asked(kind, f"/prices/?accelerator={quote(reader.chance.choice(reader.subjects.accelerators))}")


ASKING: Final[dict[str, Callable[[Reader, str], Asked]]] = {
    "ranked list": _ranked,
    "unchanged (If-None-Match)": _unchanged,
    "estimate": _estimate,
    "explain": _explain,
    "compare": _compare,
    "catalogue list": _catalogue,
    "accelerator": _accelerator,
    "price history": _history,
    "changes": _changes,
    "evaluate": _evaluate,
    "search": _search,
    "explorer page": _page,
    "prices page": _prices_page,
}


def _right_list(reader: Reader, asked: Asked, body: Any) -> str:
    """Rows of the model that was asked for, in the order that was asked for."""
    rows = body.get("results")
    if not rows:
        return "a ranked list without rows"
    model = asked.path.split("model=")[1].split("&")[0]
    if any(row["model"] != model for row in rows):
        return f"rows of another model than {model}"
    if "ordering=tpot_ms" in asked.path:
        figures = [row["tpot_ms"] for row in rows if row["tpot_ms"] is not None]
    else:
        figures = [float(row["usd_per_mtok_output"]) for row in rows if row["usd_per_mtok_output"]]
    if any(after < before * (1 - 1e-4) for before, after in pairwise(figures)):
        return "rows out of order"
    reader.subjects.methods.update(row["method_version"] for row in rows)
    known = reader.subjects.estimates
    if len(known) > 500:
        del known[:250]
    known.extend(row["id"] for row in rows[:3])
    return ""


def _right_estimate(reader: Reader, asked: Asked, body: Any) -> str:
    return "" if body.get("id") == int(asked.path.split("/")[4]) else "another estimate"


def _right_explanation(reader: Reader, asked: Asked, body: Any) -> str:
    return "" if body.get("facts") and body.get("formulas") else "an explanation without facts or formulas"


def _right_evaluation(reader: Reader, asked: Asked, body: Any) -> str:
    return "" if body.get("state") and body.get("model") == asked.body["model"] else "no state"


def _right_comparison(reader: Reader, asked: Asked, body: Any) -> str:
    return "" if body.get("pairs") is not None else "a comparison without pairs"


def _right_accelerator(reader: Reader, asked: Asked, body: Any) -> str:
    return "" if body.get("slug") == asked.path.rsplit("/", 1)[1] else "another accelerator"


def _has_results(reader: Reader, asked: Asked, body: Any) -> str:
    return "" if isinstance(body.get("results"), list) else "a list without results"


CHECKS: Final[dict[str, Callable[[Reader, Asked, Any], str]]] = {
    "ranked list": _right_list,
    "unchanged (If-None-Match)": _right_list,
    "estimate": _right_estimate,
    "explain": _right_explanation,
    "evaluate": _right_evaluation,
    "compare": _right_comparison,
    "accelerator": _right_accelerator,
}
