"""The finder without a script: complete in its markup, in a fixed number of queries, never a 500."""

import csv
import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Accelerator, Offer
from estimates import sweeper
from estimates.models import Calculation, CalculationRun, Estimate
from tests.estimates.conftest import TinyCatalogue, add_quote, language_model, llama

VENDORED = Path(settings.BASE_DIR) / "estimates" / "static" / "explorer" / "vendor"
PAGES = [
    "/",
    "/?unfit=1",
    "/?open=nvidia-h100-sxm-x8",
    "/?users=1000&order=speed",
    "/?model=embedder",
    "/?tpot=0.001",
    "/?model=nonsense",
]


@pytest.fixture
def calculated(tiny: TinyCatalogue) -> TinyCatalogue:
    """Everything calculated; eight H100 for 24 USD an hour, one for 4, and no price for the L40S."""
    add_quote(tiny.h100, 8, "24")
    add_quote(tiny.h100, 1, "4")
    sweeper.sweep()
    return tiny


def text_of(html: str) -> str:
    """What a reader sees: tags out, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def get(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_the_usual_question_is_answered_without_one_being_asked(
    client: Client, calculated: TinyCatalogue
) -> None:
    page = get(client, "/")
    assert '<option value="llama-3.1-70b-instruct" selected>' in page
    assert re.search(r'<option value="chat"[^>]* selected', page)
    assert "run <b>llama-3.1-70b-instruct</b> for chat" in page


def test_the_ranked_table_is_in_the_markup_with_what_each_row_needs(
    client: Client, calculated: TinyCatalogue
) -> None:
    page = get(client, "/?model=llama-3.1-8b-instruct")
    rows = re.findall(r'<tr id="([^"]+)"', page)
    assert rows[0] == "nvidia-h100-sxm-x8"  # 3 USD a chip against 4
    assert set(rows) == {"nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8", "nvidia-l40s-x1"}
    row = page[page.index('<tr id="nvidia-h100-sxm-x8"') :].split("</tr>")[0]
    assert "24.00" in row
    assert "example-cloud" in row
    assert row.count('class="whisker"') == 5
    assert 'href="#glyph-' in row
    assert 'href="#grade-' in row


def test_cost_is_the_quote_over_the_tokens_of_an_hour(client: Client, calculated: TinyCatalogue) -> None:
    row = Estimate.objects.get(
        language_model=calculated.llama_8b,
        offer__slug="nvidia-h100-sxm-x8",
        workload=calculated.chat,
        objective=2,
    )
    expected = 24 / (row.throughput_tok_s * 3600) * 1e6
    response = client.get("/finder.csv?model=llama-3.1-8b-instruct")
    lines = list(csv.DictReader(response.content.decode().splitlines()))
    found = next(
        x for x in lines if x["offer"] == "nvidia-h100-sxm-x8" and x["objective"] == "throughput_within"
    )
    assert float(found["usd_per_mtok_output"]) == pytest.approx(expected)


def test_the_csv_holds_every_point_of_the_chart(client: Client, calculated: TinyCatalogue) -> None:
    page = get(client, "/?model=llama-3.1-8b-instruct")
    points = re.findall(r'<a class="pt [^"]*" href="#([^"]+)"', page)
    lines = list(
        csv.DictReader(client.get("/finder.csv?model=llama-3.1-8b-instruct").content.decode().splitlines())
    )
    assert sorted(points) == sorted(line["offer"] for line in lines if line["usd_per_mtok_output"])
    assert "nvidia-l40s-x1" not in points  # no price, so in the table only
    assert "nvidia-l40s-x1" in [line["offer"] for line in lines]


def test_an_unpriced_number_is_a_dash_with_its_reason(client: Client, calculated: TinyCatalogue) -> None:
    page = get(client, "/?model=llama-3.1-8b-instruct")
    row = page[page.index('<tr id="nvidia-l40s-x1"') :].split("</tr>")[0]
    assert 'tabindex="0" data-why="no quote for this hardware on these terms"' in row


def test_an_opened_row_explains_itself_without_a_script(client: Client, calculated: TinyCatalogue) -> None:
    page = get(client, "/?model=llama-3.1-8b-instruct&open=nvidia-h100-sxm-x8")
    assert page.count('class="detail"') == 1
    sheet = text_of(page[page.index('class="detail"') :])
    for said in (
        "Memory of the fullest chip",
        "KV cache",
        "One output token",
        "Formulas, with their numbers",
        "TPOT = S(",
        "What would change this",
        "memory bandwidth",
        "Source: example-prices",
        "Memory bandwidth 3,350 GB/s",
    ):
        assert said in sheet, said
    assert 'href="/api/v1/accelerators/nvidia-h100-sxm"' in page


def test_a_script_gets_the_row_alone_and_a_person_the_page(client: Client, calculated: TinyCatalogue) -> None:
    address = "/row/nvidia-h100-sxm-x8?model=llama-3.1-8b-instruct"
    part = get(client, address, hx_request="true")
    assert part.startswith('<tr class="detail"')
    whole = client.get(address)
    assert whole.status_code == 302
    assert (
        whole["Location"]
        == "/?model=llama-3.1-8b-instruct&workload=chat&open=nvidia-h100-sxm-x8#nvidia-h100-sxm-x8"
    )
    assert client.get("/row/no-such-offer", headers={"HX-Request": "true"}).status_code == 404


def test_a_script_gets_the_answer_alone_and_the_address_of_the_question(
    client: Client, calculated: TinyCatalogue
) -> None:
    headers = {"HX-Request": "true", "HX-Source": "form#question"}
    response = client.get(
        "/?model=llama-3.1-8b-instruct&users=&vendor=nvidia&basis=on_demand", headers=headers
    )
    assert "<html" not in response.content.decode()
    assert response["HX-Push-Url"] == "/?model=llama-3.1-8b-instruct&workload=chat&vendor=nvidia"
    assert "HX-Request" in response["Vary"]
    restored = client.get("/", headers=headers | {"HX-History-Restore-Request": "true"})
    assert "<html" in restored.content.decode()


def test_more_rows_take_no_more_queries(client: Client, calculated: TinyCatalogue) -> None:
    address = "/?model=llama-3.1-8b-instruct&unfit=1&open=nvidia-h100-sxm-x1"
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        page = get(client, address)
    for count in (2, 3, 4, 5, 6, 7, 9, 10):
        Offer.objects.create(slug=f"nvidia-h100-sxm-x{count}", accelerator=calculated.h100, count=count)
        add_quote(calculated.h100, count, str(3 * count))
    sweeper.sweep()
    client.get(address)  # the measured runs are read again, once, after a change of an accelerator
    with CaptureQueriesContext(connection) as many:
        longer = get(client, address)
    assert longer.count('<tr id="') == page.count('<tr id="') + 8
    assert len(many) == len(few) <= 27


def test_the_closed_page_takes_few_queries(client: Client, calculated: TinyCatalogue) -> None:
    client.get("/")
    with CaptureQueriesContext(connection) as queries:
        get(client, "/")
    assert len(queries) <= 15


def test_users_beyond_one_machine_take_several(client: Client, calculated: TinyCatalogue) -> None:
    page = get(client, "/?model=llama-3.1-8b-instruct&users=1000000")
    assert re.search(r'<span class="machines">[\d,]+ of</span> 8×', page)


def test_what_does_not_fit_is_counted_and_shown_when_asked(client: Client, calculated: TinyCatalogue) -> None:
    """405e9 parameters are 203 GB in 4-bit weights: eight H100 hold them, one card does not."""
    language_model("llama-3.1-405b", llama(16384, 126, 128, 8, 53248), 405_853_388_800)
    sweeper.sweep()
    closed = get(client, "/?model=llama-3.1-405b")
    assert 'aria-checked="false"' in closed
    assert "3 do not make it" in closed
    table = text_of(get(client, "/?model=llama-3.1-405b&unfit=1").split('class="ranked missed"')[1])
    assert "1× nvidia-l40s" in table
    assert "GB a chip" in table
    assert "would hold it" in table
    assert "mystery" in table  # its missing fact is named
    assert "bandwidth is not published" in table


def test_nothing_calculated_yet_shows_progress_and_looks_again(client: Client, tiny: TinyCatalogue) -> None:
    CalculationRun.objects.create(
        scope="all", state="running", chunks=240, chunks_done=60, configurations=1234567, rows_written=8910
    )
    page = get(client, "/")
    assert "Nothing is calculated yet for llama-3.1-70b-instruct" in page
    assert "60 of 240" in page
    assert "1,234,567 configurations" in page
    assert re.search(r'<progress max="100" value="25\.0"', page)
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert 'hx-trigger="every 2s' in page


def test_a_run_under_way_is_said_while_answers_are_there(client: Client, calculated: TinyCatalogue) -> None:
    CalculationRun.objects.create(scope="all", state="running", chunks=10, chunks_done=4)
    page = get(client, "/")
    assert "4 of 10 parts" in text_of(page)
    assert 'hx-trigger="every 6s' in page
    assert 'http-equiv="refresh"' not in page


def test_an_edited_fact_marks_its_rows_stale(client: Client, calculated: TinyCatalogue) -> None:
    assert "Stale." not in get(client, "/?model=llama-3.1-8b-instruct")
    Accelerator.objects.filter(slug="nvidia-l40s").update(memory_bandwidth_gbs=900)
    page = get(client, "/?model=llama-3.1-8b-instruct")
    assert "1 of these was made from older facts" in text_of(page)
    row = page[page.index('<tr id="nvidia-l40s-x1"') :].split("</tr>")[0]
    assert '<span class="staleness">stale</span>' in row


def test_a_failed_calculation_is_said(client: Client, tiny: TinyCatalogue) -> None:
    sweeper.sweep()
    Estimate.objects.all().delete()
    Calculation.objects.update(state="never")
    Calculation.objects.filter(accelerator=tiny.h100, language_model=tiny.llama_70b).update(
        state="failed", error="ValueError: the rate is not finite"
    )
    assert "ValueError: the rate is not finite" in get(client, "/")


def test_an_old_price_is_struck_and_a_missing_one_offers_a_way_out(
    client: Client, calculated: TinyCatalogue
) -> None:
    page = get(client, "/?model=llama-3.1-8b-instruct&basis=spot&region=Europe")
    assert "<b>No price.</b> None of these has a quote spot in Europe" in " ".join(page.split())
    assert "basis=any" in page
    add_quote(calculated.l40s, 1, "1")
    with connection.cursor() as cursor:  # quotes are append-only: the trigger is put aside for the test
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE catalog_pricequote SET observed_on = current_date - 200")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    row = get(client, "/?model=llama-3.1-8b-instruct").split('<tr id="nvidia-l40s-x1"')[1].split("</tr>")[0]
    assert '<span class="old">7 months</span>' in row


def test_a_question_nothing_answers_offers_weaker_ones(client: Client, calculated: TinyCatalogue) -> None:
    page = text_of(get(client, "/?tpot=0.001&chips=1"))
    assert "Nothing in the catalogue answers this question" in page
    assert "any number of chips" in page
    assert "no limits on time" in page


def test_a_model_that_generates_no_text_is_refused_with_the_reason(
    client: Client, calculated: TinyCatalogue
) -> None:
    page = text_of(get(client, "/?model=embedder"))
    assert "embedder gets no chat estimate" in page
    assert "an embedding model returns vectors" in page


def test_an_empty_catalogue_says_how_to_fill_it(client: Client, db: None) -> None:
    assert "manage.py load_catalog" in get(client, "/")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("model=gpt-9", "gpt-9"),
        ("colour=red", "is not a parameter of this page"),
        ("users=-1", "not a whole number above zero"),
        ("tpot=nan", "not a number above zero"),
        ("vendor=nvidia&vendor=%3Cscript%3E", "&lt;script&gt;"),
        ("model=%00", "is not known"),
        ("workload=chat&workload=edge", "is given more than once"),
        ("users=" + "9" * 5000, "not a whole number above zero"),
    ],
)
@pytest.mark.parametrize("address", ["/?", "/finder.csv?", "/row/nvidia-h100-sxm-x8?"])
def test_what_cannot_be_answered_is_a_friendly_400(
    client: Client, tiny: TinyCatalogue, address: str, query: str, said: str
) -> None:
    response = client.get(address + query)
    page = response.content.decode()
    assert response.status_code == 400
    assert "This address asks something that cannot be answered" in page
    assert said in page
    assert "<script>" not in page


@pytest.mark.parametrize("address", PAGES)
def test_no_page_needs_more_than_the_content_policy_allows(
    client: Client, calculated: TinyCatalogue, address: str
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
def test_every_table_has_a_caption_and_scoped_heads(
    client: Client, calculated: TinyCatalogue, address: str
) -> None:
    page = client.get(address).content.decode()
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        assert "<caption" in table
        assert not re.findall(r"<th(?![^>]*scope=)[\s>]", table)


def test_pages_are_read_only(client: Client, tiny: TinyCatalogue) -> None:
    assert client.post("/").status_code == 405
    assert client.head("/").status_code == 200


def test_reading_needs_a_login_where_it_is_not_open(
    client: Client, tiny: TinyCatalogue, settings: object
) -> None:
    settings.ATLAS_ANONYMOUS_READ = False  # type: ignore[attr-defined]
    for address in ("/", "/finder.csv", "/row/nvidia-h100-sxm-x8"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


def test_vendored_scripts_are_the_published_ones() -> None:
    """The table in the README beside them gives each file's SHA-256."""
    listed = dict(
        re.findall(r"^\| `([\w.]+\.js)` .*`([0-9a-f]{64})` \|$", (VENDORED / "README.md").read_text(), re.M)
    )
    assert set(listed) == {path.name for path in VENDORED.glob("*.js")}
    for name, digest in listed.items():
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == digest
