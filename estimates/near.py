"""Near matches of a slug that does not exist, for error messages."""

from __future__ import annotations

import difflib
import re

from django.db import models


def near_matches(model: type[models.Model], slug: str, limit: int = 3) -> list[str]:
    """Up to `limit` slugs: those that hold all its words, the shortest first, then those that resemble it."""
    wanted = slug.strip().lower()[:200]
    slugs = list(model._default_manager.order_by("slug").values_list("slug", flat=True))
    words = re.findall(r"[a-z0-9.]+", wanted)
    holding = sorted((known for known in slugs if words and all(word in known for word in words)), key=len)
    close = difflib.get_close_matches(wanted, slugs, n=limit, cutoff=0.6)
    return list(dict.fromkeys([*holding, *close]))[:limit]
