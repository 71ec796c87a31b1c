"""The application of the running service: its system checks and its commands."""

from django.apps import AppConfig


class AtlasConfig(AppConfig):
    name = "config"
    verbose_name = "Inference Atlas"

    def ready(self) -> None:
        from config import checks  # noqa: F401  (registers the system checks)
