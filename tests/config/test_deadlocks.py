"""A transaction that Postgres ends to resolve a deadlock is carried out again."""

import threading

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, transaction

from config.deadlocks import ATTEMPTS, again_after_deadlock


@pytest.mark.django_db(transaction=True)
def test_the_loser_of_a_deadlock_wins_the_second_time() -> None:
    """We hold the first row and want the second, another holds the second and wants the first: we lose."""
    Group.objects.create(name="first", pk=1)
    Group.objects.create(name="second", pk=2)
    holds_second, wants_first = threading.Event(), threading.Event()
    settings = connection.settings_dict

    def other() -> None:
        given = {"host": settings["HOST"], "user": settings["USER"], "dbname": settings["NAME"]}
        if settings.get("PASSWORD"):
            given |= {"password": settings["PASSWORD"], "port": settings["PORT"]}
        with psycopg.connect(**given) as own:
            own.execute("SET deadlock_timeout = '30s'")  # whoever looks for the deadlock first is ended
            own.execute("UPDATE auth_group SET name = 'second, other' WHERE id = 2")
            holds_second.set()
            wants_first.wait(10)
            own.execute("UPDATE auth_group SET name = 'first, other' WHERE id = 1")

    attempts = []

    @again_after_deadlock
    def ours() -> None:
        attempts.append(1)
        with transaction.atomic():
            Group.objects.filter(pk=1).update(name="first, ours")
            wants_first.set()
            Group.objects.filter(pk=2).update(name="second, ours")

    thread = threading.Thread(target=other)
    thread.start()
    assert holds_second.wait(10)
    ours()
    thread.join(10)
    assert len(attempts) == 2
    assert dict(Group.objects.values_list("pk", "name")) == {1: "first, ours", 2: "second, ours"}


@pytest.mark.django_db(transaction=True)
def test_what_keeps_failing_is_told_and_other_errors_at_once() -> None:
    raised: list[str] = []

    def fail(state: str) -> None:
        raised.append(state)
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")

    for state, times in (("40P01", ATTEMPTS), ("57014", 1)):
        raised.clear()
        with pytest.raises(OperationalError):
            again_after_deadlock(fail)(state)
        assert len(raised) == times
