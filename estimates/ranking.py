"""The cached estimates of one model and workload as answers: one row an offer, priced, judged and ranked.

Reads only: a few queries whatever the number of offers. Cost is arithmetic over the cached throughput.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from django.db.models import Q

from catalog.models import LanguageModel, System, Workload
from catalog.prices import PriceFilter, QuoteUsed, offer_prices, offer_prices_by_basis
from estimates.core.cost import usd_per_mtok_output
from estimates.models import Calculation, Estimate, Limit, Objective, State


@dataclass(frozen=True, slots=True)
class Answer:
    """One offer's answer: the chosen cached estimate, the hardware behind it, the quote used.

    `machines` is how many of the offer carry the users asked for; cost is at the full load of a machine.
    """

    pk: int
    offer_id: int
    offer: str
    count: int
    accelerator: str
    accelerator_name: str
    vendor: str
    vendor_name: str
    segment: str
    kind: str
    status: str
    objective: int
    state: int
    reason: str
    weight_format: str
    kv_format: str
    tp: int | None
    pp: int | None
    ep: int | None
    dp: int | None
    replicas: int | None
    concurrency: int | None
    tpot_ms: float | None
    tpot_low_ms: float | None
    tpot_high_ms: float | None
    ttft_ms: float | None
    ttft_low_ms: float | None
    ttft_high_ms: float | None
    ttft_unloaded_ms: float | None
    throughput_tok_s: float | None
    throughput_low_tok_s: float | None
    throughput_high_tok_s: float | None
    tok_s_per_user: float | None
    memory_used_gb: float | None
    memory_usable_gb: float | None
    shortfall_gb: float | None
    binding_limit: int | None
    grade: str
    meets_service_level: bool
    is_stale: bool
    machines: int = 1
    quote: QuoteUsed | None = None
    systems: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return self.state in (State.OK, State.SATURATED)

    @property
    def limit(self) -> str:
        return Limit(self.binding_limit).label if self.binding_limit else ""

    @property
    def usd_per_mtok(self) -> float | None:
        return self._usd_per_mtok(self.throughput_tok_s)

    @property
    def usd_low_per_mtok(self) -> float | None:
        return self._usd_per_mtok(self.throughput_high_tok_s)

    @property
    def usd_high_per_mtok(self) -> float | None:
        return self._usd_per_mtok(self.throughput_low_tok_s)

    @property
    def speed_low(self) -> float | None:
        """Tokens a second and user at the slow end of the interval."""
        return 1e3 / self.tpot_high_ms if self.tpot_high_ms else None

    @property
    def speed_high(self) -> float | None:
        return 1e3 / self.tpot_low_ms if self.tpot_low_ms else None

    @property
    def usd_per_hour(self) -> float | None:
        return float(self.quote.usd_per_hour) * self.machines if self.quote else None

    def _usd_per_mtok(self, throughput: float | None) -> float | None:
        if self.quote is None or not throughput:
            return None
        return float(usd_per_mtok_output(float(self.quote.usd_per_hour), throughput))


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer must keep to. None is no limit; an own service level is the workload's, as judged.

    A time to first token that cannot be estimated, for want of a published rate, breaks no limit: the row
    says that it is unknown.
    """

    tpot_ms: float | None = None
    ttft_ms: float | None = None
    own_service_level: bool = True

    def kept_by(self, row: Answer) -> bool:
        if self.own_service_level and row.ttft_ms is not None:
            return row.meets_service_level
        return not (
            (self.tpot_ms is not None and (row.tpot_ms or 0) > self.tpot_ms)
            or (self.ttft_ms is not None and (row.ttft_ms or 0) > self.ttft_ms)
        )


_COLUMNS = {
    "offer": "offer__slug",
    "count": "offer__count",
    "accelerator": "offer__accelerator__slug",
    "accelerator_name": "offer__accelerator__name",
    "vendor": "offer__accelerator__vendor__slug",
    "vendor_name": "offer__accelerator__vendor__name",
    "segment": "offer__accelerator__segment",
    "kind": "offer__accelerator__kind",
    "status": "offer__accelerator__status",
}
_COMPUTED = {"machines", "quote", "systems", "is_stale", *_COLUMNS}
_STORED = tuple(name for name in Answer.__dataclass_fields__ if name not in _COMPUTED)


