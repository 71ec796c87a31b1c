"""A slug that does not exist: its near matches, and the fault that names them."""

from __future__ import annotations

import difflib
import re

from django.db import models

from estimates.what_if import Fault, InvalidQuestion


def near_matches(model: type[models.Model], slug: str, limit: int = 3) -> list[str]:
    """Up to `limit` slugs: those that hold all its words, the shortest first, then those that resemble it."""
    wanted = slug.strip().lower()[:200]
    slugs = list(model._default_manager.order_by("slug").values_list("slug", flat=True))
    words = re.findall(r"[a-z0-9.]+", wanted)
    holding = sorted((known for known in slugs if words and all(word in known for word in words)), key=len)
    close = difflib.get_close_matches(wanted, slugs, n=limit, cutoff=0.6)
    return list(dict.fromkeys([*holding, *close]))[:limit]


def unknown(pointer: str, what: str, slug: str, near: list[str]) -> InvalidQuestion:
    """No row of that slug: the near matches are what is accepted."""
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    code = f"unknown_{what.replace(' ', '_')}"
    accepted = near or f"the slug of a known {what}"
    return InvalidQuestion(Fault(pointer, code, f"there is no {what} {slug[:80]!r}{hint}", accepted))
