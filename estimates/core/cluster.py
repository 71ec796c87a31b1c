"""Several machines of one offer joined by their scale-out network: for models that none of them holds."""

from __future__ import annotations

from dataclasses import replace

from estimates.core.facts import Offer

CLUSTERS: tuple[int, ...] = (2, 4, 8, 16)


def joined(offer: Offer, machines: int) -> Offer | None:
    """So many machines as one offer whose scale-up domains stay those of one machine; None without a network.

    A replica crosses machines as pipeline stages, whose hops the network carries. SRAM-first machines spread
    a layer over chips of several machines as they do within one.
    """
    if machines == 1:
        return offer
    if offer.scale_out is None or offer.scale_out.bytes_per_s is None:
        return None
    inside = offer.scale_up
    if inside is not None:
        inside = replace(inside, domain_size=max(1, offer.domain))
    return replace(offer, slug=f"{machines} x {offer.slug}", count=offer.count * machines, scale_up=inside)
