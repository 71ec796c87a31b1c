"""A published run as the what-if that asks for it: what each scenario of a publication means as a workload.

closed_loop, and server or interactive with a concurrency
    that many clients, each sending its next request when answered.
server, interactive without a concurrency
    saturating: the highest load that keeps the benchmark's service level (MLPerf:
    `estimates/data/mlperf_tasks.csv`), or the highest of all where no level is known.
offline_max_throughput
    without a concurrency saturating; with one a static batch of that size, as every publication that prints
    a batch means it, but for one that says it is `max-num-seqs`: saturating with that many at most.
latency, decode, prefill, single_stream
    a static batch of `concurrency`, 1 where none is stated. A decode test that starts at an empty context
    prints no input length (1 token is asked), a prefill test no output length (1 token). A prompt behind a
    context that is already there (llama-bench `pp2048 @ d32768`) shares a prefix of that length. The first
    token of a prefill test is that of one prompt, whatever batch it is prepared for.

What is not stated is not guessed: without chip, count, model or length there is a Refusal that names it.
Empty parallel sizes are left to the estimator, so is an empty weight format: the checkpoint's own, but for
MLPerf submissions that say quantised: their generation's (`QUANTISED_FORMATS`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from catalog import names as catalogue_names
from catalog.importing.measurements import models_by_printed_name
from catalog.models import Accelerator, LanguageModel
from estimates.measured.runs import Run
from estimates.measured.software import software_key
from estimates.what_if import Question

MLPERF_TASKS: Final = Path(__file__).resolve().parent.parent / "data" / "mlperf_tasks.csv"
RANDOM_LENGTHS: Final = "random_length_0.8_1.0"
#: Mean of lengths drawn uniformly between 0.8 and 1.0 of the nominal one.
RANDOM_LENGTHS_MEAN: Final = 0.9
VERSION_LENGTH: Final = 60
STATIC_SCENARIOS: Final = ("latency", "decode", "prefill", "single_stream")
SERVICE_SCENARIOS: Final = ("server", "interactive")
#: `tp counts NeuronCores (2 cores per chip ...`: parallel sizes in cores.
_CORES: Final = re.compile(r"tp counts \w+ \((\d+)(?: cores)? per chip")
_QUANTISED: Final = re.compile(r"weight_transformations says 'quantization")
#: What MLPerf submissions on a generation quantise to: FP8 on Hopper and CDNA 3, FP4 on Blackwell (NVIDIA,
#: "Blackwell Platform Sets New LLM Inference Records in MLPerf Inference v4.1").
QUANTISED_FORMATS: Final = {"Hopper": "fp8", "Grace Hopper": "fp8", "CDNA 3": "fp8", "Blackwell": "nvfp4"}
_LOAD_LIMIT: Final = re.compile(r"concurrency = max-num-seqs")
_DEPTH: Final = re.compile(r"llama-bench pp\d+ (?:@ d|at context depth )(\d+)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run cannot be asked about: a code, the missing fact by the name of its column, a sentence."""

    code: str
    missing_fact: str
    detail: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of a run, and what was assumed in putting it."""

    question: Question
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelName:
    """What a question needs to know of a model: its slug, its checkpoint's format, its heads and experts."""

    slug: str
    native_format: str
    has_experts: bool
    heads: frozenset[int] = frozenset()  # that tensor parallelism divides


@dataclass(slots=True)
class Names:
    """The catalogue's names, read once: chips by slug, models by whatever publications print."""

    accelerators: dict[str, tuple[str, str]]  # vendor and generation by slug
    models: dict[str, ModelName]
    printed: dict[str, str | None] = field(default_factory=dict)  # looked up later, by the spelling asked

    def model(self, printed: str) -> ModelName | None:
        """The model of a printed name; an alias or repository first, then either in any letter case."""
        if printed in self.models:
            return self.models[printed]
        if printed not in self.printed:
            self.printed[printed] = catalogue_names.model_slugs([printed]).get(printed)
        slug = self.printed[printed]
        return None if slug is None else self.models.get(slug)


