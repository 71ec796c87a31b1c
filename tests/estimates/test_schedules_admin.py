"""Schedules in the admin and on the command line: clear faults, run now, what is next."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from estimates.schedules.models import Schedule, ScheduledRun
from estimates.schedules.tick import tick

pytestmark = pytest.mark.django_db
FORM = {
    "title": "Pruning",
    "slug": "own-pruning",
    "kind": "pruning",
    "parameters": '{"ledger_days": 30}',
    "cron": "30 2 * * *",
    "time_zone": "Europe/Berlin",
    "enabled": "on",
    "catch_up": "latest",
    "owner": "",
}


@pytest.fixture
def editor(client: Client) -> Client:
    Schedule.objects.all().delete()
    client.force_login(User.objects.create_superuser("editor", "", "secret"))
    return client


def add(editor: Client, **changes: Any) -> Any:
    return editor.post(reverse("admin:estimates_schedule_add"), FORM | changes)


def text_of(editor: Client, row: Any) -> str:
    name = f"admin:estimates_{row._meta.model_name}_change"
    answer = editor.get(reverse(name, args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_schedule_is_added_with_its_owner_and_shows_its_next_slots_in_its_zone_and_in_utc(
    editor: Client,
) -> None:
    assert add(editor).status_code == 302
    row = Schedule.objects.get()
    assert (row.owner.username, row.parameters) == ("editor", {"ledger_days": 30})
    page = text_of(editor, row)
    assert page.count("02:30 CE") >= 4  # CET or CEST, but for the one day a year without 02:30
    assert "00:30" in page or "01:30" in page
    assert add(editor, slug="other", parameters="{}").status_code == 302


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cron": "61 2 * * *"}, "accepted: five fields"),
        ({"time_zone": "Europe/Berln"}, "did you mean Europe/Berlin"),
        ({"parameters": '{"days": 1}'}, "days: 1 is not accepted; accepted: no such parameter"),
        ({"parameters": "[1]"}, "accepted: a JSON object of"),
        ({"parameters": "{"}, "Enter a valid JSON"),
        (
            {"kind": "recalculation", "parameters": '{"scope": "model:x"}'},
            "accepted: the slug of a language model",
        ),
    ],
)
def test_faults_stand_at_their_fields_and_nothing_is_kept(
    editor: Client, changes: dict[str, str], says: str
) -> None:
    answer = add(editor, **changes)
    assert answer.status_code == 200
    assert says in " ".join(str(fault) for faults in answer.context["errors"] for fault in faults)
    assert not Schedule.objects.exists()


def test_run_now_by_the_action_and_by_the_button(editor: Client) -> None:
    add(editor)
    row = Schedule.objects.get()
    chosen = {"action": "run_now", "_selected_action": [row.pk]}
    answer = editor.post(reverse("admin:estimates_schedule_changelist"), chosen, follow=True)
    assert "runs now" in answer.content.decode()
    assert tick().done == 1
    button = {"estimates_schedule_save_and_run": "1"}
    editor.post(reverse("admin:estimates_schedule_change", args=[row.pk]), FORM | button)
    assert ScheduledRun.objects.filter(slot=None).count() == 2
    assert "nothing was past its keeping" in text_of(editor, row)
    assert "by hand, editor" in text_of(editor, row)


def test_a_run_shows_its_log_and_the_tables_of_its_report_and_escapes_them(editor: Client) -> None:
    add(editor)
    report = {"tables": [{"title": "Prices", "columns": ["name"], "rows": [["<b>x</b>"]]}]}
    run = ScheduledRun.objects.create(
        schedule=Schedule.objects.get(),
        state="done",
        log="+0.1 s  <i>line</i>\n",
        report=report,
        counts={"a": 1},
    )
    page = text_of(editor, run)
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "&lt;i&gt;line&lt;/i&gt;" in page
    assert editor.get(reverse("admin:estimates_scheduledrun_changelist")).status_code == 200


def test_each_change_is_kept_with_who_made_it(editor: Client) -> None:
    add(editor)
    row = Schedule.objects.get()
    editor.post(reverse("admin:estimates_schedule_change", args=[row.pk]), FORM | {"cron": "0 4 * * *"})
    events = row.events.order_by("pgh_id").values_list("pgh_label", "cron", "version")
    assert list(events) == [("insert", "30 2 * * *", 1), ("update", "0 4 * * *", 2)]
    assert row.events.last().pgh_context.metadata["user"] == User.objects.get().pk


def command(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("schedules", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_command_lists_runs_and_ticks(editor: Client) -> None:
    add(editor, cron="0 0 1 1 *")
    (row,) = command()
    assert (row["schedule"], row["last"]) == ("own-pruning", None)
    assert row["next"].endswith("-12-31T23:00:00+00:00")  # midnight in Berlin, in winter
    assert command("--run-now", "own-pruning")["state"] == "done"
    assert command("--tick") == {"opened": 0, "done": 0, "failed": 0}
    with pytest.raises(CommandError, match="there is no schedule 'own-prunin'; accepted: own-pruning"):
        command("--run-now", "own-prunin")