def read_estimates(
    model: LanguageModel,
    workload: Workload,
    stale: Q,
    *,
    vendors: Collection[str] = (),
    segment: str = "",
    chips: int | None = None,
    offer: str = "",
) -> list[Answer]:
    """Every kept answer of the offers in question, in one query. `stale` is a condition on `Calculation`."""
    rows = Estimate.objects.filter(language_model=model, workload=workload, offer__retired=False)
    if vendors:
        rows = rows.filter(offer__accelerator__vendor__slug__in=vendors)
    if segment:
        rows = rows.filter(offer__accelerator__segment=segment)
    if chips is not None:
        rows = rows.filter(offer__count__lte=chips)
    if offer:
        rows = rows.filter(offer__slug=offer)
    stale_ids = set(Calculation.objects.filter(stale, language_model=model).values_list("pk", flat=True))
    names = [*_STORED, *_COLUMNS.values(), "calculation_id"]
    answers = []
    for row in rows.order_by("offer__slug", "objective").values(*names):
        values: dict[str, Any] = {name: row[name] for name in _STORED}
        values |= {name: row[column] for name, column in _COLUMNS.items()}
        answers.append(Answer(**values, is_stale=row["calculation_id"] in stale_ids))
    return answers


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers sorted into those that keep the limits and those that do not make it, with why."""

    answers: list[Answer]
    too_slow: list[Answer]
    unfit: list[Answer]
    refused: list[Answer]


def choose(rows: Iterable[Answer], limits: Limits, objective: Objective) -> Judged:
    """One answer an offer: of its kept rows within the limits the best by the objective.

    An offer none of whose rows keeps the limits is `too_slow`, shown with its fastest row.
    """
    by_offer: dict[str, list[Answer]] = {}
    for row in rows:
        by_offer.setdefault(row.offer, []).append(row)
    judged = Judged([], [], [], [])
    for kept in by_offer.values():
        fitting = [row for row in kept if row.fits and row.tpot_ms]
        within = fitting if objective is Objective.THROUGHPUT else [r for r in fitting if limits.kept_by(r)]
        if within and objective is Objective.FASTEST:
            judged.answers.append(min(within, key=lambda row: row.tpot_ms or 0.0))
        elif within:
            judged.answers.append(
                max(within, key=lambda row: (row.throughput_tok_s or 0.0, row.concurrency or 0))
            )
        elif fitting:
            judged.too_slow.append(min(fitting, key=lambda row: row.tpot_ms or 0.0))
        elif any(row.state == State.DOES_NOT_FIT for row in kept):
            unfit = [row for row in kept if row.state == State.DOES_NOT_FIT]
            judged.unfit.append(min(unfit, key=lambda row: row.shortfall_gb or 0.0))
        else:
            judged.refused.append(kept[0])
    return judged


def for_users(rows: Iterable[Answer], users: int | None, chips: int | None) -> list[Answer]:
    """The answers with as many machines as carry the users, without those that need too many chips."""
    answers = []
    for row in rows:
        machines = ceil(users / row.concurrency) if users and row.concurrency else 1
        if chips is None or machines * row.count <= chips:
            answers.append(replace(row, machines=machines))
    return answers


def with_systems(rows: Iterable[Answer]) -> list[Answer]:
    """The answers with the names of the machines that are this offer, in one query."""
    rows = list(rows)
    names: dict[int, list[str]] = {}
    systems = System.objects.filter(offer__in={row.offer_id for row in rows}).order_by("name")
    for offer_id, name in systems.values_list("offer_id", "name"):
        names.setdefault(offer_id, []).append(name)
    return [replace(row, systems=tuple(names.get(row.offer_id, ()))) for row in rows]


def priced(rows: Iterable[Answer], basis: str, countries: Collection[str] | None) -> list[Answer]:
    """The answers with the quote used for each, in one query; `basis` "any" takes the cheapest terms."""
    rows = list(rows)
    offers = {row.offer_id for row in rows}
    criteria = PriceFilter(pricing_model=basis, countries=tuple(sorted(countries or ())))
    if basis == "any":
        by_basis = offer_prices_by_basis(criteria, offers)
        quotes = {
            pk: min(used.values(), key=lambda quote: quote.usd_per_hour) for pk, used in by_basis.items()
        }
    else:
        quotes = offer_prices(criteria, offers)
    return [replace(row, quote=quotes.get(row.offer_id)) for row in rows]
