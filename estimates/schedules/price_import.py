"""Import of price files on a schedule: the catalogue's own format, append-only, all or nothing.

Files: `price_quotes/PROVIDER.csv`, `token_prices/SOURCE.csv`, `purchase_prices.csv`, as `catalog/data` has
them. What they refer to (providers, sources, accelerators, models) must be in the database. Rows are known
by their natural keys, so that an import that is repeated adds nothing; content that was imported before is
not read again.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import connection, models

from catalog import hints
from catalog.importing.errors import DataFilesError, Place, Problems
from catalog.importing.files import DataFile
from catalog.importing.kinds import Facts, Load, Record
from catalog.importing.load import LOAD_LOCK, paths_of
from catalog.models import Accelerator, LanguageModel, Provider, Source
from catalog.offers import refresh_offers
from estimates.schedules import price_places
from estimates.schedules.kinds import Done, PriceImportParameters, Refused, Tell
from estimates.schedules.models import Schedule, ScheduledRun, ScheduledRunState

#: What price files refer to, by the name of its kind.
REFERENCES: Final[dict[str, type[models.Model]]] = {
    "sources": Source,
    "providers": Provider,
    "accelerators": Accelerator,
    "models": LanguageModel,
}
SHOWN_FAULTS: Final = 100


@dataclass(slots=True)
class Prepared:
    """Price files, read and checked; `unchanged_since` is the run that imported the same content."""

    digest: str
    files: list[str] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    reviews: list[str] = field(default_factory=list)
    unchanged_since: int | None = None


class PriceImport:
    """Reads, checks, and writes what is new."""

    def prepare(
        self, run: ScheduledRun, schedule: Schedule, parameters: PriceImportParameters, tell: Tell
    ) -> Prepared:
        """Copy or fetch the files and check every line. Raises Refused with each fault in the log."""
        with tempfile.TemporaryDirectory(prefix="atlas-prices-") as folder:
            root = Path(folder)
            files = gather(parameters, root, tell)
            digest = digest_of(root, files)
            tell(f"{len(files)} files, SHA-256 {digest}")
            if not files:
                raise Refused("there are no price files: " + ", ".join(_globs()))
            if (known := imported_before(schedule, digest)) is not None:
                return Prepared(digest, files, unchanged_since=known)
            return read(root, files, digest, tell)

    def work(self, prepared: Prepared, schedule: Schedule, parameters: Any, tell: Tell) -> Done:
        counts: dict[str, Any] = {"files": len(prepared.files)}
        report: dict[str, Any] = {"digest": prepared.digest, "files": prepared.files}
        if prepared.unchanged_since is not None:
            outcome = f"unchanged since run {prepared.unchanged_since}: nothing was read again"
            return Done(outcome, counts, report)
        added = write(prepared.facts, counts, tell)
        report["reviews"] = prepared.reviews[:SHOWN_FAULTS]
        known = sum(value for name, value in counts.items() if name.endswith("_known"))
        return Done(
            f"{added:,} prices added, {known:,} known before, {len(prepared.files)} files", counts, report
        )


def _globs() -> list[str]:
    return [glob for kind in price_places.KINDS for glob in kind.globs]


def gather(parameters: PriceImportParameters, root: Path, tell: Tell) -> list[str]:
    """Bring the files under `root`; their names."""
    if parameters.url is None:
        place = price_places.check_path(parameters.path or ".")
        return price_places.copy_directory(place, root)
    name = price_places.check_file_name(parameters.file)
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    tell(f"asking {parameters.url}")
    size = price_places.fetch(parameters.url, target)
    tell(f"{size:,} bytes as {name}")
    return [name]


def digest_of(root: Path, files: list[str]) -> str:
    """SHA-256 over names and contents."""
    total = hashlib.sha256()
    for name in sorted(files):
        content = hashlib.sha256((root / name).read_bytes()).hexdigest()
        total.update(f"{name}\x00{content}\n".encode())
    return total.hexdigest()


def imported_before(schedule: Schedule, digest: str) -> int | None:
    """The last run of the schedule, where it imported just this content."""
    last = (
        ScheduledRun.objects.filter(schedule=schedule, state=ScheduledRunState.DONE, report__has_key="digest")
        .order_by("-finished_at")
        .values_list("pk", "report__digest")
        .first()
    )
    return last[0] if last is not None and last[1] == digest else None


def read(root: Path, files: list[str], digest: str, tell: Tell) -> Prepared:
    """Parse and check. Raises Refused."""
    prepared, problems = Prepared(digest, files), Problems()
    nowhere = Place("database", 0)
    for name, model in REFERENCES.items():
        keys = model._default_manager.values_list("slug", flat=True)
        prepared.facts.add(name, (Record(key, None, nowhere) for key in keys), problems)
    try:
        for kind in price_places.KINDS:
            for path in paths_of(kind, root):
                prepared.facts.add(kind.name, kind.parse(DataFile(path, root), problems), problems)
        problems.raise_if_any()
        for kind in price_places.KINDS:
            kind.check(prepared.facts, problems)
        problems.raise_if_any()
    except DataFilesError as error:
        for problem in error.problems[:SHOWN_FAULTS]:
            tell(str(problem))
        faults = [
            {
                "file": fault.place.file,
                "line": fault.place.line,
                "field": fault.field,
                "value": str(fault.value)[:200],
                "accepted": fault.accepted,
            }
            for fault in error.problems[:SHOWN_FAULTS]
        ]
        why = f"{len(error.problems)} faults in the price files, nothing was imported; the first: "
        raise Refused(
            why + str(error.problems[0]), {"files": files, "rejected_digest": digest, "faults": faults}
        ) from None
    for kind in price_places.KINDS:
        prepared.reviews += kind.review(prepared.facts)
    for line in prepared.reviews[:SHOWN_FAULTS]:
        tell(line)
    return prepared


def write(facts: Facts, counts: dict[str, Any], tell: Tell) -> int:
    """Append what is new, inside the caller's transaction; how many rows. Fills in the counts by kind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
    load, added = Load(facts), 0
    for kind in price_places.KINDS:
        records = facts.records(kind.name)
        if not records:
            continue
        written = kind.write(records, load)
        counts[f"{kind.name}_added"], counts[f"{kind.name}_known"] = written.added, written.unchanged
        added += written.added
        tell(f"{kind.name}: {written.added} added, {written.unchanged} known before")
    if counts.get("price_quotes_added"):
        tell(str(refresh_offers()))
        hints.work_waiting()
    return added
