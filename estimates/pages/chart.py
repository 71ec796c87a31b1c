"""The chart of an answer as geometry: log axes, points in per cent of the plot, the Pareto front, labels.

Everything is a share of the plot's width and height, so that the drawing fills any screen with its lettering
at one size. Pure: no request, no database.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

MARKERS = ("circle", "triangle", "square", "diamond", "down", "plus", "pentagon", "cross")
GREY = 8
CHARACTER_WIDTH = 5.9  # pixels of a label of 10.5 px
LABEL_HEIGHT = 13
NARROW = 360  # pixels across the plot on a phone
MOST_LABELS = 24  # on a plot 900 pixels wide


@dataclass(frozen=True)
class Room:
    """Pixels of the plot that labels are placed in without touching.

    `corner`: a crowded front, its labels stand where no point can be, off the corner that it turns outwards.
    """

    width: int = 900
    height: int = 360
    corner: bool = False


@dataclass(frozen=True)
class Point:
    """A kept answer of an offer: `x` in tokens/s/user, `y` in USD per million output tokens.

    `key` is the offer's; `chosen` is the answer that the table shows.
    """

    key: str
    label: str
    vendor: str
    x: float
    y: float
    x_low: float | None = None
    x_high: float | None = None
    y_low: float | None = None
    y_high: float | None = None
    chosen: bool = True


@dataclass(frozen=True)
class Tick:
    at: str
    text: str
    major: bool


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from `low` to `high`, both above zero."""

    low: float
    high: float

    def share(self, value: float) -> float:
        clamped = min(max(value, self.low), self.high)
        return math.log(clamped / self.low) / math.log(self.high / self.low)

    def ticks(self, flipped: bool = False) -> list[Tick]:
        """1, 2 and 5 of every decade; more of them within one decade, only the 1s labelled beyond 3.5."""
        decades = math.log10(self.high / self.low)
        steps = (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9) if decades < 1.1 else (1, 2, 5)
        ticks = []
        for exponent in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1):
            for step in steps:
                value = step * 10.0**exponent
                if not self.low <= value <= self.high:
                    continue
                share = 1 - self.share(value) if flipped else self.share(value)
                labelled = step == 1 or decades <= 3.5
                ticks.append(
                    Tick(
                        per_cent(share),
                        f"{value:,.10g}" if labelled else "",
                        step == 1,
                    )
                )
        return ticks


@dataclass(frozen=True)
class Placed:
    """A point with its place: per cent from the left and from the top."""

    point: Point
    x: str
    y: str
    x_low: str
    x_high: str
    y_low: str
    y_high: str
    slot: int
    marker: str
    on_front: bool
    label_side: str = ""
    label_look: str = ""


@dataclass(frozen=True)
class Segment:
    x1: str
    y1: str
    x2: str
    y2: str


@dataclass(frozen=True)
class VendorKey:
    name: str
    slug: str
    slot: int
    marker: str
    count: int

    @property
    def alone(self) -> tuple[str]:
        """The choice of this vendor only."""
        return (self.slug,)


@dataclass(frozen=True)
class Chart:
    points: list[Placed]
    front: list[Segment]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    vendors: list[VendorKey]
    x_axis: Axis = field(default_factory=lambda: Axis(1, 10))
    y_axis: Axis = field(default_factory=lambda: Axis(1, 10))


def per_cent(share: float) -> str:
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def pareto_front(points: Sequence[Point], *, high: bool = False) -> list[Point]:
    """Points that no other beats on both axes, by rising x: more of x, and less of y (`high`: more of y)."""
    sign = -1 if high else 1
    front: list[Point] = []
    best = math.inf
    for point in sorted(points, key=lambda item: (-item.x, sign * item.y)):
        if sign * point.y < best:
            front.append(point)
            best = sign * point.y
    return front[::-1]


def draw(
    points: Sequence[Point],
    vendor_names: dict[str, str],
    chosen: Sequence[str] = (),
    *,
    high: bool = False,
    room: Room = Room(),
) -> Chart | None:
    """The chart of these points; None when there is nothing to draw. `high`: more of y is better, not less.

    `vendor_names` gives slug and name of every vendor in a lasting order, which fixes the colours: a vendor
    keeps its own from question to question. At most eight are coloured, chosen ones first, the rest grey.
    """
    if not points:
        return None
    x_axis = _axis([point.x for point in points])
    y_axis = _axis([point.y for point in points])
    slots = _slots(points, list(vendor_names), chosen)
    front = pareto_front(points, high=high)
    on_front = {id(point) for point in front}
    labels, narrow = _label_places(points, on_front, x_axis, y_axis, room, high)
    placed = []
    for point in points:
        slot = slots.get(point.vendor, GREY)
        side = labels.get(id(point), "")
        first = "first" if id(point) in on_front else "second"
        placed.append(
            Placed(
                point=point,
                x=per_cent(x_axis.share(point.x)),
                y=per_cent(1 - y_axis.share(point.y)),
                x_low=per_cent(x_axis.share(point.x_low or point.x)),
                x_high=per_cent(x_axis.share(point.x_high or point.x)),
                y_low=per_cent(1 - y_axis.share(point.y_low or point.y)),
                y_high=per_cent(1 - y_axis.share(point.y_high or point.y)),
                slot=slot,
                marker=MARKERS[slot] if slot < GREY else "circle",
                on_front=id(point) in on_front,
                label_side=side,
                label_look=f"{first} narrow" if id(point) in narrow else first,
            )
        )
    placed.sort(key=lambda item: (item.on_front, item.point.chosen, item.slot != GREY, -item.point.y))
    return Chart(
        points=placed,
        front=_stairs(front, x_axis, y_axis, end=1.0 if high else 0.0),
        x_ticks=x_axis.ticks(),
        y_ticks=y_axis.ticks(flipped=True),
        vendors=_vendor_keys(points, vendor_names, slots),
        x_axis=x_axis,
        y_axis=y_axis,
    )


