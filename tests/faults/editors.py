"""Editors: a few threads that make the edits of a plan, each by its way, and write down what came of them.

A row and what hangs from it is one editor's at a time, so that the last acknowledged value of each column is
known exactly. An edit that was certainly not carried out (no connection, a refusal to be read again) is tried
again; one whose connection broke is of unknown fate and left.
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg
from django.db import Error, connection, transaction
from django.utils import timezone

from catalog.importing.load import load_files
from catalog.models import Accelerator, LanguageModel, Link, Offer, PeakRate, Provider, Source, Workload
from config import embedded
from estimates import runs
from tests.faults import catalogue
from tests.faults.http_client import Answer, Client, FateUnknownError, NotSentError, filled_in
from tests.faults.ledger import Ledger, Outcome, Write
from tests.faults.plan import Edit, Plan

THREADS: Final = 4
TRY_AGAIN_SECONDS: Final = 0.15
GIVE_UP_SECONDS: Final = 30.0
#: Names by which the API knows the quantities of child rows.
API_NAMES: Final = {"bf16": "peak_bf16_tflops", "fp8": "peak_fp8_tflops", "bandwidth_gbs": "scale_up_gbs"}


class NotMadeError(Exception):
    """The edit was refused: a fault of the trial or of the product, told in the report."""


class TryAgainError(Exception):
    """The edit was certainly not carried out and may be tried again."""


class Rows:
    """Primary keys by slug of what the plan names, read once a trial."""

    def __init__(self) -> None:
        self.accelerator = dict(Accelerator.objects.values_list("slug", "pk"))
        self.language_model = dict(LanguageModel.objects.values_list("slug", "pk"))
        self.workload = dict(Workload.objects.values_list("slug", "pk"))
        self.peak_rate = {
            (slug, name): pk
            for slug, name, pk in PeakRate.objects.values_list("accelerator__slug", "number_format", "pk")
        }
        self.link = dict(Link.objects.values_list("accelerator__slug", "pk"))
        self.offer = dict(Offer.objects.filter(count__gt=1).values_list("accelerator__slug", "pk"))
        self.provider = Provider.objects.get(slug=catalogue.PROVIDER).pk
        self.source = Source.objects.get(slug=catalogue.SOURCE).pk

    def writes(self, edit: Edit) -> tuple[Write, ...]:
        """The columns that an edit of rows gives values to."""
        found = []
        for slug in edit.targets:
            match edit.row:
                case "accelerator":
                    found.append(Write("accelerator", self.accelerator[slug], edit.column, edit.value))
                case "peak_rate":
                    found.append(Write("peakrate", self.peak_rate[slug, edit.column], "tera_ops", edit.value))
                case "link":
                    found.append(Write("link", self.link[slug], edit.column, edit.value))
                case "workload":
                    found.append(Write("workload", self.workload[slug], edit.column, edit.value))
                case "language_model":
                    pk = self.language_model[slug]
                    found.append(Write("languagemodel", pk, edit.column, int(edit.value)))
        return tuple(found)


class Editing:
    """The edits of one seed under way."""

    def __init__(self, plan: Plan, port: int, token: str, sessions: list[Client], files: Path) -> None:
        self.ledger = Ledger()
        self.rows = Rows()
        self.port = port
        self.token = token
        self.files = files
        self.quotes: list[tuple[str, float]] = [("first", 1.0)]
        self.etags: dict[str, str] = {}
        self._queue: queue.SimpleQueue[Edit] = queue.SimpleQueue()
        for edit in plan.edits:
            self._queue.put(edit)
        self._owners: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.threads = [
            threading.Thread(target=self._work, args=(session,), name=f"editor {number}", daemon=True)
            for number, session in enumerate(sessions)
        ]
        self.faults: list[str] = []

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for all edits; whether all editors have ended in time."""
        deadline = time.monotonic() + timeout
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)

    def _work(self, session: Client) -> None:
        editor = Editor(self, session)
        try:
            while True:
                try:
                    edit = self._queue.get_nowait()
                except queue.Empty:
                    return
                editor.make(edit)
        except Exception as error:  # noqa: BLE001  an editor that dies is a fault of the trial, which must be told
            self.faults.append(f"an editor ended: {type(error).__name__}: {error}")
        finally:
            editor.close()

    @contextmanager
    def owned(self, edit: Edit) -> Iterator[None]:
        """The edit's rows are its editor's alone."""
        if edit.way in {"quote", "offer", "run"}:
            yield
            return
        with ExitStack() as stack:
            for slug in sorted(edit.targets):
                stack.enter_context(self._owners[slug])
            yield


