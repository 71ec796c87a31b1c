"""The ranked list's ETag is told before the answer is made: it changes with what could change the answer."""

import json
import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.marks import read_marks
from catalog.models import (
    Accelerator,
    FactMark,
    Offer,
    PriceQuote,
    Provider,
    Source,
    System,
    Vendor,
    Workload,
)
from config.rest.kept import Kept
from estimates.api import ranked
from estimates.api.ranked import KINDS
from estimates.models import Calculation, Estimate
from tests.api.small_catalogue import Catalogue

LIST = "/api/v1/estimates?model=llama-3.1-70b-instruct&workload=chat"


def sql(statement: str) -> Callable[[], None]:
    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return write


def another_quote(price: str = "1.25") -> None:
    quote = PriceQuote.objects.filter(pricing_model="on_demand").order_by("pk").first()
    assert quote is not None
    quote.pk, quote.key = None, f"another-{PriceQuote.objects.count()}"
    quote.price_per_hour, quote.observed_on = price, timezone.now().date()  # type: ignore[assignment]
    quote.save(force_insert=True)


def new_quotes_for_all() -> None:
    PriceQuote.objects.bulk_create(
        PriceQuote(
            key=f"bulk-{offer.pk}",
            provider=Provider.objects.earliest("pk"),
            offering="bulk",
            accelerator=offer.accelerator,
            accelerator_count=offer.count,
            price_per_hour="0.5",
            pricing_model="spot",
            observed_on=timezone.now().date(),
            source=Source.objects.earliest("pk"),
        )
        for offer in Offer.objects.all()
    )


