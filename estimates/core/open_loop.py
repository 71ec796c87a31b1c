"""Load as requests a second: independent users who arrive by chance (Poisson), not a benchmark's clients.

A replica with N requests in flight on average answers them at the rate of Little's law (Little, OR 1961):

    N = rate x (TTFT + (OSL - 1) TPOT)

A request that arrives sees N others (arrivals by chance see time averages: Wolff, OR 1982), as one of N + 1
clients of a closed loop sees the other N (arrival theorem: Sevcik and Mitrani, JACM 1981); so its step times
are those of `load_curves` at N + 1 clients, without their first wave. Prompts wait for the chip that computes
them: M/D/1 after Pollaczek and Khinchine (Kleinrock, Queueing Systems I, 1975, section 5.6), u / (2 (1 - u))
x service, the formula of `serving`, here at the rate itself; in a prefill pool M/D/c (`disaggregated`). With
it Little's law is a quadratic in u and has one root below 1. What finds no room for its cache waits for a
place: M/D/c again with the requests that run at once as servers, each held for a request's life. Arrivals are
split by chance among replicas, which leaves each of them Poisson. From the rate at which the room is full the
queue grows for ever: saturated, and no first token is given. Lengths are the workload's; differing lengths
would lengthen every wait by 1 + their squared coefficient of variation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from estimates.core.disaggregated import LEAST_STEPS, queue_wait
from estimates.core.load_curves import Curve, Deployed, bounds_of, flat, room_of, states, tpots
from estimates.core.lowering import lower
from estimates.core.percentiles import NORMAL_95, PERCENTILES, At, ttft_quantile
from estimates.core.points import Evaluated
from estimates.core.serving import stages_in_flight

Array = NDArray[np.floating]

RUNGS = 40  # populations on which the rate is inverted, on either side of half the room
LEAST = 1e-3  # requests in flight of the lowest rung
NEAR_ROOM = 1e-5  # of the room, that the highest rung leaves
NEAR_USE = 0.8  # of what prompts may take of the machine, from which waits grow fast
WAITING_CLIENTS = 16.0  # times the room of a decode worker: enough to fill it or the prefill pool
USUAL_LAST = 0.98  # of the highest stable rate: a queue nearer to it takes hours to settle
USUAL_TOP = (1.0, 1.1, 1.25)  # what a curve shows from there on


@dataclass(frozen=True, slots=True)
class Limit:
    """A service level: TTFT or TPOT at a percentile, seconds."""

    metric: Literal["ttft", "tpot"]
    at: At
    seconds: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where a limit is reached, requests/s of the whole deployment; the rate is at most the stable one.

    `by` says what comes first: the limit, saturation, or none where even one request breaks it (rate 0).
    """

    limit: Limit
    rate: float
    low: float
    high: float
    by: Literal["limit", "saturation", "never"]


@dataclass(slots=True)
class Own:
    """What a request takes beside queues, and its queue's service; a replica's, arrays of shape (points,)."""

    unloaded: Array  # TTFT with nobody else there
    base: Array  # mean TTFT without queues and without a first wave
    tpot: dict[At, Array]
    prompt: Array  # seconds of a server a prompt
    servers: Array  # for prompts
    sharing: Array  # replicas that feed the same servers
    factor: Array  # correction of first tokens


@dataclass(slots=True)
class Steady:
    """Queues of a replica under Poisson arrivals, arrays of shape (points,)."""

    own: Own
    decoding: Array  # seconds from the first to the last token
    wait: Array  # for the chip that computes prompts
    wait_busy: Array  # chance of it
    room_wait: Array
    room_busy: Array
    utilisation: Array

    def ttft(self, at: At) -> Array:
        """Percentiles of the two waits are added, which is above that of their sum."""
        first = ttft_quantile(self.own.base, self.wait, 0.0, at, busy=self.wait_busy)
        return first + ttft_quantile(0.0, self.room_wait, 0.0, at, busy=self.room_busy)


@dataclass(slots=True)
class OpenLoop:
    """Rates of Poisson arrivals on one deployment, ready to be asked; of one replica, shape (rungs,)."""

    deployed: Deployed
    in_flight: Array  # of a decode worker those that decode
    clients: Array  # of the closed loop with the same step times
    rate: Array  # ascending
    room: float
    ladder: Steady
    highest_low: float  # 80% interval of the highest stable rate, whole deployment
    highest_high: float

    @property
    def highest(self) -> float:
        """Requests/s of the whole deployment below which the queue does not grow for ever."""
        return float(self.rate[-1]) * self.deployed.replicas

    def usual_rates(self, points: int) -> Array:
        """Rates that close up towards the highest, that itself and two beyond."""
        inner = max(points - len(USUAL_TOP), 2)
        angles = np.pi / 2 * np.arange(1, inner + 1) / inner
        return np.append(USUAL_LAST * np.sin(angles), USUAL_TOP) * self.highest

    def at(self, rate: Array, values: Array) -> Array:
        """Values of the rungs at these rates of a replica, in logarithms between them, flat beyond."""
        logs = np.log(np.maximum(rate, self.rate[0]))
        return np.asarray(np.exp(np.interp(logs, np.log(self.rate), np.log(values))))


