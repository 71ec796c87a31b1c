"""Authentication by access token: `Authorization: Bearer atlas_...`."""

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.access.models import AccessToken
from config.access.tokens import find_token

KEYWORD = b"bearer"


class AccessTokenAuthentication(BaseAuthentication):
    """The owner of the token and the token; a wrong, expired or revoked one is a 401."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        words = get_authorization_header(request).split()
        if not words:
            return None
        if words[0].lower() != KEYWORD or len(words) != 2:
            raise AuthenticationFailed("Send the token as `Authorization: Bearer TOKEN`.")
        try:
            token = find_token(words[1].decode("ascii"))
        except UnicodeDecodeError:
            token = None
        if token is None:
            raise AuthenticationFailed("The access token is unknown, expired or revoked.")
        request._request.access_token_prefix = token.prefix  # type: ignore[attr-defined]  # for the log
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="inference-atlas"'
