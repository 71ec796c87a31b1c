"""Reading a configuration safely: limits on size and depth, non-finite numbers, aliases, nested texts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

LARGEST_FILE_BYTES = 8_000_000
DEEPEST_NESTING = 64
LARGEST_FINITE = 1e300  # 1e308 stands for infinity in exported configurations


#: Layers are walked one by one, so their number is bounded: no model has a tenth of this.
MOST_LAYERS = 10_000
LAYER_COUNTS = {
    *("num_hidden_layers", "n_layer", "num_layers", "n_layers", "num_blocks"),
    *("num_decoder_layers", "decoder_layers", "encoder_layers", "num_global_layers"),
    *("num_nextn_predict_layers", "mtp_num_hidden_layers"),
}


class ImportRefused(ValueError):  # noqa: N818 - a refusal, as its users read it
    """A configuration that is not imported; the message says why in one line."""


class UnsupportedArchitecture(ImportRefused):
    """The architecture is not known, or has a part that the known family does not have."""


class ConfigError(ImportRefused):
    """A value of the configuration is missing or impossible: `field`, `value`, `accepted`."""

    def __init__(self, field: str, value: object, accepted: str) -> None:
        shown = repr(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        super().__init__(f"{field}: {shown} is not accepted; expected {accepted}")
        self.field, self.value, self.accepted = field, value, accepted


def parse_config(text: str | bytes, name: str = "config.json") -> dict[str, Any]:
    """Parse a JSON configuration. Infinity, NaN and 1e308 become null; size and depth are limited.

    Raises ImportRefused with the position of a syntax error, or the limit that was passed.
    """
    if len(text) > LARGEST_FILE_BYTES:
        raise ImportRefused(f"{name}: {len(text)} bytes; a configuration has at most {LARGEST_FILE_BYTES}")
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{name}: not UTF-8 text (byte {error.start})") from None
    depth = nesting_depth(decoded)
    if depth > DEEPEST_NESTING:
        raise ImportRefused(f"{name}: nested {depth} deep; a configuration nests at most {DEEPEST_NESTING}")
    try:
        data = json.loads(decoded)
    except json.JSONDecodeError as error:
        raise ImportRefused(f"{name}: line {error.lineno} column {error.colno}: {error.msg}") from None
    except ValueError as error:  # integers of more than 4,300 digits
        raise ImportRefused(f"{name}: {error}") from None
    if not isinstance(data, dict):
        raise ImportRefused(f"{name}: the top level is {type(data).__name__}, not an object")
    return without_non_finite(data)


def nesting_depth(text: str) -> int:
    """Deepest nesting of brackets outside strings, found without recursion."""
    deepest = depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def without_non_finite(value: Any, depth: int = 0) -> Any:
    """The same value with NaN, infinities and stand-ins for infinity replaced by None."""
    if depth > DEEPEST_NESTING:
        raise ImportRefused(f"nested more than {DEEPEST_NESTING} deep")
    if isinstance(value, dict):
        return {str(key): without_non_finite(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_non_finite(item, depth + 1) for item in value]
    if isinstance(value, float) and (not math.isfinite(value) or abs(value) >= LARGEST_FINITE):
        return None
    return value


class Config:
    """Typed look-ups by alias in one configuration object, remembering which keys were read.

    The first alias with a value other than null counts. Keys that were never read can be asked for, so that a
    family refuses a configuration whose structure it would only half understand.
    """

    def __init__(self, data: dict[str, Any], where: str = "") -> None:
        self.data = data
        self.where = where
        self.read: set[str] = set()

    def value(self, *names: str) -> Any:
        self.read.update(names)
        for name in names:
            if self.data.get(name) is not None:
                return self.data[name]
        return None

    def has(self, *names: str) -> bool:
        return self.value(*names) is not None

    def field(self, names: Iterable[str]) -> str:
        return self.where + next(
            (name for name in names if self.data.get(name) is not None), next(iter(names))
        )

    def integer(self, *names: str, default: int | None = None, least: int = 0) -> int:
        """A whole number; `default` when no alias has one, an error when there is no default."""
        value = self.value(*names)
        if value is None:
            if default is None:
                raise ConfigError(" or ".join(names), None, "a whole number: the key is required")
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        most = MOST_LAYERS if LAYER_COUNTS.intersection(names) else 10**12
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            limit = f"from {least} to {most}" if most == MOST_LAYERS else f"of at least {least}"
            raise ConfigError(self.field(names), value, f"a whole number {limit}")
        return value

    def optional(self, *names: str, least: int = 0) -> int | None:
        return self.integer(*names, least=least) if self.value(*names) is not None else None

    def number(self, *names: str, default: float) -> float:
        value = self.value(*names)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigError(self.field(names), value, "a number")
        return float(value)

    def flag(self, *names: str, default: bool = False) -> bool:
        value = self.value(*names)
        if value is None:
            return default
        if not isinstance(value, (bool, int)):
            raise ConfigError(self.field(names), value, "true or false")
        return bool(value)

    def text(self, *names: str) -> str | None:
        value = self.value(*names)
        return value if isinstance(value, str) else None

    def listing(self, *names: str) -> list[Any] | None:
        """A list; None when absent."""
        value = self.value(*names)
        if value is not None and not isinstance(value, list):
            raise ConfigError(self.field(names), value, "a list")
        return value

    def object(self, *names: str) -> Config | None:
        value = self.value(*names)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ConfigError(self.field(names), value, "an object")
        return Config(value, f"{self.field(names)}.")


TEXT_KEYS = ("text_config", "language_config", "llm_config")
INHERITED = ("tie_word_embeddings", "dtype", "torch_dtype", "quantization_config", "quantization")


def language_part(config: dict[str, Any]) -> dict[str, Any]:
    """The text model's own configuration, with tie flag, dtype and quantisation from either level.

    Multimodal models nest it as text_config, language_config, llm_config or thinker_config.text_config.
    """
    outer = config
    thinker = config.get("thinker_config")
    if isinstance(thinker, dict):
        outer = {**config, **thinker}
    nested = next((outer[key] for key in TEXT_KEYS if isinstance(outer.get(key), dict)), None)
    if nested is None:
        return outer
    inner = dict(nested)
    for key in INHERITED:
        if inner.get(key) is None and outer.get(key) is not None:
            inner[key] = outer[key]
    return inner


def architecture_names(config: dict[str, Any]) -> list[str]:
    """`architectures` of a configuration as a list of texts; empty when absent or malformed."""
    names = config.get("architectures")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