def open_loop(deployed: Deployed) -> OpenLoop | None:
    """The deployment under Poisson arrivals; None where a missing rate leaves its first token unknown."""
    room = float(room_of(deployed.evaluate([1.0]))[0])
    half = np.geomspace(min(LEAST, room / 4), room / 2, RUNGS)
    running: Array = np.append(half, room * (1 - np.geomspace(0.5, NEAR_ROOM, RUNGS)[1:]))
    clients: Array = np.minimum(running + 1, max(room, 1.0))
    pooled = deployed.point.prefill is not None
    if pooled:
        # Clients of whom so many decode, as far as the prefill pool lets them.
        tried = np.geomspace(LEAST, WAITING_CLIENTS * room, 2 * RUNGS)
        clients = np.unique(np.interp(running, deployed.evaluate(tried).in_flight, tried))
    evaluated = deployed.evaluate(clients)
    if not np.isfinite(evaluated.loop.ttft_loaded).all():
        return None
    if pooled:
        running = evaluated.in_flight
    # The corrections of single points may cross; more requests are never served faster.
    own = _own(deployed, evaluated)
    tpot = {at: rising(values) for at, values in own.tpot.items()}
    base = rising(own.base)
    own = replace(own, unloaded=np.minimum(own.unloaded[0], base), base=base, tpot=tpot)
    rate = np.maximum.accumulate(_rates(deployed, own, running, room))
    ladder = _steady(deployed, own, rate, running, room)
    first = own.base[-1:]
    bounds, _, _ = bounds_of(deployed, deployed.evaluate(clients[-1:]), first=first)
    bound = bounds["ttft" if pooled and ladder.utilisation[-1] > 1 - 2 * NEAR_ROOM else "throughput"]
    whole = float(rate[-1]) * deployed.replicas
    low, high = (whole * float(np.exp(-side[0])) for side in (bound[1], bound[0]))
    return OpenLoop(deployed, running, clients, rate, room, ladder, low, high)


def open_curve(loop: OpenLoop, rates: Sequence[float] | Array) -> Curve:
    """The curve at these requests/s of the whole deployment, in ascending order."""
    deployed, replicas = loop.deployed, loop.deployed.replicas
    asked = np.asarray(rates, float)
    each = asked / replicas
    stable = asked < loop.highest
    running = loop.at(each, loop.in_flight) * np.minimum(each / loop.rate[0], 1)
    own = Own(
        unloaded=loop.at(each, loop.ladder.own.unloaded),
        base=loop.at(each, loop.ladder.own.base),
        tpot={at: loop.at(each, values) for at, values in loop.ladder.own.tpot.items()},
        prompt=loop.at(each, loop.ladder.own.prompt),
        servers=loop.at(each, loop.ladder.own.servers),
        sharing=loop.at(each, loop.ladder.own.sharing),
        factor=loop.at(each, loop.ladder.own.factor),
    )
    steady = _steady(deployed, own, each, running, loop.room)
    inside = steady.decoding if deployed.point.prefill else own.base + steady.wait + steady.decoding
    population = np.minimum(np.where(stable, each * inside, running), loop.room)
    evaluated = deployed.evaluate(loop.at(each, loop.clients))
    bounds, grades, tiers = bounds_of(deployed, evaluated, first=steady.ttft("mean"))
    tight = population + NORMAL_95 * np.sqrt(population) > loop.room
    answered = np.minimum(asked, loop.highest)
    return Curve(
        load=asked,
        concurrency=population * replicas,
        requests_per_s=answered,
        throughput=answered * deployed.point.workload.osl,
        tpot={at: np.maximum.accumulate(own.tpot[at]) for at in PERCENTILES},
        ttft={at: np.where(stable, np.maximum.accumulate(steady.ttft(at)), np.nan) for at in PERCENTILES},
        ttft_unloaded=own.unloaded,
        first_wave=np.zeros(asked.shape),
        waiting=np.where(stable, steady.wait + steady.room_wait, np.nan),
        utilisation=steady.utilisation,
        state=states(~stable, tight | (steady.utilisation > NEAR_USE)),
        bounds=bounds,
        grades=grades,
        tiers=tiers,
    )


