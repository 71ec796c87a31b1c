"""What a seed stands for: which edits are made, by which way, with which values, and what is killed when.

Two trials of one seed make the same edits in the same order of beginning and kill the same kinds of victim at
the same points of the work; how they interleave is the machine's.
"""

import random
from dataclasses import dataclass
from typing import Final

#: Ways of editing, by how often each is taken.
WAYS: Final = {
    "api": 34,
    "admin": 6,  # a form costs the web server ten times what a PATCH does
    "sql": 30,
    "bulk": 14,
    "quote": 8,
    "offer": 3,
    "import": 4,
    "run": 1,
}

#: Kinds of victim. All are processes but the last two, which are single backends of Postgres: one killed,
#: which makes Postgres end all others and recover, one ended by `pg_terminate_backend`.
#: With the least and the most kills in a seed of 500 edits.
VICTIMS: Final = {
    "worker": (2, 3),
    "pool child": (2, 4),
    "broker": (1, 2),
    "broker and its data": (1, 2),
    "beat": (1, 3),
    "web": (1, 2),
    "web child": (1, 3),
    "backend killed": (1, 3),
    "backend terminated": (2, 4),
}

ACCELERATORS: Final = ("trial-a", "trial-b", "trial-h", "trial-l", "trial-m")
MODELS: Final = ("trial-8b", "trial-32b", "trial-70b")
WORKLOADS: Final = ("trial-batch", "trial-chat", "trial-rag")

#: Columns by the kind of row, and what values they take: a base, from which each edit draws.
ACCELERATOR_COLUMNS: Final = {"memory_bandwidth_gbs": 3000.0, "memory_gb": 96.0, "tdp_w": 600.0}
WORKLOAD_LIMITS: Final = {"ttft_limit_ms": 3000.0, "tpot_limit_ms": 60.0}


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: `targets` are slugs (several for a bulk update), `column` a column or a quantity."""

    number: int
    way: str
    row: str  # accelerator, peak_rate, link, language_model, workload, offer, quote, file, run
    targets: tuple[str, ...]
    column: str
    value: float


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill that is due once so many edits have begun; `draw` in [0, 1) decides among several victims."""

    after_edits: int
    victim: str
    draw: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A seed's edits and kills, both in their order."""

    seed: int
    edits: tuple[Edit, ...]
    kills: tuple[Kill, ...]


def make_plan(seed: int, edits: int) -> Plan:
    """The plan of a seed. Every value is written once in a trial, so that a row says which edit it holds."""
    draw = random.Random(f"chaos {seed} {edits}")
    made = tuple(_edit(draw, number) for number in range(1, edits + 1))
    kills = []
    for victim, (least, most) in VICTIMS.items():
        count = max(1, round(draw.randint(least, most) * edits / 500))
        for _ in range(count):
            kills.append(Kill(draw.randint(max(1, edits // 20), edits), victim, draw.random()))
    return Plan(seed, made, tuple(sorted(kills, key=lambda kill: (kill.after_edits, kill.victim, kill.draw))))


def _edit(draw: random.Random, number: int) -> Edit:
    way = draw.choices(list(WAYS), list(WAYS.values()))[0]
    if way == "quote":
        return Edit(number, way, "quote", (draw.choice(ACCELERATORS),), "", _near(draw, 20.0, number))
    if way == "offer":
        return Edit(number, way, "offer", (draw.choice(ACCELERATORS),), "retired", 0.0)
    if way == "import":
        return Edit(number, way, "file", ("trial-file",), "memory_bandwidth_gbs", _near(draw, 900.0, number))
    if way == "run":
        return Edit(number, way, "run", (draw.choice(ACCELERATORS),), "", 0.0)
    kinds = {
        "api": {"accelerator": 60, "peak_rate": 25, "link": 15},
        "admin": {"accelerator": 60, "peak_rate": 15, "workload": 10, "language_model": 15},
        "sql": {"accelerator": 35, "peak_rate": 25, "link": 15, "language_model": 15, "workload": 10},
        "bulk": {"accelerator": 60, "peak_rate": 30, "workload": 10},
    }[way]
    row = draw.choices(list(kinds), list(kinds.values()))[0]
    if row == "workload":
        column = draw.choice(list(WORKLOAD_LIMITS))
        return Edit(
            number,
            way,
            row,
            (draw.choice(WORKLOADS),),
            column,
            _near(draw, WORKLOAD_LIMITS[column], number),
        )
    if row == "language_model":
        # Over forms the published count, which nobody calculates with; by SQL the architecture itself.
        column, base = (
            ("published_parameters", 70_000_000_000) if way == "admin" else ("intermediate", 20_000)
        )
        return Edit(number, way, row, (draw.choice(MODELS),), column, float(base + number))
    count = draw.randint(2, 3) if way == "bulk" else 1
    targets = tuple(sorted(draw.sample(ACCELERATORS, count)))
    if row == "peak_rate":
        return Edit(number, way, row, targets, draw.choice(("bf16", "fp8")), _near(draw, 1200.0, number))
    if row == "link":
        return Edit(number, way, row, targets, "bandwidth_gbs", _near(draw, 450.0, number))
    column = draw.choice(list(ACCELERATOR_COLUMNS))
    return Edit(number, way, row, targets, column, _near(draw, ACCELERATOR_COLUMNS[column], number))


def _near(draw: random.Random, base: float, number: int) -> float:
    """Within a fifth of the base, and no other edit's value: the number stands in the last places."""
    return round(base * draw.uniform(0.8, 1.2), 1) + number / 100_000
