"""What slugs in parameters point to; language models are found by repository and printed names too."""

from collections.abc import Iterable, Mapping

from django.db.models.functions import Lower

from catalog.models import (
    Accelerator,
    LanguageModel,
    ModelAlias,
    Offer,
    Provider,
    Source,
    System,
    Vendor,
    Workload,
)
from config.rest.columns import Reference


def model_slugs(names: Iterable[str]) -> Mapping[str, str]:
    """Slugs of models by repository (`meta-llama/Llama-3.1-8B`), slug or alias, letter case ignored."""
    wanted = {name.lower(): name for name in names}
    found = dict(
        ModelAlias.objects.annotate(low=Lower("name"))
        .filter(low__in=wanted)
        .order_by()
        .values_list("low", "language_model__slug")
    )
    for column in ("hf_id", "slug"):
        rows = LanguageModel.objects.annotate(low=Lower(column)).filter(low__in=wanted).order_by()
        found |= dict(rows.values_list("low", "slug"))
    return {wanted[low]: slug for low, slug in found.items()}


VENDOR = Reference("vendor", Vendor)
ACCELERATOR = Reference("accelerator", Accelerator)
SYSTEM = Reference("system", System)
MODEL = Reference("model", LanguageModel, also=model_slugs)
WORKLOAD = Reference("workload", Workload)
PROVIDER = Reference("provider", Provider)
SOURCE = Reference("source", Source)
OFFER = Reference("offer", Offer)
