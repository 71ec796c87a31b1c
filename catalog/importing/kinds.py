"""What a kind of fact must offer so that `load_catalog` reads, checks and writes it with all the others.

A load has three steps, over all kinds in the order of their references:

1. `parse` turns one data file into records. It touches no database and raises nothing: faults go to
   `problems` with their line (`catalog.importing.files`: `read_yaml` + `validated`, `read_csv` +
   `validated_row`).
2. `check` looks at all records together (references to other kinds, natural keys). Duplicate keys within a
   kind are found by the framework. Still no database. `review` yields lines about what is doubtful but legal
   (spot above on demand, exact factors of 2): they are printed and stop nothing.
3. Only when no kind noted a fault, `write` runs, kind after kind, inside ONE transaction. Rows are written in
   bulk, facts that an editor may change through `catalog.importing.rows.sync_rows`, append-only ones through
   `catalog.importing.append_only.append_missing`: only what changed, so a second load bumps no version.

A new kind is a module with one `Kind` and one line in `catalog.importing.registry`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.db import models

from catalog.importing.errors import Place, Problems
from catalog.importing.files import DataFile, Located


@dataclass(frozen=True, slots=True)
class Record:
    """One parsed fact: its natural key (slug, digest, name), its validated value, where it stands.

    A record of a YAML file may carry its tree and its path in it, so that a later check names the exact line.
    """

    key: str
    value: Any
    place: Place
    tree: Located | None = None
    path: tuple[Any, ...] = ()

    def at(self, *path: Any) -> Place:
        """Place of a node of this record, or of the record where the tree is not kept."""
        if self.tree is None:
            return self.place
        return Place(self.place.file, self.tree.line(*self.path, *path))


@dataclass(slots=True)
class Counts:
    """What a write did to one kind. `kept`: an editor's value in the database that no file overrode."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
            self.kept + other.kept,
        )


class Facts:
    """All parsed records of a load by kind name."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Record]] = {}

    def add(self, kind: str, records: Iterable[Record], problems: Problems) -> None:
        """Store the records of a kind; the same key twice is a fault that names the other place."""
        known = self._records.setdefault(kind, {})
        for record in records:
            if record.key in known:
                problems.add(
                    record.place, "key", record.key, f"a key of its own ({known[record.key].place} has it)"
                )
            else:
                known[record.key] = record

    def records(self, kind: str) -> list[Record]:
        return list(self._records.get(kind, {}).values())

    def get(self, kind: str, key: str) -> Record | None:
        return self._records.get(kind, {}).get(key)

    def keys(self, kind: str) -> set[str]:
        return set(self._records.get(kind, {}))

    def require(self, kind: str, key: str | None, place: Place, field_name: str, problems: Problems) -> None:
        """Note a fault when `key` is given but names no record of `kind`."""
        known = self._records.get(kind, {})
        if key and key not in known:
            near = get_close_matches(key, known, n=3)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            problems.add(place, field_name, key, f"the key of one of the {kind}{hint}")


@dataclass(slots=True)
class Load:
    """State of a running load that writers share."""

    facts: Facts
    overwrite: bool = False
    notes: list[str] = field(default_factory=list)
    parts: dict[str, Counts] = field(default_factory=dict)
    _ids: dict[tuple[type[models.Model], str], dict[str, int]] = field(default_factory=dict)

    def ids(self, model: type[models.Model], key_field: str = "slug") -> dict[str, int]:
        """Primary keys by natural key, read once; `forget` after writing rows of that model."""
        if (model, key_field) not in self._ids:
            self._ids[model, key_field] = dict(model._default_manager.values_list(key_field, "pk"))
        return self._ids[model, key_field]

    def forget(self, model: type[models.Model]) -> None:
        for known in [key for key in self._ids if key[0] is model]:
            del self._ids[known]

    def count(self, part: str, counts: Counts) -> None:
        """A line of its own in the report for a part of the kind being written (its figures)."""
        self.parts[part] = counts

    def note(self, message: str) -> None:
        """A line for the report: an editor's value that stands, a row that only the database has."""
        self.notes.append(message)


def _no_check(facts: Facts, problems: Problems) -> None:
    """Nothing refers to other kinds."""


def _no_review(facts: Facts) -> Iterable[str]:
    """Nothing doubtful is looked for."""
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fact: its name (as in `--only`), its files, the kinds it refers to, and the three steps."""

    name: str
    globs: tuple[str, ...]
    parse: Callable[[DataFile, Problems], Iterable[Record]]
    write: Callable[[list[Record], Load], Counts]
    after: tuple[str, ...] = ()
    check: Callable[[Facts, Problems], None] = _no_check
    review: Callable[[Facts], Iterable[str]] = _no_review
