"""Jobs: parts claimed with a lease, stored under a fence, tried again, failed, cancelled, merged, pruned."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils import timezone

from catalog.models import LanguageModel
from estimates.jobs import lifecycle, work
from estimates.jobs.kinds import KINDS, Kind
from estimates.jobs.models import Job, JobPart, JobState, PartState
from estimates.jobs.progress import progress_of
from estimates.search.answering import search_now
from estimates.what_if import InvalidQuestion
from tests.estimates.conftest import TinyCatalogue

QUESTION: dict[str, Any] = {
    "model": ["llama-3.1-8b-instruct", "llama-3.1-70b-instruct"],
    "workload": "chat",
    "demand": {"concurrency": [1, 16, 64]},
    "price": {"basis": "none"},
}


def start(question: dict[str, Any] = QUESTION, **options: Any) -> Job:
    return lifecycle.start_job("search", question, hint=False, **options)


def without_times(value: Any) -> Any:
    """The answer without what a clock wrote into it."""
    if isinstance(value, dict):
        return {name: without_times(part) for name, part in value.items() if name != "seconds"}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def test_a_job_has_one_part_a_model_workload_and_load(tiny: TinyCatalogue) -> None:
    job = start()
    assert (job.parts, job.state) == (2 * 1 * 3, JobState.QUEUED)
    assert job.pieces.first().question == {
        "model": "llama-3.1-8b-instruct",
        "workload": "chat",
        "concurrency": 1,
        "requests_per_s": None,
    }


def test_a_job_made_part_by_part_answers_what_is_answered_at_once(tiny: TinyCatalogue) -> None:
    job = start()
    assert work.work(60) == 6
    job.refresh_from_db()
    assert (job.state, job.parts_done, job.parts_failed) == (JobState.DONE, 6, 0)
    assert job.configurations == job.result["configurations"] > 0
    assert without_times(job.result) == without_times(search_now(QUESTION))
    assert job.result["complete"]
    assert len(job.result["parts"]) == 6
    assert work.work(60) == 0


def test_a_question_with_a_fault_makes_no_job(tiny: TinyCatalogue) -> None:
    with pytest.raises(InvalidQuestion) as caught:
        start({"model": ["llama-3.1-8b-instruct", "llama-3.1-8b"]})
    assert caught.value.faults[0].pointer == "/model/1"
    assert "llama-3.1-8b-instruct" in caught.value.faults[0].accepted
    assert not Job.objects.exists()


def test_a_part_whose_lease_has_lapsed_is_taken_by_another_and_the_late_result_is_dropped(
    tiny: TinyCatalogue,
) -> None:
    job = start()
    late = work.claim_part()
    assert late is not None
    assert work.claim_part().part != late.part  # held by its lease
    JobPart.objects.filter(pk=late.part).update(leased_until=Now() - timedelta(seconds=1))
    second = work.claim_part()
    assert (second.part, second.attempt) == (late.part, 2)
    assert not work.settle(late, PartState.DONE, {"late": True}, 10)
    with pytest.raises(work.Stopped):
        work.renew(late)
    work.renew(second)
    job.refresh_from_db()
    assert (job.parts_done, job.configurations) == (0, 0)
    assert JobPart.objects.get(pk=late.part).result is None


def test_a_part_whose_workers_are_lost_three_times_fails_and_the_others_go_on(tiny: TinyCatalogue) -> None:
    job = start()
    first = job.pieces.first()
    JobPart.objects.filter(pk=first.pk).update(
        state=PartState.RUNNING, attempts=3, leased_until=Now() - timedelta(seconds=1)
    )
    assert work.work(60) == 5
    job.refresh_from_db()
    assert (job.state, job.parts_done, job.parts_failed) == (JobState.DONE, 6, 1)
    assert job.result["failed"] == [{**first.question, "error": "its worker was lost 3 times"}]
    assert not job.result["complete"]
    assert job.error == "1 of 6 parts failed; the first: its worker was lost 3 times"


def test_a_part_that_raises_is_tried_three_times_and_keeps_its_error(tiny: TinyCatalogue) -> None:
    job = start({**QUESTION, "demand": {"concurrency": 16}})
    LanguageModel.objects.filter(pk=tiny.llama_8b.pk).delete()
    assert work.work(60) == 3 + 1
    job.refresh_from_db()
    part = job.pieces.get(position=0)
    assert (part.state, part.attempts) == (PartState.FAILED, 3)
    assert part.error == "LookupError: the model llama-3.1-8b-instruct is gone from the catalogue"
    assert (job.state, job.parts_failed, job.result["models"]) == (
        JobState.DONE,
        1,
        ["llama-3.1-70b-instruct"],
    )


def test_a_job_without_a_part_made_has_failed(tiny: TinyCatalogue) -> None:
    job = start({**QUESTION, "model": ["llama-3.1-8b-instruct"], "demand": {"concurrency": [1, 2]}})
    LanguageModel.objects.filter(pk=tiny.llama_8b.pk).delete()
    work.work(60)
    job.refresh_from_db()
    assert (job.state, job.result) == (JobState.FAILED, None)
    assert job.error.startswith("2 of 2 parts failed; the first: LookupError")


def test_a_model_that_cannot_be_read_is_an_answer_with_its_problem(tiny: TinyCatalogue) -> None:
    LanguageModel.objects.filter(pk=tiny.llama_8b.pk).update(architecture={"role": "decoder"})
    job = start({**QUESTION, "demand": {"concurrency": 16}})
    work.work(60)
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert "architecture.hidden" in job.result["parts"][0]["problem"]
    assert job.result["parts"][1]["problem"] is None


def test_cancelling_drops_what_has_not_begun_and_stops_what_runs_at_its_next_check(
    tiny: TinyCatalogue,
) -> None:
    job = start()
    assert work.make_part(work.claim_part(), {})
    running = work.claim_part()
    job = lifecycle.cancel(job.pk)
    assert job.state == JobState.CANCELLED
    with pytest.raises(work.Stopped):
        work.renew(running)
    assert work.settle(running, PartState.DONE, {"late": True}, 10)
    states = list(job.pieces.order_by("position").values_list("state", flat=True))
    assert states == ["done"] + ["cancelled"] * 5
    assert work.claim_part() is None
    job.refresh_from_db()
    assert (job.parts_done, job.result["dropped"], job.result["complete"]) == (1, 5, False)
    assert job.result["models"] == ["llama-3.1-8b-instruct"]


def test_a_part_that_checks_ends_when_its_job_is_cancelled_under_it(
    tiny: TinyCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of four checks whose job is cancelled after the second makes no third step."""
    steps: list[int] = []

    def make(prepared: Any, piece: Any, parts: int, check: Any) -> tuple[dict[str, Any], int]:
        for step in range(4):
            check()
            steps.append(step)
            if step == 1:
                lifecycle.cancel(job.pk)
        return {}, 0

    slow = Kind(KINDS["search"].split, lambda question: None, make, KINDS["search"].merge)
    monkeypatch.setitem(KINDS, "search", slow)
    job = start()
    assert work.work(60) == 1
    assert steps == [0, 1]
    assert set(job.pieces.values_list("state", flat=True)) == {PartState.CANCELLED}


