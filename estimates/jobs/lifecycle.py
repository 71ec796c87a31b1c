"""A job from its request to its end: made of a question, finished once all parts ended, cancelled, pruned."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import orjson
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from config.access.models import AccessToken
from estimates.jobs import hints
from estimates.jobs.kinds import KINDS
from estimates.jobs.models import Job, JobPart, JobState, PartState

log = logging.getLogger(__name__)

ACTIVE: Final = (JobState.QUEUED.value, JobState.RUNNING.value)
#: Workers asked at once when a job is made; each that comes asks for another while parts wait.
FIRST_HINTS: Final = 4


class KeyTaken(ValueError):  # noqa: N818
    """The idempotency key stands for another question."""


def start_job(
    kind: str,
    question: dict[str, Any],
    owner: User | None = None,
    token: AccessToken | None = None,
    idempotency_key: str = "",
    *,
    hint: bool = True,
) -> Job:
    """Make a job of a question and ask the workers to begin; the same key and question give the same job.

    Raises InvalidQuestion for a question that cannot be split, KeyTaken for a key with another question.
    """
    digest = digest_of(kind, question)
    if (known := known_job(owner, idempotency_key, digest)) is not None:
        return known
    parts = KINDS[kind].split(question)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                question=question,
                parts=len(parts),
                owner=owner,
                token=token,
                idempotency_key=idempotency_key,
                question_digest=digest,
            )
            JobPart.objects.bulk_create(
                (JobPart(job=job, position=position, question=part) for position, part in enumerate(parts)),
                batch_size=2000,
            )
            if hint:
                hints.parts_waiting(min(FIRST_HINTS, len(parts)))
    except IntegrityError:  # the same key came twice at once
        if (known := known_job(owner, idempotency_key, digest)) is None:
            raise
        return known
    return job


def known_job(owner: User | None, key: str, digest: str) -> Job | None:
    """The job that the owner asked for under this key. Raises KeyTaken where its question was another."""
    if not key:
        return None
    job = Job.objects.filter(owner=owner, idempotency_key=key).first()
    if job is not None and job.question_digest != digest:
        raise KeyTaken(f"the key {key!r} was used for another question, of job {job.pk}")
    return job


def digest_of(kind: str, question: dict[str, Any]) -> str:
    return hashlib.sha256(
        orjson.dumps([kind, question], option=orjson.OPT_SORT_KEYS, default=str)
    ).hexdigest()


def active_jobs() -> QuerySet[Job]:
    """Jobs that are queued or running, those of few parts first: they do not wait for the large ones."""
    return Job.objects.filter(state__in=ACTIVE).order_by("parts", "pk")


def finish_completed() -> int:
    """Finish the jobs whose parts have all ended; how many. Those another worker finishes are left to it."""
    finished = 0
    for pk in active_jobs().filter(parts_done__gte=F("parts")).values_list("pk", flat=True):
        with transaction.atomic():
            job = active_jobs().select_for_update(skip_locked=True, no_key=True).filter(pk=pk).first()
            if job is not None:
                finish(job)
                finished += 1
    return finished


def finish(job: Job) -> None:
    """Merge the parts of a locked job that has ended; failed where no part could be made."""
    job.started_at = job.started_at or timezone.now()
    job.finished_at = timezone.now()
    job.state = JobState.DONE
    failed = failures(job)
    if failed:
        job.error = f"{job.parts_failed} of {job.parts} parts failed; the first: {failed[0]['error']}"
    if failed and job.parts_failed >= job.parts:
        job.state = JobState.FAILED
    else:
        try:
            job.result = merged_result(job, failed)
        except Exception as error:  # what cannot be merged is said, and does not hold up the other jobs
            log.exception("job %d cannot be merged", job.pk)
            job.state, job.error = JobState.FAILED, f"{type(error).__name__}: {error}"
    job.save(update_fields=["state", "started_at", "finished_at", "result", "error"])


def merged_result(job: Job, failed: list[dict[str, Any]]) -> dict[str, Any]:
    """The result of what has been made so far."""
    began, ended = job.started_at or job.requested_at, job.finished_at or timezone.now()
    dropped = job.parts - job.pieces.filter(state__in=[PartState.DONE, PartState.FAILED]).count()
    seconds = (ended - began).total_seconds()
    return KINDS[job.kind].merge(job.question, results(job), failed, dropped, seconds)


def results(job: Job) -> Iterator[dict[str, Any]]:
    """Results of the parts made, in their order."""
    made = job.pieces.filter(state=PartState.DONE).order_by("position")
    for result in made.values_list("result", flat=True).iterator(chunk_size=100):
        yield result or {}


def failures(job: Job, limit: int = 100) -> list[dict[str, Any]]:
    """The first failed parts: what they were and what went wrong."""
    rows = job.pieces.filter(state=PartState.FAILED).order_by("position")
    return [{**question, "error": error} for question, error in rows.values_list("question", "error")[:limit]]


def cancel(pk: int) -> Job:
    """Cancel a job: what has not begun is dropped, what runs ends at its next check, what is made is merged.

    A job that has ended stays as it is. Raises Job.DoesNotExist.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True).get(pk=pk)
        if job.state not in ACTIVE:
            return job
        job.pieces.filter(state=PartState.WAITING).update(state=PartState.CANCELLED)
        job.state, job.finished_at = JobState.CANCELLED, timezone.now()
        if job.parts_done > job.parts_failed:
            job.result = merged_result(job, failures(job))
        job.save(update_fields=["state", "finished_at", "result"])
        return job


def prune(days: int | None = None) -> int:
    """Delete the jobs that ended longer ago than results are kept; how many."""
    kept = settings.ATLAS_JOB_KEEP_DAYS if days is None else days
    ended = Job.objects.exclude(state__in=ACTIVE)
    rows = ended.filter(finished_at__lt=timezone.now() - timedelta(days=kept))
    return rows.delete()[1].get("estimates.Job", 0)
