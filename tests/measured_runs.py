"""Published runs for the predictions of tests/estimates/calibration, in the database of a test."""

from catalog.models import Accelerator, LanguageModel, MeasuredValue, MeasurementRun, Source

H100, LLAMA_8B, LLAMA_70B = "nvidia-h100-sxm", "llama-3.1-8b-instruct", "llama-3.1-70b-instruct"
#: run -> accelerator, model, software, format, chips and tensor parallel, ISL, OSL, load, figures
RUNS = {
    "r1": (H100, LLAMA_8B, "vLLM", "bf16", 1, 1024, 1024, 1, {"tpot_ms": 10, "ttft_ms": 100}),
    "r2": (H100, LLAMA_8B, "vLLM", "bf16", 1, 1024, 1024, 64, {"tpot_ms": 20}),
    "r3": (H100, LLAMA_8B, "vLLM", "bf16", 1, 1024, 1024, 256, {"tpot_ms": 40}),
    "r4": (H100, LLAMA_70B, "SGLang", "fp8", 8, 1024, 1024, 64, {"tpot_ms": 25}),
    "r5": (H100, LLAMA_70B, "vLLM", "fp8", 8, 1024, 1024, 64, {"tpot_ms": 10}),
    "r6": ("nvidia-l40s", LLAMA_8B, "vLLM", "", 1, 1024, 1024, 64, {"tpot_ms": 50}),
    "r7": (H100, LLAMA_70B, "TensorRT-LLM", "fp8", 8, 1024, 1024, None, {"output_tok_s_total": 1000}),
}


def add_runs() -> None:
    """The runs of those chips and models that the test's catalogue has."""
    source, _ = Source.objects.get_or_create(
        slug="example-lab", defaults={"title": "Example lab", "url": "https://example.com/lab.csv"}
    )
    chips = {row.slug: row for row in Accelerator.objects.all()}
    models = {row.slug: row for row in LanguageModel.objects.all()}
    for run_id, (chip, model, software, weights, count, isl, osl, load, figures) in RUNS.items():
        run = MeasurementRun.objects.create(
            run_id=run_id,
            source=source,
            source_date="2026-04",
            accelerator=chips.get(chip),
            accelerator_as_printed=chip,
            accelerator_count=count,
            language_model=models.get(model),
            model_as_printed=model,
            weight_format=weights,
            framework=software,
            serving="aggregated",
            tp=count,
            isl=isl,
            osl=osl,
            concurrency=load,
            scenario="closed_loop" if load else "offline_max_throughput",
            flags=["speculative"] if run_id == "r5" else [],
        )
        for metric, value in figures.items():
            MeasuredValue.objects.create(run=run, metric=metric, value=value)
