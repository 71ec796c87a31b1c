"""Makes and checks access tokens: `atlas_<prefix>_<secret>`, shown once, kept as a keyed hash."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from config.access.models import AccessToken

MARK = "atlas"
SALT = "config.access.tokens"
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
PREFIX_LENGTH, SECRET_LENGTH = 10, 40
LAST_USED_RESOLUTION = timedelta(minutes=1)


def digest(token: str) -> str:
    """The keyed hash of a whole token; worthless without the secret key."""
    return salted_hmac(SALT, token, algorithm="sha256").hexdigest()


def create_token(
    owner: User, scopes: Iterable[str], expires_at: datetime | None = None, name: str = ""
) -> tuple[str, AccessToken]:
    """Make a token; its text is in nobody's hands but the caller's."""
    prefix, secret = (
        "".join(secrets.choice(ALPHABET) for _ in range(length)) for length in (PREFIX_LENGTH, SECRET_LENGTH)
    )
    token = f"{MARK}_{prefix}_{secret}"
    row = AccessToken.objects.create(
        prefix=prefix,
        digest=digest(token),
        owner=owner,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        name=name,
    )
    return token, row


def find_token(token: str) -> AccessToken | None:
    """The row of a valid, unexpired token of an active owner; notes the use, once a minute."""
    parts = token.split("_")
    if len(parts) != 3 or parts[0] != MARK or len(parts[1]) != PREFIX_LENGTH or "\x00" in token:
        return None
    row = AccessToken.objects.select_related("owner").filter(prefix=parts[1]).first()
    now = timezone.now()
    if row is None or not constant_time_compare(row.digest, digest(token)) or not row.owner.is_active:
        return None
    if row.expires_at is not None and row.expires_at <= now:
        return None
    unused = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_RESOLUTION)
    if row.last_used_at is None or row.last_used_at < now - LAST_USED_RESOLUTION:
        AccessToken.objects.filter(unused, pk=row.pk).update(last_used_at=now)
    return row
