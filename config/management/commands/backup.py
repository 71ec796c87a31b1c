"""`manage.py backup FILE`: the database in one file, its row hashes beside it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import backup


class Command(BaseCommand):
    help = "Dump the database into a new file (pg_dump, custom format) and its row hashes beside it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        done = backup.back_up(file)
        self.stdout.write(
            f"{done.database} backed up into {file}: {done.tables} tables, {done.rows:,} rows, "
            f"{done.bytes / 1e6:,.1f} MB in {done.seconds:.1f} s; row hashes in {backup.hashes_file(file)}"
        )
