"""Charts as SVG: bands, intervals and waterfalls, drawn by Vega-Lite.

Belongs here: specifications and the one call that draws them. The SVG has no script; colours are
the page's CSS variables, so that a chart follows light, dark and print; what a colour says a shape
or a pattern says too. Each chart is drawn twice, for a wide and for a narrow page. Does not belong
here: figures; a chart gets values and the text beside them.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

from markupsafe import Markup

_WIDE, _NARROW = 700, 330
_FONT = "system-ui, sans-serif"
#: One shape for each judgement; the page draws the same ones beside words.
SHAPES = {
    "good": "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z",  # circle
    "bad": "M0,1.1L1.1,-0.9L-1.1,-0.9Z",  # triangle, pointing down
    "ahead": "M0,-1.1L1.1,0.9L-1.1,0.9Z",  # triangle, pointing up
    "watch": "M0,-1.25L1.25,0L0,1.25L-1.25,0Z",  # diamond
    "unknown": "M-0.95,-0.95L0.95,-0.95L0.95,0.95L-0.95,0.95Z",  # square
}
_TONES = list(SHAPES)
_INK = {
    "good": "var(--good)",
    "bad": "var(--bad)",
    "ahead": "var(--ahead)",
    "watch": "var(--watch)",
    "unknown": "var(--mute)",
}


def pacing(rows: list[dict[str, Any]]) -> Markup:
    """Per KPI its actual in percent of plan to date, over the band that its tolerance allows.

    Rows: label, tone, text, value, low, high; value None where nothing has been measured.
    """
    shown = [
        row
        | {
            "at": None if row["value"] is None else min(max(row["value"], 0), 200),
            "low": max(row["low"], 0) if row["low"] is not None else None,
            "high": min(row["high"], 200) if row["high"] is not None else None,
        }
        for row in rows
    ]
    layers = [
        _rule("low", "high", size=15, color="var(--band)"),
        _tick({"datum": 100}),
        *_point_with_text("at"),
    ]
    return _both(shown, layers, [0, 200], "actual in percent of plan to date", text_room=64)


def intervals(rows: list[dict[str, Any]], title: str, *, highest: float) -> Markup:
    """Per row a point with its interval, and a tick for the plan; beyond `highest` at the edge.

    Rows: label, tone, text, value, low, high, plan.
    """
    names = ("value", "low", "high", "plan")
    shown = [
        row
        | {name: None if row[name] is None else min(max(row[name], 0), highest) for name in names}
        for row in rows
    ]
    layers = [
        _rule("low", "high", size=9, color="var(--band)"),
        _tick({"field": "plan"}),
        *_point_with_text("value"),
    ]
    return _both(shown, layers, [0, highest], title, text_room=64)


def waterfall(rows: list[dict[str, Any]], title: str) -> Markup:
    """Steps from one total to the next. Rows: label, tone (total, up, down), text, start, end."""
    highest = max((max(row["start"], row["end"]) for row in rows), default=0)
    lowest = min((min(row["start"], row["end"], 0) for row in rows), default=0)
    shown = [row | {"edge": max(row["start"], row["end"])} for row in rows]
    layers: list[dict[str, Any]] = [
        {
            "mark": {
                "type": "bar",
                "height": {"band": 0.62},
                "stroke": "var(--ink)",
                "strokeWidth": 0.8,
            },
            "encoding": {
                "x": {"field": "start", "type": "quantitative"},
                "x2": {"field": "end"},
                "color": {
                    "field": "tone",
                    "type": "nominal",
                    "scale": {
                        "domain": ["total", "up", "down"],
                        "range": ["var(--total)", "var(--up)", "url(#hatch)"],
                    },
                    "legend": None,
                },
            },
        },
        {
            "mark": {
                "type": "text",
                "align": "left",
                "dx": 6,
                "color": "var(--ink)",
                "fontSize": 12,
            },
            "encoding": {
                "x": {"field": "edge", "type": "quantitative"},
                "text": {"field": "text", "type": "nominal"},
            },
        },
    ]
    room = max((len(row["text"]) for row in rows), default=0) * 7 + 14
    return _both(shown, layers, [lowest, highest or 1], title, text_room=room, axis=False)


def _tick(x: dict[str, Any]) -> dict[str, Any]:
    mark = {"type": "tick", "thickness": 2, "size": 19, "color": "var(--ink)"}
    return {"mark": mark, "encoding": {"x": x}}


def _rule(low: str, high: str, *, size: int, color: str) -> dict[str, Any]:
    return {
        "transform": [{"filter": f"datum.{low} != null && datum.{high} != null"}],
        "mark": {"type": "bar", "height": size, "color": color, "cornerRadius": 2},
        "encoding": {"x": {"field": low, "type": "quantitative"}, "x2": {"field": high}},
    }


def _point_with_text(field: str) -> list[dict[str, Any]]:
    return [
        {
            "transform": [{"filter": f"datum.{field} != null"}],
            "mark": {
                "type": "point",
                "filled": True,
                "size": 90,
                "opacity": 1,
                "stroke": "var(--paper)",
                "strokeWidth": 1,
            },
            "encoding": {
                "x": {"field": field, "type": "quantitative"},
                "color": {
                    "field": "tone",
                    "type": "nominal",
                    "scale": {"domain": _TONES, "range": [_INK[tone] for tone in _TONES]},
                    "legend": None,
                },
                "shape": {
                    "field": "tone",
                    "type": "nominal",
                    "scale": {"domain": _TONES, "range": [SHAPES[tone] for tone in _TONES]},
                    "legend": None,
                },
            },
        },
        {
            "mark": {"type": "text", "align": "left", "color": "var(--ink)", "fontSize": 12},
            "encoding": {
                "x": {"value": {"expr": "width + 10"}},
                "text": {"field": "text", "type": "nominal"},
            },
        },
    ]


def _both(
    rows: list[dict[str, Any]],
    layers: list[dict[str, Any]],
    domain: list[float],
    title: str,
    *,
    text_room: int,
    axis: bool = True,
) -> Markup:
    if not rows:
        return Markup("")
    wide = _draw(rows, layers, domain, title, _WIDE, 44, text_room, axis)
    narrow = _draw(rows, layers, domain, title, _NARROW, 17, text_room, axis)
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(wide, narrow)


def _draw(
    rows: list[dict[str, Any]],
    layers: list[dict[str, Any]],
    domain: list[float],
    title: str,
    width: int,
    letters: int,
    text_room: int,
    axis: bool,
) -> Markup:
    """One SVG of this width, labels, plot and the text at the right included."""
    import vl_convert

    wrapped = [row | {"name": "\n".join(textwrap.wrap(row["label"], letters))} for row in rows]
    lines = max(row["name"].count("\n") + 1 for row in wrapped)
    longest = max(len(line) for row in wrapped for line in row["name"].split("\n"))
    plot = width - text_room - longest * 7 - 12
    x_axis = {"title": title, "grid": True, "tickCount": 4, "labelFlush": False} if axis else None
    x = {"type": "quantitative", "scale": {"domain": domain, "nice": False}, "axis": x_axis}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": plot,
        "height": {"step": max(26, 14 * lines + 6)},
        "background": None,
        "padding": {"left": 4, "right": text_room if not axis else 4, "top": 4, "bottom": 4},
        "autosize": {"type": "pad"},
        "data": {"values": wrapped},
        "encoding": {
            "y": {
                "field": "name",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": None,
            },
        },
        "layer": [*(_on_axis(layer, x) for layer in layers), _LABELS],
        "config": {
            "font": _FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": "var(--ink)",
                "titleColor": "var(--soft)",
                "gridColor": "var(--line)",
                "domainColor": "var(--line)",
                "tickColor": "var(--line)",
                "labelFontSize": 12,
                "titleFontSize": 11,
                "titleFontWeight": "normal",
            },
        },
    }
    return Markup(_bare(vl_convert.vegalite_to_svg(spec)))  # noqa: S704 - Vega escapes its texts


#: The rows' labels at the left. An axis sets a label of several lines from its first line down;
#: here they stand around the row's middle.
_LABELS: dict[str, Any] = {
    "mark": {
        "type": "text",
        "align": "right",
        "baseline": "middle",
        "dx": -8,
        "dy": {"expr": "-7 * (length(split(datum.name, '\\n')) - 1)"},
        "lineHeight": 14,
        "lineBreak": "\n",
        "fontSize": 12,
        "color": "var(--ink)",
    },
    "encoding": {"x": {"value": 0}, "text": {"field": "name", "type": "nominal"}},
}


def _on_axis(layer: dict[str, Any], x: dict[str, Any]) -> dict[str, Any]:
    """A layer whose positions are on the one axis that all layers share."""
    place = layer["encoding"]["x"]
    if "value" in place:
        return layer
    return layer | {"encoding": layer["encoding"] | {"x": x | place}}


def _bare(svg: str) -> str:
    """The SVG scaled by the page, its inner roles left out: the figure around it is described."""
    svg = re.sub(r' (role|aria-roledescription|aria-label|aria-hidden)="[^"]*"', "", svg)
    return re.sub(r"<svg ", '<svg focusable="false" aria-hidden="true" ', svg, count=1)
