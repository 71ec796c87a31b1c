"""Typed reading of environment variables; a missing or malformed one stops the start with one clear line.

Each reader registers the variable it reads, so that `REGISTRY` lists every setting the product knows, with
its default and its meaning: the deployment files and the documentation are checked against it.
"""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
POSTGRES_SCHEMES = frozenset({"postgres", "postgresql"})


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name, the form it takes, its default in words and what it is for."""

    name: str
    form: str
    default: str
    meaning: str


REGISTRY: dict[str, Variable] = {}


def _register(name: str, form: str, default: object, meaning: str) -> str | None:
    """Note the variable and return its stripped value, or None where it is unset or empty."""
    REGISTRY[name] = Variable(name, form, "none" if default is None else str(default), meaning)
    value = os.environ.get(name, "").strip()
    return value or None


def is_set(name: str) -> bool:
    """Whether the variable has a value; an empty string counts as unset."""
    return bool(os.environ.get(name, "").strip())


def text(name: str, default: str, meaning: str) -> str:
    """The value as it stands, or the default."""
    value = _register(name, "text", default, meaning)
    return default if value is None else value


def optional(name: str, meaning: str) -> str | None:
    """The value as it stands, or None where unset."""
    return _register(name, "text", None, meaning)


def required(name: str, why: str, meaning: str) -> str:
    """The value of a variable that has no default.

    Raises:
        ImproperlyConfigured: it is unset; the message says why it is needed.
    """
    value = _register(name, "text", None, meaning)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set: {why}.")
    return value


def flag(name: str, default: bool, meaning: str) -> bool:
    """A yes-or-no value.

    Raises:
        ImproperlyConfigured: the value is none of 1, true, yes, on, 0, false, no, off.
    """
    value = _register(name, "flag", "1" if default else "0", meaning)
    if value is None:
        return default
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is not a flag: use 1 or 0.")


def integer(name: str, default: int, minimum: int, maximum: int, meaning: str) -> int:
    """A whole number within [minimum, maximum].

    Raises:
        ImproperlyConfigured: not a whole number, or out of range.
    """
    value = _register(name, f"integer {minimum} to {maximum}", default, meaning)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={number} is out of range: {minimum} to {maximum}.")
    return number


def choice(name: str, default: str, accepted: tuple[str, ...], meaning: str) -> str:
    """One of a few words.

    Raises:
        ImproperlyConfigured: the value is not among the accepted ones.
    """
    value = _register(name, " or ".join(accepted), default, meaning)
    if value is None:
        return default
    if value not in accepted:
        raise ImproperlyConfigured(f"{name}={value!r} is not accepted: use {' or '.join(accepted)}.")
    return value


def words(name: str, default: tuple[str, ...], meaning: str) -> list[str]:
    """A comma-separated list without empty entries."""
    value = _register(name, "comma-separated list", ",".join(default) or "empty", meaning)
    if value is None:
        return list(default)
    return [word.strip() for word in value.split(",") if word.strip()]


def database_from_url(name: str, meaning: str) -> dict[str, Any] | None:
    """Django's database settings from postgres://user:password@host:port/name?option=value, or None.

    Query parameters become libpq options (sslmode, connect_timeout, ...); `host=/dir` is a socket directory.

    Raises:
        ImproperlyConfigured: another scheme, a malformed port, or no database name.
    """
    url = _register(name, "postgres://user:password@host:port/name", "the private server", meaning)
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in POSTGRES_SCHEMES:
        raise ImproperlyConfigured(f"{name} must begin with postgres://, not {parts.scheme or url[:12]!r}.")
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a port that is not a number from 0 to 65535.") from None
    database = unquote(parts.path.removeprefix("/"))
    if not database:
        raise ImproperlyConfigured(f"{name} names no database: postgres://user:password@host:port/name.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = str(options.pop("host", "") or unquote(parts.hostname or ""))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        "OPTIONS": options,
    }


def broker_url(name: str, meaning: str) -> str | None:
    """A Celery broker address of the Redis protocol, or None; valkey:// is accepted as a spelling.

    Raises:
        ImproperlyConfigured: another scheme.
    """
    url = _register(name, "redis://host:port/db", "the private server", meaning)
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme)
    if not separator or scheme not in {"redis", "rediss", "redis+socket"}:
        raise ImproperlyConfigured(f"{name} must begin with redis:// or valkey://, not {url[:12]!r}.")
    return f"{scheme}://{rest}"
