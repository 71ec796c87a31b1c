"""Small files in the schema of the measurements, written by the tests."""

import csv
from pathlib import Path
from typing import Any

COLUMNS = (
    "run_id",
    "source",
    "source_url",
    "source_date",
    "accelerator",
    "accelerator_as_printed",
    "n_accelerators",
    "system",
    "model",
    "weight_format",
    "kv_format",
    "framework",
    "framework_version",
    "serving",
    "workers",
    "tp",
    "pp",
    "ep",
    "dp",
    "moe_tp",
    "prefill_workers",
    "prefill_tp",
    "prefill_pp",
    "prefill_ep",
    "prefill_dp",
    "isl",
    "osl",
    "concurrency",
    "scenario",
    "metric",
    "value",
    "flags",
    "notes",
)

#: Llama 3.1 8B in 16 bit on one H100 with 16 clients, as a closed-loop benchmark prints it.
CLOSED_LOOP: dict[str, Any] = {
    "run_id": "one",
    "source": "A benchmark",
    "accelerator": "nvidia-h100-sxm",
    "accelerator_as_printed": "H100",
    "n_accelerators": 1,
    "model": "llama-3.1-8b-instruct",
    "weight_format": "bf16",
    "framework": "vLLM",
    "framework_version": "0.19.0",
    "serving": "aggregated",
    "workers": 1,
    "tp": 1,
    "pp": 1,
    "dp": 1,
    "isl": 1024,
    "osl": 512,
    "concurrency": 16,
    "scenario": "closed_loop",
    "metric": "tpot_ms",
    "value": 10,
}


def row(**changes: Any) -> dict[str, Any]:
    """The closed-loop row with other values."""
    return CLOSED_LOOP | changes


def write_rows(path: Path, *rows: dict[str, Any], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path
