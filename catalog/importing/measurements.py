"""Reads published measurements: a line is a run with the metrics it reports; one file a publication."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from django.db import connection
from pydantic import BaseModel, ConfigDict, Field

from catalog.importing.append_only import append_missing
from catalog.importing.errors import Problems
from catalog.importing.files import DataFile, read_csv, validated_row
from catalog.importing.kinds import Counts, Facts, Kind, Load, Record
from catalog.importing.token_prices import PARTIAL_DATE
from catalog.models import Accelerator, LanguageModel, MeasuredValue, MeasurementRun, ModelAlias, Source

METRICS: Final = (
    "ttft_ms",
    "tpot_ms",
    "output_tok_s_total",
    "output_tok_s_per_accel",
    "total_tok_s",
    "decode_tok_s_per_user",
    "prefill_tok_s",
    "e2e_latency_s",
)
FLAGS: Final = (
    "incomplete_deployment",
    "parallelism_repaired",
    "random_length_0.8_1.0",
    "speculative",
    "mlperf_open",
    "anomaly",
    "host_limited",
)
Scenario = Literal[
    "closed_loop",
    "offline_max_throughput",
    "server",
    "interactive",
    "latency",
    "decode",
    "prefill",
    "single_stream",
]
Serving = Literal["aggregated", "disaggregated"]
Size = Annotated[int, Field(ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RunEntry(BaseModel):
    """One run. Tokens and requests count over the whole deployment; parallel sizes are inside one worker.

    For a disaggregated run `workers` to `moe_tp` describe the decode workers, `prefill_*` the prefill pool.
    """

    model_config = ConfigDict(extra="forbid")

    run_id: str = Field(min_length=1, max_length=300)
    source: str
    source_date: str = Field(default="", pattern=rf"^$|{PARTIAL_DATE}")
    accelerator: str = ""
    accelerator_as_printed: str = Field(max_length=200)
    accelerator_count: Size | None = None
    system: str = Field(default="", max_length=300)
    model: str = Field(max_length=200)
    weight_format: str = Field(default="", max_length=40)
    kv_format: str = Field(default="", max_length=20)
    framework: str = Field(default="", max_length=100)
    framework_version: str = Field(default="", max_length=100)
    serving: Serving = "aggregated"
    workers: Size | None = None
    tp: Size | None = None
    pp: Size | None = None
    ep: Size | None = None
    dp: Size | None = None
    moe_tp: Size | None = None
    prefill_workers: Size | None = None
    prefill_tp: Size | None = None
    prefill_pp: Size | None = None
    prefill_ep: Size | None = None
    prefill_dp: Size | None = None
    isl: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    osl: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    concurrency: Positive | None = None
    scenario: Scenario
    ttft_ms: Positive | None = None
    tpot_ms: Positive | None = None
    output_tok_s_total: Positive | None = None
    output_tok_s_per_accel: Positive | None = None
    total_tok_s: Positive | None = None
    decode_tok_s_per_user: Positive | None = None
    prefill_tok_s: Positive | None = None
    e2e_latency_s: Positive | None = None
    flags: str = ""
    notes: str = ""


#: Columns of the run that are the entry's own fields of the same name.
_PLAIN: Final = (
    "run_id",
    "source_date",
    "accelerator_as_printed",
    "accelerator_count",
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
    "notes",
)


def parse(file: DataFile, problems: Problems) -> Iterator[Record]:
    for line, row in read_csv(file, problems):
        entry = validated_row(RunEntry, row, line, file, problems)
        if entry is None:
            continue
        place = file.place(line)
        for flag in entry.flags.split():
            if flag not in FLAGS:
                problems.add(place, "flags", flag, "among " + ", ".join(FLAGS))
        if all(getattr(entry, metric) is None for metric in METRICS):
            problems.add(place, "row", entry.run_id, "at least one of " + ", ".join(METRICS))
        yield Record(entry.run_id, entry, place)


def check(facts: Facts, problems: Problems) -> None:
    for record in facts.records("measurement_runs"):
        facts.require("accelerators", record.value.accelerator, record.place, "accelerator", problems)
        facts.require("sources", record.value.source, record.place, "source", problems)


def write(records: list[Record], load: Load) -> Counts:
    """Runs and their values; a model name is resolved by alias, then by repository or its last part."""
    accelerators, sources = load.ids(Accelerator), load.ids(Source)
    models = models_by_printed_name()
    entries: list[RunEntry] = [record.value for record in records]
    unmapped = {entry.model for entry in entries if entry.model not in models}
    if unmapped:
        names = ", ".join(sorted(unmapped))
        load.note(f"{len(unmapped)} model names of measurements mean no model here: {names}")
    counts = append_missing(
        MeasurementRun,
        "run_id",
        [
            {name: getattr(entry, name) for name in _PLAIN}
            | {
                "source_id": sources[entry.source],
                "accelerator_id": accelerators.get(entry.accelerator),
                "system_as_printed": entry.system,
                "model_as_printed": entry.model,
                "language_model_id": models.get(entry.model),
                "flags": entry.flags.split(),
            }
            for entry in entries
        ],
        links=["accelerator_id", "language_model_id"],
    )
    load.count("measured values", append_values(entries))
    return counts


def append_values(entries: list[RunEntry]) -> Counts:
    """Insert the metrics that the database does not have of these runs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE incoming_values (run_id text, metric text, value float8) ON COMMIT DROP"
        )
        with cursor.copy("COPY incoming_values FROM STDIN") as copy:
            for entry in entries:
                for metric in METRICS:
                    if (value := getattr(entry, metric)) is not None:
                        copy.write_row((entry.run_id, metric, value))
        cursor.execute(
            f"INSERT INTO {MeasuredValue._meta.db_table} (run_id, metric, value) "
            f"SELECT run.id, incoming.metric, incoming.value FROM incoming_values incoming "
            f"JOIN {MeasurementRun._meta.db_table} run ON run.run_id = incoming.run_id "
            "ON CONFLICT (run_id, metric) DO NOTHING"
        )
        added = cursor.rowcount
        cursor.execute("SELECT count(*) FROM incoming_values")
        given = cursor.fetchone()[0]
        cursor.execute("DROP TABLE incoming_values")
    return Counts(added=added, unchanged=given - added)


def models_by_printed_name() -> dict[str, int]:
    """Primary key of the model by every name it goes by; an alias counts before a repository's name."""
    known: dict[str, int] = {}
    for pk, repository in LanguageModel.objects.order_by("-slug").values_list("pk", "hf_id"):
        known[repository.split("/")[-1]] = pk
        known[repository] = pk
    known.update(ModelAlias.objects.values_list("name", "language_model_id"))
    return known


KINDS = [
    Kind(
        "measurement_runs",
        ("measurements/*.csv",),
        parse,
        write,
        after=("sources", "accelerators", "models", "model_aliases"),
        check=check,
    )
]
