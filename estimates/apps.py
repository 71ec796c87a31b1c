"""The estimates application: cached answers computed from the catalogue by the pure core."""

from django.apps import AppConfig


class EstimatesConfig(AppConfig):
    name = "estimates"
    verbose_name = "Estimates"
