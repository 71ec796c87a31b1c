"""Who may do what: reading where it is open or the client is known, writing with a scope or a permission."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.access.models import Scope


class MayRead(BasePermission):
    """Everybody where `ATLAS_ANONYMOUS_READ` is on, else who has a token or a session."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(settings.ATLAS_ANONYMOUS_READ) or request.user.is_authenticated


def may(request: Request, scope: Scope, permission: str) -> bool:
    """Whether the client may write: a token by its scope, a session by its person's permission."""
    token: Any = request.auth
    if token is not None:
        return bool(token.allows(scope))
    return request.user.is_authenticated and request.user.has_perm(permission)


class MayWrite(BasePermission):
    """Reading as above; any other method asks for the view's `write_scope` or `write_permission`."""

    message = "The token lacks the scope."

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return MayRead().has_permission(request, view)
        self.message = (
            f"Writing here needs a token with the scope {view.write_scope.value}, or a person with the "
            f"permission {view.write_permission}."
        )
        return may(request, view.write_scope, view.write_permission)
