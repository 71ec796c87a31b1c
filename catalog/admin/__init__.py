"""The admin of the facts: what may be edited is edited with its source, what was observed is read-only."""

from catalog.admin import evidence, hardware, language_models, prices, workloads

__all__ = ["evidence", "hardware", "language_models", "prices", "workloads"]
