"""Writing a chunk of results: one binary COPY into a temporary table, then a guarded upsert.

The guard is per calculation (model x accelerator) and under its row lock: results made from an older version
never replace those of a newer one, whatever the order of deliveries. Rows that come out as they stand are
not written again, rows that are no longer produced are deleted, all in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from estimates.comparison.superseded import register_method
from estimates.convergence import movements
from estimates.models import Estimate

#: COPY's binary format: signature, flags, length of the header extension; at the end a trailer of -1.
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"

_KEYS: Final = ("calculation_id", "language_model_id", "offer_id", "workload_id")
#: Columns of codes into the texts that come with a batch; 0 stands for the empty text.
TEXTS: Final = ("reason", "weight_format", "kv_format")
#: Whole numbers that may be unknown, given as 0 then.
COUNTS: Final = ("tp", "pp", "ep", "dp", "replicas", "concurrency", "binding_limit", "tier")
#: Numbers that may be unknown, given as NaN then.
NUMBERS: Final = (
    "tpot_ms",
    "tpot_low_ms",
    "tpot_high_ms",
    "ttft_ms",
    "ttft_low_ms",
    "ttft_high_ms",
    "ttft_unloaded_ms",
    "throughput_tok_s",
    "throughput_low_tok_s",
    "throughput_high_tok_s",
    "tok_s_per_user",
    "memory_used_gb",
    "memory_usable_gb",
    "shortfall_gb",
)

_COLUMNS: Final[tuple[tuple[str, str, str], ...]] = (  # name, NumPy type, Postgres type
    *[(name, ">i8", "bigint") for name in _KEYS],
    ("objective", ">i2", "smallint"),
    ("state", ">i2", "smallint"),
    *[(name, ">i4", "integer") for name in (*TEXTS, "grade")],
    *[(name, ">i4", "integer") for name in COUNTS],
    *[(name, ">f4", "real") for name in NUMBERS],
    ("meets_service_level", ">i2", "smallint"),
)
#: What a batch is given in: one record a row, fields by the names of `Estimate`'s columns.
ROW: Final = np.dtype([(name, kind[1:]) for name, kind, _ in _COLUMNS])

_WIRE = np.dtype(
    [("fields", ">i2")]
    + [part for name, kind, _ in _COLUMNS for part in ((f"{name}:length", ">i4"), (name, kind))]
)


@dataclass(frozen=True, slots=True)
class MadeCalculation:
    """One calculation as made: the versions that were read, and what to store with it."""

    pk: int
    model_version: int
    accelerator_version: int
    input_digest: str
    configurations: int
    error: str = ""
    unchanged: bool = False  # same input digest as stored: only the versions move on
    traceback: str = ""
    run: int | None = None  # the run that asked for it when it was claimed


@dataclass(slots=True)
class Batch:
    """Results of a chunk. `rows` has dtype `ROW`; code k > 0 of a text column means `texts[k - 1]`."""

    made: list[MadeCalculation]
    rows: NDArray[np.void]
    texts: list[str]
    workloads_digest: str
    method_version: str
    worker: str = ""  # who holds the claim on the calculations


@dataclass(slots=True)
class Written:
    """What a batch changed. `skipped` calculations were found made from newer inputs and left alone."""

    calculations: int = 0
    skipped: int = 0
    unchanged: int = 0
    rows: int = 0
    deleted: int = 0
    configurations: int = 0
    failed: list[int] = field(default_factory=list)

    def add(self, other: Written) -> None:
        """Count another batch in."""
        self.calculations += other.calculations
        self.skipped += other.skipped
        self.unchanged += other.unchanged
        self.rows += other.rows
        self.deleted += other.deleted
        self.configurations += other.configurations
        self.failed += other.failed


def empty_rows(count: int) -> NDArray[np.void]:
    """That many records with every optional column unknown."""
    rows = np.zeros(count, ROW)
    for name in NUMBERS:
        rows[name] = np.nan
    return rows


def copy_bytes(rows: NDArray[np.void]) -> bytes:
    """The records in COPY's binary format: each field as its length and its big-endian bytes."""
    wire = np.empty(len(rows), _WIRE)
    wire["fields"] = len(_COLUMNS)
    for name, kind, _ in _COLUMNS:
        wire[f"{name}:length"] = np.dtype(kind).itemsize
        wire[name] = rows[name]
    return _HEADER + wire.tobytes() + _TRAILER


def write(batch: Batch) -> Written:
    """Store a batch in one transaction (the caller's, when there is one)."""
    with transaction.atomic():
        written = Written()
        allowed = _lock_and_guard(batch)
        written.skipped = len(batch.made) - len(allowed)
        if not allowed:
            return written
        fresh = [made for made in allowed if not made.unchanged and not made.error]
        written.failed = [made.pk for made in allowed if made.error]
        if fresh:
            pks = np.array(sorted(made.pk for made in fresh), np.int64)
            rows = batch.rows[np.isin(batch.rows["calculation_id"], pks)]
            register_method(batch.method_version)
            written.rows, written.deleted = _upsert(rows, batch, pks)
        _store_calculations(allowed, batch)
        written.calculations = len(allowed)
        written.unchanged = sum(made.unchanged for made in allowed)
        written.configurations = sum(made.configurations for made in allowed)
        return written


