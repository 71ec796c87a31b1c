"""How much of the ratio between two answers each cause explains, by metric, as parts of its logarithm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.comparison.causes import (
    KINDS,
    TITLES,
    Cause,
    Difference,
    Kind,
    is_capacity_or_what_it_holds,
    is_link_or_layout,
    merged,
)
from estimates.comparison.mixing import Mixer, Results, evaluate_mixes
from estimates.comparison.shapley import coalitions, sequential_shares, shapley_shares
from estimates.comparison.sides import Side
from estimates.core.facts import InvalidFact
from estimates.cost import rounded, token_cost

#: As many causes are weighed in every order (2^n configurations); more are swapped one by one.
MOST_EXACT: Final = 8
METRICS: Final = ("tpot_ms", "ttft_ms", "throughput_tok_s", "usd_per_mtok_output")
DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Share:
    """What one cause explains: its part of the log ratio, and what swapping it alone at the baseline does."""

    cause: Cause
    log_share: float
    log_alone: float | None

    def as_json(self, whole: float) -> dict[str, Any]:
        return {
            "cause": self.cause.key,
            "title": self.cause.title,
            "kind": self.cause.kind,
            "log_share": _digits(self.log_share),
            "factor": _digits(exp(self.log_share)),
            "part": _digits(self.log_share / whole) if abs(whole) > 1e-9 else None,
            "factor_alone": None if self.log_alone is None else _digits(exp(self.log_alone)),
        }


@dataclass(frozen=True, slots=True)
class Attribution:
    """A metric of two answers: values, and the parts of log(after / before). Parts and rest add up to it.

    `weighed` says how: `every order` (Shapley), `one order`, or `not`, where the causes cannot be told apart.
    """

    metric: str
    before: float
    after: float
    weighed: str
    shares: tuple[Share, ...] = ()
    note: str = ""

    @property
    def log_ratio(self) -> float:
        return log(self.after / self.before)

    @property
    def log_rest(self) -> float:
        """What no cause explains."""
        return self.log_ratio - sum(share.log_share for share in self.shares)

    @property
    def log_interaction(self) -> float | None:
        """The whole less what each cause does alone: done only together, and shared out."""
        alone = [share.log_alone for share in self.shares]
        if self.weighed == "not" or any(value is None for value in alone):
            return None
        return self.log_ratio - sum(value for value in alone if value is not None)

    def as_json(self) -> dict[str, Any]:
        interaction = self.log_interaction
        return {
            "before": _digits(self.before),
            "after": _digits(self.after),
            "ratio": _digits(self.after / self.before),
            "log_ratio": _digits(self.log_ratio),
            "weighed": self.weighed,
            "causes": [share.as_json(self.log_ratio) for share in self.shares],
            "unexplained_log": _digits(0.0 if abs(self.log_rest) < 1e-9 else self.log_rest),
            "interaction_log": None if interaction is None else _digits(interaction),
            "note": self.note or None,
        }


@dataclass(frozen=True, slots=True)
class Attributed:
    """Two sides compared: what differs, and the attribution of each metric that both have."""

    causes: tuple[Cause, ...]
    metrics: dict[str, Attribution]
    missing: dict[str, str]  # metric -> why it has no ratio

    def as_json(self) -> dict[str, Any]:
        return {
            "metrics": {name: found.as_json() for name, found in self.metrics.items()},
            "not_compared": self.missing,
            "changes": {
                cause.key: [difference.as_json() for difference in cause.differences] for cause in self.causes
            },
        }


def attribute(before: Side, after: Side, causes: Sequence[Cause]) -> Attributed:
    """Every metric of two running sides.

    Causes of which one is nothing without the other are taken as one: links and layout, for one chip has no
    link; capacity, layout and load, where a configuration in between does not hold what both ends hold.
    """
    mixer = Mixer(before, after)
    found = list(causes)
    results = _evaluated(mixer, found)
    for fault, belongs, key, title, kind in _TOGETHER:
        if fault(results) and (fewer := merged(found, belongs, key, title, kind)) != found:
            found, results = fewer, _evaluated(mixer, fewer)
    causes, exact = found, len(found) <= MOST_EXACT
    metrics: dict[str, Attribution] = {}
    missing: dict[str, str] = {}
    for metric, name in (
        ("tpot_ms", "tpot"),
        ("ttft_ms", _first_token(before, after)),
        ("throughput_tok_s", "throughput"),
    ):
        values = results[name] * (1e3 if metric.endswith("_ms") else 1.0)
        ends = values[0], values[-1]
        if not all(isfinite(end) and end > 0 for end in ends):
            missing[metric] = "not estimated for want of a rate on one side"
            continue
        note = "mean over all clients, those that wait for room included" if name == "ttft_all" else ""
        metrics[metric] = _attributed(metric, values, causes, exact, note)
    _with_cost(before, after, metrics, missing, tuple(causes))
    priced = _price_cause(before, after)
    return Attributed((*causes, *([priced] if priced else [])), metrics, missing)


def _evaluated(mixer: Mixer, causes: Sequence[Cause]) -> Results:
    mixes = []
    for mask in coalitions(len(causes), exact=len(causes) <= MOST_EXACT):
        taken = [cause for bit, cause in enumerate(causes) if mask >> bit & 1]
        try:
            mixes.append(mixer.mix(taken))
        except InvalidFact:
            mixes.append(mixer.hole(taken))
    return evaluate_mixes(mixes)


def _has_holes(results: Results) -> bool:
    """Whether a configuration in between does not exist."""
    return _between(np.isnan(results["tpot"]))


def _is_overfull(results: Results) -> bool:
    """Whether a configuration in between does not hold its load."""
    return _between(results["overfull"] > 0)


def _between(wrong: NDArray[np.bool_]) -> bool:
    return bool(wrong.any() and not wrong[0] and not wrong[-1])


_TOGETHER: Final[tuple[tuple[Callable[[Results], bool], Callable[[Cause], bool], str, str, Kind], ...]] = (
    (_has_holes, is_link_or_layout, "layout", "layout, number of chips and their links", "choice"),
    (
        _is_overfull,
        is_capacity_or_what_it_holds,
        "capacity",
        "memory capacity, with the layout and load it holds",
        "fact",
    ),
)


def _first_token(before: Side, after: Side) -> str:
    """The first token that both sides have: under load, else with the wait for room."""
    loaded = all(side.estimate.ttft_s.get("loaded_mean") is not None for side in (before, after))
    return "ttft" if loaded else "ttft_all"


def _attributed(
    metric: str, values: NDArray[np.float64], causes: Sequence[Cause], exact: bool, note: str
) -> Attribution:
    before, after = float(values[0]), float(values[-1])
    if not (np.isfinite(values).all() and (values > 0).all()):
        whole = "a configuration between the two cannot be evaluated: the causes are not told apart"
        return Attribution(metric, before, after, "not", (), whole)
    logs = np.log(values)
    if exact:
        shares = shapley_shares(logs)
        alone: list[float | None] = [float(logs[1 << bit] - logs[0]) for bit in range(len(causes))]
    else:
        shares, alone = sequential_shares(logs), [None] * len(causes)
    found = tuple(
        Share(cause, float(share), one) for cause, share, one in zip(causes, shares, alone, strict=True)
    )
    weighed = "every order" if exact else "one order"
    if not exact:
        order = ", ".join(cause.title for cause in causes)
        note = "; ".join(
            filter(None, (note, f"too many causes to weigh in every order; swapped as: {order}"))
        )
    return Attribution(metric, before, after, weighed, found, note)


# ---- Cost ------------------------------------------------------------------------------------------------


def cost_of(side: Side) -> float | None:
    """USD per million output tokens; None without a price or a throughput."""
    rate = side.estimate.throughput_output_tok_s
    if side.usd_per_hour is None or not rate:
        return None
    return float(
        token_cost(side.usd_per_hour, rate, side.workload.isl, side.workload.osl).usd_per_mtok_output
    )


def _with_cost(
    before: Side,
    after: Side,
    metrics: dict[str, Attribution],
    missing: dict[str, str],
    causes: tuple[Cause, ...],
) -> None:
    """Add the cost: price of a chip x chips / throughput, so that its parts are those of the three."""
    name = "usd_per_mtok_output"
    old, new = cost_of(before), cost_of(after)
    speed = metrics.get("throughput_tok_s")
    if old is None or new is None or speed is None:
        missing[name] = "no price on one side" if speed is not None else "no throughput on one side"
        return
    chips = log(after.shape.count / before.shape.count)
    shares = []
    for share in speed.shares:
        own = chips if "layout" in share.cause.parts else 0.0
        alone = None if share.log_alone is None else own - share.log_alone
        shares.append(Share(share.cause, own - share.log_share, alone))
    price = _price_cause(before, after)
    if price is not None:
        part = log(_per_chip(after) / _per_chip(before))
        shares.append(Share(price, part, part))
    metrics[name] = Attribution(name, old, new, speed.weighed, tuple(shares), speed.note)


def _price_cause(before: Side, after: Side) -> Cause | None:
    if before.usd_per_hour is None or after.usd_per_hour is None or _per_chip(before) == _per_chip(after):
        return None
    prices = [rounded(side.usd_per_hour / side.shape.count) for side in (before, after) if side.usd_per_hour]
    difference = Difference("price of a chip", prices[0], prices[1], "USD/h")
    return Cause("price", TITLES["price"], KINDS["price"], differences=(difference,))


def _per_chip(side: Side) -> float:
    return float(side.usd_per_hour or 0) / side.shape.count


def _digits(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") + 0.0  # no negative zero
