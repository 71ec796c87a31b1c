"""The catalogue application: facts about hardware, models and prices, each with its source."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"
