"""The bare view that the benchmark compares the ranked list with gives the same answer."""

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from estimates.benchmarks.hot_list.api import difference
from estimates.benchmarks.hot_list.bare import bare, versions
from tests.api.small_catalogue import Catalogue

QUERY = "model=llama-3.1-70b-instruct&workload=chat"


@pytest.mark.django_db
def test_both_answers_are_equal(client: Client, catalogue: Catalogue) -> None:
    versions.cache_clear()
    ours = orjson.loads(client.get(f"/api/v1/estimates?{QUERY}").content)
    other = orjson.loads(bare(RequestFactory().get(f"/bare/estimates?{QUERY}")).content)
    versions.cache_clear()
    assert ours["count"] > 1
    assert difference(ours, other) == ""


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"a": ["0.787"]}, ""),
        ({"a": [0.787000004]}, ""),
        ({"a": ["0.788"]}, "/a/0: '0.787' and '0.788'"),
        ({"a": [None]}, "/a/0: '0.787' and None"),
        ({"a": []}, "/a: 1 and 0 entries"),
        ({"b": []}, ": keys ['a', 'b']"),
    ],
)
def test_a_difference_is_found_where_it_is(other: object, found: str) -> None:
    assert difference({"a": ["0.787"]}, other) == found


@pytest.mark.django_db
def test_without_estimates_there_is_nothing_to_measure() -> None:
    with pytest.raises(CommandError, match="no model has 50 estimates"):
        call_command("benchmark", "api")