_GUARD: Final = """
    SELECT c.id,
           (c.model_version > given.model_version AND c.model_version <= m.version)
        OR (c.accelerator_version > given.accelerator_version AND c.accelerator_version <= a.version)
        OR (c.workloads_digest <> %(digest)s AND c.workloads_digest = %(current)s)
    FROM unnest(%(pks)s::bigint[], %(model_versions)s::integer[], %(accelerator_versions)s::integer[])
         AS given (id, model_version, accelerator_version)
    JOIN estimates_calculation c USING (id)
    JOIN catalog_languagemodel m ON m.id = c.language_model_id
    JOIN catalog_accelerator a ON a.id = c.accelerator_id
    ORDER BY c.id
    FOR NO KEY UPDATE OF c
"""


def _lock_and_guard(batch: Batch) -> list[MadeCalculation]:
    """Lock the calculations in the order of their key and return those that may be overwritten.

    A stored version above the one used here belongs to a later calculation, unless it is above what the
    catalogue holds now (a restored backup): such a one must not stand in the way.
    """
    from estimates.from_catalog import read_workloads

    with connection.cursor() as cursor:
        cursor.execute(
            _GUARD,
            {
                "pks": [made.pk for made in batch.made],
                "model_versions": [made.model_version for made in batch.made],
                "accelerator_versions": [made.accelerator_version for made in batch.made],
                "digest": batch.workloads_digest,
                "current": read_workloads().digest,
            },
        )
        newer = dict(cursor.fetchall())
    return [made for made in batch.made if newer.get(made.pk) is False]


def _value(name: str) -> str:
    """The SQL that gives a column of `Estimate` from the temporary table."""
    if name in TEXTS:
        return f"COALESCE({name}_text.value, '')"
    if name == "grade":
        return "CASE i.grade WHEN 0 THEN '' ELSE chr(i.grade) END"
    if name in COUNTS:
        return f"NULLIF(i.{name}, 0)"
    if name in NUMBERS:
        return f"NULLIF(i.{name}, 'NaN'::real)"
    if name == "meets_service_level":
        return "i.meets_service_level <> 0"
    return f"i.{name}"


_NATURAL_KEY: Final = ("language_model_id", "workload_id", "objective", "offer_id")
_NAMES: Final = tuple(name for name, _, _ in _COLUMNS)
_OTHERS: Final = tuple(name for name in _NAMES if name not in _NATURAL_KEY)


def _columns_of(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in _OTHERS)


_TEXT_JOINS: Final = "\n".join(
    f"LEFT JOIN texts AS {name}_text ON {name}_text.code = i.{name}" for name in TEXTS
)

_CREATE: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_estimate ("
    + ", ".join(f"{name} {kind} NOT NULL" for name, _, kind in _COLUMNS)
    + ") ON COMMIT DELETE ROWS"
)
_COPY: Final = f"COPY incoming_estimate ({', '.join(_NAMES)}) FROM STDIN (FORMAT binary)"
#: How many rows came in, and the columns that they are joined by; the others would take ten times as long.
_ANALYZE: Final = f"ANALYZE incoming_estimate ({', '.join(_KEYS)}, objective)"
_CONDITION: Final = " AND ".join(f"e.{name} = new.{name}" for name in _NATURAL_KEY)
_FIGURES: Final = ("state", "tpot_ms", "ttft_ms", "throughput_tok_s")
_VERSIONS: Final = ("model_version", "accelerator_version", "calculated_at")
#: What an earlier method said of these calculations, before it is replaced: every row, also one that goes.
_KEEP: Final = f"""
        INSERT INTO estimates_supersededestimate
               (method_id, {", ".join((*_NATURAL_KEY, *_FIGURES, *_VERSIONS))})
        SELECT m.id, {", ".join(f"e.{name}" for name in (*_NATURAL_KEY, *_FIGURES))},
               {", ".join(f"c.{name}" for name in _VERSIONS)}
        FROM estimates_calculation c
        JOIN estimates_method m ON m.version = c.method_version
        JOIN estimates_estimate e ON e.calculation_id = c.id
        WHERE c.id = ANY(%(calculations)s::bigint[]) AND c.method_version <> %(method)s
        ON CONFLICT ({", ".join(_NATURAL_KEY)}, method_id) DO UPDATE SET
            {", ".join(f"{name} = EXCLUDED.{name}" for name in (*_FIGURES, *_VERSIONS))}
"""
#: What came in, in the columns of `Estimate`.
_NEW: Final = f"""
    texts AS (
        SELECT value, code FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS t (value, code)
    ), new AS (
        SELECT {", ".join(f"{_value(name)} AS {name}" for name in _NAMES)}
        FROM incoming_estimate i {_TEXT_JOINS}
    )
"""
_UPSERT: Final = f"""
    WITH {_NEW}, kept AS ({_KEEP}), moved AS ({movements.RECORD})
    INSERT INTO estimates_estimate ({", ".join(_NAMES)})
    SELECT {", ".join(f"new.{name}" for name in _NAMES)}
    FROM new LEFT JOIN estimates_estimate e ON {_CONDITION}
    WHERE e.id IS NULL
       OR ({_columns_of("e")}) IS DISTINCT FROM ({_columns_of("new")})
    ON CONFLICT ({", ".join(_NATURAL_KEY)}) DO UPDATE SET
        {", ".join(f"{name} = EXCLUDED.{name}" for name in _OTHERS)}
"""
_DELETE: Final = f"""
    DELETE FROM estimates_estimate e
    WHERE e.calculation_id = ANY(%s::bigint[])
      AND NOT EXISTS (SELECT FROM incoming_estimate new WHERE {_CONDITION})
"""


