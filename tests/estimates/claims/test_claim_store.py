"""Answers of claims are kept, and made again when a fact, the claim or a quote they rest on has changed."""

from __future__ import annotations

import html
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.figures import accept_figure
from catalog.models import Accelerator, PublishedClaim
from estimates import sweeper
from estimates.claims.models import ClaimAnswer
from estimates.claims.store import answered_claims, claims_with_facts, digests_of
from estimates.schedule import BEAT_SCHEDULE
from estimates.tasks import answer_claims
from tests.estimates.claims.test_claim_answers import claim, speed
from tests.estimates.conftest import TinyCatalogue, add_quote


def node(tiny: TinyCatalogue) -> PublishedClaim:
    return claim(
        640,
        "GB",
        quantity="memory_total",
        accelerator=tiny.h100,
        stated={"count": 8},
        answer={"by": "system_figure", "figure": "memory_total"},
    )


def digest_now(one: PublishedClaim) -> str:
    return digests_of(claims_with_facts().filter(pk=one.pk))[one.pk]


def test_an_answer_is_kept_until_a_fact_changes(tiny: TinyCatalogue) -> None:
    one = node(tiny)
    ((_, first),) = answered_claims(list(claims_with_facts()))
    ((_, second),) = answered_claims(list(claims_with_facts()))
    assert (first["verdict"], second["answered_at"]) == ("agrees", first["answered_at"])
    accept_figure(tiny.h100, "memory_gb", 90, kind="vendor_claim", source=one.source)
    ((_, third),) = answered_claims(list(claims_with_facts()))
    assert (third["verdict"], third["value"]) == ("disagrees", 720)
    assert ClaimAnswer.objects.get().verdict == "disagrees"


def test_the_digest_covers_what_a_claim_names_and_nothing_else(tiny: TinyCatalogue) -> None:
    one = speed(tiny, 100)
    before = digest_now(one)
    accept_figure(tiny.l40s, "memory_gb", 50, kind="vendor_claim", source=one.source)
    add_quote(tiny.h100, 8, "24")
    assert digest_now(one) == before
    accept_figure(tiny.h100, "memory_bandwidth_gbs", 3000, kind="vendor_claim", source=one.source)
    changed = digest_now(one)
    assert changed != before
    PublishedClaim.objects.filter(pk=one.pk).update(value=101)
    assert digest_now(one) != changed


def test_a_new_quote_makes_a_cost_stale(tiny: TinyCatalogue) -> None:
    one = claim(
        1,
        "USD",
        accelerator=tiny.h100,
        language_model=tiny.llama_8b,
        stated={"isl": 1024, "osl": 1024},
        answer={"by": "cost"},
    )
    before = digest_now(one)
    add_quote(tiny.h100, 8, "24")
    assert digest_now(one) != before


def test_beyond_its_time_an_old_answer_stands_marked_stale_and_a_new_claim_waits(tiny: TinyCatalogue) -> None:
    one = node(tiny)
    answered_claims(list(claims_with_facts()))
    accept_figure(tiny.h100, "memory_gb", 90, kind="vendor_claim", source=one.source)
    speed(tiny, 100)
    found = answered_claims(list(claims_with_facts()), within_s=-1)
    assert [(c.pk, answer["verdict"], answer["stale"]) for c, answer in found] == [(one.pk, "agrees", True)]
    assert ClaimAnswer.objects.get().stale
    assert len(answered_claims(list(claims_with_facts()))) == 2
    assert not ClaimAnswer.objects.filter(stale=True).exists()


def test_the_digests_of_many_claims_take_as_few_queries_as_of_one(tiny: TinyCatalogue) -> None:
    for value in range(1, 6):
        speed(tiny, value)
    claims = list(claims_with_facts())
    with CaptureQueriesContext(connection) as many:
        digests_of(claims)
    assert len(many) == 3  # accelerators, models, the newest quote; no claim names a system


def test_the_command_prints_each_claim_and_a_count(tiny: TinyCatalogue) -> None:
    one = node(tiny)
    claim(3, "GB", accelerator=tiny.h100)
    out = StringIO()
    call_command("check_claims", stdout=out)
    text = out.getvalue()
    assert f"{one.slug}\n  test: memory total 640 GB\n  ours: 640 GB\n  agrees\n" in text
    assert text.endswith("2 claims: 1 agrees, 1 cannot be evaluated\n")


def test_the_command_gives_whole_answers_as_json_of_the_claims_named(tiny: TinyCatalogue) -> None:
    one = node(tiny)
    node(tiny)
    out = StringIO()
    call_command("check_claims", one.slug, "--json", stdout=out)
    (found,) = json.loads(out.getvalue())
    assert (found["claim"], found["verdict"], found["value"]) == (one.slug, "agrees", 640)
    assert found["rows"][0]["deployment"] == "8 x 80 GB"


def test_the_command_refuses_a_claim_that_does_not_exist(tiny: TinyCatalogue) -> None:
    with pytest.raises(CommandError, match="'no-such-claim' is no claim"):
        call_command("check_claims", "no-such-claim")


def test_the_scheduled_task_answers_what_is_stale(tiny: TinyCatalogue) -> None:
    one = node(tiny)
    answer_claims()
    assert ClaimAnswer.objects.get(claim=one).verdict == "agrees"
    assert "estimates.answer_claims" in {entry["task"] for entry in BEAT_SCHEDULE.values()}


def test_an_editor_is_told_where_a_question_is_wrong(tiny: TinyCatalogue, admin_client: Client) -> None:
    """The form of the admin: an unknown kind of answer is refused, a good one is stored and answered."""
    one = node(tiny)
    address = f"/admin/catalog/publishedclaim/{one.pk}/change/"
    form = {
        "slug": one.slug,
        "subject": one.subject,
        "quantity": one.quantity,
        "value": "720",
        "unit": "GB",
        "relation": "eq",
        "kind": "press",
        "source": one.source_id,
        "accelerator": tiny.h100.pk,
    }
    refused = admin_client.post(address, form | {"parameters": '{"answer": {"by": "guess"}}'})
    assert refused.status_code == 200
    assert "answer.by: Input should be" in html.unescape(refused.content.decode())
    stored = '{"count": 9, "answer": {"by": "system_figure", "figure": "memory_total"}}'
    assert admin_client.post(address, form | {"parameters": stored}).status_code == 302
    ((_, answer),) = answered_claims(list(claims_with_facts()))
    assert (answer["verdict"], answer["value"]) == ("agrees", 720)


def test_claims_give_way_to_an_edited_fact(tiny: TinyCatalogue) -> None:
    node(tiny)
    sweeper.sweep()
    Accelerator.objects.filter(pk=tiny.h100.pk).update(memory_bandwidth_gbs=4020)
    answer_claims()
    assert not ClaimAnswer.objects.exists()
    sweeper.sweep()
    answer_claims()
    assert ClaimAnswer.objects.exists()
