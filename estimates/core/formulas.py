"""What an answer takes for granted, and its formulas with their numbers, by how requests are served."""

from __future__ import annotations

import numpy as np

from estimates.core.acceptance import accepted_range
from estimates.core.architecture import Architecture
from estimates.core.facts import Offer
from estimates.core.formats import rates_for
from estimates.core.lowering import lower
from estimates.core.points import Evaluated, Point


def _first(array: np.ndarray) -> float:
    return float(np.asarray(array).reshape(-1)[0])


def assumptions(
    offer: Offer, point: Point, evaluated: Evaluated, architecture: Architecture
) -> tuple[str, ...]:
    """What the answer takes for granted, in sentences."""
    lane, terms = point.lane, evaluated.lanes.terms[0]
    notes = [*_arrivals(point, evaluated), "each request holds cache for its whole input and output"]
    alone = point.workload.arrival == "static" or point.prefill is not None
    mixed = _first(evaluated.lanes["mixes_prefill"]) and not alone
    notes.append(
        f"prompts are computed in chunks of at most {_first(evaluated.lanes['chunk_tokens']):.0f} tokens "
        + ("mixed into decode steps" if mixed else "in steps of their own")
    )
    for group, compute in terms.computes:
        if group in ("router", "head", "embedding"):
            continue
        storage = lane.scheme.group(group)
        if compute is not None and rates_for(storage.slug, lane.scheme.activation)[0] != compute:
            notes.append(f"{group}: stored in {storage.slug}, computed at the {compute} rate")
    integers = lane.scheme.activation.startswith("int") and lane.scheme.kv.startswith("int")
    if integers and all(name.startswith("int") for name, _ in lane.variant.chip.rates):
        notes.append("no floating-point rate: activations, cache and unquantised tensors are 8-bit integers")
    notes += _stretched(offer, point, architecture)
    if terms.level > 0:
        notes.append("efficiency inherited: " + "; ".join(terms.origins))
    if lane.variant.chip.sram_first:
        notes.append("SRAM-first machine: layers in series over the chips, with a fitted latency a layer")
    if len(offer.chip.tiers) > 1 and not point.offload:
        notes.append("the second memory tier is not used")
    notes += [*_speculating(point), *_behind(evaluated), *_engines(point)]
    if point.workload.prefix_shared and point.workload.prefix_share:
        notes.append("the cached part of the prompt is one text common to all requests, held once a rank")
    if not evaluated.rates_known[0]:
        notes.append("decode from bandwidth alone: a rate is not published, so no time to first token")
    return tuple(notes)


def _speculating(point: Point) -> list[str]:
    spec = point.speculation
    if spec is None:
        return []
    low, high = accepted_range(spec)
    whence = f"as published ({spec.acceptance_source})" if spec.acceptance_source else "as stated"
    notes = [
        f"each drafted token is taken with chance {spec.acceptance:.3g}, {whence}, if those before it were; "
        f"it varies with the text, and the interval takes {low:.3g} to {high:.3g}"
    ]
    if spec.method == "draft":
        notes.append("the draft model runs on the same chips, its weights and cache beside the model's")
    elif spec.method == "mtp" and spec.draft_tokens > 1:
        notes.append("the multi-token-prediction module is run once for each drafted token")
    return [*notes, "corrections of the time per token are those of runs without speculation"]


def _behind(evaluated: Evaluated) -> list[str]:
    found = evaluated.spill
    if found is None or not evaluated.points[0].offload:
        return []
    if found.whole[0] <= 0:
        return ["the first memory tier holds everything: the second is not read"]
    return [
        f"{found.weights[0] / 1e9:.4g} GB of weights and {found.cache[0] / 1e9:.4g} GB of caches of the "
        "fullest chip lie in the second memory tier, routed experts first, and are read from there in each "
        "step, nothing ahead of its use"
    ]


def _engines(point: Point) -> list[str]:
    if point.lane.prompt_chip is None:
        return []
    return [
        "prompts are computed by another engine of the chip than decodes, in steps of their own; both read "
        "the same memory, and the cache stays where it is"
    ]


