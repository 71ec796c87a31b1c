"""Percentiles of what a user waits for: first tokens behind a queue, tokens between other users' prompts.

One definition for the figures of an answer, the load curves and the search; plain arrays in and out, in
seconds, which broadcast and keep single precision.

TTFT = service + wait + first wave. A prompt waits with chance `busy`, and the wait of one that waits is taken
as exponential with the mean that remains, wait / busy: P(W > t) = busy exp(-busy t / wait). That is exact for
M/M/1 (Kleinrock, Queueing Systems I, 1975, section 5.12) and the heavy-traffic law of any single server
(Kingman, 1962). A closed loop keeps busy = 1. The first wave of a benchmark is met by the few that start it:
the median leaves it out, p95 takes twice its mean.

TPOT of one request = what it would be undisturbed + K x (time a prompt of others adds) / OSL, where K, the
prompts met in its life, is Poisson of mean mu. Over the steps of whole numbers the quantile of K at z
standard deviations is mu + z sqrt(mu) + (z^2 - 1) / 6 (Cornish and Fisher, 1937, with the skewness
1 / sqrt(mu)); never below 0, and p95 never above Markov's bound mu / 0.05, which is what holds for rare
prompts. Differing lengths would spread it further and are left out.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
At = Literal["mean", "median", "p95"]
PERCENTILES: tuple[At, ...] = ("mean", "median", "p95")

TAIL_95 = 3.0  # ln(20): 95th percentile of an exponential wait over its mean
MEDIAN = 0.693  # ln 2: its median
NORMAL_95 = 1.645  # 95th percentile of the standard normal law
BEYOND_95 = 0.05
STATIC_TAIL = 2.0  # batches one after the other: the last waits twice the mean


def ttft_quantile(
    service: ArrayLike,
    wait: ArrayLike,
    burst: ArrayLike,
    at: At,
    *,
    busy: ArrayLike = 1.0,
    longest: ArrayLike = np.inf,
    static: ArrayLike = False,
) -> Array:
    """TTFT at the mean, the median or p95 of a mean `service + wait + burst`.

    `busy` is the chance to wait at all, `longest` what nobody waits longer than. `static`: batches run one
    after the other, so that waits are spread evenly and the median is the mean.
    """
    own, queue, wave = np.asarray(service), np.asarray(wait), np.asarray(burst)
    if at == "mean":
        return np.asarray(own + queue + wave)
    batches = np.asarray(static, bool)
    tail = np.where(batches, STATIC_TAIL * queue, _wait_at(queue, busy, TAIL_95))
    tail = np.minimum(tail, np.asarray(longest)).astype(tail.dtype, copy=False)
    if at == "p95":
        return np.asarray(own + tail + 2 * wave)
    # A wait cut off at the longest gathers near its mean: the median comes up as far as p95 comes down.
    cut = queue - (1 - MEDIAN) / (TAIL_95 - 1) * (tail - queue)
    middle = np.where(np.asarray(busy) >= 1, cut, _wait_at(queue, busy, MEDIAN))
    return np.asarray(own + np.where(batches, queue + wave, middle))


def tpot_quantile(
    tpot: ArrayLike, interference: ArrayLike, chunk_extra: ArrayLike, osl: ArrayLike, at: At
) -> Array:
    """TPOT at the mean, the median or p95 of requests, from its mean.

    `interference` is the part of `tpot` that prompts of others cause; `chunk_extra` the seconds that one of
    them adds to the steps it falls on, all its chunks together (they follow one another, so that whoever
    meets one meets all), with the corrections of `tpot`. Zero of either: every request has the mean.
    """
    mean, part = np.asarray(tpot), np.asarray(interference)
    if at == "mean":
        return np.asarray(mean + 0 * part)
    extra = np.asarray(chunk_extra)
    met = part * osl / np.where(extra > 0, extra, 1)
    disturbed = (part > 0) & (extra > 0)
    reached = prompts_met(met, at)
    return np.asarray(mean + np.where(disturbed, (reached - met) * extra / osl, 0).astype(mean.dtype))


def prompt_cost(interference: ArrayLike, met: ArrayLike, osl: ArrayLike) -> Array:
    """Seconds that one prompt of others adds to an answer, from the part of TPOT that they cause together.

    `met` is the mean number of others' prompts in the life of a request; none: 0.
    """
    part, count = np.asarray(interference), np.asarray(met)
    return np.asarray(np.where(count > 0, part * osl / np.where(count > 0, count, 1), 0.0))


def prompts_met(mean: ArrayLike, at: At) -> Array:
    """Prompts of others that a request meets in its life, at a percentile of a Poisson law of this mean."""
    count = np.asarray(mean)
    if at == "mean":
        return count
    z = NORMAL_95 if at == "p95" else 0.0
    reached = np.maximum(count + z * np.sqrt(count) + (z * z - 1) / 6, 0)
    return np.asarray(np.minimum(reached, count / BEYOND_95) if at == "p95" else reached)


def _wait_at(wait: Array, busy: ArrayLike, logarithm: float) -> Array:
    """A wait's quantile; `logarithm` is ln(1 / (1 - q)) as the product has always rounded it."""
    share = np.asarray(busy)
    if share.ndim == 0 and share >= 1:
        return np.asarray(wait * logarithm)
    used = np.clip(share, 1e-12, 1)
    return np.asarray(wait / used * np.maximum(logarithm + np.log(used), 0))
