"""The outcome of a trial: of each seed a line, of all of them a table or JSON."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

#: What must be empty for a trial to pass, with what each is called in the table.
ACCOUNTS: Final = {
    "lost": "acknowledged edits lost",
    "stale": "estimates stale after settling",
    "wrong": "estimates that differ from fresh ones",
    "history": "history rows missing",
    "doubled": "edits carried out twice",
    "stuck": "runs or jobs stuck",
    "faults": "faults of the trial itself",
}


@dataclass
class SeedResult:
    """What one seed came to. The lists of `ACCOUNTS` hold a line for each thing that is amiss."""

    seed: int
    edits: int
    acknowledged: int = 0
    unknown: int = 0
    not_made: int = 0
    conflicts: int = 0
    deadlocks: int = 0
    rows: int = 0
    by_way: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    kills_missed: dict[str, int] = field(default_factory=dict)
    editing_seconds: float = 0.0
    settling_seconds: float | None = None
    converge_seconds: list[float] = field(default_factory=list)
    unconverged: int = 0
    recalculations: int | None = None
    recalculations_unchanged: int | None = None
    recalculations_uncoalesced: int = 0
    answers_of_500: list[str] = field(default_factory=list)
    ended_by_themselves: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not any(getattr(self, name) for name in ACCOUNTS)

    def line(self) -> str:
        """The progress line of the seed."""
        settled = "never" if self.settling_seconds is None else f"{self.settling_seconds:.1f} s"
        amiss = ", ".join(f"{len(getattr(self, name))} {name}" for name in ACCOUNTS if getattr(self, name))
        return (
            f"seed {self.seed:>4}: {self.acknowledged} of {self.edits} edits acknowledged, "
            f"{self.unknown} unknown, "
            f"{sum(self.kills.values())} kills in {self.editing_seconds:.1f} s, settled after {settled}, "
            f"{self.recalculations if self.recalculations is not None else '?'} recalculations, "
            f"{'ok' if self.passed else 'NOT OK: ' + amiss} ({self.seconds:.0f} s)"
        )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The least value that the share of all values does not exceed; None without values."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def summary(results: Sequence[SeedResult], lease_seconds: float | None) -> dict[str, Any]:
    """The figures of all seeds together, plain values for JSON."""
    times = [seconds for result in results for seconds in result.converge_seconds]
    settling = [r.settling_seconds for r in results if r.settling_seconds is not None]
    kills, missed, ways = Counter[str](), Counter[str](), Counter[str]()
    for result in results:
        kills.update(result.kills)
        missed.update(result.kills_missed)
        ways.update(result.by_way)
    acknowledged = sum(result.acknowledged for result in results)
    counted = [r.recalculations for r in results if r.recalculations is not None]
    recalculations = sum(counted) if len(counted) == len(results) and results else None
    return {
        "seeds": len(results),
        "passed": bool(results) and all(result.passed for result in results),
        "edits": sum(result.edits for result in results),
        "acknowledged": acknowledged,
        "unknown": sum(result.unknown for result in results),
        "not_made": sum(result.not_made for result in results),
        "acknowledged_by_way": dict(sorted(ways.items())),
        "conflicts_read_again": sum(result.conflicts for result in results),
        "deadlocks_tried_again": sum(result.deadlocks for result in results),
        "answers_of_500": sum(len(result.answers_of_500) for result in results),
        "ended_by_themselves": sum(len(result.ended_by_themselves) for result in results),
        "kills": dict(sorted(kills.items())),
        "kills_missed": dict(sorted(missed.items())),
        "estimate_rows": max((result.rows for result in results), default=0),
        "claim_lease_seconds": lease_seconds,
        **{name: sum(len(getattr(result, name)) for result in results) for name in ACCOUNTS},
        "converge_versions": len(times),
        "unconverged_versions": sum(result.unconverged for result in results),
        "converge_median_s": percentile(times, 0.5),
        "converge_p95_s": percentile(times, 0.95),
        "converge_max_s": max(times, default=None),
        "settling_median_s": percentile(settling, 0.5),
        "settling_max_s": max(settling, default=None),
        "recalculations": recalculations,
        "recalculations_per_edit": None
        if recalculations is None or not acknowledged
        else recalculations / acknowledged,
        "recalculations_per_edit_uncoalesced": None
        if not acknowledged
        else sum(result.recalculations_uncoalesced for result in results) / acknowledged,
        "seconds": sum(result.seconds for result in results),
    }


def as_json(results: Sequence[SeedResult], lease_seconds: float | None) -> dict[str, Any]:
    """The summary and every seed, its single times left out."""
    seeds = []
    for result in results:
        row = asdict(result)
        del row["converge_seconds"]
        seeds.append(row | {"passed": result.passed})
    return summary(results, lease_seconds) | {"by_seed": seeds}


def table(results: Sequence[SeedResult], lease_seconds: float | None) -> str:
    """The summary for a terminal, and a line for each thing that is amiss."""
    found = summary(results, lease_seconds)

    def seconds(name: str) -> str:
        return "none" if found[name] is None else f"{found[name]:.2f} s"

    def each(name: str) -> str:
        return ", ".join(f"{what} {count}" for what, count in found[name].items()) or "none"

    def ratio(name: str) -> str:
        return "not known" if found[name] is None else f"{found[name]:.2f}"

    lines: list[tuple[str, str]] = [
        ("seeds, edits in all", f"{found['seeds']}, {found['edits']}"),
        (
            "acknowledged, of unknown fate, not made",
            f"{found['acknowledged']}, {found['unknown']}, {found['not_made']}",
        ),
        ("  acknowledged by way", each("acknowledged_by_way")),
        (
            "  412 read again, deadlocks tried again",
            f"{found['conflicts_read_again']}, {found['deadlocks_tried_again']}",
        ),
        ("  answers of 500", str(found["answers_of_500"])),
        ("processes that ended by themselves", str(found["ended_by_themselves"])),
        ("kills", f"{sum(found['kills'].values())}: {each('kills')}"),
        ("estimate rows, lease of a claim", f"{found['estimate_rows']}, {lease_seconds or 'none'} s"),
        *[(called, str(found[name])) for name, called in ACCOUNTS.items()],
        (
            "time to converge: median, p95, maximum",
            f"{seconds('converge_median_s')}, {seconds('converge_p95_s')}, {seconds('converge_max_s')} "
            f"(of {found['converge_versions']} versions, {found['unconverged_versions']} never)",
        ),
        (
            "time to settle after rest: median, maximum",
            f"{seconds('settling_median_s')}, {seconds('settling_max_s')}",
        ),
        (
            "recalculations per edit",
            f"{ratio('recalculations_per_edit')} ({ratio('recalculations_per_edit_uncoalesced')} "
            "if each edit were made by itself)",
        ),
        ("verdict", "passed" if found["passed"] else "FAILED"),
    ]
    text = [f"{name:<44}{value}" for name, value in lines]
    for result in results:
        for name in ACCOUNTS:
            problems = getattr(result, name)
            text += [f"seed {result.seed}: {name}: {problem}" for problem in problems[:20]]
            if len(problems) > 20:
                text.append(f"seed {result.seed}: {name}: and {len(problems) - 20} more")
        text += [f"seed {result.seed}: {said}" for said in result.answers_of_500[:10]]
        text += [f"seed {result.seed}: ended by itself: {said}" for said in result.ended_by_themselves]
        text += [f"seed {result.seed}: not made: {said}" for said in result.refusals[:10]]
    return "\n".join(text)
