"""`Idempotency-Key`: a write that is sent again under its key answers as before and writes nothing.

The key is the client's: each user has keys of their own. It is taken in the transaction of the write, so that
a write that fails leaves its key free, and of two at once the second waits for the first and gets its answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.request import Request

from config.access.models import IdempotentAnswer
from config.rest.faults import Fault, Problem
from config.rest.rendering import dumps

LONGEST_KEY: Final = 200
KEPT_FOR: Final = timedelta(days=2)
#: Removed at once, so that no write waits long for the tidying of others' keys.
REMOVED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write: status, body, `Location` where one thing was made; `replayed` from its key."""

    status: int
    body: Any
    location: str = ""
    replayed: bool = False


def once(request: Request, write: Callable[[], Written]) -> Written:
    """The answer of `write`, run in a transaction, or the one that its key had before.

    Raises Problem: 400 for a key that is none, 422 for one that stood for another request.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        with transaction.atomic():
            return write()
    if len(key) > LONGEST_KEY or not key.isprintable() or key != key.strip():
        detail = f"Idempotency-Key has {len(key)} characters"
        accepted = f"1 to {LONGEST_KEY} printable characters"
        fault = Fault("header:Idempotency-Key", "invalid", detail, accepted)
        raise Problem(400, "invalid-header", detail, [fault])
    owner: Any = request.user.pk  # a write is behind MayWrite: there is a user
    digest = digest_of(request)
    with transaction.atomic():
        row = taken(owner, key, digest)
        if row is not None:
            return replayed(row, key, digest)
        written = write()
        IdempotentAnswer.objects.filter(owner=owner, key=key).update(
            status=written.status, location=written.location, body=dumps(written.body).decode()
        )
        forget_old()
        return written


def digest_of(request: Request) -> str:
    """SHA-256 of what is asked; the order of a body's keys does not count."""
    parts = [request.method, request.path, request.data]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def taken(owner: int, key: str, digest: str) -> IdempotentAnswer | None:
    """Take the key; what it stands for where it was taken, once whoever is taking it has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_idempotentanswer "
            "(owner_id, key, request_digest, status, location, body, created_at) "
            "VALUES (%s, %s, %s, 0, '', '', clock_timestamp()) ON CONFLICT (owner_id, key) DO NOTHING",
            [owner, key, digest],
        )
        if cursor.rowcount:
            return None
    return IdempotentAnswer.objects.get(owner=owner, key=key)


def replayed(row: IdempotentAnswer, key: str, digest: str) -> Written:
    """The kept answer. Raises Problem (422) where the key stood for another request."""
    if row.request_digest != digest:
        detail = f"the key {key!r} was used for another request"
        fault = Fault("header:Idempotency-Key", "key_taken", detail, "the same request, or another key")
        raise Problem(422, "idempotency-key-taken", detail, [fault])
    return Written(row.status, orjson.loads(row.body), row.location, replayed=True)


def forget_old() -> None:
    """Remove keys older than they are promised to be kept, some at a time, leaving those that others hold."""
    old = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).order_by("created_at")
    pks = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:REMOVED_AT_ONCE])
    if pks:
        IdempotentAnswer.objects.filter(pk__in=pks).delete()
