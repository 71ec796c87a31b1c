"""A load of the data files: parse everything, check everything, then write in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from catalog.history.origin import noted
from catalog.importing.errors import Problems
from catalog.importing.files import DataFile
from catalog.importing.kinds import Counts, Facts, Kind, Load
from catalog.importing.registry import after_load, all_kinds

DATA = Path(settings.BASE_DIR) / "catalog" / "data"
#: Two loads at once would insert the same rows; the second waits. The number is this lock's name.
LOAD_LOCK = 7_013_001


@dataclass(slots=True)
class Report:
    """What a load did: counts by kind in the order written, notes, and what the reviews found."""

    counts: dict[str, Counts] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    parsed: dict[str, int] = field(default_factory=dict)


class UnknownKindError(Exception):
    """A kind was named that the catalogue does not have."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown kind {name!r}; accepted: {', '.join(known)}")


def load_files(
    root: Path = DATA,
    *,
    only: Sequence[str] = (),
    overwrite: bool = False,
    write: bool = True,
    kinds: Sequence[Kind] | None = None,
) -> Report:
    """Load the data files below `root`; all or nothing.

    `only` names kinds; those they refer to come with them. `overwrite` lets the files replace what an editor
    changed. With `write=False` the files are read and checked and the database is not needed.

    Raises `DataFilesError` with every fault found (nothing was written), `UnknownKindError`.
    """
    chosen = in_order(kinds if kinds is not None else all_kinds(), only)
    facts, problems, report = Facts(), Problems(), Report()
    if not root.is_dir():
        problems.add(DataFile(root, root.parent).place(1), "data", str(root), "a directory of data files")
    for kind in chosen:
        for path in paths_of(kind, root):
            file = DataFile(path, _shown_from(root))
            facts.add(kind.name, kind.parse(file, problems), problems)
        report.parsed[kind.name] = len(facts.keys(kind.name))
    problems.raise_if_any()  # references into a file that could not be read would only add noise
    for kind in chosen:
        kind.check(facts, problems)
    problems.raise_if_any()
    for kind in chosen:
        report.reviews += kind.review(facts)
    if write:
        load = Load(facts, overwrite=overwrite)
        files = _shown(root)
        with noted("load_catalog", f"load_catalog {files}", files=files), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
            for kind in chosen:
                load.parts.clear()
                report.counts[kind.name] = kind.write(facts.records(kind.name), load)
                report.counts.update(load.parts)
            for step in after_load():
                step(load)
        report.notes = load.notes
    return report


def in_order(kinds: Sequence[Kind], only: Sequence[str] = ()) -> list[Kind]:
    """The named kinds (all without names) and those they refer to, referred ones first."""
    by_name = {kind.name: kind for kind in kinds}
    for name in only:
        if name not in by_name:
            raise UnknownKindError(name, sorted(by_name))
    ordered: dict[str, Kind] = {}
    visiting: set[str] = set()

    def visit(name: str) -> None:
        if name in ordered or name not in by_name:
            return
        if name in visiting:
            raise ValueError(f"kinds refer to each other in a circle at {name}")
        visiting.add(name)
        for earlier in by_name[name].after:
            visit(earlier)
        ordered[name] = by_name[name]

    for name in only or by_name:
        visit(name)
    return list(ordered.values())


def paths_of(kind: Kind, root: Path) -> list[Path]:
    """Files of a kind below `root`, in a stable order."""
    return sorted({path for glob in kind.globs for path in root.glob(glob) if path.is_file()})


def _shown(root: Path) -> str:
    base = Path(settings.BASE_DIR)
    return str(root.relative_to(base)) if root.is_relative_to(base) else str(root)


def _shown_from(root: Path) -> Path:
    """Files are named from the project's directory where they lie inside it, else from the data directory."""
    base = Path(settings.BASE_DIR)
    return base if root.is_relative_to(base) else root
