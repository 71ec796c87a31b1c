"""Hugging Face model configurations: from a config.json to an architecture with its stored formats.

Dispatch is on structural keys first, then on `architectures`, then on `model_type`, because the last is often
wrong ("git" for Grok-2) or missing. What is not recognised is refused with the reason, never guessed.
"""

from catalog.importing.hf_config.convert import ImportedModel, architecture_from_hf_config
from catalog.importing.hf_config.reading import (
    ConfigError,
    ImportRefused,
    UnsupportedArchitecture,
    parse_config,
)

__all__ = [
    "ConfigError",
    "ImportRefused",
    "ImportedModel",
    "UnsupportedArchitecture",
    "architecture_from_hf_config",
    "parse_config",
]
