"""`manage.py status [--json]`: counts of every kind of fact, staleness, worker and broker, versions."""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand

from estimates.status import current_status


class Command(BaseCommand):
    help = "Show counts of facts and estimates, what is stale, worker and broker state, versions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object in place of the table")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        status = current_status().as_json()
        if json:
            self.stdout.write(orjson.dumps(status, option=orjson.OPT_INDENT_2, default=str).decode())
            return
        for name, value in status.items():
            label = name.replace("_", " ")
            if isinstance(value, dict):
                value = (
                    ", ".join(f"{key} {item}" for key, item in value.items() if item not in (None, ""))
                    or "none"
                )
            elif isinstance(value, list):
                value = ", ".join(value) or "none"
            elif isinstance(value, int | float):
                value = f"{value:,}"
            self.stdout.write(f"{label:<26} {'none' if value is None else value}")
