"""The core's answers for models as records of the store: codes, units and reasons in a row's words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.models.language_models import Role
from estimates import store
from estimates.combinations import workload_positions
from estimates.core.deployments import REASON_CODES
from estimates.core.fit import CHANGE_KINDS
from estimates.core.grades import GRADES
from estimates.core.grid import best_deployments_of
from estimates.core.grid_result import BINDING, OBJECTIVES, STATES, GridResult
from estimates.core.intervals import TIERS
from estimates.from_catalog import AcceleratorFacts, ModelRow, WorkloadRow, Workloads
from estimates.method import efficiency
from estimates.models import Limit, Objective, State, Tier

_OBJECTIVE_OF: Final = {
    "fastest": Objective.FASTEST,
    "throughput_within_slo": Objective.THROUGHPUT_WITHIN,
    "throughput": Objective.THROUGHPUT,
}
_STATE_OF: Final = {"ok": State.OK, "does_not_fit": State.DOES_NOT_FIT, "refused": State.REFUSED}
_LIMIT_OF: Final = {limit.label: limit.value for limit in Limit}
_RUNNING: Final = STATES.index("ok")

_OBJECTIVES = np.array([_OBJECTIVE_OF[name] for name in OBJECTIVES], np.int16)
_STATES = np.array([_STATE_OF[name] for name in STATES], np.int16)
_LIMITS = np.array([_LIMIT_OF.get(name, 0) for name in BINDING], np.int32)
_TIERS = np.array([0, *(Tier[name.upper()] for name in TIERS)], np.int32)
_GRADES = np.array([0, *map(ord, GRADES)], np.int32)

#: Reason codes in words; a missing fact is named behind them.
SENTENCES: Final = {
    "not_a_generator": "the model generates no text",
    "missing_bandwidth": "the memory bandwidth is not published",
    "missing_capacity": "the memory capacity is not published",
    "missing_link": "the bandwidth between the chips is not published",
    "missing_rate": "time to first token and throughput are not estimated: no peak rate is published",
    "does_not_fit": "the memory is too small",
    "no_layout": "no layout of the model exists on this hardware",
    "ttft_slo_missed": "nothing keeps the limit for the first token",
    "tpot_slo_missed": "nothing keeps the limit per output token",
    "slo_missed": "nothing keeps both limits at once",
    "concurrency_not_reached": "too few requests fit within the limits",
    "context_too_long": "the workload is longer than the model's context",
}
_MILLI: Final = 1e3
_NUMBER_OF: Final = {
    "tpot_ms": ("tpot_s", _MILLI),
    "tpot_low_ms": ("tpot_low_s", _MILLI),
    "tpot_high_ms": ("tpot_high_s", _MILLI),
    "ttft_ms": ("ttft_s", _MILLI),
    "ttft_low_ms": ("ttft_low_s", _MILLI),
    "ttft_high_ms": ("ttft_high_s", _MILLI),
    "ttft_unloaded_ms": ("ttft_unloaded_s", _MILLI),
    "throughput_tok_s": ("throughput_output_tok_s", 1.0),
    "throughput_low_tok_s": ("throughput_low", 1.0),
    "throughput_high_tok_s": ("throughput_high", 1.0),
    "tok_s_per_user": ("tok_s_per_user", 1.0),
    "memory_used_gb": ("memory_used_bytes", 1e-9),
    "memory_usable_gb": ("memory_capacity_bytes", 1e-9),
    "shortfall_gb": ("shortfall_bytes", 1e-9),
}


class Collected:
    """Records of a chunk as they are made, and the texts that their codes stand for."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {"": 0}
        self._parts: list[NDArray[np.void]] = []

    def code(self, text: str) -> int:
        """The code of a text; 0 is the empty one."""
        if text not in self._codes:
            self.texts.append(text)
            self._codes[text] = len(self.texts)
        return self._codes[text]

    def codes(self, texts: Sequence[str]) -> NDArray[np.int32]:
        return np.array([self.code(text) for text in texts], np.int32)

    def add(self, rows: NDArray[np.void]) -> None:
        self._parts.append(rows)

    def mark(self) -> int:
        """A point to go back to when a model fails halfway."""
        return len(self._parts)

    def reset(self, mark: int) -> None:
        del self._parts[mark:]

    def rows(self) -> NDArray[np.void]:
        return np.concatenate(self._parts) if self._parts else store.empty_rows(0)


#: A model and its calculations: (primary key, facts of the accelerator).
type Asked = tuple[ModelRow, Sequence[tuple[int, AcceleratorFacts]]]


def estimate_rows(asked: Sequence[Asked], workloads: Workloads, collected: Collected) -> dict[int, int]:
    """Estimate models on the offers of their calculations' accelerators, add the rows.

    Returns the configurations evaluated for each calculation: those of a model in a call of the core, divided
    over its calculations by their offers. Models that are asked the same share a call.
    """
    calls: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Asked]] = defaultdict(list)
    for model, cells in asked:
        for positions, group in _by_workloads(model, cells, workloads).items():
            key = positions, tuple(accelerator.pk for _, accelerator in group)
            calls[key].append((model, group))
    counted: dict[int, int] = {}
    for (positions, _), together in calls.items():
        chosen = [workloads.rows[position] for position in positions]
        first = together[0][1]
        results = best_deployments_of(
            [model.facts for model, _ in together if model.facts is not None],
            [offer for _, accelerator in first for _, offer in accelerator.offers],
            [row.facts for row in chosen],
            efficiency(),
        )
        for (model, members), result in zip(together, results, strict=True):
            keys = [(pk, offer_pk) for pk, accelerator in members for offer_pk, _ in accelerator.offers]
            collected.add(_records(result, model, np.array(keys, np.int64), chosen, collected))
            counted |= _shares(result.configurations, members, len(keys))
    return counted


