"""What a change is noted with where no request stands behind it: a command, an import, a task."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pghistory


@contextmanager
def noted(command: str, reason: str, **about: Any) -> Iterator[None]:
    """Changes made inside are noted with the command and the reason.

    Inside another context (a request, a scheduled job that calls the command) its reason stays, and so does
    its command: the outermost knows best why.
    """
    with pghistory.context() as outer:
        for name, value in {"command": command, "reason": reason, **about}.items():
            outer.metadata.setdefault(name, value)
        yield
