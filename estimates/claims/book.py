"""Facts and estimates of one round of answers: claims ask the same questions, each is estimated once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from estimates.claims.rows import Row
from estimates.core.estimate import Estimate
from estimates.fact_book import FactBook


class AnswerBook(FactBook):
    """Stored facts by name and estimates by their question. Lives as long as one round."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[bytes, Estimate | Row] = {}

    def once(self, question: Mapping[str, Any], make: Callable[[], Estimate | Row]) -> Estimate | Row:
        """The estimate of a question, made when it is first asked."""
        key = orjson.dumps(question, option=orjson.OPT_SORT_KEYS)
        if key not in self._found:
            self._found[key] = make()
        return self._found[key]