def _by_workloads(
    model: ModelRow, cells: Sequence[tuple[int, AcceleratorFacts]], workloads: Workloads
) -> dict[tuple[int, ...], list[tuple[int, AcceleratorFacts]]]:
    """A model's calculations by the workloads that their accelerators are asked."""
    found: dict[tuple[int, ...], list[tuple[int, AcceleratorFacts]]] = defaultdict(list)
    for pk, accelerator in cells:
        positions = workload_positions(accelerator.segment, workloads)
        if model.role != Role.DECODER:
            positions = positions[:1]  # one refusal an offer says it all
        if accelerator.offers and positions:
            found[tuple(positions)].append((pk, accelerator))
    return found


def _shares(
    configurations: int, members: Sequence[tuple[int, AcceleratorFacts]], offers: int
) -> dict[int, int]:
    """Configurations by calculation, in proportion to offers; they add up."""
    shares: dict[int, int] = {}
    given = seen = 0
    for pk, accelerator in members:
        seen += len(accelerator.offers)
        upto = configurations * seen // offers
        shares[pk] = upto - given
        given = upto
    return shares


def _records(
    result: GridResult,
    model: ModelRow,
    keys: NDArray[np.int64],
    workloads: Sequence[WorkloadRow],
    collected: Collected,
) -> NDArray[np.void]:
    rows = store.empty_rows(len(result))
    offer = result["offer"]
    rows["calculation_id"] = keys[offer, 0]
    rows["offer_id"] = keys[offer, 1]
    rows["language_model_id"] = model.pk
    rows["workload_id"] = np.array([row.pk for row in workloads], np.int64)[result["workload"]]
    rows["objective"] = _OBJECTIVES[result["objective"]]
    rows["state"] = _STATES[result["state"]]
    rows["reason"] = collected.codes(reasons(result))
    placed = result["tp"] > 0
    rows["weight_format"] = np.where(placed, collected.codes(result.schemes)[result["scheme"]], 0)
    rows["kv_format"] = np.where(placed, collected.codes(result.kv_formats)[result["kv_format"]], 0)
    rows["grade"] = _GRADES[result["grade"]]
    for name in ("tp", "pp", "ep", "dp", "replicas"):
        rows[name] = result[name]
    rows["tier"] = _TIERS[result["tier"]]
    rows["concurrency"] = np.nan_to_num(np.rint(result["concurrency"]), nan=0.0)
    rows["binding_limit"] = _LIMITS[result["binding_limit"]]
    for name, (column, unit) in _NUMBER_OF.items():
        rows[name] = result[column] * unit
    rows["meets_service_level"] = _meets(result, workloads)
    return rows


def _meets(result: GridResult, workloads: Sequence[WorkloadRow]) -> NDArray[np.bool_]:
    """Whether a running row is known to keep its workload's limits."""
    tpot_limit = np.array([row.facts.tpot_slo_s or np.inf for row in workloads])[result["workload"]]
    ttft_limit = np.array([row.facts.ttft_slo_s or np.inf for row in workloads])[result["workload"]]
    ttft_known = ~np.isnan(result["ttft_s"]) | np.isinf(ttft_limit)
    kept = (result["tpot_s"] <= tpot_limit) & ((result["ttft_s"] <= ttft_limit) | np.isinf(ttft_limit))
    # As the grid judged, in single precision; where nothing is within, the fastest row says why.
    chosen_within = (result["objective"] < OBJECTIVES.index("throughput")) & (result["slo_reason"] == 0)
    return np.asarray((result["state"] == _RUNNING) & ttft_known & (kept | chosen_within))


def reasons(result: GridResult) -> list[str]:
    """One text a row: code, sentence, and the missing fact or the smallest change that would fit."""
    columns = zip(
        result["reason"].tolist(),
        result["slo_reason"].tolist(),
        result["missing_fact"].tolist(),
        result["change_kind"].tolist(),
        result["change_value"].tolist(),
        strict=True,
    )
    known: dict[tuple[object, ...], str] = {}
    texts = []
    for reason, missed, fact, kind, value in columns:
        key = (reason, missed, fact, kind, value if value == value else None)
        if key not in known:
            known[key] = _reason(
                REASON_CODES[reason] or REASON_CODES[missed],
                result.missing_facts[fact],
                CHANGE_KINDS[kind],
                key[4],
            )
        texts.append(known[key])
    return texts


def _reason(code: str, missing_fact: str, kind: str, value: object) -> str:
    if not code:
        return ""
    text = f"{code}: {SENTENCES[code]}"
    if missing_fact:
        text += f" ({missing_fact})"
    if code == "does_not_fit" and kind:
        text += f"; {change(kind, value)}"
    return text[:200]


def change(kind: str, value: object) -> str:
    """The smallest change that would fit, in words; what cannot be helped says so."""
    if kind == "chips" and value is not None:
        return f"{value:.0f} chips would hold it"
    if kind == "context" and value is not None:
        return f"a context of {value:.0f} tokens would fit"
    return "no number of these chips holds it"