def crossings(loop: OpenLoop, limits: Sequence[Limit]) -> list[Crossing]:
    """The rates at which limits are reached, with the rates at the ends of the 80% interval there."""
    if not limits:
        return []
    ladder, replicas = loop.ladder, loop.deployed.replicas

    def rate_of(limit: Limit, seconds: float) -> float:
        values = ladder.ttft(limit.at) if limit.metric == "ttft" else ladder.own.tpot[limit.at]
        values = np.maximum.accumulate(values)
        if seconds < values[0]:
            return 0.0
        if seconds >= values[-1]:
            return loop.highest
        return float(np.interp(seconds, values, loop.rate)) * replicas

    rates = [rate_of(limit, limit.seconds) for limit in limits]
    clients = loop.at(np.array(rates) / replicas, loop.clients)
    bounds, _, _ = bounds_of(loop.deployed, loop.deployed.evaluate(clients))
    found = []
    for index, (limit, rate) in enumerate(zip(limits, rates, strict=True)):
        below, above = (float(np.exp(side[index])) for side in bounds[limit.metric])
        # Both ends as if all times erred together: the level is met elsewhere, and the rates move with them.
        low = rate_of(limit, limit.seconds / above) * loop.highest_low / loop.highest
        high = rate_of(limit, limit.seconds / below) * loop.highest_high / loop.highest
        by: Literal["limit", "saturation", "never"] = "limit" if rate > 0 else "never"
        found.append(Crossing(limit, rate, low, high, "saturation" if rate >= loop.highest else by))
    return found


def rising(values: Array) -> Array:
    """The nearest sequence in logarithms that never falls: adjacent violators pooled (Ayer et al., 1955)."""
    means: list[float] = []
    sizes: list[int] = []
    for value in np.log(values):
        means.append(float(value))
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            mean, size = means.pop(), sizes.pop()
            means[-1] = (means[-1] * sizes[-1] + mean * size) / (sizes[-1] + size)
            sizes[-1] += size
    return np.exp(np.repeat(means, sizes))


def _own(deployed: Deployed, evaluated: Evaluated) -> Own:
    loop, prefill = evaluated.loop, deployed.point.prefill
    ones = np.ones(len(evaluated.points))
    factor = evaluated.factors.get("ttft", ones)
    if evaluated.pools is not None and prefill is not None:
        prompts = evaluated.pools.prompts
        prompt, servers, sharing = flat(prompts.service), flat(prompts.servers), prefill.decode_workers * ones
    else:
        workload = deployed.point.workload
        layers = lower(deployed.model.architecture).layers
        stages = stages_in_flight(np.array(float(deployed.point.pp)), layers)
        chunks = workload.isl * (1 - workload.prefix_share) / flat(evaluated.times.chunk)
        prompt = chunks * flat(evaluated.times.prefill) / stages
        servers, sharing = evaluated.lanes.flat("dp"), ones
    base = flat(loop.ttft_loaded) - flat(loop.wait) - flat(loop.burst)
    unloaded = flat(loop.ttft_unloaded)
    return Own(unloaded, base, tpots(deployed, evaluated), prompt, servers, sharing, factor)


def _decoding(deployed: Deployed, own: Own) -> Array:
    return (deployed.point.workload.osl - 1) * own.tpot["mean"]


def _rates(deployed: Deployed, own: Own, running: Array, room: float) -> Array:
    """Requests/s of a replica with these requests in flight."""
    decoding = _decoding(deployed, own)
    share = own.prompt / own.servers
    if deployed.point.prefill is not None:
        steps = np.maximum(decoding, LEAST_STEPS * own.tpot["mean"])
        return np.minimum(running / steps, (1 - NEAR_ROOM) / (share * own.sharing))
    # 2 u (1 - u) A + f u^2 S = 2 N s (1 - u) with u = rate x s, s = S / ranks: one root between 0 and 1.
    life = own.base + decoding
    a, b, c = own.factor * own.prompt - 2 * life, 2 * (life + running * share), -2 * running * share
    used = -2 * c / (b + np.sqrt(b * b - 4 * a * c))
    return np.maximum(used / share, running / (life + _most_wait(own, room)))


def _most_wait(own: Own, room: float) -> Array:
    """Nobody waits longer than for the prompts of all others that have room."""
    return own.factor * own.prompt * max(room - 1, 0) / own.servers


def _steady(deployed: Deployed, own: Own, rate: Array, running: Array, room: float) -> Steady:
    """The queues at this rate of one replica with these requests in flight."""
    decoding = _decoding(deployed, own)
    used = np.minimum(rate * own.sharing * own.prompt / own.servers, 1 - 1e-9)
    if deployed.point.prefill is None:
        wait = np.minimum(own.factor * used / (2 * (1 - used)) * own.prompt, _most_wait(own, room))
        busy, life = used, own.base + wait + decoding
    else:
        wait = own.factor * queue_wait(used, own.servers, own.prompt)
        busy, life = _chance(used, own.servers), decoding
    slots = np.array(room)
    full = np.minimum(running / room, 1 - 1e-9)
    return Steady(own, decoding, wait, busy, queue_wait(full, slots, life), _chance(full, slots), used)


def _chance(utilisation: Array, servers: Array) -> Array:
    """Chance to wait in M/M/c that Sakasegawa's mean implies."""
    return np.asarray(utilisation ** (np.sqrt(2 * (servers + 1)) - 1))
