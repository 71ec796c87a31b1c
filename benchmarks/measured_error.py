"""Error against published runs: `python benchmarks/measured_error.py` on a database that holds the catalogue.

Takes every closed-loop run of aggregated serving that states its deployment and carries no flag but that of
its length distribution, estimates it as it was run (no figure of it is used for the estimate), and prints the
ratio estimated / measured of TPOT, mean TTFT and throughput by model and by chip.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

SOFTWARE = {"TensorRT-LLM": "trtllm", "vLLM": "vllm", "SGLang": "sglang"}
METRICS = ("tpot_ms", "ttft_ms", "output_tok_s_total")
RANDOM_LENGTHS = "random_length_0.8_1.0"  # drawn uniformly between 0.8 and 1.0 of nominal: a mean of 0.9


def compared() -> Iterator[tuple[Any, dict[str, float] | str]]:
    """Every run with the ratios estimated / measured of its metrics, or why it is left out."""
    from catalog.models import Accelerator
    from catalog.models.measurements import MeasurementRun
    from estimates.from_catalog import (
        Evidence,
        Shape,
        accelerator_rows,
        chip_of,
        datasheet_of,
        evidence_of,
        model_facts,
        offer_of,
    )

    rows = {row.pk: row for row in accelerator_rows(Accelerator.objects.all())}
    evidence = evidence_of(rows)
    sheets = {pk: datasheet_of(row, evidence.get(pk, Evidence())) for pk, row in rows.items()}
    runs: Any = MeasurementRun.objects.filter(scenario="closed_loop", serving="aggregated")
    models: dict[int, Any] = {}
    for run in runs.select_related("language_model", "accelerator").prefetch_related("values"):
        sizes = (run.tp, run.pp, run.ep, run.dp, run.workers)
        if set(run.flags) - {RANDOM_LENGTHS}:
            yield run, "flagged"
        elif None in (*sizes, run.concurrency, run.isl, run.osl, run.accelerator, run.language_model):
            yield run, "not stated"
        elif run.tp * run.pp * run.dp * run.workers != run.accelerator_count:
            yield run, "sizes do not multiply to the chips"
        elif run.framework not in SOFTWARE:
            yield run, "other software"
        else:
            if run.language_model_id not in models:
                models[run.language_model_id] = model_facts(run.language_model)
            sheet = sheets[run.accelerator_id]
            offer = offer_of(Shape("run", run.accelerator_count), sheet, chip_of(sheet))
            yield run, ratios(run, models[run.language_model_id], offer)


def ratios(run: Any, model: Any, offer: Any) -> dict[str, float] | str:
    from estimates.core.estimate import evaluate_one
    from estimates.core.facts import Deployment, Workload
    from estimates.method import efficiency

    share = 0.9 if RANDOM_LENGTHS in run.flags else 1.0
    native = model.native is not None and model.native.slug.startswith(run.weight_format or "bf16")
    deployment = Deployment(
        weights=model.native.slug if native else run.weight_format or "bf16",
        kv_format=run.kv_format or None,
        tp=run.tp,
        pp=run.pp,
        ep=run.ep,
        dp=run.dp,
        replicas=run.workers,
        concurrency=int(run.concurrency),
        software=SOFTWARE[run.framework],
    )
    found = evaluate_one(
        model, offer, Workload("run", run.isl * share, run.osl * share), deployment, efficiency()
    )
    if found.state != "ok":
        return found.reason.code if found.reason else found.state
    estimated = {
        "tpot_ms": found.tpot_s and found.tpot_s * 1e3,
        "ttft_ms": found.ttft_s["loaded_mean"] and found.ttft_s["loaded_mean"] * 1e3,
        "output_tok_s_total": found.throughput_output_tok_s,
    }
    measured = {value.metric: value.value for value in run.values.all()}
    return {name: value / measured[name] for name, value in estimated.items() if value and name in measured}


def line(name: str, found: list[dict[str, float]]) -> str:
    """Runs, then for each metric the median ratio, the mean absolute error and the share within 20%."""
    text = f"{name:<44}{len(found):>5}"
    for metric in METRICS:
        values = np.array([ratio[metric] for ratio in found if metric in ratio])
        if values.size == 0:
            text += f"{'-':>24}"
            continue
        error = np.abs(values - 1)
        text += f"{np.median(values):>10.2f}{error.mean() * 100:>7.0f}%{(error <= 0.2).mean() * 100:>5.0f}%"
    return text


def main() -> None:
    import django

    django.setup()
    left_out: Counter[str] = Counter()
    groups: dict[str, list[dict[str, float]]] = defaultdict(list)
    for run, found in compared():
        if isinstance(found, str):
            left_out[found] += 1
            continue
        for name in ("all", f"model {run.language_model.slug}", f"chip {run.accelerator.slug}"):
            groups[name].append(found)
    print(f"{'':<44}{'runs':>5}" + "".join(f"{metric + ' med/err/20%':>24}" for metric in METRICS))
    for name in sorted(groups):
        print(line(name, groups[name]))
    print("left out:", ", ".join(f"{count} {reason}" for reason, count in left_out.most_common()))


if __name__ == "__main__":
    main()