def _axis(values: list[float]) -> Axis:
    """From the least to the greatest value with a margin of 6% of the span, at least a factor 1.15."""
    low, high = min(values), max(values)
    margin = max((high / low) ** 0.06, 1.15)
    return Axis(low / margin, high * margin)


def _slots(points: Sequence[Point], order: list[str], chosen: Sequence[str]) -> dict[str, int]:
    present = {point.vendor for point in points}
    ranked = [slug for slug in order if slug in present]
    if chosen and len(chosen) <= GREY:
        ranked = [slug for slug in ranked if slug in chosen]
    coloured = ranked[:GREY]
    slots: dict[str, int] = {}
    # A vendor's own colour is its place in the lasting order; a taken one gives way to the next free.
    for slug in coloured:
        wanted = order.index(slug)
        if wanted < GREY and wanted not in slots.values():
            slots[slug] = wanted
    free = [slot for slot in range(GREY) if slot not in slots.values()]
    for slug in coloured:
        if slug not in slots:
            slots[slug] = free.pop(0)
    return slots


def _vendor_keys(points: Sequence[Point], names: dict[str, str], slots: dict[str, int]) -> list[VendorKey]:
    counts: dict[str, int] = {}
    for point in points:
        if not point.chosen:
            continue
        counts[point.vendor] = counts.get(point.vendor, 0) + 1
    keys = [
        VendorKey(
            name=names.get(slug, slug),
            slug=slug,
            slot=slots.get(slug, GREY),
            marker=MARKERS[slots[slug]] if slug in slots else "circle",
            count=count,
        )
        for slug, count in counts.items()
    ]
    return sorted(keys, key=lambda key: (key.slot, -key.count, key.name))


def _stairs(front: list[Point], x_axis: Axis, y_axis: Axis, end: float) -> list[Segment]:
    """The front as stairs: up to a point's speed one pays its price, beyond it the next one's.

    `end` is the edge, as a share from the top, that the stairs run to beyond the last point.
    """
    segments = []
    left = 0.0
    for index, point in enumerate(front):
        x, y = x_axis.share(point.x), 1 - y_axis.share(point.y)
        segments.append(Segment(per_cent(left), per_cent(y), per_cent(x), per_cent(y)))
        top = 1 - y_axis.share(front[index + 1].y) if index + 1 < len(front) else end
        segments.append(Segment(per_cent(x), per_cent(y), per_cent(x), per_cent(top)))
        left = x
    return segments


type Box = tuple[float, float, float, float]


def _label_places(
    points: Sequence[Point], front: set[int], x_axis: Axis, y_axis: Axis, room: Room, high: bool
) -> tuple[dict[int, str], set[int]]:
    """Side of each label that touches neither another nor a marker, and which of them fit a narrow plot.

    The front first, then the cheapest of the rest; keys are identities of points. An offer is named once.
    """
    markers = [(x_axis.share(p.x), 1 - y_axis.share(p.y)) for p in points]

    def turn(index: int) -> tuple[bool, bool, float]:
        point = points[index]
        return id(point) not in front, room.corner and not point.chosen, -point.y if high else point.y

    phone = Room(NARROW, 360, room.corner)
    wide: list[Box] = []
    narrow: list[Box] = []
    sides: dict[int, str] = {}
    fitting: set[int] = set()
    named: set[str] = set()
    for index in sorted(range(len(points)), key=turn):
        point, at = points[index], markers[index]
        on_front = id(point) in front
        full = len(sides) >= MOST_LABELS * room.width // 900
        if point.key in named or full or not (on_front or point.chosen):
            continue
        others = [marker for j, marker in enumerate(markers) if j != index]
        most = int(on_front and not room.corner)
        corner = ("above" if high else "below",) if on_front and room.corner else ()
        for side in (*corner, "right", "left"):
            box = _label_box(at, side, point.label, 8.1, on_front, room)
            if sum(_inside(marker, box, room) for marker in others) > most or not _free(box, wide):
                continue
            wide.append(box)
            named.add(point.key)
            sides[id(point)] = side
            box = _label_box(at, side, point.label, 7.2, on_front, phone)
            crowd = sum(_inside(marker, box, phone) for marker in others)
            if on_front and crowd <= 1 and _free(box, narrow):
                narrow.append(box)
                fitting.add(id(point))
            break
    return sides, fitting


def _label_box(at: tuple[float, float], side: str, label: str, gap: float, on_front: bool, room: Room) -> Box:
    """Left, top, right, bottom; `gap` in pixels. A label left of the front stands below its line."""
    x, y = at
    width, height = len(label) * CHARACTER_WIDTH / room.width, LABEL_HEIGHT / room.height
    left = x - gap / room.width - width if side == "left" else x + gap / room.width
    if on_front and side == "left":
        y += height
    y += {"above": -0.7, "below": 0.7}.get(side, 0.0) * height
    return left, y - height / 2, left + width, y + height / 2


def _free(box: Box, taken: list[Box]) -> bool:
    return box[0] >= 0.004 and box[2] <= 1.0 and not any(_overlap(box, other) for other in taken)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(at: tuple[float, float], box: Box, room: Room) -> bool:
    x, y = 3.6 / room.width, 2.2 / room.height
    return box[0] - x < at[0] < box[2] + x and box[1] - y < at[1] < box[3] + y
