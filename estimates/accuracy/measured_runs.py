"""Published runs as the search for evidence needs them: an array a column, read until one is added."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from django.db.models import Max
from numpy.typing import NDArray

from catalog.models import Accelerator, LanguageModel, MeasurementRun
from estimates.core.architecture import Architecture
from estimates.core.architecture_json import ArchitectureError, architecture_from_json
from estimates.from_catalog import digest_of

TEXTS: Final = {
    "run_id": "run_id",
    "accelerator": "accelerator__slug",
    "vendor": "accelerator__vendor__slug",
    "generation": "accelerator__generation",
    "kind": "accelerator__kind",
    "model": "language_model__slug",
    "weight_format": "weight_format",
    "software": "framework",
    "serving": "serving",
    "scenario": "scenario",
    "source": "source__title",
    "source_url": "source__url",
    "source_date": "source_date",
}
NUMBERS: Final = {
    "count": "accelerator_count",
    "tp": "tp",
    "isl": "isl",
    "osl": "osl",
    "concurrency": "concurrency",
    "active_parameters": "language_model__parameters_active",
}


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredRuns:
    """All runs, by column. Unknown texts are empty, unknown numbers NaN; `shape` is that of the model."""

    texts: Mapping[str, NDArray[np.object_]]
    numbers: Mapping[str, NDArray[np.float64]]
    shape: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.shape)


def current_runs() -> MeasuredRuns:
    """The runs as they stand: three look-ups by key, and the rows only where something was added since."""
    return _read(
        MeasurementRun.objects.aggregate(last=Max("pk"))["last"],
        LanguageModel.objects.aggregate(last=Max("changed_at"))["last"],
        Accelerator.objects.aggregate(last=Max("changed_at"))["last"],
    )


@lru_cache(maxsize=2)
def _read(*_state: Any) -> MeasuredRuns:
    """Runs are append-only, so the last key tells whether there are new ones."""
    columns = [*TEXTS.values(), *NUMBERS.values()]
    rows = list(MeasurementRun.objects.order_by("pk").values_list(*columns))
    split = len(TEXTS)
    texts = {
        name: np.array([row[place] or "" for row in rows], dtype=object) for place, name in enumerate(TEXTS)
    }
    numbers = {
        name: np.array([np.nan if row[place] is None else row[place] for row in rows], dtype=np.float64)
        for place, name in enumerate(NUMBERS, start=split)
    }
    shapes = _shapes(set(texts["model"]) - {""})
    return MeasuredRuns(
        texts, numbers, np.array([shapes.get(model, "") for model in texts["model"]], dtype=object)
    )


def _shapes(models: Collection[str]) -> dict[str, str]:
    """The shape of each model by its slug; a model whose architecture cannot be read has none."""
    found = {}
    for slug, architecture in LanguageModel.objects.filter(slug__in=models).values_list(
        "slug", "architecture"
    ):
        try:
            found[slug] = shape_key(architecture_from_json(architecture))
        except ArchitectureError:
            continue
    return found


@lru_cache(maxsize=512)
def shape_key(architecture: Architecture) -> str:
    """What two checkpoints of one architecture share: hidden size, vocabulary and layers."""
    return digest_of(architecture.hidden, architecture.vocab, architecture.layers)