def _upsert(rows: NDArray[np.void], batch: Batch, calculations: NDArray[np.int64]) -> tuple[int, int]:
    """Bring the estimates of these calculations to `rows`; how many were written and deleted."""
    made = {one.pk: one for one in batch.made}
    wanted = {
        "texts": batch.texts,
        "calculations": calculations.tolist(),
        "model_versions": [made[pk].model_version for pk in calculations.tolist()],
        "accelerator_versions": [made[pk].accelerator_version for pk in calculations.tolist()],
        "method": batch.method_version,
        "digest": batch.workloads_digest,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        cursor.execute("DELETE FROM incoming_estimate")  # an earlier chunk of the same transaction
        with cursor.copy(_COPY) as copy:
            copy.write(copy_bytes(rows))
        cursor.execute(_ANALYZE)
        cursor.execute(_UPSERT, wanted)
        written = cursor.rowcount
        cursor.execute(_DELETE, [calculations.tolist()])
        return written, cursor.rowcount


#: A failure is tried again after a pause that grows fourfold, by default 5, 20 and 80 seconds.
PAUSE_SECONDS: Final = 5.0

_STORE: Final = """
    UPDATE estimates_calculation c SET
        state = CASE WHEN given.error = '' THEN 'done' ELSE 'failed' END,
        attempts = next.attempts,
        error = given.error,
        traceback = given.traceback,
        model_version = given.model_version,
        accelerator_version = given.accelerator_version,
        workloads_digest = %(digest)s,
        method_version = %(method)s,
        input_digest = CASE WHEN given.error = '' THEN given.input_digest ELSE '' END,
        configurations = CASE WHEN given.unchanged THEN c.configurations ELSE given.configurations END,
        calculated_at = clock_timestamp(),
        losses = 0,
        claimed_until = CASE
            WHEN given.error <> '' THEN clock_timestamp()
                + make_interval(secs => %(pause)s * power(4, LEAST(next.attempts, 6) - 1))
            WHEN c.claimed_by IN ('', %(worker)s) THEN NULL
            ELSE c.claimed_until END,
        claimed_by = CASE WHEN given.error <> '' OR c.claimed_by = %(worker)s THEN '' ELSE c.claimed_by END,
        -- A run that has asked again since then still waits.
        run_id = CASE WHEN c.run_id IS NOT DISTINCT FROM given.run THEN NULL ELSE c.run_id END
    FROM unnest(
        %(pks)s::bigint[], %(model_versions)s::integer[], %(accelerator_versions)s::integer[],
        %(digests)s::text[], %(configurations)s::bigint[], %(errors)s::text[], %(tracebacks)s::text[],
        %(unchanged)s::boolean[], %(runs)s::bigint[]
    ) AS given (id, model_version, accelerator_version, input_digest, configurations, error, traceback,
                unchanged, run)
    JOIN estimates_calculation was ON was.id = given.id,
    LATERAL (SELECT CASE
        WHEN given.error = '' THEN 0
        WHEN was.model_version = given.model_version
             AND was.accelerator_version = given.accelerator_version
             AND was.workloads_digest = %(digest)s AND was.method_version = %(method)s
            THEN LEAST(was.attempts + 1, 32000)
        ELSE 1 END AS attempts) next
    WHERE c.id = given.id
"""


def _store_calculations(made: Sequence[MadeCalculation], batch: Batch) -> None:
    columns: dict[str, Any] = {
        "pks": [one.pk for one in made],
        "model_versions": [one.model_version for one in made],
        "accelerator_versions": [one.accelerator_version for one in made],
        "digests": [one.input_digest for one in made],
        "configurations": [one.configurations for one in made],
        "errors": [one.error for one in made],
        "tracebacks": [one.traceback for one in made],
        "unchanged": [one.unchanged for one in made],
        "runs": [one.run for one in made],
        "digest": batch.workloads_digest,
        "method": batch.method_version,
        "worker": batch.worker or "-",
        "pause": PAUSE_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE, columns)


def bytes_on_disk() -> int:
    """What the cached estimates and calculations take, indexes and answers of earlier methods included."""
    tables = [Estimate._meta.db_table, "estimates_calculation", "estimates_supersededestimate"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS t (name)", [tables]
        )
        return int(cursor.fetchone()[0])
