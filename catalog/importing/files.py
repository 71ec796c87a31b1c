"""Reads the catalogue's text files (YAML, CSV) keeping the line of every value, and validates them."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from catalog.importing.errors import Place, Problems

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEEPEST = 60
_BRACKET = re.compile(r"[\[\]{}]")
_STEEP = re.compile(rf"^[ \-?]{{{4 * DEEPEST},}}", re.MULTILINE)

#: What pydantic says in its own words, in words that tell the contributor what to write.
_ACCEPTED = {
    "missing": "a value (the field is required)",
    "extra_forbidden": "no such field",
    "finite_number": "a finite number",
    "string_type": "text (quote it if it looks like a number or a date)",
}


class DataFile:
    """One data file: where it lies and under which name it is spoken of."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)

    def place(self, line: int) -> Place:
        return Place(self.name, line)


class Located:
    """A YAML tree as plain Python values, with the line of each node by its path of keys and indices."""

    def __init__(self, data: Any, lines: dict[tuple[Any, ...], int]) -> None:
        self.data = data
        self._lines = lines

    def line(self, *path: Any) -> int:
        """Line of the node at `path`, or of the nearest node above it that exists."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def read_yaml(file: DataFile, problems: Problems) -> Located | None:
    """The tree of one YAML file, or None after noting why it cannot be read.

    Duplicate keys and aliases are faults: PyYAML would silently keep the last, and one figure shown twice
    hides which of the two a reader should change.
    """
    try:
        text = file.path.read_text(encoding="utf-8")
        if (line := _too_deep(text)) is not None:
            problems.add(file.place(line), "file", "nested too deeply", f"at most {DEEPEST} levels")
            return None
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            if node is None:
                problems.add(file.place(1), "file", "", "a YAML document")
                return None
            lines: dict[tuple[Any, ...], int] = {}
            data = _build(node, (), lines, loader, file, problems)
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        problems.add(file.place(1), "file", str(error), "UTF-8 text")
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problems.add(file.place(line), "file", str(getattr(error, "problem", error)), "well-formed YAML")
        return None
    return Located(data, lines)


def _too_deep(text: str) -> int | None:
    """The line where nesting passes `DEEPEST`: beyond it libyaml overruns the C stack, which nothing catches.

    Brackets within strings count too: an estimate from above, far beyond what a data file needs.
    """
    if (steep := _STEEP.search(text)) is not None:
        return text.count("\n", 0, steep.start()) + 1
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > DEEPEST:
            return text.count("\n", 0, bracket.start()) + 1
    return None


def _build(
    node: yaml.Node,
    path: tuple[Any, ...],
    lines: dict[tuple[Any, ...], int],
    loader: Any,
    file: DataFile,
    problems: Problems,
) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                problems.add(file.place(line), "key", "", "a plain key")
                continue
            key = key_node.value
            if key in mapping:
                problems.add(file.place(line), ".".join(map(str, (*path, key))), key, "each key once")
            mapping[key] = _build(value_node, (*path, key), lines, loader, file, problems)
            lines[(*path, key)] = line
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(child, (*path, index), lines, loader, file, problems)
            for index, child in enumerate(node.value)
        ]
    if node.tag.endswith(":timestamp"):  # dates stay text: they are "as exact as known"
        return node.value
    return loader.construct_object(node)


def read_csv(file: DataFile, problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with a header, each with its line number; a ragged row is a fault."""
    try:
        with file.path.open(encoding="utf-8", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            header = next(reader, None)
            if not header:
                problems.add(file.place(1), "file", "", "a CSV file with a header")
                return
            before = reader.line_num
            for row in reader:
                line, before = before + 1, reader.line_num
                if len(row) != len(header):
                    problems.add(file.place(line), "row", len(row), f"{len(header)} columns")
                    continue
                yield line, dict(zip(header, row, strict=True))
    except UnicodeDecodeError as error:
        problems.add(file.place(1), "file", str(error), "UTF-8 text")
    except csv.Error as error:
        problems.add(file.place(1), "file", str(error), "well-formed CSV")


def validated[M: BaseModel](
    schema: type[M], tree: Located, file: DataFile, problems: Problems, *path: Any
) -> M | None:
    """The node at `path` of a tree as a value of `schema`, or None after noting each fault with its line."""
    data = tree.data
    for step in path:
        data = data[step]
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            where = (*path, *fault["loc"])
            _note(file.place(tree.line(*where)), where, fault, problems)
        return None


def validated_row[M: BaseModel](
    schema: type[M], row: Mapping[str, str], line: int, file: DataFile, problems: Problems
) -> M | None:
    """One CSV row as a value of `schema`: empty cells are null (absent), text is turned into numbers."""
    try:
        return schema.model_validate({name: cell for name, cell in row.items() if cell != ""})
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            _note(file.place(line), tuple(fault["loc"]), fault, problems)
        return None


def _note(place: Place, where: tuple[Any, ...], fault: Any, problems: Problems) -> None:
    value = "" if fault["type"] == "missing" else fault["input"]
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    problems.add(place, ".".join(map(str, where)) or "record", value, _ACCEPTED.get(fault["type"], message))
