"""The wait of prompts that arrive by chance, for a search that asks for a rate: M/D/1 on an attention rank.

u = rate x service, wait = u / (2 (1 - u)) x service (Pollaczek and Khinchine; Kleinrock, Queueing Systems I,
1975, section 5.6), as `open_loop` has it for the curve of one deployment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estimates.core.serving import MAXIMUM_UTILISATION

Array = NDArray[np.floating]


def poisson_wait(rate: Array, service: Array) -> tuple[Array, Array]:
    """(mean wait in s, chance to wait) of prompts at `rate` a second on a rank, `service` s each."""
    busy = np.minimum(rate * service, MAXIMUM_UTILISATION)
    return np.asarray(busy / (2 * (1 - busy)) * service), np.asarray(busy)
