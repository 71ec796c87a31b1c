"""`manage.py migrate`: Django's own, which waits for no lock so long that readers queue behind it."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations import Migration
from django.db.utils import OperationalError
from psycopg import errors

#: Seconds between tries: long enough for a transaction that is in the way to end.
PAUSE_SECONDS = 1.0


class Command(migrate.Command):
    """A statement that needs a table for itself queues behind whoever uses it, and everyone behind it.

    It gives up after `--lock-timeout` seconds, everybody goes on, and the migration is tried again.

    A migration that is not atomic (an index built beside reads and writes) waits as long as it must: it holds
    up nobody, and broken off it would leave half an index.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--lock-timeout", type=float, default=2.0, help="seconds to wait for a lock (2)")
        parser.add_argument("--tries", type=int, default=60, help="tries before giving up (60)")

    def handle(self, *args: Any, lock_timeout: float, tries: int, **options: Any) -> None:
        self.lock_timeout_ms = int(lock_timeout * 1000)
        self.database = options["database"]
        try:
            for left in reversed(range(tries)):
                try:
                    super().handle(*args, **options)
                    return
                except OperationalError as error:
                    if not isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                        raise
                    if not left:
                        raise CommandError(
                            f"no lock in {tries} tries of {lock_timeout:g} s; nothing is half done; "
                            "run it again when the long transaction has ended"
                        ) from None
                    self.stderr.write(f"a table was in use, {left} tries left")
                    time.sleep(PAUSE_SECONDS)
        finally:
            self._wait_for_locks(0)

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        super().migration_progress_callback(action, migration, fake)
        if action in ("apply_start", "unapply_start") and migration is not None:
            self._wait_for_locks(self.lock_timeout_ms if migration.atomic else 0)

    def _wait_for_locks(self, milliseconds: int) -> None:
        """For this session, until it is said again; 0 is without end."""
        connection = connections[self.database]
        if connection.connection is not None and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{milliseconds}ms"])
