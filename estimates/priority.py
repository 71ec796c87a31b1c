"""Which models are recalculated first: the most used ones, by the evidence in the catalogue."""

from __future__ import annotations

from collections import Counter
from typing import Final

from django.db.models import Count

from catalog.models import LanguageModel, MeasurementRun, TokenPrice

#: Asked for most by name, ahead of what the counts say.
FIRST: Final = (
    "llama-3.1-70b-instruct",
    "llama-3.3-70b-instruct",
    "meta-llama-3.1-8b",
    "deepseek-r1",
    "deepseek-v3",
    "gpt-oss-120b",
    "gpt-oss-20b",
    "meta-llama-3.1-405b",
    "qwen3-235b-a22b",
    "qwen3-32b",
)


def models_by_use() -> list[int]:
    """Primary keys of all language models, most used first.

    Use is the number of measurement runs and hosted prices that name the model; `FIRST` stands ahead.
    """
    use: Counter[int] = Counter()
    for source in (MeasurementRun, TokenPrice):
        counted = source.objects.exclude(language_model=None).order_by().values("language_model")
        use.update(dict(counted.annotate(rows=Count("pk")).values_list("language_model", "rows")))
    rank = {slug: position for position, slug in enumerate(FIRST)}
    models = LanguageModel.objects.values_list("pk", "slug")
    return [pk for pk, _ in sorted(models, key=lambda m: (rank.get(m[1], len(FIRST)), -use[m[0]], m[1]))]
