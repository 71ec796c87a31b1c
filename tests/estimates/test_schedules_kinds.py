"""What each kind of schedule does: recalculation, pruning, the report of ages, the import of prices."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import DataError
from django.db.models.functions import Now
from django.utils import timezone

from catalog.models import Figure, PriceQuote, Provider, PurchasePrice, Source, TokenPrice
from estimates.convergence.models import Movement
from estimates.jobs.lifecycle import start_job
from estimates.models import CalculationRun, Job
from estimates.schedules import ledger, price_import, price_places
from estimates.schedules.freshness import report_of
from estimates.schedules.kinds import InvalidParameters, PriceImportParameters, Refused
from estimates.schedules.models import Schedule, ScheduledRun
from estimates.schedules.tick import work_on
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_those_of_the_test(db: None) -> None:
    Schedule.objects.all().delete()


def run(kind: str, **parameters: Any) -> ScheduledRun:
    """One run by hand of the schedule of this kind, made where there is none."""
    given = {"slug": kind.replace("_", "-"), "title": kind, "cron": "0 0 1 1 *"}
    row, _ = Schedule.objects.get_or_create(kind=kind, defaults=given | {"parameters": parameters})
    asked = ledger.run_now(row, hint=False)
    (claim,) = ledger.claim(only=asked.pk)
    work_on(claim)
    asked.refresh_from_db()
    return asked


def test_a_recalculation_requests_a_run_of_its_scope_once(tiny: TinyCatalogue) -> None:
    done = run("recalculation", scope="accelerator:nvidia-h100-sxm")
    requested = CalculationRun.objects.get()
    assert (done.state, done.counts["calculation_run"]) == ("done", requested.pk)
    assert (requested.scope, requested.reason) == ("accelerator:nvidia-h100-sxm", "schedule recalculation")
    assert done.counts["calculations"] == 3  # three models on one accelerator


def test_pruning_deletes_what_is_past_its_keeping_and_counts_it(tiny: TinyCatalogue) -> None:
    question = {"model": "llama-3.1-8b-instruct", "demand": {"concurrency": 1}}
    old, new = (start_job("search", question | {"limit": limit}, hint=False) for limit in (1, 2))
    ended = {"state": "done", "finished_at": timezone.now()}
    Job.objects.filter(pk=new.pk).update(**ended)
    Job.objects.filter(pk=old.pk).update(**ended | {"finished_at": timezone.now() - timedelta(days=31)})
    for days in (11, 9):
        versions = dict.fromkeys(
            ("from_model_version", "to_model_version", "from_accelerator_version", "to_accelerator_version"),
            1,
        )
        Movement.objects.create(
            calculation_id=1, language_model_id=1, accelerator_id=1, at=timezone.now() - timedelta(days=days),
            workloads_changed=False, rows=1, changed=1, added=0, removed=0, state_changes=0, **versions,
        )  # fmt: skip
    for name, hours in (("gone", -1), ("here", 1)):
        expires = timezone.now() + timedelta(hours=hours)
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    ledger_row = Schedule.objects.create(slug="l", title="L", kind="freshness_report", cron="0 0 * * *")
    for day in (1, 2, 3):
        slot = timezone.now() - timedelta(days=100 + day)
        ScheduledRun.objects.create(schedule=ledger_row, slot=slot, state="done", requested_at=slot)
    done = run("pruning", job_days=30, movement_days=10, ledger_days=90)
    assert done.counts == {
        "jobs": 1,
        "movements": 1,
        "scheduled_runs": 2,  # the newest slot stays: later ones are counted on from it
        "superseded_estimates": 0,
        "sessions": 1,
    }
    assert done.outcome == "deleted 1 jobs, 1 movements, 2 scheduled runs, 1 sessions"
    assert Job.objects.get() == new
    assert Session.objects.get().session_key == "here"


def test_the_report_tells_ages_by_class_and_what_has_no_source(tiny: TinyCatalogue) -> None:
    """On 2026-07-01: a quote of 2026-06-01 is 30 days old, one of 2025-06-30 is 366, one bears no date."""
    source = Source.objects.create(slug="list", title="List")
    cloud, old = (Provider.objects.create(slug=slug, name=slug) for slug in ("cloud", "old-cloud"))
    quotes = ((cloud, date(2026, 6, 1)), (cloud, None), (old, date(2025, 6, 30)))
    for provider, seen in quotes:
        PriceQuote.objects.create(
            key=f"{provider.slug}-{seen}", provider=provider, offering="o", accelerator=tiny.h100,
            accelerator_count=1, price_per_hour=Decimal(2), pricing_model="on_demand", observed_on=seen,
            source=source,
        )  # fmt: skip
    TokenPrice.objects.create(key="t", provider=cloud, model_name="m", observed_on="2026-05", source=source)
    for kind, given, quantity in (("assumed", None, "tdp_w"), ("vendor_claim", source, "memory_gb")):
        Figure.objects.create(
            accelerator=tiny.h100, quantity=quantity, value=1, kind=kind, source=given, accepted=True
        )
    report = report_of(date(2026, 7, 1), 180)
    tables = {one["title"]: one["rows"] for one in report["tables"]}
    # name, rows, newest, age, stale, to 30, to 90, to 180, to 365, older, no date
    assert tables["Price quotes by provider"] == [
        ["cloud", 2, "2026-06-01", 30, False, 1, 0, 0, 0, 0, 1],
        ["old-cloud", 1, "2025-06-30", 366, True, 0, 0, 0, 0, 1, 0],
    ]
    assert tables["Price quotes by vendor of the accelerator"] == [
        ["nvidia", 3, "2026-06-01", 30, False, 1, 0, 0, 0, 1, 1]
    ]
    # May 2026 counts from its first day: 61 days.
    assert tables["Hosted token prices by provider"][0][:5] == ["cloud", 1, "2026-05-01", 61, False]
    assert tables["Accepted figures"] == [["accelerators", 2, 1, 1, 0]]
    assert report["counts"]["stale_price_sources"] == 1


def test_a_freshness_run_stores_its_report(tiny: TinyCatalogue) -> None:
    done = run("freshness_report")
    assert (done.state, done.report["stale_after_days"]) == ("done", 180)
    assert [one["title"] for one in done.report["tables"]][-1] == "Estimates"
    assert done.counts["stale_calculations"] == dict(done.report["tables"][-1]["rows"])["stale"]


QUOTES = (
    "observed_on,offering,accelerator,count,price_per_hour,pricing_model,kind,source\n"
    "2026-05-24,H100 8x,nvidia-h100-sxm,8,20.00,on_demand,list,list\n"
    "2026-05-25,H100 8x,nvidia-h100-sxm,8,19.00,on_demand,list,list\n"
)


@pytest.fixture
def folder(tiny: TinyCatalogue, tmp_path: Path, settings: Any) -> Path:
    """The import directory, with two quotes of the provider `cloud`."""
    Source.objects.create(slug="list", title="List")
    Provider.objects.create(slug="cloud", name="Cloud")
    settings.ATLAS_PRICE_IMPORT_DIR = str(tmp_path / "prices")
    (tmp_path / "prices" / "daily" / "price_quotes").mkdir(parents=True)
    file = tmp_path / "prices" / "daily" / "price_quotes" / "cloud.csv"
    file.write_text(QUOTES)
    return file.parent.parent


def test_an_import_appends_what_is_new_and_nothing_twice(folder: Path) -> None:
    done = run("price_import", path="daily")
    assert (done.outcome, PriceQuote.objects.count()) == ("2 prices added, 0 known before, 1 files", 2)
    assert run("price_import").outcome == f"unchanged since run {done.pk}: nothing was read again"
    more = "2026-05-26,H100 8x,nvidia-h100-sxm,8,18.00,on_demand,list,list\n"
    (folder / "price_quotes" / "cloud.csv").write_text(QUOTES + more)
    (folder / "purchase_prices.csv").write_text("hardware_name,price,source\nH100,25000,list\n")
    assert run("price_import").outcome == "2 prices added, 2 known before, 2 files"
    assert (PriceQuote.objects.count(), PurchasePrice.objects.count()) == (3, 1)


def test_a_faulty_line_is_told_with_file_line_and_field_and_nothing_is_imported(folder: Path) -> None:
    wrong = QUOTES.replace("19.00", "-19").replace("nvidia-h100-sxm,8,20", "nvidia-h100-smx,8,20")
    (folder / "price_quotes" / "cloud.csv").write_text(wrong)
    done = run("price_import", path="daily")
    assert (done.state, done.attempts, PriceQuote.objects.count()) == ("failed", 1, 0)
    assert "price_quotes/cloud.csv:3: price_per_hour: '-19' is not accepted" in done.log
    assert done.report["faults"][0]["line"] == 3
    (folder / "price_quotes" / "cloud.csv").write_text(wrong.replace("-19", "19"))
    done = run("price_import")
    assert "cloud.csv:2: accelerator: 'nvidia-h100-smx'" in done.log
    assert "nearest: nvidia-h100-sxm" in done.log
    assert PriceQuote.objects.count() == 0


def test_an_import_that_the_database_refuses_half_way_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> str:
        raise DataError("refused")

    monkeypatch.setattr(price_import, "refresh_offers", refused)
    done = run("price_import", path="daily")
    assert (done.state, done.error, PriceQuote.objects.count()) == ("waiting", "DataError: refused", 0)
    monkeypatch.undo()
    ScheduledRun.objects.update(not_before=Now())
    (claim,) = ledger.claim()
    assert work_on(claim)
    assert PriceQuote.objects.count() == 2


@pytest.mark.parametrize("path", ["", "/etc", "..", "daily/../..", "a\x00b", "leads-out"])
def test_no_path_leads_out_of_the_directory(folder: Path, path: str) -> None:
    (folder.parent / "leads-out").symlink_to("/etc")
    with pytest.raises(InvalidParameters):
        PriceImportParameters(path=path).check()


def test_no_file_of_the_directory_leads_out_of_it(folder: Path) -> None:
    (folder / "price_quotes" / "other.csv").symlink_to("/etc/hostname")
    done = run("price_import", path="daily")
    assert (done.state, PriceQuote.objects.count()) == ("failed", 0)
    assert "leads out of ATLAS_PRICE_IMPORT_DIR" in done.error


@pytest.mark.parametrize(
    "url",
    [
        "http://prices.example/a.csv", "https://other.example/a.csv", "https://prices.example:8443/a.csv",
        "https://prices.example@other.example/a.csv", "https://user:word@prices.example/", "file:///etc/passwd",
        "https://prices.example.other.example/", "https://[::1", "https://prices.example:port/",
    ],
)  # fmt: skip
def test_only_https_on_a_listed_host_is_an_address(url: str, settings: Any) -> None:
    settings.ATLAS_PRICE_IMPORT_HOSTS = ["prices.example"]
    PriceImportParameters(url="https://prices.example/a.csv", file="price_quotes/cloud.csv").check()
    with pytest.raises(InvalidParameters, match="an https address on prices"):
        PriceImportParameters(url=url, file="price_quotes/cloud.csv").check()


@pytest.mark.parametrize(
    "name", [None, "", "a.csv", "price_quotes/x.txt", "../price_quotes/a.csv", "price_quotes/a/b.csv"]
)
def test_an_address_needs_the_name_of_a_price_file(name: str | None, settings: Any) -> None:
    settings.ATLAS_PRICE_IMPORT_HOSTS = ["prices.example"]
    with pytest.raises(InvalidParameters, match="price_quotes/PROVIDER"):
        PriceImportParameters(url="https://prices.example/a.csv", file=name).check()


class Host(BaseHTTPRequestHandler):
    """Answers quotes, a redirect to itself, a redirect elsewhere, too much, and 404."""

    def do_GET(self) -> None:
        match self.path:
            case "/quotes.csv":
                self.answer(200, QUOTES.encode())
            case "/moved":
                self.answer(302, b"", Location="/quotes.csv")
            case "/elsewhere":
                self.answer(302, b"", Location="https://127.0.0.1:1/quotes.csv")
            case "/much":
                self.answer(200, b"x" * 2_000)
            case _:
                self.answer(404, b"")

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


@pytest.fixture
def host(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https host of its own, whose certificate is trusted."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made.split(), *more], check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = f"127.0.0.1:{server.server_port}"
    settings.ATLAS_PRICE_IMPORT_HOSTS = [name]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"https://{name}"
    server.shutdown()
    server.server_close()


def test_an_address_is_fetched_and_imported_and_the_same_content_is_not_read_again(
    folder: Path, host: str
) -> None:
    done = run("price_import", url=f"{host}/moved", file="price_quotes/cloud.csv")
    assert (done.state, done.outcome) == ("done", "2 prices added, 0 known before, 1 files")
    assert len(done.report["digest"]) == 64
    assert run("price_import").outcome == f"unchanged since run {done.pk}: nothing was read again"


def test_a_redirect_to_another_host_too_much_and_what_is_not_there_are_refused(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_places, "LARGEST_IMPORT", 1_000)
    for path, says in (("elsewhere", "redirects to"), ("much", "more than 1,000 bytes"), ("none", "404")):
        with pytest.raises(Refused, match=says):
            price_places.fetch(f"{host}/{path}", tmp_path / "answer")
