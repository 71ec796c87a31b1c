"""What the readers ask about: well-known models, some workloads, accelerators that have prices."""

from __future__ import annotations

from typing import Any, Final

from estimates.benchmarks.load.client import Asked, HttpClient
from estimates.benchmarks.load.mix import API, WORKLOADS_ASKED, Subjects

#: Known to every version; those that the catalogue does not have are left out.
MODELS: Final = (
    "llama-3.1-70b-instruct",
    "llama-3.1-8b-instruct",
    "deepseek-r1",
    "qwen3-32b",
    "gpt-oss-120b",
    "mixtral-8x7b-instruct-v0.1",
    "llama-3.1-405b-instruct",
    "qwen3-235b-a22b",
    "deepseek-v3",
)
ACCELERATORS_ASKED: Final = 12


def subjects_of(client: HttpClient, models: int) -> Subjects:
    """Models of which ranked lists have rows under each workload, most asked for first.

    Raises ValueError where the service answers none.
    """
    workloads = [row["slug"] for row in _rows(client, f"{API}/workloads")][:WORKLOADS_ASKED]
    known = {row["slug"] for row in _rows(client, f"{API}/models?limit=1000&fields=slug")}
    chosen: list[str] = []
    accelerators: dict[str, None] = {}
    for slug in [*(slug for slug in MODELS if slug in known), *sorted(known)]:
        lists = [_rows(client, f"{API}/estimates?model={slug}&workload={one}") for one in workloads]
        if slug in chosen or not all(len(rows) > 3 for rows in lists):
            continue
        chosen.append(slug)
        accelerators |= dict.fromkeys(row["accelerator"] for row in lists[0] if row.get("quote"))
        if len(chosen) == models:
            break
    if not chosen:
        raise ValueError("no model has a ranked list under every workload; nothing can be asked")
    return Subjects(chosen, workloads, list(accelerators)[:ACCELERATORS_ASKED])


def _rows(client: HttpClient, path: str) -> list[dict[str, Any]]:
    answer = client.send(Asked("set-up", path))
    if answer.status != 200:
        raise ValueError(f"{path} answered {answer.status} {answer.fault or answer.body[:200]!r}")
    found: list[dict[str, Any]] = answer.json()["results"]
    return found
