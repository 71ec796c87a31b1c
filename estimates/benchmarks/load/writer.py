"""The editor: one edit a second over the API, nine prices to one figure, drawn from ten accelerators.

A price undercuts the cheapest on-demand quote of an offer by a twentieth of a per cent, and the next ranked
list has to cost by it. A figure is the memory bandwidth, moved by half a per cent around what it was, so that
every estimate of the accelerator really is made anew.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from estimates.benchmarks.load.client import Answer, Asked, HttpClient
from estimates.benchmarks.load.mix import API
from estimates.benchmarks.load.readers import Tally
from estimates.benchmarks.load.staleness import StalenessWatch

EVERY_SECONDS: Final = 1.0
ONE_FIGURE_IN: Final = 10
UNDERCUT: Final = Decimal("0.9995")
SOURCE: Final = {"url": "https://example.com/sustained-load", "title": "Figures of the sustained load"}


@dataclass(slots=True)
class Target:
    """An accelerator that is edited: its bandwidth as it was, and the offer whose price is undercut."""

    accelerator: str
    bandwidth_gbs: float
    model: str
    offer: str
    quote: dict[str, Any]
    price: Decimal


@dataclass(slots=True)
class Edits:
    """What was acknowledged."""

    prices: int = 0
    figures: int = 0
    prices_not_shown: int = 0


def find_targets(client: HttpClient, models: Sequence[str], count: int) -> list[Target]:
    """Accelerators with an on-demand quote for exactly an offer's count, the cheapest first."""
    found: dict[str, Target] = {}
    for model in models:
        query = urlencode({"model": model, "workload": "chat", "limit": 200})
        for row in _read(client, f"{API}/estimates?{query}")["results"]:
            quote, slug = row.get("quote"), row["accelerator"]
            if slug in found or not quote or quote["scaled_from"] or quote["kind"] == "index":
                continue
            chip = _read(client, f"{API}/accelerators/{slug}")
            if chip["memory_bandwidth_gbs"] is None:
                continue
            price = Decimal(quote["quoted_usd_per_hour"])
            found[slug] = Target(slug, chip["memory_bandwidth_gbs"], model, row["offer"], quote, price)
            if len(found) == count:
                return list(found.values())
    return list(found.values())


def _read(client: HttpClient, path: str) -> Any:
    answer = client.send(Asked("set-up", path))
    if answer.status != 200:
        raise ValueError(f"{path} answered {answer.status} {answer.fault or answer.body[:200]!r}")
    return answer.json()


@dataclass(slots=True)
class Writer:
    """A thread that edits every `every_seconds` until `stop`; without `prices` figures alone."""

    client: HttpClient
    targets: list[Target]
    tally: Tally
    watch: StalenessWatch
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    prices: bool = True
    every_seconds: float = EVERY_SECONDS
    edits: Edits = field(default_factory=Edits)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.client.close()

    def _write(self) -> None:
        due, number = time.monotonic(), 0
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self.every_seconds, time.monotonic())
            number += 1
            target = self.chance.choice(self.targets)
            if self.prices and number % ONE_FIGURE_IN:
                self._price(target)
            else:
                self._figure(target)

    def _price(self, target: Target) -> None:
        price = max((target.price * UNDERCUT).quantize(Decimal("0.000001")), Decimal("0.02"))
        body = {
            "provider": target.quote["provider"],
            "offering": target.quote["offering"],
            "accelerator": target.accelerator,
            "accelerator_count": target.quote["quoted_count"],
            "region": target.quote["region"] or "",
            "country": target.quote["country"] or "",
            "price_per_hour": str(price),
            "pricing_model": "on_demand",
            "term": target.quote["term"] or "",
            "kind": target.quote["kind"],
            "observed_on": datetime.now(UTC).date().isoformat(),
            "source": SOURCE,
            "change_reason": "sustained load",
        }
        key = {"Idempotency-Key": uuid4().hex}
        asked = Asked("write: price quote", f"{API}/price-quotes", "POST", body, key)
        answer = self.client.send(asked)
        if not self._acknowledged(asked, answer, 201):
            return
        self.edits.prices += 1
        target.price = price
        query = {"model": target.model, "workload": "chat", "accelerator": target.accelerator}
        asked = Asked("ranked list after a price", f"{API}/estimates?{urlencode(query)}")
        answer = self.client.send(asked)
        fault = answer.fault or ("" if answer.status == 200 else f"{answer.status}: {answer.body[:200]!r}")
        if not fault:
            rows = {row["offer"]: row for row in answer.json()["results"]}
            shown = (rows.get(target.offer) or {}).get("quote") or {}
            if Decimal(shown.get("quoted_usd_per_hour", "-1")) != price:
                self.edits.prices_not_shown += 1
                fault = f"{target.offer} costs by {shown.get('quoted_usd_per_hour')}, not by {price}"
        self.tally.add(asked, answer.began, answer.seconds, answer.status, fault)

    def _figure(self, target: Target) -> None:
        address = f"{API}/accelerators/{target.accelerator}"
        asked = Asked("accelerator", address)
        read = self.client.send(asked)
        if not self._acknowledged(asked, read, 200):
            return
        value = round(target.bandwidth_gbs * self.chance.uniform(0.995, 1.005), 3)
        body = {
            "memory_bandwidth_gbs": value,
            "source": SOURCE,
            "kind": "third_party",
            "change_reason": "sustained load",
        }
        asked = Asked("write: figure", address, "PATCH", body, {"If-Match": read.etag})
        answer = self.client.send(asked)
        if self._acknowledged(asked, answer, 200):
            self.edits.figures += 1
            self.watch.note(target.accelerator, int(answer.json()["version"]))

    def _acknowledged(self, asked: Asked, answer: Answer, wanted: int) -> bool:
        right = answer.status == wanted
        fault = "" if right else answer.fault or f"{answer.status}: {answer.body[:300]!r}"
        self.tally.add(asked, answer.began, answer.seconds, answer.status, fault)
        return right