class Editor:
    """One thread: a token, a session of a person, a connection of its own to Postgres."""

    def __init__(self, editing: Editing, session: Client) -> None:
        self.editing = editing
        self.rows = editing.rows
        self.api = Client(editing.port, editing.token)
        self.session = session
        self._sql: psycopg.Connection[Any] | None = None

    def close(self) -> None:
        self._drop_sql()
        connection.close()

    def make(self, edit: Edit) -> None:
        """Make one edit and write down what came of it."""
        ledger = self.editing.ledger
        about: dict[str, str] = {}
        if edit.way in {"api", "admin"}:
            about = {
                "request_id": f"chaos-{edit.number}-{time.monotonic_ns()}",
                "reason": f"edit {edit.number}",
            }
        by_way: dict[str, Callable[[], tuple[Write, ...]]] = {
            "api": lambda: self._by_api(edit, about),
            "admin": lambda: self._by_form(edit, about),
            "sql": lambda: self._by_sql(edit),
            "bulk": lambda: self._by_bulk_update(edit),
            "quote": lambda: self._by_new_quote(edit),
            "offer": lambda: self._by_retiring(edit),
            "import": lambda: self._by_import(edit),
            "run": lambda: self._by_run(edit),
        }
        deadline = time.monotonic() + GIVE_UP_SECONDS
        with self.editing.owned(edit):
            ledger.begin()
            while True:
                try:
                    writes = by_way[edit.way]()
                except (NotSentError, TryAgainError) as error:
                    if time.monotonic() > deadline:
                        ledger.end(edit, Outcome.NOT_MADE, (), said=str(error))
                        return
                    time.sleep(TRY_AGAIN_SECONDS)
                    continue
                except NotMadeError as error:
                    ledger.end(edit, Outcome.NOT_MADE, (), said=str(error))
                except FateUnknownError as error:
                    writes = self._intended(edit)
                    ledger.end(edit, Outcome.UNKNOWN, writes, said=str(error), **about)
                else:
                    ledger.end(edit, Outcome.ACKNOWLEDGED, writes, **about)
                return

    def _intended(self, edit: Edit) -> tuple[Write, ...]:
        if edit.way == "import":
            return (Write("accelerator", self.rows.accelerator["trial-file"], edit.column, edit.value),)
        return self.rows.writes(edit)

    # ---- Over HTTP ---------------------------------------------------------------------------------------

    def _by_api(self, edit: Edit, about: dict[str, str]) -> tuple[Write, ...]:
        """PATCH with the last ETag known of the thing, which others' edits have often outdated."""
        (slug,) = edit.targets
        path = f"/api/v1/accelerators/{slug}"
        etag = self.editing.etags.get(slug) or self._read(path)
        body = orjson.dumps(
            {
                API_NAMES.get(edit.column, edit.column): edit.value,
                "kind": "assumed",
                "change_reason": about["reason"],
            }
        )
        for _ in range(50):
            headers = {
                "Content-Type": "application/json",
                "If-Match": etag,
                "X-Request-ID": about["request_id"],
            }
            answer = self.api.request("PATCH", path, body, headers)
            if answer.status == 200:
                self.editing.etags[slug] = answer.headers["etag"]
                return self.rows.writes(edit)
            if answer.status != 412:
                raise NotMadeError(f"{answer.status} {answer.body[:300]!r}")
            self.editing.ledger.count_conflict()
            etag = self._read(path)
        raise NotMadeError("412 fifty times in a row")

    def _read(self, path: str) -> str:
        """The ETag of a thing. A read that broke changed nothing, so that it is made again."""
        try:
            answer = self.api.get(path)
        except FateUnknownError as error:
            raise TryAgainError(str(error)) from error
        if answer.status != 200:
            raise NotMadeError(f"{answer.status} {answer.body[:300]!r}")
        return answer.headers["etag"]

    def _by_form(self, edit: Edit, about: dict[str, str]) -> tuple[Write, ...]:
        """The change form of the admin: read as a person sees it, one field changed, saved."""
        (slug,) = edit.targets
        kind = {"peak_rate": "accelerator"}.get(edit.row, edit.row)
        pk = getattr(self.rows, kind)[slug]
        path = f"/admin/catalog/{kind.replace('_', '')}/{pk}/change/"
        page = self._page(path)
        if page.status != 200:
            raise NotMadeError(f"the form was not shown: {page.status} {page.headers.get('location', '')}")
        fields = filled_in(page.body)
        names = dict(fields)
        if edit.row == "peak_rate":
            field = next(
                name.removesuffix("number_format") + "tera_ops"
                for name, value in names.items()
                if name.endswith("-number_format") and value == edit.column
            )
        else:
            field = edit.column
        if field not in names:
            raise NotMadeError(f"the form of {kind} has no field {field}")
        value = str(int(edit.value)) if edit.row == "language_model" else repr(edit.value)
        changed = {field: value, "figure_kind": "assumed", "change_reason": about["reason"]}
        sent = [(name, changed.get(name, old)) for name, old in fields] + [("_save", "Save")]
        answer = self.session.post_form(path, sent, about["request_id"])
        if answer.status != 302:
            raise NotMadeError(f"the form was refused: {answer.status} {_errors(answer)}")
        return self.rows.writes(edit)

    def _page(self, path: str) -> Answer:
        try:
            return self.session.get(path)
        except FateUnknownError as error:
            raise TryAgainError(str(error)) from error

    # ---- In the database ---------------------------------------------------------------------------------

    def _drop_sql(self) -> None:
        if self._sql is not None:
            self._sql.close()
            self._sql = None

    def _execute(self, statement: str, parameters: list[Any]) -> int:
        """One statement that commits by itself, as typed into psql; the number of rows."""
        if self._sql is None or self._sql.closed:
            try:
                self._sql = psycopg.connect(
                    host=str(embedded.socket_dir()),
                    user=embedded.POSTGRES_USER,
                    dbname=str(connection.settings_dict["NAME"]),
                    autocommit=True,
                    application_name="editor",
                    connect_timeout=10,
                )
            except psycopg.OperationalError as error:
                raise TryAgainError(str(error)) from error
        try:
            return self._sql.execute(statement, parameters).rowcount
        except psycopg.errors.DeadlockDetected as error:
            self.editing.ledger.count_deadlock()
            raise TryAgainError(str(error)) from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._drop_sql()
            raise FateUnknownError(str(error)) from error

    def _by_sql(self, edit: Edit) -> tuple[Write, ...]:
        (write,) = self.rows.writes(edit)
        if write.column == "intermediate":
            count = self._execute(
                "UPDATE catalog_languagemodel SET architecture = jsonb_set(architecture, "
                "'{layers,0,feed_forwards,0,intermediate}', to_jsonb(%s::int)) WHERE id = %s",
                [write.value, write.pk],
            )
        else:
            statement = f"UPDATE catalog_{write.table} SET {write.column} = %s WHERE id = %s"
            count = self._execute(statement, [write.value, write.pk])
        if count != 1:
            raise NotMadeError(f"{count} rows were changed")
        return (write,)

    def _by_new_quote(self, edit: Edit) -> tuple[Write, ...]:
        (slug,) = edit.targets
        price = Decimal(repr(edit.value)).quantize(Decimal("0.000001"))
        self._execute(
            "INSERT INTO catalog_pricequote (key, provider_id, offering, accelerator_id, accelerator_count, "
            "region, country, price_per_hour, currency, pricing_model, term, kind, observed_on, source_id, "
            "suspect, created_at) VALUES (%s, %s, %s, %s, 1, '', '', %s, 'USD', 'on_demand', '', 'list', %s, "
            "%s, '', now())",
            [
                f"chaos-{edit.number}",
                self.rows.provider,
                f"chaos {edit.number}",
                self.rows.accelerator[slug],
                price,
                timezone.now().date(),
                self.rows.source,
            ],
        )
        return (Write("pricequote", 0, "key", f"chaos-{edit.number}", insert=True),)

    def _by_retiring(self, edit: Edit) -> tuple[Write, ...]:
        """An offer goes out of use, or comes back: whichever it is not now."""
        pk = self.rows.offer[edit.targets[0]]
        self._execute("UPDATE catalog_offer SET retired = NOT retired WHERE id = %s", [pk])
        return (Write("offer", pk, "retired", None),)

    def _by_bulk_update(self, edit: Edit) -> tuple[Write, ...]:
        writes = self.rows.writes(edit)
        model: Any = {"accelerator": Accelerator, "peakrate": PeakRate, "workload": Workload}[writes[0].table]
        self._in_transaction(
            lambda: model.objects.filter(pk__in=[write.pk for write in writes]).update(
                **{writes[0].column: edit.value}
            )
        )
        return writes

    def _by_import(self, edit: Edit) -> tuple[Write, ...]:
        """The data files with a new figure and one more quote, loaded by the loader."""
        offering = f"chaos {edit.number}"
        price = round(1 + edit.number / 1000, 3)
        if (offering, price) not in self.editing.quotes:  # tried again: the file has it already
            self.editing.quotes.append((offering, price))
        catalogue.write_files(self.editing.files, edit.value, self.editing.quotes)
        self._in_transaction(lambda: load_files(self.editing.files))
        return (
            *self._intended(edit),
            Write("pricequote", 0, "offering", offering, insert=True),
        )

    def _by_run(self, edit: Edit) -> tuple[Write, ...]:
        """Somebody asks for an accelerator to be made again."""
        scope, reason = f"accelerator:{edit.targets[0]}", f"chaos {edit.number}"
        self._in_transaction(lambda: runs.start_recalculation(scope, reason, hint=False))
        return (Write("calculationrun", 0, "reason", reason, insert=True),)

    def _in_transaction(self, change: Callable[[], Any]) -> None:
        """The change by the ORM, on this thread's connection."""
        try:
            connection.ensure_connection()
        except Error as error:
            connection.close()
            raise TryAgainError(str(error)) from error
        try:
            with transaction.atomic():
                change()
        except Error as error:  # also InterfaceError, which is no DatabaseError
            if isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
                self.editing.ledger.count_deadlock()
                raise TryAgainError(str(error)) from error
            connection.close()
            raise FateUnknownError(str(error)) from error


def _errors(answer: Answer) -> str:
    """What a form that came back complains of."""
    text = answer.body.decode(errors="replace")
    at = text.find("errorlist")
    return " ".join(text[max(0, at - 50) : at + 500].split()) if at >= 0 else text[:300]
