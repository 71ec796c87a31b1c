"""`manage.py check_claims`: published claims with the service's own answers and verdicts."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from catalog.models import PublishedClaim
from estimates.claims.printed import counted, printed
from estimates.claims.store import answered_claims


class Command(BaseCommand):
    help = "Answer every published claim and say whether it agrees; the verdicts do not change the exit code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="these claims only")
        parser.add_argument("--json", action="store_true", help="every whole answer, with its rows")
        parser.add_argument("--verdict", action="append", metavar="VERDICT", help="print these alone")
        parser.add_argument("--rows", action="store_true", help="each combination of the open conditions")
        parser.add_argument("--again", action="store_true", help="answer again what is up to date")

    def handle(
        self,
        *args: Any,
        slugs: list[str],
        json: bool,
        verdict: list[str] | None,
        rows: bool,
        again: bool,
        **options: Any,
    ) -> None:
        claims = list(
            PublishedClaim.objects.select_related("accelerator", "system", "language_model").order_by("slug")
        )
        known = {claim.slug for claim in claims}
        for slug in slugs:
            if slug not in known:
                raise CommandError(f"{slug!r} is no claim of the catalogue; see GET /api/v1/claims")
        chosen = [claim for claim in claims if not slugs or claim.slug in slugs]
        found = answered_claims(chosen, again=again)
        shown = [pair for pair in found if not verdict or pair[1]["verdict"] in verdict]
        if json:
            whole = [{"claim": claim.slug, **answer} for claim, answer in shown]
            self.stdout.write(orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode())
            return
        for claim, answer in shown:
            self.stdout.write(printed(claim, answer, rows=rows))
        self.stdout.write(counted([answer for _, answer in found]))
