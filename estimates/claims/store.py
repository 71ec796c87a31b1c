"""Answers of claims kept in Postgres, each with the digest of what it was made from.

The digest covers the claim, the version of every fact row that it names, the newest quote where it is a cost,
and the method. It is read for all claims in a handful of queries, so that whatever is stale is known at once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
from django.db.models import Max, QuerySet
from django.utils import timezone
from pydantic import ValidationError

from catalog.claim_parameters import ClaimParameters, named
from catalog.models import Accelerator, LanguageModel, PriceQuote, PublishedClaim, System
from estimates.claims.answers import Answer, answer_claim
from estimates.claims.book import AnswerBook
from estimates.claims.models import ClaimAnswer
from estimates.method import method_version
from estimates.staleness import edited_calculations

COLUMNS: Final = ("verdict", "value", "value_from", "value_to", "low", "high", "off_by")
#: The rest of an answer, kept as one JSON value.
DETAILS: Final = ("why", "holding", "combinations", "over", "missing", "assumptions", "fitted", "rows")
_HERE: Final = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def rules_version() -> str:
    """A digest of the code of this package, taken once a process."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def claims_with_facts() -> QuerySet[PublishedClaim]:
    """Claims with the rows that they name and their answers."""
    return PublishedClaim.objects.select_related("accelerator", "system", "language_model", "answer")


def answered_claims(
    claims: Sequence[PublishedClaim],
    *,
    again: bool = False,
    within_s: float | None = None,
    give_way: Callable[[], bool] = lambda: False,
) -> list[tuple[PublishedClaim, dict[str, Any]]]:
    """The claims with their answers as plain values, made where they are stale (all of them with `again`).

    With `within_s` no further claim is begun after that time, nor once `give_way` says so: one that has an
    old answer keeps it, marked stale, one that has none is left out.
    """
    digests = digests_of(claims)
    kept = {row.claim_id: row for row in ClaimAnswer.objects.filter(claim__in=[c.pk for c in claims])}
    book, begun = AnswerBook(), time.monotonic()
    found, outdated, late = [], [], False
    for claim in claims:
        row = kept.get(claim.pk)
        if again or row is None or row.input_digest != digests[claim.pk]:
            late = late or (within_s is not None and time.monotonic() - begun > within_s) or give_way()
            if late:
                if row is None:
                    continue
                outdated.append(row.pk)
                row.stale = True
            else:
                row = store(claim, answer_claim(claim, book), digests[claim.pk])
        found.append((claim, as_json(row)))
    if outdated:
        ClaimAnswer.objects.filter(pk__in=outdated).update(stale=True)
    return found


def answer_stale(within_s: float) -> int:
    """Answer what is stale, for so many seconds or until an edit waits to be made; how many have an answer.

    An edited fact is waited for, a claim is not: the next round goes on.
    """
    claims = list(claims_with_facts())
    return len(answered_claims(claims, within_s=within_s, give_way=edited_calculations().exists))


def store(claim: PublishedClaim, answer: Answer, digest: str) -> ClaimAnswer:
    """Keep an answer in place of the claim's last one."""
    values = asdict(answer)
    row, _ = ClaimAnswer.objects.update_or_create(
        claim=claim,
        defaults={name: values[name] for name in COLUMNS}
        | {
            "grade": answer.grade or "",
            "details": {name: values[name] for name in DETAILS},
            "input_digest": digest,
            "stale": False,
            "answered_at": timezone.now(),
        },
    )
    return row


def as_json(row: ClaimAnswer) -> dict[str, Any]:
    """An answer as plain values."""
    return {
        **{name: getattr(row, name) for name in COLUMNS},
        "grade": row.grade or None,
        **row.details,
        "stale": row.stale,
        "answered_at": row.answered_at.isoformat(),
    }


def digests_of(claims: Iterable[PublishedClaim]) -> dict[int, str]:
    """What each claim's answer is made from, by primary key: four queries in all."""
    claims = list(claims)
    used = {claim.pk: rows_named(claim) for claim in claims}
    versions = {
        kind: versions_of(model, {slug for names in used.values() for slug in names[kind]})
        for kind, model in (("accelerator", Accelerator), ("model", LanguageModel), ("system", System))
    }
    quotes = PriceQuote.objects.aggregate(newest=Max("pk"))["newest"]
    found = {}
    for claim in claims:
        stated = [claim.value, claim.unit, claim.relation, claim.quantity, claim.parameters]
        facts = [
            (kind, slug, versions[kind].get(slug)) for kind, slugs in used[claim.pk].items() for slug in slugs
        ]
        priced = quotes if claim.unit == "USD" else None
        parts = [stated, facts, priced, method_version(), rules_version()]
        found[claim.pk] = hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return found


def rows_named(claim: PublishedClaim) -> dict[str, list[str]]:
    """Slugs of the fact rows that the claim names, itself or in its questions."""
    own = {"accelerator": claim.accelerator, "model": claim.language_model, "system": claim.system}
    found = {kind: {row.slug} if row is not None else set() for kind, row in own.items()}
    try:
        parameters = ClaimParameters.model_validate(claim.parameters)
    except ValidationError:
        parameters = ClaimParameters()
    for kind in ("accelerator", "model"):
        found[kind].update(named(parameters, kind))
    return {kind: sorted(slugs) for kind, slugs in found.items()}


def versions_of(model: type[Any], slugs: Collection[str]) -> dict[str, list[Any]]:
    """Version and time of the last change of each row: a version given twice is another one."""
    rows = model.objects.filter(slug__in=slugs).order_by().values_list("slug", "version", "changed_at")
    return {slug: [version, changed_at] for slug, version, changed_at in rows}
