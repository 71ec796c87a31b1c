"""`manage.py benchmark WORD`: how fast parts of the product are; each word is a module of its own."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from estimates.benchmarks.words import WORDS, Benchmark


class Command(BaseCommand):
    help = "Measure the product's speed: one word a benchmark, each with options of its own."
    requires_system_checks = []  # made-up facts need no database

    def add_arguments(self, parser: ArgumentParser) -> None:
        words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
        for word, (_, meaning) in WORDS.items():
            own = words.add_parser(word, help=meaning, description=meaning)
            benchmark_of(word).add_arguments(own)
            own.add_argument("--json", action="store_true", help="the figures as JSON")

    def handle(self, *args: Any, word: str, json: bool, **options: Any) -> None:
        benchmark = benchmark_of(word)
        found = benchmark.run(options)
        if json:
            self.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        else:
            for line in benchmark.lines(found):
                self.stdout.write(line)
        if broken := found.get("broken"):  # bounds that the word has and that did not hold
            raise CommandError("; ".join(broken))


def benchmark_of(word: str) -> Benchmark:
    """The module behind a word."""
    found: Any = import_module(WORDS[word][0])
    return found  # type: ignore[no-any-return]
