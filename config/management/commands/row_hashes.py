"""`manage.py row_hashes`: what the database holds, in one line a table, to be compared with another."""

from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import backup
from config.row_hashes import RowHashes, differences


class Command(BaseCommand):
    help = (
        "Rows and a hash of each table, whatever the order of the rows, and the position of each sequence. "
        "Temporary tables are left out."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as --compare reads it")
        parser.add_argument("--compare", type=Path, metavar="FILE", help="exit code 1 where anything differs")

    def handle(self, *args: Any, json: bool, compare: Path | None, **options: Any) -> None:
        expected = None if compare is None else read(compare)
        found = backup.hashes_of()
        if expected is not None:
            if wrong := differences(expected, found):
                for line in wrong:
                    self.stdout.write(line)
                raise CommandError(f"{len(wrong)} of {len(expected.tables)} tables or sequences differ")
            self.stdout.write(f"{len(found.tables)} tables and {len(found.sequences)} sequences agree")
        elif json:
            self.stdout.write(orjson.dumps(found.to_dict(), option=orjson.OPT_INDENT_2).decode())
        else:
            for name, one in found.tables.items():
                self.stdout.write(f"{name:<48} {one.rows:>12,}  {one.hash}")
            for name, position in found.sequences.items():
                self.stdout.write(f"{name:<48} {position:>12,}  sequence")


def read(path: Path) -> RowHashes:
    """Hashes written by `--json` or beside a backup. Raises CommandError."""
    try:
        return RowHashes.from_dict(orjson.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}") from None
