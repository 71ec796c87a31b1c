"""What measurements say beyond the physics: a Gaussian process over the log residuals, read from a file.

A residual is log(measured / physics) of a time (TPOT, TTFT, or the time of a token at full throughput). Its
prior is a sum of components. A constant component says that runs which agree in some fields (software; chip
and software; the whole group; ...) share an offset, shrunk towards zero by its standard deviation; a smooth
one that they share a function of batch, lengths and parallel sizes (squared-exponential kernel). The
posterior mean at a configuration is k(x, X) alpha: a table look-up for the constant components, and for the
smooth ones a sum over the runs of its own kin alone, so that a configuration without measured kin costs
nothing. Far from every run the correction goes to zero and the physics stands (Rasmussen and Williams, 2006,
chapter 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from operator import attrgetter, itemgetter

import numpy as np
from numpy.typing import NDArray

from estimates.core.identity import GROUP, Identity

Array = NDArray[np.floating]

#: Coordinates of a configuration, each the binary logarithm; `batch` is requests on one rank and slot,
#: `limit` the service level for TPOT in ms where a benchmark runs at the load that just keeps one, else 1.
FEATURES: tuple[str, ...] = ("batch", "isl", "osl", "tp", "ep", "dp", "pp", "limit")


@dataclass(frozen=True, slots=True)
class Component:
    """One term of the prior: runs that agree in `fields` share an offset, or a smooth function of FEATURES.

    `sd` is its standard deviation in log units. `metric` among the fields keeps metrics apart.
    """

    name: str
    fields: tuple[str, ...]
    sd: float
    lengths: tuple[float, ...] | None = None  # one per feature, in binary logarithms; None: an offset

    def key(self, metric: str, identity: Identity) -> tuple[str, ...] | None:
        """The agreeing fields' values; None where one is not known."""
        return self.key_of(names_of(metric, identity))

    def key_of(self, names: tuple[str, ...]) -> tuple[str, ...] | None:
        """The same from all names of a configuration."""
        values = _picked(self.fields)(names)
        return None if "" in values else values


_NAMES: tuple[str, ...] = ("metric", *(entry.name for entry in fields(Identity)))
_all_of = attrgetter(*_NAMES[1:])
_group_of = attrgetter(*GROUP)


def names_of(metric: str, identity: Identity) -> tuple[str, ...]:
    """Metric and identity as one tuple."""
    return (metric, *_all_of(identity))


