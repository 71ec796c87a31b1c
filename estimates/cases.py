"""The cases that other estimators were run on, asked as what-ifs and set beside what those answered.

Cases and answers of others are data (`data/cases.csv`, `data/case_peers.csv`); ours are made by
`estimates.evaluate`, the path of the API.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from estimates.evaluate import evaluate

DATA: Final = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, slots=True)
class Case:
    """A model on chips under `concurrency` users in a closed loop. `weights` None: as the checkpoint is."""

    slug: str
    model: str
    accelerator: str
    count: int
    weights: str | None
    tp: int
    isl: int
    osl: int
    concurrency: int

    def question(self, *, at_best_load: bool = False) -> dict[str, Any]:
        """The what-if as POST /api/v1/estimates/evaluate takes it; at its own load or at the best."""
        deployment: dict[str, Any] = {"tp": self.tp, "pp": 1, "replicas": 1}
        if self.weights is not None:
            deployment["weights"] = self.weights
        if not at_best_load:
            deployment["concurrency"] = self.concurrency
        return {
            "model": self.model,
            "accelerator": self.accelerator,
            "count": self.count,
            "workload": {"isl": self.isl, "osl": self.osl},
            "deployment": deployment,
        }


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """What another estimator said of a case; `value` None where it said something in words."""

    case: str
    tool: str
    metric: str
    value: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A case, our answer (`estimates.answers`) and the others'. `best`: ours at the best load."""

    case: Case
    answer: dict[str, Any]
    best: dict[str, Any] | None
    peers: tuple[PeerAnswer, ...]


def read_cases() -> list[Case]:
    """The list, in its order."""
    return [
        Case(
            slug=row["case"],
            model=row["model"],
            accelerator=row["accelerator"],
            count=int(row["count"]),
            weights=row["weights"] or None,
            tp=int(row["tp"]),
            isl=int(row["isl"]),
            osl=int(row["osl"]),
            concurrency=int(row["concurrency"]),
        )
        for row in _rows("cases.csv")
    ]


def read_peers() -> list[PeerAnswer]:
    """What others said of the cases."""
    return [
        PeerAnswer(
            row["case"],
            row["tool"],
            row["metric"],
            float(row["value"]) if row["value"] else None,
            row["note"],
        )
        for row in _rows("case_peers.csv")
    ]


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def answered(cases: Iterable[Case]) -> list[Answered]:
    """Every case with its answers. Raises InvalidQuestion where the catalogue lacks the model or the chip."""
    peers = read_peers()
    found = []
    for case in cases:
        own = tuple(peer for peer in peers if peer.case == case.slug)
        swept = any(peer.metric == "largest_tok_s" for peer in own)
        best = evaluate(case.question(at_best_load=True)) if swept else None
        found.append(Answered(case, evaluate(case.question()), best, own))
    return found


# ---- As a page -------------------------------------------------------------------------------------------


HEAD: Final = """# The cases other estimators were run on

Made by `python manage.py cases > docs/cases.md` on the loaded catalogue. Ours are the answers of
`POST /api/v1/estimates/evaluate` for a closed loop; a range is the 80% interval. Others' figures are what
each tool printed for the case when it was run (2026-11). They are estimates too: for error against
measurements see [method.md](method.md).
"""
LARGEST: Final = """## Largest throughput of the same layout

The load is free: ours at the best of the loads that the search tries, theirs at the best batch size up to
4,096. No limit is set on the time of a token.
"""
TERMS: Final = """## One token, term by term

Milliseconds of one output token by operation; they add up to its TPOT. The formulas are in
[method.md](method.md), three cases are worked by hand in `tests/estimates/test_case_list.py`.
"""


def markdown(found: Iterable[Answered]) -> str:
    """The cases as a page of tables: answers beside others', largest throughputs, every term of a token."""
    found = list(found)
    return "\n".join([HEAD, *_answers(found), "", LARGEST, *_largest(found), "", TERMS, *_terms(found), ""])


def _answers(found: list[Answered]) -> list[str]:
    lines = [
        "| Case | TPOT, ms | First token, mean, ms | Output, tok/s | Grade | Binds | Others' TPOT, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        answer, result = one.answer, one.answer["results"]
        if result is None or answer["state"] != "ok":
            reason = (answer["reason"] or {}).get("detail", "")
            cells = [f"{answer['state']}: {reason}", "", "", "", ""]
        else:
            cells = [
                _spread(result["tpot_ms"], answer, "tpot_ms"),
                _spread(result["ttft_ms"]["loaded_mean"], answer, "ttft_ms"),
                _spread(result["throughput_tok_s"], answer, "throughput_tok_s"),
                str(answer["grade"]),
                str(answer["binding_limit"]),
            ]
        lines.append(f"| {title(one.case)} | {' | '.join(cells)} | {_others(one, ('tpot_ms', 'state'))} |")
    return lines


def _largest(found: list[Answered]) -> list[str]:
    lines = [
        "| Case | Output, tok/s | At users | TPOT, ms | Others', tok/s |",
        "|---|---|---|---|---|",
    ]
    for one in found:
        if one.best is None or one.best["results"] is None:
            continue
        result = one.best["results"]
        cells = [
            title(one.case, load=False),
            _spread(result["throughput_tok_s"], one.best, "throughput_tok_s"),
            _number(result["concurrency"]),
            _number(result["tpot_ms"]),
            _others(one, ("largest_tok_s",)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _terms(found: list[Answered]) -> list[str]:
    """One token of each case by operation, in ms: the parts of an answer, which add up to its TPOT."""
    split = {
        one.case.slug: (one.answer["time_ms"]["tpot"] or {}).get("by_operation", {})
        for one in found
        if one.answer["time_ms"]["tpot"]
    }
    names = sorted(
        {name for parts in split.values() for name, value in parts.items() if value},
        key=lambda name: -sum(parts.get(name) or 0 for parts in split.values()),
    )
    lines = [
        f"| Case | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for one in found:
        parts = split.get(one.case.slug, {})
        cells = [_number(parts[name]) if parts.get(name) else "" for name in names]
        lines.append(f"| {title(one.case)} | {' | '.join(cells)} |")
    return lines


def title(case: Case, *, load: bool = True) -> str:
    """The case for people: model, format, chips, lengths, users."""
    chips = f"{case.count} x {case.accelerator}" if case.count > 1 else case.accelerator
    weights = case.weights or "as stored"
    text = f"{case.model}, {weights}, {chips}, {case.isl}/{case.osl}"
    users = "1 user" if case.concurrency == 1 else f"{case.concurrency} users"
    return f"{text}, {users}" if load else text


def _others(one: Answered, metrics: tuple[str, ...]) -> str:
    told = []
    for peer in one.peers:
        if peer.metric in metrics:
            note = f" ({peer.note})" if peer.note and peer.value is not None else peer.note
            value = "" if peer.value is None else _number(peer.value)
            told.append(f"{peer.tool}: {value}{note}")
    return "; ".join(told)


def _spread(value: float | None, answer: dict[str, Any], quantity: str) -> str:
    width = answer["interval_80"].get(quantity)
    if value is None:
        return "unknown"
    return _number(value) + (f" ({_number(width[0])} to {_number(width[1])})" if width else "")


def _number(value: float) -> str:
    """Three significant digits, never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
