"""Published runs as they are read: from any file in the schema of the measurements, or from the catalogue.

A file has one metric a row; rows of one run share `run_id` and differ in `metric` and `value` alone. Units:
tokens, tokens/s, ms and s as the metric's name says. An empty cell is None: not stated.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from catalog.importing.measurements import FLAGS, METRICS, Scenario, Serving

SCENARIOS: Final = get_args(Scenario)
SERVING: Final = get_args(Serving)


class UnreadableMeasurements(ValueError):  # noqa: N818
    """A file that cannot be read: where, what was found, what is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as published. Sizes are inside one worker, `concurrency` counts over the whole deployment.

    Of a disaggregated run `workers` to `moe_tp` describe the decode workers, `prefill_*` the prefill pool.
    """

    run_id: str
    accelerator: str | None
    n_accelerators: int | None
    model: str
    isl: float | None
    osl: float | None
    scenario: str
    concurrency: float | None = None
    weight_format: str | None = None
    kv_format: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    serving: str = "aggregated"
    workers: int | None = None
    tp: int | None = None
    pp: int | None = None
    ep: int | None = None
    dp: int | None = None
    moe_tp: int | None = None
    prefill_workers: int | None = None
    prefill_tp: int | None = None
    prefill_pp: int | None = None
    prefill_ep: int | None = None
    prefill_dp: int | None = None
    flags: frozenset[str] = frozenset()
    metrics: tuple[tuple[str, float], ...] = ()
    accelerator_as_printed: str | None = None
    system: str | None = None
    source: str | None = None
    source_url: str | None = None
    source_date: str | None = None
    notes: str | None = None


def _text(cell: str) -> str | None:
    return None if cell in ("", "nan") else cell


def _named(cell: str) -> str:
    if not cell:
        raise ValueError("a name")
    return cell


def _size(cell: str) -> int | None:
    if not cell:
        return None
    number = float(cell)
    if not number.is_integer() or not 1 <= number <= 1_000_000:
        raise ValueError
    return int(number)


def _length(cell: str) -> float | None:
    if not cell:
        return None
    number = float(cell)
    if not math.isfinite(number) or number < 0:
        raise ValueError
    return number


def _positive(cell: str) -> float:
    number = float(cell)
    if not math.isfinite(number) or number <= 0:
        raise ValueError
    return number


def _load(cell: str) -> float | None:
    return _positive(cell) if cell else None


def _among(accepted: tuple[str, ...], empty: str | None = None) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if not cell and empty is not None:
            return empty
        if cell not in accepted:
            raise ValueError
        return cell

    return read


def _flags(cell: str) -> frozenset[str]:
    if not set(cell.split()) <= set(FLAGS):
        raise ValueError
    return frozenset(cell.split())


_SIZE: Final = (_size, "a whole number of at least 1, or empty")
_LENGTH: Final = (_length, "a number of at least 0, or empty")
_TEXT: Final = (_text, "a text, or empty")
_Reader = tuple[Callable[[str], Any], str]

#: Columns without which a row says nothing that can be compared.
REQUIRED: Final[dict[str, _Reader]] = {
    "run_id": (_named, "a name"),
    "accelerator": _TEXT,
    "n_accelerators": _SIZE,
    "model": (_named, "a name"),
    "isl": _LENGTH,
    "osl": _LENGTH,
    "scenario": (_among(SCENARIOS), ", ".join(SCENARIOS)),
    "concurrency": (_load, "a positive number, or empty"),
    "weight_format": _TEXT,
    "kv_format": _TEXT,
    "framework": _TEXT,
    "serving": (_among(SERVING, "aggregated"), ", ".join(SERVING)),
    "tp": _SIZE,
    "pp": _SIZE,
    "ep": _SIZE,
    "dp": _SIZE,
    "flags": (_flags, "words among " + ", ".join(FLAGS)),
}
#: Columns that a file may leave out: not stated.
OPTIONAL: Final[dict[str, _Reader]] = {
    "framework_version": _TEXT,
    "workers": _SIZE,
    "moe_tp": _SIZE,
    "prefill_workers": _SIZE,
    "prefill_tp": _SIZE,
    "prefill_pp": _SIZE,
    "prefill_ep": _SIZE,
    "prefill_dp": _SIZE,
    "accelerator_as_printed": _TEXT,
    "system": _TEXT,
    "source": _TEXT,
    "source_url": _TEXT,
    "source_date": _TEXT,
    "notes": _TEXT,
}
_METRIC: Final[dict[str, _Reader]] = {
    "metric": (_among(METRICS), ", ".join(METRICS)),
    "value": (_positive, "a positive number"),
}


def read_runs(path: str | Path) -> list[Run]:
    """Every run of a file in the schema, in the file's order. Columns beyond the schema are not looked at.

    Raises UnreadableMeasurements with the line and the column at fault.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read(csv.DictReader(file), path)
    except FileNotFoundError:
        raise UnreadableMeasurements(f"there is no file {path}") from None
    except OSError as error:
        raise UnreadableMeasurements(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableMeasurements(f"{path} is no CSV in UTF-8: {error}") from None


def _read(rows: csv.DictReader[str], path: Path) -> list[Run]:
    columns = rows.fieldnames or []
    missing = [name for name in (*REQUIRED, *_METRIC) if name not in columns]
    if missing:
        raise UnreadableMeasurements(f"{path} lacks columns of the schema: {', '.join(missing)}")
    described = {name: reader for name, reader in (REQUIRED | OPTIONAL).items() if name in columns}
    seen: dict[str, tuple[int, dict[str, Any]]] = {}
    metrics: dict[str, dict[str, float]] = {}
    for row in rows:
        line = rows.line_num
        if None in row:
            raise UnreadableMeasurements(f"{path} line {line}: more cells than the {len(columns)} columns")
        values = {name: _cell(row, name, reader, path, line) for name, reader in described.items()}
        measured = {name: _cell(row, name, reader, path, line) for name, reader in _METRIC.items()}
        run_id, metric = values["run_id"], measured["metric"]
        first, known = seen.setdefault(run_id, (line, values))
        differing = [name for name in known if known[name] != values[name]]
        if differing:
            name = differing[0]
            raise UnreadableMeasurements(
                f"{path} line {line}: {name} of run {run_id!r} is {row[name]!r}; line {first} differs"
            )
        if metric in metrics.setdefault(run_id, {}):
            raise UnreadableMeasurements(f"{path} line {line}: run {run_id!r} has {metric} twice")
        metrics[run_id][metric] = measured["value"]
    if not seen:
        raise UnreadableMeasurements(f"{path} holds no measurement")
    return [Run(**values, metrics=tuple(metrics[run_id].items())) for run_id, (_, values) in seen.items()]


def _cell(row: dict[str, str], name: str, reader: _Reader, path: Path, line: int) -> Any:
    read, accepted = reader
    cell = (row.get(name) or "").strip()
    try:
        return read(cell)
    except ValueError:
        shown = cell if len(cell) <= 60 else cell[:57] + "..."
        raise UnreadableMeasurements(
            f"{path} line {line}: {name} is {shown!r}; accepted: {accepted}"
        ) from None


def stored_runs(rows: Iterable[Any] | None = None) -> list[Run]:
    """Every run of the catalogue that reports a metric, in the order of its id: two queries."""
    from catalog.models import MeasurementRun

    if rows is None:
        rows = (
            MeasurementRun.objects.select_related("accelerator", "source", "language_model")
            .prefetch_related("values")
            .order_by("run_id")
        )
    return [run_of(row) for row in rows]


def run_of(row: Any) -> Run:
    """A stored run whose values are fetched."""
    same = ("run_id", "serving", "scenario", "isl", "osl", "concurrency", *_STORED_SIZES)
    columns: dict[str, Any] = {name: getattr(row, name) for name in same}
    columns |= {name: _text(getattr(row, name)) for name in _STORED_TEXTS}
    return Run(
        **columns,
        accelerator=row.accelerator.slug if row.accelerator else None,
        n_accelerators=row.accelerator_count,
        model=row.language_model.slug if row.language_model else row.model_as_printed,
        system=row.system_as_printed or None,
        source=row.source.title,
        source_url=row.source.url or None,
        flags=frozenset(row.flags),
        metrics=tuple((value.metric, value.value) for value in row.values.all()),
    )


_STORED_SIZES: Final = tuple(
    name for name, reader in (REQUIRED | OPTIONAL).items() if reader is _SIZE and name != "n_accelerators"
)
_STORED_TEXTS: Final = (
    "weight_format",
    "kv_format",
    "framework",
    "framework_version",
    "accelerator_as_printed",
    "source_date",
    "notes",
)
