"""Facts of the catalogue for the benchmark of the core: the most used models on every offer that stands."""

from __future__ import annotations

from catalog.models import Accelerator
from estimates.core.demand import Candidate
from estimates.core.facts import ModelFacts, Workload
from estimates.from_catalog import FactCache, read_workloads
from estimates.priority import models_by_use


def facts(model_count: int, offer_count: int) -> tuple[list[ModelFacts], list[Candidate], list[Workload]]:
    """At most so many models and offers. A model or accelerator without readable facts is passed over.

    Offers come without prices, which no time of the core depends on but that of a cost.
    """
    cache = FactCache()
    rows = {row.pk: row.facts for row in cache.models(models_by_use()) if row.role == "decoder"}
    ranked = [rows.get(pk) for pk in models_by_use()]
    chips = cache.accelerators(list(Accelerator.objects.values_list("pk", flat=True)))
    offers = [Candidate(offer) for chip in chips for _, offer in chip.offers]
    models = [model for model in ranked if model is not None]
    return models[:model_count], offers[:offer_count], [row.facts for row in read_workloads().rows]
