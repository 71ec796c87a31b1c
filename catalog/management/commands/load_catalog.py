"""Loads the data files into the catalogue: all or nothing, only what changed, an editor's figures kept."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DataError, IntegrityError

from catalog.importing.errors import DataFilesError
from catalog.importing.kinds import Counts
from catalog.importing.load import DATA, UnknownKindError, load_files

SHOWN_NOTES = 40


def first_lines(error: Exception) -> str:
    """What the database says, on one line."""
    return " ".join(str(error).split())


class Command(BaseCommand):
    help = "Load catalog/data into the database: all files or none; a second run changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data", type=Path, default=DATA, metavar="DIR", help="directory of the data files"
        )
        parser.add_argument(
            "--only", nargs="+", default=[], metavar="KIND", help="these kinds and what they refer to"
        )
        parser.add_argument("--check", action="store_true", help="read and check the files, write nothing")
        parser.add_argument(
            "--overwrite", action="store_true", help="let the files replace what was edited in the database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            report = load_files(
                options["data"].resolve(),
                only=options["only"],
                overwrite=options["overwrite"],
                write=not options["check"],
            )
        except UnknownKindError as error:
            raise CommandError(str(error)) from error
        except DataFilesError as error:
            for problem in error.problems:
                self.stderr.write(str(problem))
            raise CommandError(str(error)) from error
        except (IntegrityError, DataError) as error:
            raise CommandError(
                f"the database refused the rows; nothing was loaded: {first_lines(error)}"
            ) from error
        if options["check"]:
            for name, count in report.parsed.items():
                self.stdout.write(f"{name:<24}{count:>8} read")
        else:
            self._table(report.counts)
        self._lines("To look at", report.reviews)
        self._lines("Notes", report.notes)
        took = time.monotonic() - started
        self.stdout.write(f"{'Checked' if options['check'] else 'Loaded'} in {took:.1f} s")

    def _table(self, counts: dict[str, Counts]) -> None:
        columns = ("added", "changed", "unchanged", "removed", "kept")
        self.stdout.write(f"{'':<24}" + "".join(f"{name:>11}" for name in columns))
        for name, row in counts.items():
            self.stdout.write(f"{name:<24}" + "".join(f"{getattr(row, column):>11}" for column in columns))

    def _lines(self, title: str, lines: list[str]) -> None:
        if not lines:
            return
        self.stdout.write(f"{title} ({len(lines)}):")
        for line in lines[:SHOWN_NOTES]:
            self.stdout.write(f"  {line}")
        if len(lines) > SHOWN_NOTES:
            self.stdout.write(f"  … and {len(lines) - SHOWN_NOTES} more")
