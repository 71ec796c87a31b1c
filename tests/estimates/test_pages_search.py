"""The search page: its question read and written back, both fronts, deployments, what is out; never a 500."""

import csv
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Link, Offer, Provider, PurchasePrice, Source
from config.rest.rendering import cell
from estimates import sweeper
from estimates.pages import finder
from estimates.pages.chart import Point, Room, draw
from estimates.pages.search.question import SearchPageError, SearchPageQuestion, read_search_question
from estimates.search.answering import search_now
from tests.estimates.conftest import TinyCatalogue, add_quote, language_model, llama

SMALL = "/search/?model=llama-3.1-8b-instruct&users=100"
PAGES = [
    "/search/",
    SMALL,
    SMALL + "&out=price",
    SMALL + "&basis=none",
    SMALL + "&tpot=0.001",
    SMALL + "&users=x",
    "/search/?model=embedder",
]


@pytest.fixture
def priced(tiny: TinyCatalogue) -> TinyCatalogue:
    """Eight H100 for 24 USD an hour, one for 4, and no price for the L40S."""
    add_quote(tiny.h100, 8, "24")
    add_quote(tiny.h100, 1, "4")
    return tiny


def read(query: str) -> SearchPageQuestion:
    catalogue = finder.read_catalogue()
    return read_search_question(QueryDict(query), catalogue.vocabulary, {"example-cloud"})


