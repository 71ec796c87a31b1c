"""`manage.py services [start|stop|status]`: the private Postgres and Valkey of this clone."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config import embedded


class Command(BaseCommand):
    help = (
        "Start, stop or show the private Postgres and Valkey, which stand in for DATABASE_URL and BROKER_URL."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", nargs="?", default="status", choices=("start", "stop", "status"))

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "start":
            if settings.DATABASE_IS_PRIVATE:
                embedded.ensure_postgres()
                embedded.ensure_database(settings.DATABASE_NAME)
            if settings.BROKER_IS_PRIVATE:
                embedded.ensure_valkey()
        if action == "stop":
            embedded.stop_valkey()
            embedded.stop_postgres()
        for name, private, running, data in (
            (
                "Postgres",
                settings.DATABASE_IS_PRIVATE,
                embedded.postgres_is_running,
                embedded.postgres_data_dir(),
            ),
            ("Valkey", settings.BROKER_IS_PRIVATE, embedded.valkey_is_running, embedded.valkey_data_dir()),
        ):
            state = "running" if running() else "stopped"
            use = "" if private else " (not in use: an address in the environment replaces it)"
            self.stdout.write(f"{name:<9} {state:<8} {data}{use}")