def read_names() -> Names:
    """All names of the catalogue, in four queries."""
    by_pk = {
        row.pk: ModelName(
            row.slug, row.native_format, _has_experts(row.architecture), _heads(row.architecture)
        )
        for row in LanguageModel.objects.only("slug", "native_format", "architecture")
    }
    models = {name: by_pk[pk] for name, pk in models_by_printed_name().items()}
    models |= {model.slug: model for model in by_pk.values()}
    accelerators = Accelerator.objects.values_list("slug", "vendor__slug", "generation")
    return Names({slug: (vendor, generation) for slug, vendor, generation in accelerators}, models)


def _blocks(architecture: Any, kind: str) -> list[dict[str, Any]]:
    groups = architecture.get("layers", []) if isinstance(architecture, dict) else []
    return [block for group in groups for block in group.get(kind, [])]


def _has_experts(architecture: Any) -> bool:
    return any(block.get("kind") == "mixture_of_experts" for block in _blocks(architecture, "feed_forwards"))


def _heads(architecture: Any) -> frozenset[int]:
    return frozenset(block["heads"] for block in _blocks(architecture, "mixers") if block.get("heads"))


def question_of(run: Run, names: Names | None = None) -> Question | Refusal:
    """The what-if that `POST /api/v1/estimates/evaluate` takes, or the missing fact."""
    found = asked_of(run, names or read_names())
    return found.question if isinstance(found, Asked) else found


def asked_of(run: Run, names: Names) -> Asked | Refusal:
    """The question of a run with the assumptions that were made in putting it."""
    assumed: list[str] = []
    model = names.model(run.model)
    if run.accelerator is None:
        printed = run.accelerator_as_printed or "the accelerator"
        return Refusal("unknown_accelerator", "accelerator", f"{printed} is no accelerator of the catalogue")
    if run.accelerator not in names.accelerators:
        detail = f"{run.accelerator} is no accelerator of the catalogue"
        return Refusal("unknown_accelerator", "accelerator", detail)
    if model is None:
        return Refusal("unknown_model", "model", f"{run.model} is no language model of the catalogue")
    sizes = _sizes(run, model, assumed)
    count = run.n_accelerators or _count(run, sizes, assumed)
    if count is None:
        detail = "the number of accelerators is not stated"
        return Refusal("missing_count", "n_accelerators", detail)
    workload = _workload(run, model, assumed)
    if isinstance(workload, Refusal):
        return workload
    software = software_key(run.framework)
    if run.framework and software is None:
        assumed.append(f"serving software {run.framework!r} is not known here: the chip's default")
    deployment = sizes | {
        "weights": _weights(run.weight_format, model) or _quantised(run, names, assumed),
        "kv_format": run.kv_format,
        "concurrency": _concurrency(run),
        "software": software,
        "software_version": run.framework_version and run.framework_version[:VERSION_LENGTH],
    }
    question = Question.model_validate(
        {
            "model": model.slug,
            "accelerator": run.accelerator,
            "count": count,
            "workload": workload,
            "deployment": {name: value for name, value in deployment.items() if value is not None},
        }
    )
    return Asked(question, tuple(assumed))


def _weights(printed: str | None, model: ModelName) -> str | None:
    """The format asked for; the checkpoint's own where it is a kind of the one printed (fp8, fp8_block)."""
    if printed is None:
        return None
    native = model.native_format
    return native if native and native.startswith(printed) else printed


def _quantised(run: Run, names: Names, assumed: list[str]) -> str | None:
    """The format of a submission whose description says that weights are quantised, and not to what.

    None where it does not say so, or where nothing tells which: the generation's own is taken.
    """
    if run.weight_format is not None or not is_mlperf(run) or not _QUANTISED.search(run.notes or ""):
        return None
    found = QUANTISED_FORMATS.get(names.accelerators[run.accelerator or ""][1])
    if found is not None:
        assumed.append(f"weights in {found}: the description says quantised, the chip's submissions are so")
    return found


# ---- Deployment ------------------------------------------------------------------------------------------