def get(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def text_of(html: str) -> str:
    """What a reader sees: tags out, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def deployments(page: str) -> list[str]:
    """Offers of the ranked rows, in their order."""
    return re.findall(r'<tr id="([^"]+)"', page)


def row_of(page: str, offer: str) -> str:
    return page[page.index(f'<tr id="{offer}"') :].split("</tr>")[0]


def table(client: Client, query: str) -> list[dict[str, str]]:
    response = client.get("/search.csv?" + query)
    assert response.status_code == 200, response.content
    return list(csv.DictReader(response.content.decode().splitlines()))


# ---- The question ----------------------------------------------------------------------------------------


def test_an_address_that_asks_nothing_asks_for_a_hundred_users(client: Client, priced: TinyCatalogue) -> None:
    question = read("")
    assert (question.model, question.workload, question.users) == ("llama-3.1-70b-instruct", "chat", 100)
    page = get(client, "/search/")
    assert "to 100 users at once" in text_of(page)
    assert re.search(r'name="users"[^>]* value="100"', page)


def test_a_question_that_leaves_the_load_open_asks_for_the_load_of_one_machine(
    client: Client, priced: TinyCatalogue
) -> None:
    assert read("model=llama-3.1-8b-instruct").users is None
    assert "as many users as one machine takes" in text_of(
        get(client, "/search/?model=llama-3.1-8b-instruct")
    )


def test_a_question_is_written_back_as_it_was_read(tiny: TinyCatalogue) -> None:
    query = (
        "model=llama-3.1-8b-instruct&workload=chat&isl=8192&osl=512&rate=2.5&tpot=40&tpot_at=p95&ttft=900"
        "&ttft_at=mean&objective=throughput_per_watt&basis=spot&region=Europe&provider=example-cloud"
        "&as_of=2026-01-31&vendor=nvidia&segment=datacentre&kind=gpu&status=announced&status=available"
        "&formats=fp8&formats=int4&chips=64&machines=8&watts=20000&usd=99.5&spare=0&serving=either"
        "&sizes=all&out=memory&rows=all"
    )
    question = read(query)
    assert question.address() == "?" + query
    assert read(question.address()[1:]) == question
    assert question.rate == 2.5
    assert question.spare == 0
    assert question.status == ("announced", "available")


def test_what_equals_the_default_is_left_out_of_the_address(tiny: TinyCatalogue) -> None:
    query = "model=llama-3.1-8b-instruct&workload=chat&tpot_at=mean&ttft_at=median&basis=on_demand&users=5"
    assert read(query).address() == "?model=llama-3.1-8b-instruct&workload=chat&users=5"


@pytest.mark.parametrize(
    ("query", "parameter", "accepted"),
    [
        ("model=gpt-9", "model", "llama-3.1-8b-instruct"),
        ("workload=chess", "workload", "edge"),
        ("workload=chat&workload=edge", "workload", ""),
        ("isl=-1", "isl", ""),
        ("osl=1.5", "osl", ""),
        ("users=many", "users", ""),
        ("users=0", "users", ""),
        ("rate=nan", "rate", ""),
        ("tpot=inf", "tpot", ""),
        ("ttft=1e999", "ttft", ""),
        ("tpot_at=p99", "tpot_at", "p95"),
        ("ttft_at=max", "ttft_at", "median"),
        ("objective=beauty", "objective", "throughput_per_watt"),
        ("basis=barter", "basis", "owned"),
        ("region=Atlantis", "region", "Europe"),
        ("provider=nobody", "provider", "example-cloud"),
        ("as_of=yesterday", "as_of", "YYYY-MM-DD"),
        ("as_of=2026-02-30", "as_of", "YYYY-MM-DD"),
        ("vendor=acme", "vendor", "nvidia"),
        ("segment=moon", "segment", "datacentre"),
        ("kind=abacus", "kind", "wafer"),
        ("status=lost", "status", "announced"),
        ("formats=fp3", "formats", "nvfp4"),
        ("chips=x", "chips", ""),
        ("machines=-3", "machines", ""),
        ("watts=lots", "watts", ""),
        ("usd=free", "usd", ""),
        ("spare=-1", "spare", ""),
        ("spare=101", "spare", ""),
        ("users=10000001", "users", ""),
        ("isl=900000000&osl=900000000", "isl", ""),
        ("serving=cold", "serving", "disaggregated"),
        ("sizes=some", "sizes", "all"),
        ("out=luck", "out", "missing_fact"),
        ("rows=some", "rows", "all"),
        ("users=5&rate=2", "rate", "users"),
        ("usd=5&basis=none", "basis", "on_demand"),
        ("colour=red", "colour", "serving"),
        ("model=%00", "model", ""),
        ("vendor=%3Cscript%3E", "vendor", "nvidia"),
        ("users=" + "9" * 5000, "users", ""),
    ],
)
@pytest.mark.parametrize("address", ["/search/?", "/search.csv?"])
def test_what_cannot_be_asked_is_a_400_that_names_the_parameter_and_what_is_accepted(
    client: Client, priced: TinyCatalogue, address: str, query: str, parameter: str, accepted: str
) -> None:
    response = client.get(address + query)
    page = response.content.decode()
    assert response.status_code == 400
    problem = re.search(rf"<li><code>{parameter}</code> .*?</li>", page)
    assert problem, text_of(page)[-500:]
    assert f"<code>{accepted}</code>" in problem[0] if accepted else True
    assert "<script>" not in page


def test_a_mistake_loses_nothing_else_of_the_question(client: Client, priced: TinyCatalogue) -> None:
    page = client.get(
        "/search/?model=llama-3.1-8b-instruct&users=few&as_of=then&watts=700&isl=4000"
    ).content.decode()
    assert '<option value="llama-3.1-8b-instruct" selected>' in page
    assert re.search(r'name="watts"[^>]* value="700"', page)
    assert "4,000 tokens in, at most 700 W" in page
    assert re.search(r'name="as_of"[^>]* value=""', page)


def test_every_problem_is_said_at_once(tiny: TinyCatalogue) -> None:
    with pytest.raises(SearchPageError) as caught:
        read("users=x&objective=y&colour=z")
    assert [problem.parameter for problem in caught.value.problems] == ["colour", "users", "objective"]


def test_a_table_that_does_not_exist_is_named(client: Client, priced: TinyCatalogue) -> None:
    response = client.get("/search.csv?table=nonsense")
    assert response.status_code == 400
    assert "front_chip" in response.content.decode()


# ---- What is asked reaches the search --------------------------------------------------------------------


def test_the_question_is_put_to_the_search_as_the_api_would(tiny: TinyCatalogue) -> None:
    asked = read(
        "model=llama-3.1-8b-instruct&users=7&tpot=40&ttft=900&ttft_at=p95&isl=99&region=North+America"
        "&provider=example-cloud&vendor=nvidia&status=announced&formats=fp8&chips=16&usd=9.5&spare=2"
    ).asked()
    assert asked["demand"] == {
        "concurrency": 7,
        "tpot_ms": 40.0,
        "tpot_at": "mean",
        "ttft_ms": 900.0,
        "ttft_at": "p95",
        "spare": 2,
    }
    assert asked["workload_overrides"] == {"isl": 99}
    assert asked["price"] == {
        "basis": "on_demand",
        "countries": ["CA", "MX", "US"],
        "providers": "example-cloud",
    }
    assert asked["hardware"] == {"vendors": ["nvidia"], "statuses": ["announced"]}
    assert asked["bounds"] == {
        "chips": 16,
        "usd_per_hour": 9.5,
        "formats": ["fp8"],
        "serving": "aggregated",
    }


def test_limits_are_kept_by_every_row_at_the_figure_they_are_on(
    client: Client, priced: TinyCatalogue
) -> None:
    rows = table(client, "model=llama-3.1-8b-instruct&users=500&tpot=12&ttft=300&ttft_at=p95&basis=none")
    assert rows
    assert all(float(row["tpot_ms"]) <= 12 for row in rows)
    assert all(float(row["ttft_p95_ms"]) <= 300 for row in rows)
    page = text_of(get(client, SMALL + "&tpot=12&ttft=300&ttft_at=p95"))
    assert "TPOT ≤ 12 ms (mean), TTFT ≤ 300 ms (p95)" in page


def test_bounds_are_kept_by_every_row(client: Client, priced: TinyCatalogue) -> None:
    query = "model=llama-3.1-8b-instruct&users=100&basis=none"
    free = table(client, query)
    assert max(int(row["chips"]) for row in free) == 8
    few = table(client, query + "&chips=4")
    assert {row["offer"] for row in few} == {"nvidia-h100-sxm-x1", "nvidia-l40s-x1"}
    assert table(client, query + "&watts=1400")[0]["watts"] == "1400.0"  # two H100 of 700 W
    assert all(row["weight_format"] == "int4" for row in table(client, query + "&formats=int4"))


def test_announced_hardware_is_looked_at_when_asked_for(client: Client, priced: TinyCatalogue) -> None:
    assert "mystery-x1" not in get(client, SMALL + "&rows=all")
    page = get(client, SMALL + "&status=announced&out=missing_fact")
    assert "None of 1 offers" in text_of(page)
    assert "mystery" in page


def test_lengths_asked_for_stand_in_for_the_workloads_own(client: Client, priced: TinyCatalogue) -> None:
    assert "(4,000 tokens in, 100 out;" in text_of(get(client, SMALL + "&isl=4000&osl=100"))


# ---- The answer ------------------------------------------------------------------------------------------


def test_the_ranked_deployments_are_in_the_markup_cheapest_first(
    client: Client, priced: TinyCatalogue
) -> None:
    page = get(client, SMALL + "&sizes=all")
    answer = search_now(read("model=llama-3.1-8b-instruct&users=100").asked())
    assert deployments(page) == [row["offer"] for row in answer["results"]]
    first = answer["results"][0]
    row = row_of(page, first["offer"])
    assert first["deployment"]["weight_format"] in row
    assert "Example Cloud" in row
    assert 'href="#glyph-' in row
    assert 'href="#grade-' in row
    assert f"{answer['counts']['feasible']} of 3 offers, of 1 vendor, serve" in text_of(page)


def test_cost_is_the_price_of_all_machines_over_the_tokens_of_an_hour(
    client: Client, priced: TinyCatalogue
) -> None:
    for row in table(client, "model=llama-3.1-8b-instruct&users=100"):
        price = {"nvidia-h100-sxm-x1": 4, "nvidia-h100-sxm-x8": 24}[row["offer"]] * int(row["machines"])
        assert float(row["usd_per_hour"]) == price
        expected = price / (float(row["throughput_tok_s"]) * 3600) * 1e6
        assert float(row["usd_per_mtok_output"]) == pytest.approx(expected, rel=1e-4)


def test_a_chip_stands_once_at_its_best_size_with_the_ranks_of_its_others(
    client: Client, priced: TinyCatalogue
) -> None:
    every, best = deployments(get(client, SMALL + "&sizes=all")), get(client, SMALL)
    assert len(every) == 2  # one and eight H100
    assert deployments(best) == every[:1]
    count = every[1].rpartition("-x")[2]
    assert f"also {count}× (2)" in row_of(best, every[0])
    assert "Every size (2)" in best


def test_the_figure_a_limit_is_on_stands_first_and_the_others_below_it(
    client: Client, priced: TinyCatalogue
) -> None:
    answer = search_now(read("model=llama-3.1-8b-instruct&users=100").asked())
    ttft = answer["results"][0]["ttft_ms"]
    assert ttft["median"] != ttft["mean"]
    shown = {name: f"{ttft[name]:.3g}" for name in ("mean", "median", "p95")}
    for at, beside in (("median", ["mean", "p95"]), ("p95", ["mean"]), ("mean", ["p95"])):
        row = row_of(get(client, SMALL + f"&ttft_at={at}"), answer["results"][0]["offer"])
        found = row[row.index('data-label="TTFT') :].split("</td>")[0]
        assert f'data-label="TTFT ms, {at}">{shown[at]}<' in found
        assert re.findall(r"<small>(\w+) ([\d.]+)</small>", found) == [(name, shown[name]) for name in beside]


def test_counts_are_said_in_the_singular_and_the_plural(client: Client, priced: TinyCatalogue) -> None:
    """One user on one H100: a replica of one request, and one more to spare on a second machine."""
    row = text_of(row_of(get(client, SMALL.replace("100", "1") + "&chips=2"), "nvidia-h100-sxm-x1"))
    assert "1 request each" in row
    assert "2 machines" in row
    assert "1 + 1 replicas, 1.40 kW" in row
    alone = get(client, SMALL.replace("100", "1") + "&chips=2&spare=0")
    assert "1 machine " in text_of(row_of(alone, "nvidia-h100-sxm-x1"))
    assert "1 replica, 700 W" in alone


def test_a_replica_over_several_machines_is_said(client: Client, priced: TinyCatalogue) -> None:
    """405e9 parameters in 4 bits are 203 GB: three machines of one H100 at least."""
    language_model("llama-3.1-405b", llama(16384, 126, 128, 8, 53248), 405_853_388_800)
    Link.objects.create(accelerator=priced.h100, scope="scale_out", name="InfiniBand", bandwidth_gbs=50)
    Offer.objects.exclude(slug="nvidia-h100-sxm-x1").update(retired=True)
    query = "model=llama-3.1-405b&users=1&basis=none&tpot=5000&ttft=100000"
    (row,) = table(client, query)
    assert int(row["machines_per_replica"]) >= 3
    assert f"over {row['machines_per_replica']} machines" in get(client, "/search/?" + query)


def test_an_objective_shows_the_figure_it_ranks_by(client: Client, priced: TinyCatalogue) -> None:
    rows = table(client, "model=llama-3.1-8b-instruct&users=100&objective=throughput_per_watt&basis=none")
    figures = [float(row["throughput_per_watt_tok_s"]) for row in rows if row["throughput_per_watt_tok_s"]]
    assert figures == sorted(figures, reverse=True)
    page = get(client, SMALL + "&objective=throughput_per_watt&basis=none")
    assert re.search(r"[\d.]+ a watt", row_of(page, rows[0]["offer"]))
    assert "Ranked by throughput per watt" in page


def test_without_a_price_a_row_is_ranked_by_speed_and_its_cost_is_a_dash_with_the_reason(
    client: Client, priced: TinyCatalogue
) -> None:
    page = get(client, SMALL + "&basis=none&objective=speed_per_user")
    row = row_of(page, "nvidia-l40s-x1")
    assert 'data-why="no price on these terms"' in row
    assert 'data-why="no price of a purchase is known" aria-label="no price"' in row


def test_a_price_of_ones_own_shows_its_parts_on_focus(client: Client, tiny: TinyCatalogue) -> None:
    """30,000 USD over five years of 8,766 hours are 0.684 USD an hour, energy and hosting beside them."""
    source = Source.objects.create(slug="example-shop", title="Example shop")
    PurchasePrice.objects.create(
        key="h100-bought",
        accelerator=tiny.h100,
        hardware_name="H100 SXM",
        price=30000,
        basis="list price",
        year=timezone.now().year,
        source=source,
    )
    page = get(client, SMALL + "&basis=owned")
    parts = re.search(r'class="dash parts" tabindex="0" data-why="([^"]*)" aria-label="owned', page)
    assert parts
    assert "for the purchase over 5 years" in parts[1]
    assert "for energy" in parts[1]
    assert "H100 SXM at 30,000 USD each (list price" in parts[1]
    assert "USD an hour to own" in text_of(page)


def test_a_price_that_is_old_is_struck_and_counted(client: Client, priced: TinyCatalogue) -> None:
    assert '<span class="age">today</span>' in get(client, SMALL)
    later = (timezone.now() + timedelta(days=200)).date().isoformat()
    page = get(client, SMALL + f"&as_of={later}")
    assert '<span class="old">7 months</span>' in page
    assert "2 prices older than 180 days, struck" in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_prices_of_any_day_can_be_asked_for(client: Client, priced: TinyCatalogue, day: str) -> None:
    get(client, SMALL + f"&as_of={day}")


def test_a_row_can_be_ticked_to_be_compared(client: Client, priced: TinyCatalogue) -> None:
    page = get(client, SMALL + "&isl=2000")
    option = re.search(r'name="option" form="compare" value="([^"]+)"', page)
    assert option
    assert option[1].startswith("llama-3.1-8b-instruct~nvidia-h100-sxm-x")
    assert "~isl:2000" in option[1]
    assert client.get("/compare/", {"option": option[1]}).status_code == 200


# ---- Both fronts -----------------------------------------------------------------------------------------


def test_both_fronts_are_drawn_with_every_ranked_deployment_that_has_both_figures(
    client: Client, priced: TinyCatalogue
) -> None:
    page = get(client, SMALL + "&basis=none&sizes=all")
    figures = {
        name: page[page.index(f'<figure class="chart" id="{name}"') :].split("</figure>")[0]
        for name in ("front-cost", "front-chip")
        if f'id="{name}"' in page
    }
    chips = set(re.findall(r'<a class="pt (?![^"]*other)[^"]*" href="#([^"]+)"', figures["front-chip"]))
    assert chips == {"nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8", "nvidia-l40s-x1"}
    assert "front-cost" not in figures  # nobody owns or quotes any of them: no price, no cost
    page = get(client, SMALL)
    for name in ("front-cost", "front-chip"):
        figure = page[page.index(f'<figure class="chart" id="{name}"') :].split("</figure>")[0]
        assert 'class="pt s0 on-front' in figure
        assert "80% interval" not in figure


def test_a_front_is_what_no_other_point_of_its_table_beats(client: Client, priced: TinyCatalogue) -> None:
    query = "model=llama-3.1-8b-instruct&users=100&table="
    dear = [
        (float(row["tok_s_per_user"]), float(row["usd_per_mtok_output"]))
        for row in table(client, query + "front_cost")
    ]
    assert len(dear) > 1
    assert [cost for _, cost in sorted(dear)] == sorted(cost for _, cost in dear)
    chips = [
        (float(row["tok_s_per_user"]), float(row["throughput_per_chip_tok_s"]))
        for row in table(client, query + "front_chip")
    ]
    assert [rate for _, rate in sorted(chips)] == sorted((rate for _, rate in chips), reverse=True)


def test_a_ranked_deployment_on_the_front_is_not_covered_by_a_hollow_point(
    client: Client, priced: TinyCatalogue
) -> None:
    page = get(client, SMALL + "&sizes=all")
    points = re.findall(r'<a class="pt ([^"]*)"[^>]*data-key="([^"]+)" aria-label="([^"]+)"', page)
    filled = {(key, said) for look, key, said in points if "other" not in look}
    assert filled
    assert not filled & {(key, said) for look, key, said in points if "other" in look}


def test_the_limit_per_token_is_a_line_across_both_fronts_where_it_is_on_the_mean(
    client: Client, priced: TinyCatalogue
) -> None:
    drawn = table(client, "model=llama-3.1-8b-instruct&users=100&table=front_chip")
    slow, fast = sorted(float(row["tpot_ms"]) for row in drawn)[:: len(drawn) - 1]
    limit = f"&tpot={(slow + fast) / 2:.3f}"
    assert get(client, SMALL + limit).count('class="limit-line"') == 2
    assert 'class="limit-line"' not in get(client, SMALL + limit + "&tpot_at=p95")


def test_a_crowded_front_names_an_offer_once_off_the_corner_it_turns_outwards() -> None:
    """Twenty points of two offers, dearer and faster one after the other: below on the right is free."""
    points = [
        Point(f"o{n // 10}", f"8x Chip {n // 10}", "v", 10 * 1.1**n, 1.2**n, chosen=False) for n in range(20)
    ]
    chart = draw(points, {"v": "V"}, room=Room(520, 300, corner=True))
    assert chart is not None
    labelled = [(p.point.key, p.label_side) for p in chart.points if p.label_side]
    assert sorted(labelled) == [("o0", "below"), ("o1", "below")]
    falling = [Point(p.key, p.label, "v", p.x, 1 / p.y, chosen=False) for p in points]
    chart = draw(falling, {"v": "V"}, high=True, room=Room(520, 300, corner=True))
    assert chart is not None
    assert {p.label_side for p in chart.points if p.label_side} == {"above"}


# ---- What is out -----------------------------------------------------------------------------------------


def test_who_is_out_is_counted_by_reason_and_listed_when_chosen(
    client: Client, priced: TinyCatalogue
) -> None:
    closed = get(client, SMALL)
    assert "1 without a price" in closed
    assert 'class="ranked missed"' not in closed
    opened = get(client, SMALL + "&out=price")
    missed = text_of(opened.split('class="ranked missed"')[1].split("</table>")[0])
    assert "1× nvidia-l40s" in missed
    assert "no price is known on this basis" in missed
    assert 'aria-current="true"' in opened
    assert 'class="ranked missed"' not in get(client, SMALL + "&out=memory")


def test_where_nothing_keeps_the_limits_everyone_is_listed_the_nearest_first(
    client: Client, priced: TinyCatalogue
) -> None:
    page = get(client, SMALL + "&tpot=0.001&basis=none")
    assert "None of 3 offers serves" in text_of(page)
    assert "Nothing keeps every limit" in page
    times = [float(value.replace(",", "")) for value in re.findall(r'limit">× ([\d.,]+)<', page)]
    assert len(times) == 3
    assert times == sorted(times)
    assert 'id="deployments"' not in page


def test_a_model_that_generates_no_text_is_refused_with_the_reason(
    client: Client, priced: TinyCatalogue
) -> None:
    page = text_of(get(client, "/search/?model=embedder"))
    assert "embedder gets no estimate" in page
    assert "an embedding model returns vectors" in page
    assert "out:" not in page


def test_an_empty_catalogue_says_how_to_fill_it(client: Client, db: None) -> None:
    assert "manage.py load_catalog" in get(client, "/search/")
    assert client.get("/search.csv").status_code == 400


# ---- As a table ------------------------------------------------------------------------------------------


def test_the_deployments_as_csv_have_the_answers_full_figures(client: Client, priced: TinyCatalogue) -> None:
    answer = search_now(read("model=llama-3.1-8b-instruct&users=100").asked())
    rows = table(client, "model=llama-3.1-8b-instruct&users=100")
    assert [(row["offer"], float(row["tpot_ms"]), row["usd_per_mtok_output"]) for row in rows] == [
        (row["offer"], row["tpot_ms"]["mean"], row["cost"]["usd_per_mtok_output"])
        for row in answer["results"]
    ]
    response = client.get("/search.csv?model=llama-3.1-8b-instruct&users=100")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "inference-atlas-search-llama-3.1-8b-instruct-results.csv" in response["Content-Disposition"]


def test_who_is_out_as_csv_has_value_limit_and_change(client: Client, priced: TinyCatalogue) -> None:
    query = "model=llama-3.1-8b-instruct&users=100&basis=none&tpot=1&table=excluded"
    rows = {row["offer"]: row for row in table(client, query)}
    assert set(rows) == {"nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8", "nvidia-l40s-x1"}
    row = rows["nvidia-l40s-x1"]
    assert row["constraint"] == "tpot"
    assert row["unit"] == "ms"
    assert float(row["value"]) / float(row["limit"]) == pytest.approx(float(row["times_the_limit"]), rel=1e-3)


def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_is_quoted(
    client: Client, priced: TinyCatalogue
) -> None:
    Provider.objects.filter(slug="example-cloud").update(slug="=cmd|calc")
    rows = table(client, "model=llama-3.1-8b-instruct&users=100")
    assert {row["price_provider"] for row in rows} == {"'=cmd|calc"}
    assert cell("=1") == "'=1"


# ---- The page --------------------------------------------------------------------------------------------


def test_a_script_gets_the_answer_alone_and_the_address_of_the_question(
    client: Client, priced: TinyCatalogue
) -> None:
    headers = {"HX-Request": "true", "HX-Source": "form#question"}
    response = client.get(SMALL + "&vendor=nvidia&tpot=&basis=on_demand", headers=headers)
    page = response.content.decode()
    assert "<html" not in page
    assert '<section id="answer"' in page
    assert (
        response["HX-Push-Url"]
        == "/search/?model=llama-3.1-8b-instruct&workload=chat&users=100&vendor=nvidia"
    )
    assert "HX-Request" in response["Vary"]
    restored = client.get(SMALL, headers=headers | {"HX-History-Restore-Request": "true"})
    assert "<html" in restored.content.decode()
    assert "HX-Push-Url" not in client.get(SMALL)


def test_more_rows_take_no_more_queries(client: Client, priced: TinyCatalogue) -> None:
    address = SMALL + "&sizes=all&rows=all&out=price"
    get(client, address)
    with CaptureQueriesContext(connection) as few:
        page = get(client, address)
    for count in (2, 3, 4, 5, 6, 7, 9, 10):
        Offer.objects.create(slug=f"nvidia-h100-sxm-x{count}", accelerator=priced.h100, count=count)
        add_quote(priced.h100, count, str(3 * count))
    get(client, address)
    with CaptureQueriesContext(connection) as many:
        longer = get(client, address)
    assert len(deployments(longer)) == len(deployments(page)) + 8
    assert len(many) == len(few) <= 22


def test_the_finder_leads_to_the_search_with_its_question(client: Client, priced: TinyCatalogue) -> None:
    sweeper.sweep()
    page = get(client, "/?model=llama-3.1-8b-instruct&users=50&tpot=40&segment=datacentre&order=speed")
    link = re.search(r'href="(/search/[^"]*)">Search with all constraints', page)
    assert link
    address = link[1].replace("&amp;", "&")
    assert address == "/search/?model=llama-3.1-8b-instruct&workload=chat&users=50&tpot=40&segment=datacentre"
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", PAGES)
def test_no_page_needs_more_than_the_content_policy_allows(
    client: Client, priced: TinyCatalogue, address: str
) -> None:
    response = client.get(address)
    page = response.content.decode()
    assert "unsafe" not in response["Content-Security-Policy"]
    assert not re.search(r"<[^>]+\sstyle\s*=", page)
    assert not re.search(r"<[^>]+\son\w+\s*=", page)
    assert "<style" not in page
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    assert not re.search(r'(?:src|<link[^>]+href)="https?://', page)


@pytest.mark.parametrize("address", PAGES)
def test_every_table_has_a_caption_and_scoped_heads_and_every_control_a_name(
    client: Client, priced: TinyCatalogue, address: str
) -> None:
    page = client.get(address).content.decode()
    for found in re.findall(r"<table.*?</table>", page, re.DOTALL):
        assert "<caption" in found
        assert not re.findall(r"<th(?![^>]*scope=)[\s>]", found)
    for control in re.findall(r"(?:<label>[^<]*)?<(?:select|input)[^>]*>", page):
        assert control.startswith("<label>") or "aria-label=" in control or 'type="hidden"' in control, (
            control
        )


def test_pages_are_read_only(client: Client, tiny: TinyCatalogue) -> None:
    assert client.post("/search/").status_code == 405
    assert client.head("/search/").status_code == 200


def test_reading_needs_a_login_where_it_is_not_open(
    client: Client, tiny: TinyCatalogue, settings: object
) -> None:
    settings.ATLAS_ANONYMOUS_READ = False  # type: ignore[attr-defined]
    for address in ("/search/", "/search.csv"):
        assert client.get(address).status_code == 302
