"""`manage.py lint_migrations`: whether the project's migrations are safe beside a running older version."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import migration_lint


class Command(BaseCommand):
    help = "Run squawk over the SQL of every migration since the first release."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        migrations = migration_lint.linted_migrations()
        for application, name in migrations:
            allowed = migration_lint.ALLOWED.get((application, name))
            found = migration_lint.complaints(migration_lint.sql_of(application, name), allowed)
            wrong += bool(found)
            for complaint in found:
                self.stdout.write(f"{application}.{name}: {complaint}")
        if wrong:
            raise CommandError(f"{wrong} of {len(migrations)} migrations are not safe under load")
        self.stdout.write(
            f"{len(migrations)} migrations are safe under load; left out in all of them: "
            + "; ".join(f"{rule} ({reason})" for rule, reason in migration_lint.EXCLUDED.items())
        )
