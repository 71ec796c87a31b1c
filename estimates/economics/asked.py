"""What a question may ask about money: the terms of owning, and which parts of the economics it wants."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from estimates.economics.owned import OwnedTerms

Share = Annotated[Decimal, Field(gt=0, le=1, allow_inf_nan=False, max_digits=30)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnedAsked(_Part):
    """Terms of owning; what is left out is the default of the hardware's segment, with its source."""

    years: Annotated[Decimal, Field(gt=0, le=50, allow_inf_nan=False, max_digits=30)] | None = Field(
        default=None, description="over which the purchase is spread"
    )
    utilisation: Share | None = Field(
        default=None, description="share of the hours owned in which the machine runs at this load"
    )
    pue: Annotated[Decimal, Field(ge=1, le=10, allow_inf_nan=False, max_digits=30)] | None = None
    usd_per_kwh: Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False, max_digits=30)] | None = None
    hosting_usd_per_kw_month: (
        Annotated[Decimal, Field(ge=0, le=100_000, allow_inf_nan=False, max_digits=30)] | None
    ) = None
    residual_share: Annotated[Decimal, Field(ge=0, lt=1, allow_inf_nan=False, max_digits=30)] | None = Field(
        default=None, description="of the purchase price, left at the end of the years"
    )
    power_share: Share | None = Field(default=None, description="of rated power, drawn in every hour")
    purchase_usd: Annotated[Decimal, Field(gt=0, lt=10**12, allow_inf_nan=False, max_digits=30)] | None = (
        Field(default=None, description="of the whole machine, in place of what sources name")
    )
    power_w: Annotated[Decimal, Field(gt=0, lt=10**9, allow_inf_nan=False, max_digits=30)] | None = Field(
        default=None, description="rated power of the whole machine"
    )

    def terms(self) -> OwnedTerms:
        return OwnedTerms(**{name: getattr(self, name) for name in type(self).model_fields})


class EnergyAsked(_Part):
    """Energy per token; carbon too for the country named, else for the country of the quote used."""

    country: Annotated[str, Field(min_length=2, max_length=2)] | None = None


class EconomicsAsked(_Part):
    """Parts of the economics beyond price and cost, each on request."""

    counted: Literal["output", "input", "blended"] = Field(
        default="output", description="which tokens `steps` and `sensitivity` count"
    )
    utilisation: Share | None = Field(
        default=None, description="share of the hours paid for in which the machine runs at this load"
    )
    explain: bool = Field(default=False, description="the formulas with their numbers, as `steps`")
    energy: EnergyAsked | None = Field(default=None, description="{} for energy alone")
    sensitivity: bool = Field(default=False, description="which input moves the cost most")
    hosted: bool = Field(default=False, description="hosted endpoints of the same model, with the break-even")
