"""The flow of dollars from channels through stages to where they stand, drawn as SVG.

Belongs here: the geometry of that one picture. Neither Vega-Lite nor Vega has a mark or a layout
for flows, and a layout that keeps the funnel on top and every end in its place is a page of sums;
so it is drawn here (docs/decisions.md). Does not belong here: figures; they come written already.

A band is as thick as its dollars, at least a hair. Left and right side are the same dollars, and
their totals stand below both. Negative dollars (credits above cost) have no thickness: they are
named at their end and are in the totals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from orchestration.lib.scorecard.figures import stage_name
from orchestration.lib.scorecard.queries import Row

#: The stages that the middle shows, in order.
MIDDLE = ("lead", "mql", "sal", "sql", "opportunity")
_REACHED = {"none": -1, "lead": 0, "mql": 1, "sal": 2, "sql": 3, "opportunity": 4, "won": 5}
_NODE = 9
_GAP = 5


@dataclass(frozen=True)
class Shape:
    """One form of the picture: how wide, how high for all dollars, where labels have room."""

    width: int
    height: int
    left: int
    right: int
    columns: int
    #: Smallest height of a labelled node at the left and at the right.
    left_slot: int
    right_slot: int
    is_narrow: bool


_WIDE = Shape(1000, 330, 128, 196, 5, 36, 20, False)
_NARROW = Shape(360, 400, 2, 2, 3, 24, 20, True)


@dataclass
class _Node:
    x: float
    y: float
    height: float
    #: How much of its left and right side is taken by bands.
    taken_in: float = 0.0
    taken_out: float = 0.0
    width: float = _NODE


def draw(
    flow: Sequence[Row],
    channels: Sequence[tuple[str, str]],
    ends: Sequence[tuple[str, str, str]],
    reached: Mapping[str, str],
    total: str,
) -> Markup:
    """Both forms of the picture.

    Args:
        flow: rows of query `flow`.
        channels: channel and its dollars as text, in order.
        ends: stage, kind of stage, its dollars as text.
        reached: per stage of the middle the dollars that reached it, as text.
        total: all dollars as text.
    """
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        *(_draw(shape, flow, channels, ends, reached, total) for shape in (_WIDE, _NARROW))
    )


def _draw(
    shape: Shape,
    flow: Sequence[Row],
    channels: Sequence[tuple[str, str]],
    ends: Sequence[tuple[str, str, str]],
    reached: Mapping[str, str],
    total: str,
) -> Markup:
    parts = [row for row in flow if row["amount_minor"] > 0]
    dollars = sum(row["amount_minor"] for row in parts)
    if not dollars:
        return Markup("")
    scale = shape.height / dollars
    top = 44.0
    ordered = sorted(ends, key=lambda end: -_mean_place(end[0], parts))
    by_channel: dict[str, int] = defaultdict(int)
    by_end: dict[str, int] = defaultdict(int)
    for row in parts:
        by_channel[row["channel"]] += row["amount_minor"]
        by_end[row["stage"]] += row["amount_minor"]

    left, left_height = _column(
        [name for name, _ in channels], by_channel, shape.left, top, scale, shape.left_slot
    )
    right_x = shape.width - shape.right - _NODE
    right, right_height = _column(
        [name for name, _, _ in ordered], by_end, right_x, top, scale, shape.right_slot
    )
    middle = _middle(shape, parts, scale, top, right_x)
    bands = _bands(parts, [name for name, _ in channels], ordered, left, middle, right, scale)
    height = top + max(left_height, right_height) + 34
    return Markup(
        '<svg class="flow" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' focusable="false" aria-hidden="true">{bands}{nodes}{labels}</svg>'
    ).format(
        width=shape.width,
        height=round(height),
        bands=Markup("").join(bands),
        nodes=Markup("").join(
            Markup('<rect class="node" x="{:.1f}" y="{:.1f}" width="{}" height="{:.1f}"/>').format(
                node.x, node.y, _NODE, max(node.height, 1)
            )
            for node in [*left.values(), *middle.values(), *right.values()]
            if node.height > 0
        ),
        labels=_labels(shape, channels, ordered, left, middle, right, reached, total, height),
    )


def _mean_place(stage: str, parts: Sequence[Row]) -> float:
    """How far the dollars of an end had come on average: far ones stand on top."""
    mine = [row for row in parts if row["stage"] == stage]
    weight: int = sum(row["amount_minor"] for row in mine)
    if not weight:
        return -2.0
    return float(sum(_REACHED[row["furthest"]] * row["amount_minor"] for row in mine) / weight)


def _column(
    names: Sequence[str],
    amounts: Mapping[str, int],
    x: float,
    top: float,
    scale: float,
    slot: float,
) -> tuple[dict[str, _Node], float]:
    """Nodes one below the other, each with room for its label; and the height of all."""
    nodes, y = {}, top
    for name in names:
        height = amounts.get(name, 0) * scale
        nodes[name] = _Node(x, y, height)
        y += max(height, slot) + _GAP
    return nodes, y - top


def _middle(
    shape: Shape, parts: Sequence[Row], scale: float, top: float, right_x: float
) -> dict[str, _Node]:
    """A node for each stage that any dollar reached."""
    stages = MIDDLE[: shape.columns]
    first, last = shape.left + _NODE, right_x
    step = (last - first) / (len(stages) + 1)
    nodes = {}
    for place, stage in enumerate(stages):
        amount = sum(row["amount_minor"] for row in parts if _REACHED[row["furthest"]] >= place)
        if amount:
            nodes[stage] = _Node(first + step * (place + 0.9), top, amount * scale)
    return nodes


def _lanes(
    parts: Sequence[Row], middle: Mapping[str, _Node], right: Mapping[str, _Node], scale: float
) -> dict[str, _Node]:
    """Where money without a lead passes below the first stage: nodes that nobody sees."""
    first = next(iter(middle.values()), None)
    y = 0.0 if first is None else first.y + first.height + 3 * _GAP
    lanes = {}
    for stage, end in right.items():
        amount = sum(
            row["amount_minor"]
            for row in parts
            if row["stage"] == stage and row["furthest"] == "none"
        )
        if amount:
            x = end.x / 3 if first is None else first.x
            lanes[stage] = _Node(x, y, amount * scale, width=0)
            y += amount * scale + 1
    return lanes


def _bands(
    parts: Sequence[Row],
    channels: Sequence[str],
    ends: Sequence[tuple[str, str, str]],
    left: dict[str, _Node],
    middle: dict[str, _Node],
    right: dict[str, _Node],
    scale: float,
) -> list[Markup]:
    kinds = {stage: _kind(stage, kind) for stage, kind, _ in ends}
    stages = list(middle)
    lanes = _lanes(parts, middle, right, scale)
    bands = []
    for channel in channels:
        mine = [row for row in parts if row["channel"] == channel]
        onward = sum(row["amount_minor"] for row in mine if row["furthest"] != "none")
        if onward and stages:
            bands.append(_band(left[channel], middle[stages[0]], onward * scale, "trunk"))
        for stage, *_ in ends:
            stays = sum(
                row["amount_minor"]
                for row in mine
                if row["stage"] == stage and row["furthest"] == "none"
            )
            if stays:
                lane = lanes[stage]
                bands.append(_band(left[channel], lane, stays * scale, kinds[stage]))
                bands.append(_band(lane, right[stage], stays * scale, kinds[stage]))
    for place, name in enumerate(stages):
        is_last = place == len(stages) - 1
        if not is_last:
            onward = sum(row["amount_minor"] for row in parts if _REACHED[row["furthest"]] > place)
            bands.append(_band(middle[name], middle[stages[place + 1]], onward * scale, "trunk"))
        for stage, *_ in ends:
            stops = sum(
                row["amount_minor"]
                for row in parts
                if row["stage"] == stage
                and (
                    _REACHED[row["furthest"]] == place
                    or (is_last and _REACHED[row["furthest"]] > place)
                )
            )
            if stops:
                bands.append(_band(middle[name], right[stage], stops * scale, kinds[stage]))
    return bands


def _kind(stage: str, kind: str) -> str:
    """How a band to this end is drawn: with Sales, waiting, turned away, or with no lead."""
    if kind == "funnel":
        return "waits" if stage in ("lead", "mql") else "sales"
    return "exits" if kind == "exit" else "holds"


def _band(start: _Node, end: _Node, thickness: float, style: str) -> Markup:
    x0, x1 = start.x + start.width, end.x
    y0, y1 = start.y + start.taken_out, end.y + end.taken_in
    start.taken_out += thickness
    end.taken_in += thickness
    seen = max(thickness, 0.75)
    bend = (x0 + x1) / 2
    return Markup(
        '<path class="band {}" d="M{:.1f},{:.1f}C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}'
        'V{:.1f}C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}Z"/>'
    ).format(
        style, x0, y0, bend, y0, bend, y1, x1, y1,
        y1 + seen, bend, y1 + seen, bend, y0 + seen, x0, y0 + seen,
    )  # fmt: skip


def _labels(
    shape: Shape,
    channels: Sequence[tuple[str, str]],
    ends: Sequence[tuple[str, str, str]],
    left: Mapping[str, _Node],
    middle: Mapping[str, _Node],
    right: Mapping[str, _Node],
    reached: Mapping[str, str],
    total: str,
    height: float,
) -> Markup:
    texts = []
    for name, amount in channels:
        node = left[name]
        middle_y = node.y + max(min(node.height, 60), shape.left_slot - 6) / 2
        if shape.is_narrow:
            texts.append(
                _text(node.x + _NODE + 5, middle_y + 5, "start", f"{_plain(name)}  {amount}")
            )
        else:
            texts.append(_text(node.x - 8, middle_y - 1, "end", _plain(name)))
            texts.append(_text(node.x - 8, middle_y + 14, "end", amount, "soft"))
    for stage, _, amount in ends:
        node = right[stage]
        y = node.y + max(min(node.height, 60), shape.right_slot - 6) / 2 + 4
        if shape.is_narrow:
            texts.append(_text(node.x - 5, y, "end", f"{stage_name(stage)}  {amount}"))
        else:
            texts.append(_text(node.x + _NODE + 7, y, "start", stage_name(stage)))
            texts.append(_text(shape.width - 2, y, "end", amount, "soft"))
    for stage, node in middle.items():
        texts.append(_text(node.x + _NODE / 2, 16, "middle", stage_name(stage), "head"))
        if not shape.is_narrow:
            texts.append(_text(node.x + _NODE / 2, 32, "middle", reached[stage], "soft"))
    edge = shape.left + _NODE if not shape.is_narrow else 2
    texts.append(
        _text(edge, height - 8, "start" if shape.is_narrow else "end", f"total  {total}", "head")
    )
    texts.append(_text(shape.width - 2, height - 8, "end", f"total  {total}", "head"))
    return Markup("").join(texts)


def _plain(channel: str) -> str:
    return channel.replace("_", " ")


def _text(x: float, y: float, anchor: str, text: str, style: str = "") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        style, x, y, anchor, text
    )