def _sizes(run: Run, model: ModelName, assumed: list[str]) -> dict[str, Any]:
    """Parallel sizes and replicas as stated, in chips; None where the estimator is to choose."""
    tp, pp, dp, replicas = run.tp, run.pp, run.dp, run.workers
    cores = _CORES.search(run.notes or "")
    if tp is not None and cores and tp % int(cores[1]) == 0:
        tp //= int(cores[1])
    ep = run.ep
    if ep is None and run.moe_tp is not None and tp is not None:
        stage = tp * (dp or 1)
        ep = stage // run.moe_tp if stage % run.moe_tp == 0 else None
    if tp is not None and dp is None and ep is not None and "incomplete_deployment" in run.flags:
        spread = ep * (run.moe_tp or 1)
        if spread > tp and spread % tp == 0:
            dp = spread // tp
            assumed.append(f"attention data parallel size {dp}: experts are spread over {spread} chips")
    if tp is not None and dp is not None and dp > 1 and run.n_accelerators == tp * (pp or 1) and tp % dp == 0:
        tp //= dp  # SGLang prints the whole stage as tensor parallel, data-parallel attention inside it
    if dp is not None and dp > 1 and not model.has_experts:
        replicas, dp = (replicas or 1) * dp, 1  # copies of a dense model share nothing
    if not model.has_experts:
        ep = None
    elif tp is not None and ep is not None and (tp * (dp or 1)) % ep:
        assumed.append(f"expert parallel size {ep} contradicts tp x dp = {tp * (dp or 1)}: left open")
        ep = None
    sizes: dict[str, Any] = {"tp": tp, "pp": pp, "ep": ep, "dp": dp, "replicas": replicas}
    if run.serving == "disaggregated":
        sizes["prefill"] = {
            "workers": run.prefill_workers,
            "tp": run.prefill_tp,
            "pp": run.prefill_pp,
            "ep": run.prefill_ep if model.has_experts else None,
            "dp": run.prefill_dp,
        }
    if "incomplete_deployment" in run.flags and model.has_experts:
        _share_out_attention(sizes, model, assumed)
        if "prefill" in sizes:
            _share_out_attention(sizes["prefill"], model, assumed, "prefill ")
    return sizes


def _share_out_attention(sizes: dict[str, Any], model: ModelName, assumed: list[str], pool: str = "") -> None:
    """Read a tensor-parallel size that does not divide the heads as the chips of a worker.

    SGLang and TensorRT-LLM print all chips of a worker as tensor parallel and share attention out by data
    parallelism inside; where the row does not say so, no other reading of such a size runs.
    """
    tp, dp = sizes["tp"], sizes["dp"]
    if tp is None or (dp or 1) > 1 or all(heads % tp == 0 for heads in model.heads):
        return
    sizes |= {"tp": 1, "dp": tp, "ep": tp}
    assumed.append(
        f"{pool}tensor parallel size {tp} does not divide the heads: attention data parallel over {tp} "
        "chips, experts spread over them"
    )


def _count(run: Run, sizes: dict[str, Any], assumed: list[str]) -> int | None:
    """Chips of a deployment whose number is not printed: from its parallel sizes, one worker each."""
    if "incomplete_deployment" not in run.flags or sizes["tp"] is None:
        return None
    count = _product(sizes["tp"], sizes["pp"], sizes["dp"], sizes["replicas"])
    if "prefill" in sizes:
        pool = sizes["prefill"]
        if pool["tp"] is None:
            return None
        count += _product(pool["tp"], pool["pp"], pool["dp"], pool["workers"])
        pool["workers"] = pool["workers"] or 1
    sizes["replicas"] = sizes["replicas"] or 1
    assumed.append(f"{count} accelerators: one worker where their number is not stated")
    return count


def _product(*sizes: int | None) -> int:
    product = 1
    for size in sizes:
        product *= size or 1
    return product


# ---- Workload --------------------------------------------------------------------------------------------


def is_static(run: Run) -> bool:
    """Whether one batch is started together and run to its end."""
    if run.scenario in STATIC_SCENARIOS:
        return True
    stated = run.scenario == "offline_max_throughput" and run.concurrency is not None
    return stated and not _LOAD_LIMIT.search(run.notes or "")


