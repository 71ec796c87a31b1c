"""`manage.py restore FILE`: a backup into an empty database, compared row by row with what was backed up."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import backup


class Command(BaseCommand):
    help = "Restore a backup into an empty database and compare its rows with the hashes beside the file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what `manage.py backup` wrote")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="the database may hold something: restore beside it, compare, exchange, keep the old one",
        )

    def handle(self, *args: Any, file: Path, replace: bool, **options: Any) -> None:
        done = backup.restore(file, replace=replace)
        compared = "every table's rows are those of the backup"
        if not backup.hashes_file(file).exists():
            compared = "not compared, for there are no row hashes beside the file"
        self.stdout.write(
            f"{file} restored into {done.database}: {done.tables} tables, {done.rows:,} rows "
            f"in {done.seconds:.1f} s; {compared}"
        )
        if done.kept_as:
            self.stdout.write(f"the database that it replaced is kept as {done.kept_as}")
        self.stdout.write(
            "Run `manage.py migrate` before the service starts: the backup may be of an older version."
        )
