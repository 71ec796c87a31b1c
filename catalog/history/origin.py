"""What a change is noted with: the token of a request, or the command where no request stands behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pghistory
from rest_framework.request import Request


def by_api(request: Request, reason: str = "") -> Any:
    """The context of what a request to the API changes: its token, and the reason where it is known."""
    token: Any = request.auth
    about = {"via": "api"} | ({"token": token.prefix} if token is not None else {})
    return pghistory.context(**about, **({"reason": reason} if reason else {}))


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