@cache
def _picked(chosen: tuple[str, ...]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Picks these fields out of all names."""
    places = [_NAMES.index(name) for name in chosen]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda names: (names[places[0]],)


@dataclass(slots=True)
class Points:
    """Measured points that carry the posterior: identities, coordinates (n, features), weights alpha (n,)."""

    metrics: list[str]
    identities: list[Identity]
    features: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.metrics)


#: A smooth component with the points that agree with a configuration.
Kin = tuple[Component, NDArray[np.intp]]

#: Fields of the machine and of the model: offsets that name fields of one side alone are shared by all of the
#: other, so that few sums are added up anew for each identity.
_MACHINE = frozenset({"chip", "generation", "vendor", "kind", "version"})
_MODEL = frozenset({"architecture", "family", "format"})
CHUNK_ROWS = 256  # rows whose kernel is evaluated together: stays in the cache of a core


@dataclass(slots=True)
class _Sum:
    """The sum of constant components of like fields, remembered by the values of all those fields."""

    picked: Callable[[tuple[str, ...]], tuple[str, ...]]
    terms: list[tuple[Component, dict[tuple[str, ...], float]]]
    known: dict[tuple[str, ...], float] = field(default_factory=dict)

    def of(self, names: tuple[str, ...]) -> float:
        """Of a configuration with these names."""
        values = self.picked(names)
        found = self.known.get(values)
        if found is None:
            keys = [(component.key_of(names), table) for component, table in self.terms]
            found = sum(table.get(key, 0.0) for key, table in keys if key is not None)
            _forget(self.known)
            self.known[values] = found
        return found


def _sums_of(
    components: Sequence[Component], offsets: Sequence[dict[tuple[str, ...], float]]
) -> tuple[_Sum, ...]:
    """Constant components by whether they name the machine, the model, both or neither."""
    classes: dict[tuple[bool, bool], list[tuple[Component, dict[tuple[str, ...], float]]]] = {}
    for component, table in zip(components, offsets, strict=True):
        if table:
            named = set(component.fields)
            classes.setdefault((bool(named & _MACHINE), bool(named & _MODEL)), []).append((component, table))
    sums = []
    for terms in classes.values():
        named = {name for component, _ in terms for name in component.fields}
        sums.append(_Sum(_picked(tuple(name for name in _NAMES if name in named)), terms))
    return tuple(sums)


@dataclass(slots=True)
class Residuals:
    """The posterior, ready to be asked."""

    components: tuple[Component, ...]
    offsets: list[dict[tuple[str, ...], float]]  # of each constant component; empty for smooth ones
    neighbours: list[dict[tuple[str, ...], NDArray[np.intp]]]  # of each smooth component
    points: Points
    groups: dict[tuple[str, ...], NDArray[np.intp]]  # (metric, *GROUP) -> points
    known: dict[tuple[str, ...], set[tuple[str, ...]]]  # fields -> values seen, for tiers
    spread: Callable[[str, Identity], float] | None = None  # scatter of left-out runs about their median
    #: Tables of a grid's workloads and batches by points; `correction` fills it.
    tables: dict[tuple[object, ...], tuple[Array, Array]] = field(default_factory=dict, repr=False)
    _sums: tuple[_Sum, ...] = field(default=(), repr=False)
    _offsets: dict[tuple[str, Identity], float] = field(default_factory=dict, repr=False)
    _tiers: dict[tuple[str, Identity], str] = field(default_factory=dict, repr=False)
    _kin: dict[tuple[str, Identity], list[Kin]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._sums = _sums_of(self.components, self.offsets)

    def correction(self, metric: str, identity: Identity, features: Array) -> Array:
        """Log correction at coordinates of shape (..., features); same shape without the last axis."""
        flat = features.reshape(-1, features.shape[-1])
        return self.corrections(metric, [identity] * len(flat), flat).reshape(features.shape[:-1])

    def corrections(self, metric: str, identities: Sequence[Identity], features: Array) -> Array:
        """Log corrections of configurations at coordinates (n, features); who share kin are asked at once."""
        number, distinct = numbered(identities)
        total = np.array([self.offset(metric, identity) for identity in distinct])[number]
        asking: dict[int, tuple[Component, NDArray[np.intp], list[int]]] = {}
        for position, identity in enumerate(distinct):
            for component, points in self.smooth(metric, identity):
                asking.setdefault(id(points), (component, points, []))[2].append(position)
        for component, points, positions in asking.values():
            rows = np.flatnonzero(np.isin(number, positions))
            known, weights = self.points.features[points], self.points.weights[points]
            for start in range(0, rows.size, CHUNK_ROWS):
                part = rows[start : start + CHUNK_ROWS]
                near = kernel(features[part], known, component.lengths or ())
                total[part] += component.sd**2 * near @ weights
        return total

    def offset(self, metric: str, identity: Identity) -> float:
        """Sum of the constant components less the lean; remembered, for a grid asks often for few."""
        known = self._offsets.get((metric, identity))
        if known is not None:
            return known
        names = names_of(metric, identity)
        total = sum([part.of(names) for part in self._sums]) - self.lean(metric, identity)
        _forget(self._offsets)
        self._offsets[metric, identity] = total
        return total

    def lean(self, metric: str, identity: Identity) -> float:
        """How far in logarithm the estimated time lies below the median of what it may be."""
        return 0.0 if self.spread is None else lean_of(metric, identity, self.spread(metric, identity))

    def tier(self, metric: str, identity: Identity) -> str:
        """How new a configuration is: its group measured, kin of it, or none."""
        key = (metric, identity)
        known = self._tiers.get(key)
        if known is None:
            names = names_of(metric, identity)
            kin = any(_picked(("metric", *shared))(names) in self.known[shared] for shared in KIN)
            known = "measured" if self.runs_of_group(metric, identity) else "kin" if kin else "none"
            _forget(self._tiers)
            self._tiers[key] = known
        return known

    def smooth(self, metric: str, identity: Identity) -> list[Kin]:
        """Smooth components with the points that agree with this configuration."""
        known = self._kin.get((metric, identity))
        if known is not None:
            return known
        found, names = [], names_of(metric, identity)
        for component, table in zip(self.components, self.neighbours, strict=True):
            if table and (key := component.key_of(names)) is not None and key in table:
                found.append((component, table[key]))
        _forget(self._kin)
        self._kin[metric, identity] = found
        return found

    def closeness(self, metric: str, identity: Identity, features: Array, lengths: Sequence[float]) -> Array:
        """How near the nearest point of the same group lies: 1 on it, 0 far from all."""
        rows = self.groups.get((metric, *(getattr(identity, name) for name in GROUP)))
        if rows is None:
            return np.zeros(features.shape[:-1])
        scaled = (features[..., None, :] - self.points.features[rows]) / np.asarray(lengths)
        return np.asarray(np.exp(-0.5 * (scaled**2).sum(-1).min(-1)))

    def runs_of_group(self, metric: str, identity: Identity) -> int:
        """Measured points of the very group."""
        rows = self.groups.get((metric, *_group_of(identity)))
        return 0 if rows is None else len(rows)

    def seen(self, fields: tuple[str, ...], metric: str, identity: Identity) -> bool:
        """Whether a measured point of this metric agrees in these fields."""
        return _picked(("metric", *fields))((metric, *_all_of(identity))) in self.known[fields]


def kernel(left: Array, right: Array, lengths: Sequence[float]) -> Array:
    """Squared-exponential kernel of the rows of two tables of coordinates, shape (left, right).

    A coordinate at a time: sums over a short last axis are slow.
    """
    total = np.zeros((len(left), len(right)))
    for column, length in enumerate(lengths):
        distance = (left[:, column, None] - right[None, :, column]) / length
        distance *= distance
        total += distance
    total *= -0.5
    return np.asarray(np.exp(total, out=total))


def numbered(identities: Sequence[Identity]) -> tuple[NDArray[np.intp], list[Identity]]:
    """(position of each among the distinct, the distinct). Told apart as objects: hashing names is slower."""
    keys = [id(identity) for identity in identities]
    distinct = dict(zip(keys, identities, strict=True))
    places = {key: place for place, key in enumerate(distinct)}
    return np.array([places[key] for key in keys], np.intp), list(distinct.values())


LEAN = 0.5
LARGEST_LEAN = 0.7
REMEMBERED = 50_000  # identities of which the look-ups are kept


def lean_of(metric: str, identity: Identity, spread: float) -> float:
    """Log distance of the estimated time from the median, downwards, of a log-normal time of this spread s.

    The median has equal chances on both sides; exp(mu - s^2) has the least expected relative error. The
    estimate lies between the two: LEAN of the variance. Throughputs and static batches, which publications
    print as times and as rates alike, do not lean.
    """
    if metric == "throughput" or identity.serving == "static":
        return 0.0
    return min(LEAN * spread**2, LARGEST_LEAN)


def _forget(known: dict) -> None:  # type: ignore[type-arg]
    if len(known) >= REMEMBERED:
        known.clear()


#: Fields in which measured kin agree: the same model in the same software elsewhere, or this chip with it.
KIN: tuple[tuple[str, ...], ...] = (
    ("serving", "software", "architecture", "format"),
    ("serving", "chip", "software"),
)
CHIP: tuple[str, ...] = ("chip",)


def residuals_of(points: Points, components: Sequence[Component]) -> Residuals:
    """Tabulate a posterior from its points and weights."""
    offsets: list[dict[tuple[str, ...], float]] = []
    neighbours: list[dict[tuple[str, ...], NDArray[np.intp]]] = []
    for component in components:
        rows: dict[tuple[str, ...], list[int]] = {}
        for row, (metric, identity) in enumerate(zip(points.metrics, points.identities, strict=True)):
            if (key := component.key(metric, identity)) is not None:
                rows.setdefault(key, []).append(row)
        members = {key: np.array(found, np.intp) for key, found in rows.items()}
        constant = component.lengths is None
        offsets.append(
            {key: component.sd**2 * float(points.weights[found].sum()) for key, found in members.items()}
            if constant
            else {}
        )
        neighbours.append({} if constant else members)
    groups: dict[tuple[str, ...], list[int]] = {}
    known: dict[tuple[str, ...], set[tuple[str, ...]]] = {fields: set() for fields in (*KIN, CHIP)}
    for row, (metric, identity) in enumerate(zip(points.metrics, points.identities, strict=True)):
        groups.setdefault((metric, *(getattr(identity, name) for name in GROUP)), []).append(row)
        for shared, values in known.items():
            values.add((metric, *(getattr(identity, name) for name in shared)))
    return Residuals(
        components=tuple(components),
        offsets=offsets,
        neighbours=neighbours,
        points=points,
        groups={key: np.array(found, np.intp) for key, found in groups.items()},
        known=known,
    )