def _stretched(offer: Offer, point: Point, architecture: Architecture) -> list[str]:
    """Where the layout or the lengths asked for go beyond what a search would try."""
    notes = []
    lanes = [("", point.lane)] + ([("prefill pool: ", point.prefill.lane)] if point.prefill else [])
    lowered = lower(architecture)
    for name, lane in lanes:
        uneven = [heads for heads in lowered.tensor_divisors if heads % lane.tp]
        if uneven:
            shares = ", ".join(f"{-(-heads // lane.tp)} of {heads}" for heads in uneven)
            notes.append(f"{name}heads are padded: each of {lane.tp} tensor ranks holds {shares}")
        for experts in lowered.expert_divisors:
            if experts % lane.ep:
                held = -(-experts // lane.ep)
                notes.append(
                    f"{name}each of {lane.ep} ranks has room for {held} of {experts} experts, "
                    f"{held * lane.ep - experts} of the places hold copies"
                )
        link = lane.variant.scale_up
        if lane.group > max(offer.domain, 1) and link is not None and not lane.variant.chip.sram_first:
            over = "the host bus" if link.scope == "pcie" else "the network between servers"
            notes.append(
                f"{name}a stage of {lane.group} chips is wider than the scale-up domain of {offer.domain}: "
                f"its collectives run at the speed of {over}"
            )
    longest, work = architecture.max_context, point.workload
    if longest is not None and work.isl + work.osl > longest + 1:
        notes.append(f"beyond the trained context of {longest} tokens: the speed alone, not the answers")
    return notes


def _arrivals(point: Point, evaluated: Evaluated) -> list[str]:
    """How requests come and where they wait."""
    asked, limit = point.concurrency, float(evaluated.limit[0])
    pool = point.prefill
    if point.workload.arrival == "static":
        notes = [f"one batch of {asked:.4g} requests a replica starts together and is prefilled whole"]
        waves = float(evaluated.waves[0])
        if waves > 1:
            notes.append(
                f"a replica takes {limit:.0f} requests: {waves:.0f} batches of "
                f"{evaluated.in_flight[0]:.4g} run one after the other"
            )
        return notes
    if pool is not None:
        share = _first(evaluated.loop.prefill_share)
        slower = "prefill" if share > 0.99 else "decode" if evaluated.in_flight[0] >= limit else ""
        notes = [
            f"closed loop of {asked * pool.decode_workers:.0f} requests over {pool.workers} prefill and "
            f"{pool.decode_workers} decode workers; decode steps carry no prompts",
            "a prompt's cache is handed over once it is computed, at the full rate of the links",
        ]
        return [*notes, f"the {slower} pool is the slower one and limits the rate"] if slower else notes
    notes = [
        f"closed loop of {evaluated.in_flight[0]:.0f} requests a replica, waiting as under random arrivals"
    ]
    if asked > limit:
        notes.append(
            f"a replica runs {limit:.0f} of {asked:.4g} requests at once; saturated_mean is the mean time to "
            "first token with the queue for the rest, by Little's law"
        )
    return notes


def formulas(point: Point, replicas: int, evaluated: Evaluated) -> tuple[str, ...]:
    """The formulas of the answer with their numbers."""
    if point.prefill is not None:
        return _pooled(point, replicas, evaluated)
    if point.workload.arrival == "static":
        return _static(point, replicas, evaluated)
    loop, times = evaluated.loop, evaluated.times
    tpot, batch = _first(loop.tpot), float(evaluated.batch[0])
    workload = point.workload
    lines = [
        *step_lines(evaluated),
        f"S({batch:.4g}, 0) = {_first(times.decode) * 1e3:.3f} ms: decode step at a mean context of "
        f"{workload.isl + workload.osl / 2:.0f} tokens",
        f"S({batch:.4g}, {_first(times.chunk):.0f}) - S({batch:.4g}, 0) = "
        f"{_first(times.chunk_extra) * 1e3:.3f} ms",
        f"TPOT = S({_first(loop.running):.4g}, 0) + interference + hops = "
        f"{(tpot - _first(loop.interference) - _first(loop.hops)) * 1e3:.3f} + "
        f"{_first(loop.interference) * 1e3:.3f} + {_first(loop.hops) * 1e3:.3f} = {tpot * 1e3:.3f} ms",
    ]
    if np.isfinite(_first(loop.ttft_loaded)):
        lines += [
            f"TTFT unloaded = {_first(loop.ttft_unloaded) * 1e3:.1f} ms; loaded mean = "
            f"{_first(loop.ttft_loaded) * 1e3:.1f} ms, of which waiting {_first(loop.wait) * 1e3:.1f} ms and "
            f"first wave {_first(loop.burst) * 1e3:.1f} ms",
            f"throughput = replicas x concurrency x OSL / (TTFT + (OSL - 1) TPOT) = {replicas} x "
            f"{evaluated.in_flight[0]:.4g} x {workload.osl:.4g} / ({_first(loop.ttft_loaded):.4g} + "
            f"{workload.osl - 1:.4g} x {tpot:.5g}) = {_first(loop.throughput) * replicas:.5g} tokens/s",
        ]
    if point.concurrency > evaluated.limit[0] and np.isfinite(_first(loop.throughput)):
        lines.append(_by_little(point, replicas, evaluated))
    return tuple(lines)


def step_lines(evaluated: Evaluated) -> list[str]:
    """A step's yield under speculation, what it reads out of the second tier."""
    point, found = evaluated.points[0], evaluated.spill
    spec, lines = point.speculation, []
    if spec is not None and evaluated.drafts is not None:
        a, n = spec.acceptance or 0.0, spec.draft_tokens
        accepted, step = _first(evaluated.drafts.accepted), _first(evaluated.times.decode)
        draft = _first(evaluated.times.decode_ledger.operations.get("drafting", np.zeros(1)))
        law = f"(1 - {a:.4g}^{n + 1}) / (1 - {a:.4g})" if a < 1 else f"{n} + 1"
        lines += [
            f"tokens a step = (1 - a^(n + 1)) / (1 - a) = {law} = {accepted:.4f}",
            f"S(b, 0) = (verifying {n + 1} tokens a sequence + drafting {n}) / tokens a step = "
            f"({(step * accepted - draft) * 1e3:.3f} + {draft * 1e3:.3f}) / {accepted:.4f} = "
            f"{step * 1e3:.3f} ms a token",
        ]
    if found is not None and found.whole[0] > 0:
        behind = point.lane.variant.chip.tiers[1].bandwidth or np.nan
        lines.append(
            f"second tier = {found.whole[0] / 1e9:.4g} GB on the fullest chip at {behind / 1e9:.4g} GB/s: "
            f"{found.whole[0] / behind * 1e3:.4g} ms to read it all once"
        )
    return lines


def _by_little(point: Point, replicas: int, evaluated: Evaluated) -> str:
    """The mean of a closed population that does not all run at once."""
    loop, osl = evaluated.loop, point.workload.osl
    asked, rate = point.concurrency * replicas, _first(loop.throughput) * replicas
    all_wait = asked * osl / rate - (osl - 1) * _first(loop.tpot)
    return (
        f"TTFT of all clients if the cache is full = concurrency x OSL / throughput - (OSL - 1) TPOT = "
        f"{asked:.5g} x {osl:.4g} / {rate:.5g} - {osl - 1:.4g} x {_first(loop.tpot):.5g} = {all_wait:.4g} s; "
        f"mixed with the {_first(loop.ttft_loaded):.4g} s of those who run, by the chance that it is: "
        f"{_first(loop.ttft_saturated):.4g} s"
    )


def _static(point: Point, replicas: int, evaluated: Evaluated) -> tuple[str, ...]:
    loop, times = evaluated.loop, evaluated.times
    work, tpot = point.workload, _first(loop.tpot)
    batch, waves = float(evaluated.in_flight[0]), float(evaluated.waves[0])
    lines = [
        *step_lines(evaluated),
        f"TPOT = S({evaluated.batch[0]:.4g}, 0) + hops = {(tpot - _first(loop.hops)) * 1e3:.3f} + "
        f"{_first(loop.hops) * 1e3:.3f} = {tpot * 1e3:.3f} ms at a mean context of "
        f"{work.isl + work.osl / 2:.0f} tokens",
    ]
    if not np.isfinite(_first(loop.ttft_unloaded)):
        return tuple(lines)
    first = _first(loop.ttft_unloaded)
    lines += [
        f"TTFT = prefill of {batch:.4g} x {work.isl:.4g} tokens in chunks of {_first(times.chunk):.0f}, "
        f"{_first(times.prefill) * 1e3:.3f} ms each = {first:.4g} s",
        f"end to end = batches x (TTFT + (OSL - 1) TPOT) = {waves:.0f} x ({first:.4g} + {work.osl - 1:.4g} x "
        f"{tpot:.5g}) = {_first(loop.e2e):.5g} s",
        f"throughput = replicas x requests x OSL / end to end = {replicas} x {point.concurrency:.4g} x "
        f"{work.osl:.4g} / {_first(loop.e2e):.5g} = {_first(loop.throughput) * replicas:.5g} tokens/s",
    ]
    return tuple(lines)


def _pooled(point: Point, replicas: int, evaluated: Evaluated) -> tuple[str, ...]:
    loop, pools, pool = evaluated.loop, evaluated.pools, point.prefill
    tpot, osl = _first(loop.tpot), point.workload.osl
    lines = [
        *step_lines(evaluated),
        f"TPOT = S({evaluated.batch[0]:.4g}, 0) + hops = {(tpot - _first(loop.hops)) * 1e3:.3f} + "
        f"{_first(loop.hops) * 1e3:.3f} = {tpot * 1e3:.3f} ms, {evaluated.in_flight[0]:.4g} requests "
        "decoding on each decode worker",
    ]
    if pools is None or pool is None or not np.isfinite(_first(loop.throughput)):
        return tuple(lines)
    prompts = pools.prompts
    rate = _first(loop.throughput) * replicas
    lines += [
        f"prefill pool = {_first(prompts.servers):.0f} servers / {_first(prompts.service) * 1e3:.4g} ms a "
        f"prompt = {_first(prompts.rate_limit):.5g} prompts/s, used {_first(loop.prefill_share):.1%}",
        f"TTFT loaded mean = prefill {_first(prompts.alone) * 1e3:.4g} + cache transfer "
        f"{_first(prompts.transfer) * 1e3:.4g} + request {_first(prompts.request) * 1e3:.4g} + waiting "
        f"{_first(loop.wait) * 1e3:.4g} + first wave {_first(loop.burst) * 1e3:.4g} = "
        f"{_first(loop.ttft_loaded) * 1e3:.5g} ms",
        f"throughput = requests decoding x OSL / ((OSL - 1) TPOT) = {replicas} x "
        f"{evaluated.in_flight[0]:.4g} x {osl:.4g} / ({osl - 1:.4g} x {tpot:.5g}) = {rate:.5g} tokens/s",
    ]
    if evaluated.in_flight[0] >= evaluated.limit[0]:
        lines.append(_by_little(point, replicas, evaluated))
    return tuple(lines)
