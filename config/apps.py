"""The application that carries the product's system checks and its management commands for running services."""

from django.apps import AppConfig


class AtlasConfig(AppConfig):
    name = "config"
    verbose_name = "Inference Atlas"

    def ready(self) -> None:
        from config import checks  # noqa: F401  (registers the system checks)