def test_a_job_that_has_ended_is_not_cancelled(tiny: TinyCatalogue) -> None:
    job = start()
    work.work(60)
    assert lifecycle.cancel(job.pk).state == JobState.DONE


def test_a_job_left_between_its_last_part_and_its_merge_is_finished_by_the_next_worker(
    tiny: TinyCatalogue,
) -> None:
    job = start({**QUESTION, "model": "llama-3.1-8b-instruct", "demand": {"concurrency": 1}})
    work.make_part(work.claim_part(), {})
    job.refresh_from_db()
    assert (job.state, job.parts_done) == (JobState.RUNNING, 1)
    work.work(0)
    job.refresh_from_db()
    assert job.state == JobState.DONE


def test_small_jobs_do_not_wait_for_large_ones(tiny: TinyCatalogue) -> None:
    start()
    small = start({**QUESTION, "model": "llama-3.1-8b-instruct", "demand": {"concurrency": 1}})
    assert work.claim_part().job == small.pk


def test_the_same_key_and_question_are_the_same_job(tiny: TinyCatalogue) -> None:
    owner = User.objects.create_user("planner")
    first = start(owner=owner, idempotency_key="k1")
    assert start(owner=owner, idempotency_key="k1").pk == first.pk
    assert start(owner=owner, idempotency_key="k2").pk != first.pk
    with pytest.raises(lifecycle.KeyTaken):
        start({**QUESTION, "limit": 5}, owner=owner, idempotency_key="k1")


def test_results_are_kept_for_a_time(tiny: TinyCatalogue) -> None:
    old, new, waiting = start(), start(), start()
    Job.objects.filter(pk__in=[old.pk, new.pk]).update(state=JobState.DONE, finished_at=timezone.now())
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=31))
    assert lifecycle.prune(30) == 1
    assert set(Job.objects.values_list("pk", flat=True)) == {new.pk, waiting.pk}


def test_progress_supposes_that_the_rest_takes_as_long_as_what_is_made() -> None:
    began = timezone.now()
    progress = progress_of(100, 25, 5_000, began, None, began + timedelta(seconds=10))
    assert (progress.share, progress.seconds, progress.configurations_per_s) == (0.25, 10.0, 500)
    assert progress.seconds_left == 30.0  # 75 parts at 10 s / 25
    assert progress_of(100, 0, 0, None, None).seconds_left is None
