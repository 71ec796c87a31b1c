"""Every quantity a figure may state: its unit, its bounds, and the column or child row it stands in."""

import math
from dataclasses import dataclass
from typing import Final

NUMBER_FORMATS: Final = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "fp6", "fp4", "int8", "int4")
TIER_ROLES: Final = ("cache", "second")
LINK_SCOPES: Final = ("scale_up", "host", "scale_out")
FLOAT_LIMIT: Final = 1e300
INT_LIMIT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of one kind of subject.

    `child` is None for a column of the subject itself; otherwise the related name and the key of the child
    row (`("peak_rates", "number_format", "fp8")`) whose `column` takes the value.
    """

    name: str
    unit: str
    column: str
    child: tuple[str, str, str] | None = None
    integer: bool = False
    minimum: float = 0.0
    exclusive: bool = True
    maximum: float = math.inf
    required: bool = False

    def fault(self, value: float) -> str | None:
        """What would be accepted instead of `value`, or None when the value is good."""
        above = f"above {self.minimum:g}" if self.exclusive else f"of at least {self.minimum:g}"
        limit = f" and at most {self.maximum:g}" if math.isfinite(self.maximum) else ""
        wanted = f"a {'whole' if self.integer else 'finite'} number {above}{limit} ({self.unit or 'no unit'})"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return wanted
        if not -FLOAT_LIMIT <= value <= FLOAT_LIMIT:  # NaN and infinity too; an integer may exceed any float
            return wanted
        if self.integer and value != int(value):
            return wanted
        if value < self.minimum or (self.exclusive and value == self.minimum) or value > self.maximum:
            return wanted
        return None


def _accelerator() -> dict[str, Quantity]:
    columns = [
        Quantity("memory_gb", "GB", "memory_gb"),
        Quantity("memory_bytes", "B", "memory_bytes", integer=True, maximum=2**53),
        Quantity("memory_usable_gb", "GB", "memory_usable_gb"),
        Quantity("memory_bandwidth_gbs", "GB/s", "memory_bandwidth_gbs"),
        Quantity("tdp_w", "W", "tdp_w"),
        Quantity("launch_price_usd", "USD", "launch_price_usd", maximum=9_999_999_999),
        Quantity("pcie_generation", "", "pcie_generation", integer=True, maximum=9),
    ]
    for number_format in NUMBER_FORMATS:
        unit = "TOPS" if number_format.startswith("int") else "TFLOPS"
        child = ("peak_rates", "number_format", number_format)
        columns.append(Quantity(f"peak_rate:{number_format}", unit, "tera_ops", child))
    for role in TIER_ROLES:
        tier = ("memory_tiers", "role", role)
        columns += [
            Quantity(f"memory_tier:{role}:capacity_gb", "GB", "capacity_gb", tier, required=True),
            Quantity(f"memory_tier:{role}:usable_gb", "GB", "usable_gb", tier),
            Quantity(f"memory_tier:{role}:bandwidth_gbs", "GB/s", "bandwidth_gbs", tier),
        ]
    for scope in LINK_SCOPES:
        link = ("links", "scope", scope)
        columns += [
            Quantity(f"link:{scope}:bandwidth_gbs", "GB/s", "bandwidth_gbs", link),
            Quantity(f"link:{scope}:latency_us", "us", "latency_us", link, exclusive=False),
            Quantity(
                f"link:{scope}:domain_size",
                "accelerators",
                "domain_size",
                link,
                integer=True,
                maximum=INT_LIMIT,
            ),
        ]
    return {quantity.name: quantity for quantity in columns}


def _plain(*quantities: Quantity) -> dict[str, Quantity]:
    return {quantity.name: quantity for quantity in quantities}


#: By the lower-case model name of the subject, which is also the name of the figure's foreign key.
QUANTITIES: Final[dict[str, dict[str, Quantity]]] = {
    "accelerator": _accelerator(),
    "system": _plain(
        Quantity("accelerator_count", "accelerators", "accelerator_count", integer=True, maximum=INT_LIMIT),
        Quantity("scale_up_gbs", "GB/s", "scale_up_gbs"),
        Quantity("scale_up_domain", "accelerators", "scale_up_domain", integer=True, maximum=INT_LIMIT),
        Quantity("scale_out_gbs", "GB/s", "scale_out_gbs", exclusive=False),
        Quantity("total_memory_gb", "GB", "total_memory_gb"),
        Quantity("host_memory_gb", "GB", "host_memory_gb", exclusive=False),
        Quantity("power_kw", "kW", "power_kw"),
    ),
    "language_model": _plain(
        Quantity("published_parameters", "parameters", "published_parameters", integer=True, maximum=2**53),
        Quantity(
            "published_active_parameters",
            "parameters",
            "published_active_parameters",
            integer=True,
            maximum=2**53,
        ),
        Quantity("max_context", "tokens", "max_context", integer=True, maximum=INT_LIMIT),
    ),
    "workload": _plain(
        Quantity("isl", "tokens", "isl", integer=True, maximum=INT_LIMIT),
        Quantity("osl", "tokens", "osl", integer=True, maximum=INT_LIMIT),
        Quantity("ttft_limit_ms", "ms", "ttft_limit_ms"),
        Quantity("tpot_limit_ms", "ms", "tpot_limit_ms"),
        Quantity("prefix_share", "", "prefix_share", exclusive=False, maximum=1),
    ),
}