def prefix_of(run: Run) -> float:
    """Tokens of context that stand in the cache before a prefill test starts."""
    found = _DEPTH.search(run.notes or "") if run.scenario == "prefill" else None
    return float(found[1]) if found else 0.0


def _concurrency(run: Run) -> int | None:
    if run.scenario == "prefill" and any(metric == "ttft_ms" for metric, _ in run.metrics):
        return 1
    if run.concurrency is not None:
        return max(1, round(run.concurrency))
    return 1 if run.scenario in STATIC_SCENARIOS else None


def _workload(run: Run, model: ModelName, assumed: list[str]) -> dict[str, Any] | Refusal:
    isl, osl = run.isl or None, run.osl or None
    limits: dict[str, Any] = {}
    if is_mlperf(run):
        task = mlperf_task((run.model, model.slug), run.scenario)
        if isl is None and task is not None and task.mean_isl is not None:
            isl = task.mean_isl
            assumed.append(f"mean input length {isl:g} of the MLPerf task: {task.isl_source}")
        if isl is None:
            detail = f"no mean input length of the MLPerf task {run.model} is published"
            return Refusal("missing_input_length", "isl", detail)
        if task is not None and run.concurrency is None and run.scenario in SERVICE_SCENARIOS:
            limits = {"ttft_limit_ms": task.ttft_limit_ms, "tpot_limit_ms": task.tpot_limit_ms}
            limits = {name: value for name, value in limits.items() if value is not None}
    if run.scenario == "decode" and isl is None and osl is not None:
        isl = 1.0
    if run.scenario == "prefill" and osl is None:
        osl = 1.0
    if run.scenario == "decode" and osl is None and isl is not None:
        osl = 1.0
    if isl is None:
        return Refusal("missing_input_length", "isl", "the input length is not stated")
    if osl is None:
        return Refusal("missing_output_length", "osl", "the output length is not stated")
    if RANDOM_LENGTHS in run.flags:
        isl, osl = isl * RANDOM_LENGTHS_MEAN, osl * RANDOM_LENGTHS_MEAN
    prefix = prefix_of(run)
    workload: dict[str, Any] = {"isl": max(1, round(isl + prefix)), "osl": max(1, round(osl))} | limits
    if prefix:
        workload["prefix_share"] = prefix / (isl + prefix)
    if is_static(run):
        workload["arrival"] = "static"
    elif run.scenario == "offline_max_throughput" or (
        run.scenario in SERVICE_SCENARIOS and run.concurrency is None
    ):
        workload["arrival"] = "saturating"
    return workload


# ---- MLPerf ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MlperfTask:
    """Mean input length and service level of one task in one scenario; None: not published."""

    mean_isl: float | None
    isl_source: str
    ttft_limit_ms: float | None
    tpot_limit_ms: float | None
    limits_source: str


def is_mlperf(run: Run) -> bool:
    return any("MLPerf" in text for text in (run.source or "", run.notes or ""))


def mlperf_task(models: Iterable[str], scenario: str) -> MlperfTask | None:
    """The task by any name of its model, printed or slug; the row of the scenario, else of every scenario."""
    tasks = _tasks()
    wanted = [(name.lower(), kind) for kind in (scenario, "") for name in models]
    return next((tasks[key] for key in wanted if key in tasks), None)


@lru_cache(maxsize=1)
def _tasks() -> dict[tuple[str, str], MlperfTask]:
    with MLPERF_TASKS.open(newline="", encoding="utf-8") as file:
        return dict(_task(row) for row in csv.DictReader(file))


def _task(row: dict[str, str]) -> tuple[tuple[str, str], MlperfTask]:
    numbers = {
        name: float(row[name]) if row[name] else None
        for name in ("mean_isl", "ttft_limit_ms", "tpot_limit_ms")
    }
    task = MlperfTask(isl_source=row["isl_source"], limits_source=row["limits_source"], **numbers)
    return (row["model"].lower(), row["scenario"]), task