WRITES: dict[str, Callable[[], Any]] = {
    "a quote": another_quote,
    "quotes in bulk": new_quotes_for_all,
    "a provider by raw SQL": sql("UPDATE catalog_provider SET name = name || ' Inc.'"),
    "the address of a source": lambda: Source.objects.update(url="https://example.org/moved"),
    "a retired offer": lambda: Offer.objects.update(retired=True),
    "a figure of an accelerator": lambda: Accelerator.objects.update(memory_gb=F("memory_gb") + 1),
    "the name of an accelerator": lambda: Accelerator.objects.update(name="Renamed"),
    "a vendor's slug": lambda: Vendor.objects.filter(slug="nvidia").update(slug="nv"),
    "a system's name": lambda: System.objects.update(name="Renamed"),
    "a system that goes": lambda: System.objects.all().delete(),
    "a workload": lambda: Workload.objects.filter(slug="chat").update(osl=F("osl") * 2),
    "an estimate by raw SQL": sql("UPDATE estimates_estimate SET throughput_tok_s = throughput_tok_s * 2"),
    "a result that lands": lambda: Calculation.objects.update(calculated_at=timezone.now()),
    "a calculation of another version": lambda: Calculation.objects.update(model_version=99),
    "estimates that go": lambda: Estimate.objects.all().delete(),
    "a cascade": sql("DELETE FROM estimates_estimate; DELETE FROM estimates_calculation"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_changes_the_answer_changes_its_etag(
    name: str, client: Client, catalogue: Catalogue
) -> None:
    before = client.get(LIST)
    held = {"if-none-match": before["ETag"]}
    assert client.get(LIST, headers=held).status_code == 304
    WRITES[name]()
    after = client.get(LIST, headers=held)
    assert after.status_code == 200
    assert after.content != before.content
    assert after["ETag"] != before["ETag"]


@pytest.mark.django_db
def test_of_random_writes_equal_etags_have_equal_bytes_and_nothing_kept_is_stale(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer is compared with one of a process that keeps nothing yet."""
    repeatable: list[Callable[[], Any]] = [
        lambda: another_quote(f"{chance.uniform(0.5, 9):.2f}"),
        lambda: Provider.objects.update(name=chance.choice("AB")),
        lambda: System.objects.update(name=chance.choice("AB")),
        lambda: Offer.objects.update(retired=chance.random() < 0.5),
        lambda: Estimate.objects.update(throughput_tok_s=chance.choice([1000.0, 1333.25])),
        lambda: Workload.objects.filter(slug="chat").update(osl=chance.choice([100, 300])),
        lambda: Calculation.objects.update(attempts=chance.choice([0, 1])),
    ]
    chance = random.Random(7)
    seen: dict[str, bytes] = {}
    for _ in range(40):
        chance.choice(repeatable)()
        answer = client.get(LIST)
        assert seen.setdefault(answer["ETag"], answer.content) == answer.content
        with monkeypatch.context() as fresh:
            for name in ("_PRICES", "_DIGESTS", "_STATEMENTS"):
                fresh.setattr(ranked, name, Kept(8))
            assert client.get(LIST).content == answer.content
    assert len(seen) > 20


@pytest.mark.django_db
def test_what_changes_no_answer_changes_no_etag(client: Client, catalogue: Catalogue) -> None:
    """A claim of a worker, a write of equal values, a statement without rows."""
    etag = client.get(LIST)["ETag"]
    Calculation.objects.update(claimed_until=timezone.now(), claimed_by="worker")
    Provider.objects.update(name=F("name"))
    Estimate.objects.filter(pk=-1).update(grade="A")
    assert client.get(LIST)["ETag"] == etag


@pytest.mark.django_db
def test_another_day_question_format_or_host_is_another_etag(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = (LIST, f"{LIST}&limit=1", f"{LIST}&format=csv", f"{LIST}&country=US", f"{LIST}&fields=id")
    etags = [client.get(address)["ETag"] for address in addresses]
    etags.append(client.get(LIST, headers={"host": "localhost"})["ETag"])
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr("estimates.api.estimates.timezone.now", lambda: tomorrow)
    etags.append(client.get(LIST)["ETag"])
    assert len(set(etags)) == len(etags)


@pytest.mark.django_db
def test_every_table_that_the_list_reads_is_marked(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of the plans of its statements, and triggers for each event on each of them."""
    for name in ("_PRICES", "_DIGESTS"):
        monkeypatch.setattr(ranked, name, Kept(8))
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"{LIST}&model=Llama+3.1+70B&provider=example-cloud").status_code == 200
        assert client.get(LIST).status_code == 200
    tables: set[str] = set()
    with connection.cursor() as cursor:
        for query in captured:
            if "catalog_" in query["sql"] and query["sql"].lstrip().startswith("SELECT"):
                cursor.execute(f"EXPLAIN (FORMAT JSON, VERBOSE) {query['sql']}")
                tables |= set(re.findall(r'"Relation Name": "(\w+)"', json.dumps(cursor.fetchone()[0])))
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname LIKE 'mark\\_%' AND t.tgenabled = 'A' GROUP BY 1 HAVING count(*) = 4"
        )
        marked = {name for (name,) in cursor.fetchall()}
    assert {"catalog_pricequote", "estimates_estimate", "catalog_system"} <= tables
    assert tables - {"catalog_factmark"} <= set(KINDS) <= marked


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_of_one_state_though_a_result_lands_between_its_statements(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The times turn round, after the rows were ranked and before their figures are read."""
    given, own = connection.get_connection_params(), ranked.details
    parameters = {
        name: given[name] for name in ("dbname", "user", "password", "host", "port") if name in given
    }
    landed: list[bool] = []

    def details(*arguments: Any) -> Any:
        if not landed:
            landed.append(True)
            with psycopg.connect(**parameters) as another:
                another.execute("UPDATE estimates_estimate SET tpot_ms = 1000 / tpot_ms")
        return own(*arguments)

    address = f"{LIST}&ordering=tpot_ms"
    monkeypatch.setattr(ranked, "details", details)
    answer = client.get(address)
    rows = answer.json()["results"]
    times = [row["tpot_ms"] for row in rows]
    assert landed
    assert times == sorted(times)
    assert len(set(times)) > 1
    after = client.get(address)
    assert (after["ETag"], after.content) == (answer["ETag"], answer.content)


@pytest.mark.django_db(transaction=True)
def test_commits_out_of_order_rollbacks_and_folding(client: Client, catalogue: Catalogue) -> None:
    """Of two transactions the one that began later commits first; either commit makes a new ETag."""
    parameters = connection.get_connection_params()
    parameters = {
        name: parameters[name]
        for name in ("dbname", "user", "password", "host", "port")
        if name in parameters
    }

    def etag() -> str:
        return str(client.get(LIST)["ETag"])

    seen = [etag()]
    with psycopg.connect(**parameters) as early, psycopg.connect(**parameters) as late:
        early.execute("UPDATE catalog_provider SET name = 'early'")
        late.execute("UPDATE catalog_system SET name = 'late'")
        early.execute("UPDATE catalog_system SET name = name WHERE false")
        assert etag() == seen[0]  # nothing is committed
        late.commit()
        seen.append(etag())
        early.commit()
        seen.append(etag())
        early.execute("UPDATE catalog_provider SET name = 'never'")
        early.rollback()
        assert etag() == seen[-1]
    assert len(set(seen)) == 3
    with transaction.atomic():
        Provider.objects.update(name="kept")
        try:
            with transaction.atomic():
                Provider.objects.update(name="undone")
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    seen.append(etag())
    for number in range(60):  # each in a transaction of its own: the marks are folded, their sum goes on
        Provider.objects.update(name=f"{number}")
        seen.append(json.dumps(dict(read_marks(("catalog_provider",)))))
    assert len(set(seen)) == len(seen)
    assert FactMark.objects.filter(kind="catalog_provider").count() < 30
