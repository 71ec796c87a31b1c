"""Runs for the tests of the calibration: single figures without a catalogue, and published sweeps.

The sweeps are what the physics says of each run times what a study would find: SGLang takes 20% longer for a
token than the physics, vLLM 5% less, the first token of both 50% longer, the L40S another 10% for both, and
no two runs agree by more than 2%.
"""

from __future__ import annotations

import csv
import math
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from catalog.models import Accelerator, LanguageModel, MeasuredValue, MeasurementRun, Source
from estimates.calibration.dataset import Observation, cases_of, log_physics, physics_of
from estimates.core.identity import Identity
from estimates.measured.runs import Run
from tests.core.learnt import SERVED, at
from tests.core.machines import physics
from tests.measured.measurement_files import COLUMNS

H100, L40S = "nvidia-h100-sxm", "nvidia-l40s"
SMALL, LARGE = "llama-3.1-8b-instruct", "llama-3.1-70b-instruct"


def run(run_id: str = "one", **columns: Any) -> Run:
    """Llama 3.1 8B in 16 bit on one H100 under vLLM with 16 clients, with other columns."""
    stated: dict[str, Any] = {
        "accelerator": H100,
        "n_accelerators": 1,
        "model": SMALL,
        "isl": 1024.0,
        "osl": 512.0,
        "scenario": "closed_loop",
        "concurrency": 16.0,
        "weight_format": "bf16",
        "framework": "vLLM",
        "workers": 1,
        "tp": 1,
        "pp": 1,
        "dp": 1,
        "metrics": (("tpot_ms", 10.0),),
    }
    return Run(run_id=run_id, **stated | columns)


def observed(
    log: float = 0.0,
    metric: str = "tpot",
    run_id: str = "one",
    where: tuple[float, ...] | None = None,
    metric_name: str = "tpot_ms",
    **names: str,
) -> Observation:
    """A figure whose logarithm is `log`, of an identity with these names at these coordinates."""
    like: Identity = replace(SERVED, **names)
    published = run(run_id, metrics=((metric_name, math.exp(log)),))
    features = np.array(where if where is not None else at())
    return Observation(published, metric_name, metric, like, features, log, 0, True, "")


# ---- Sweeps ----------------------------------------------------------------------------------------------

LOADS: Final = (1, 4, 16, 64, 128)
LENGTHS: Final = ((1024.0, 256.0), (256.0, 1024.0))
#: chip, count, model, format, software
GROUPS: Final = (
    (H100, 1, SMALL, "bf16", "vLLM"),
    (H100, 1, SMALL, "bf16", "SGLang"),
    (H100, 1, SMALL, "fp8", "vLLM"),
    (H100, 8, LARGE, "fp8", "vLLM"),
    (H100, 8, LARGE, "fp8", "SGLang"),
    (L40S, 1, SMALL, "fp8", "vLLM"),
)
SLOWER: Final = {"vLLM": math.log(0.95), "SGLang": math.log(1.2)}
FIRST_TOKEN, OLDER_CHIP, SCATTER = math.log(1.5), math.log(1.1), 0.01


def sweeps() -> list[Run]:
    """The runs as they were set up, without what was measured; static ones of the first group beside them."""
    found = []
    for number, (chip, count, model, weights, software) in enumerate(GROUPS):
        for isl, osl in LENGTHS:
            for load in LOADS:
                columns = {
                    "accelerator": chip,
                    "n_accelerators": count,
                    "model": model,
                    "weight_format": weights,
                    "framework": software,
                    "tp": count,
                    "isl": isl,
                    "osl": osl,
                    "concurrency": float(load),
                }
                name = f"{number}-{load}-{isl:g}"
                found.append(run(name, metrics=(("tpot_ms", 1.0), ("ttft_ms", 1.0)), **columns))
                if number < 3:
                    static = columns | {"scenario": "offline_max_throughput"}
                    found.append(run(f"{name}-static", metrics=(("output_tok_s_total", 1.0),), **static))
    return found


def measured(planned: Iterable[Run]) -> list[Run]:
    """The runs with what was measured; needs the catalogue."""
    cases, left_out = cases_of(planned, physics())
    assert not left_out
    expected = physics_of(cases, physics())
    found = []
    for row, case in enumerate(cases):
        figures = []
        for metric, _ in case.run.metrics:
            quantity, log = log_physics(metric, expected, row, case)
            log += effect(case.run, quantity) + scatter(case.run.run_id + metric)
            value = math.exp(-log) if metric == "output_tok_s_total" else 1e3 * math.exp(log)
            figures.append((metric, float(f"{value:.8g}")))
        found.append(replace(case.run, metrics=tuple(figures)))
    return found


def effect(one: Run, quantity: str) -> float:
    """What this world does to the physics' logarithm."""
    older = OLDER_CHIP if one.accelerator == L40S else 0.0
    return older + (FIRST_TOKEN if quantity == "ttft" else SLOWER[one.framework or ""])


def scatter(text: str) -> float:
    """Between -SCATTER and SCATTER, the same for the same text."""
    return SCATTER * (2 * (zlib.crc32(text.encode()) / 2**32) - 1)


# ---- As a file and in the catalogue ----------------------------------------------------------------------


def write(path: Path, runs: Iterable[Run]) -> Path:
    """A file in the schema of the measurements."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for one in runs:
            stated = {name: getattr(one, name) for name in COLUMNS if name not in ("metric", "value")}
            cells = {name: "" if value is None else value for name, value in stated.items()}
            cells["flags"] = " ".join(sorted(one.flags))
            for metric, value in one.metrics:
                writer.writerow(cells | {"metric": metric, "value": value})
    return path


def store(runs: Iterable[Run]) -> None:
    """The runs in the catalogue, as an editor adds them."""
    source, _ = Source.objects.get_or_create(slug="example-lab", defaults={"title": "Example lab"})
    for one in runs:
        row = MeasurementRun.objects.create(
            run_id=one.run_id,
            source=source,
            source_date="2026-04",
            accelerator=Accelerator.objects.get(slug=one.accelerator),
            accelerator_as_printed=one.accelerator,
            accelerator_count=one.n_accelerators,
            language_model=LanguageModel.objects.get(slug=one.model),
            model_as_printed=one.model,
            weight_format=one.weight_format,
            framework=one.framework,
            serving=one.serving,
            workers=one.workers,
            tp=one.tp,
            pp=one.pp,
            dp=one.dp,
            isl=one.isl,
            osl=one.osl,
            concurrency=one.concurrency,
            scenario=one.scenario,
            flags=sorted(one.flags),
        )
        for metric, value in one.metrics:
            MeasuredValue.objects.create(run=row, metric=metric, value=value)
