"""`manage.py estimate` on the owned basis, with the economics on request."""

import io
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from catalog.models import PurchasePrice, Source
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db


def estimate(*arguments: str) -> str:
    out = io.StringIO()
    asked = ("--model", "llama-3.1-8b-instruct", "--hardware", "nvidia-h100-sxm")
    call_command("estimate", *asked, *arguments, stdout=out)
    return out.getvalue()


def test_owned_hardware_is_priced_by_its_parts(tiny: TinyCatalogue) -> None:
    source = Source.objects.create(slug="shop", title="Shop")
    PurchasePrice.objects.create(
        key="h100",
        hardware_name="H100",
        accelerator=tiny.h100,
        price=Decimal("30000.00"),
        year=2024,
        source=source,
    )
    text = estimate("--price-basis", "owned", "--utilisation", "0.6", "--owned", "years=4", "--economics")
    assert "owned: 30,000 USD of 2024 over 4 years" in text
    assert "60% of the hours paid for" in text
    assert "30000 x (1 - 0) / (4 x 8766)" in text
    assert "What moves" in text


def test_what_owning_lacks_is_named(tiny: TinyCatalogue) -> None:
    assert "no purchase price of nvidia-h100-sxm is known" in estimate("--price-basis", "owned")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--owned", "years"], "--owned 'years' is not accepted; accepted: TERM=VALUE"),
        (["--owned", "years=0"], "--owned: price.owned.years is '0'; accepted: above 0"),
        (["--owned", "rent=1"], "--owned: price.owned.rent is not a known field"),
        (["--utilisation", "2"], "--utilisation: economics.utilisation is '2'; accepted: at most 1"),
        (["--as-of", "soon"], "--as-of: price.as_of is 'soon'"),
    ],
)
def test_a_wrong_term_is_one_clear_line(tiny: TinyCatalogue, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        estimate("--price-basis", "owned", *arguments)
    assert str(caught.value).startswith(message)
