"""The words of `manage.py benchmark`: a word, the module that measures it, one line about it.

Such a module is light to import (the command imports all of them for their options) and has the three
functions of `Benchmark`; `--json` is added by the command.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, Final, Protocol

WORDS: Final[dict[str, tuple[str, str]]] = {
    "api": ("estimates.benchmarks.hot_list.api", "the ranked list beside a bare view, and its 304s"),
    "core": ("estimates.benchmarks.core", "the core's grid on one thread of one process; nothing is stored"),
    "load": ("estimates.benchmarks.load.sustained", "sustained reads and edits on a service of its own"),
    "upgrade": ("estimates.benchmarks.load.upgrade", "an earlier version is replaced while it is in use"),
    "workers": (
        "estimates.benchmarks.workers",
        "a full recalculation shared by worker groups, in a service of its own: rates, limits and why",
    ),
    "schedules": (
        "estimates.benchmarks.schedules",
        "slots of schedules with two beats and clocks that jump: runs per slot, on a database of its own",
    ),
}


class Benchmark(Protocol):
    """What a module behind a word offers."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of this word."""

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Measure, with the options by name; plain values for JSON. Raises CommandError with one line."""

    def lines(self, found: dict[str, Any]) -> list[str]:
        """What `run` found, for people."""


def count(text: str) -> int:
    """A whole number of at least 1, for `type=` of an option."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not accepted; accepted: a whole number of at least 1")
    return int(text)
