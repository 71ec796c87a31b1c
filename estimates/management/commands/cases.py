"""`manage.py cases`: the cases that other estimators were run on, as a page of tables or as JSON."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from estimates.cases import answered, markdown, read_cases
from estimates.management.commands.estimate import one_line
from estimates.what_if import InvalidQuestion


class Command(BaseCommand):
    help = "Answer the cases that other estimators were run on; Markdown on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--case", action="append", metavar="CASE", help="these only (repeatable)")
        parser.add_argument("--json", action="store_true", help="every whole answer, with the others'")

    def handle(self, *args: Any, case: list[str] | None, json: bool, **options: Any) -> None:
        cases = {one.slug: one for one in read_cases()}
        for slug in case or ():
            if slug not in cases:
                raise CommandError(f"--case {slug!r} is not accepted; accepted: {', '.join(cases)}")
        try:
            found = answered([cases[slug] for slug in case or cases])
        except InvalidQuestion as error:
            raise CommandError(one_line(error)) from None
        if json:
            self.stdout.write(orjson.dumps([asdict(one) for one in found], default=str).decode())
        else:
            self.stdout.write(markdown(found), ending="")
