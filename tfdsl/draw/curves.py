"""Draws the curves of logged scalars as SVG: a panel for each tag, with the steps from left to right."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite

from ..diagnostics.spelling import visible

_WIDTH, _HEIGHT = 420, 190  # of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 28, 26  # around the curve in it
_STYLE = (
    ".tfg text{font:11px Helvetica,Arial,sans-serif;fill:#5a6270}.tfg .name{font-weight:bold;fill:#1b1b1b}"
    ".tfg .curve{fill:none;stroke:#0072b2;stroke-width:1.6}.tfg .axis{fill:none;stroke:#b8c0cc}.tfg .back{fill:#fdfdfd}"
    ".tfg .dot{fill:#0072b2}"
)


def curves(history: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """The curves of scalars by their tags. Values that are not finite leave a gap."""
    height = _HEIGHT * len(history)
    size = f'width="{_WIDTH}" height="{height}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" class="tfg" viewBox="0 0 {_WIDTH} {height}" {size}>'
    parts = [start, f"<style>{_STYLE}</style>", f'<rect class="back" {size}/>']
    for number, (tag, points) in enumerate(history.items()):
        parts += [f'<g transform="translate(0,{number * _HEIGHT})">', *_panel(tag, points), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(tag: str, points: Sequence[tuple[int, float]]) -> list[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [f'<text class="name" x="{_LEFT}" y="18">{escape(visible(tag))}</text>',
             f'<path class="axis" d="M{_LEFT},{_TOP} V{bottom} H{right}"/>']  # fmt: skip
    known = [(step, value) for step, value in points if isfinite(value)]
    if not known:
        return parts
    first, last = points[0][0], points[-1][0]
    low, high = min(value for _, value in known), max(value for _, value in known)

    def place(step: int, value: float) -> tuple[float, float]:
        across = (step - first) / (last - first) if last > first else 0.5
        up = (value - low) / (high - low) if high > low else 0.5
        return _LEFT + across * (right - _LEFT), bottom - up * (bottom - _TOP)

    for line in _unbroken(points):
        places = [place(step, value) for step, value in line]
        if len(places) == 1:
            parts.append(f'<circle class="dot" cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="2"/>')
        else:
            parts.append(f'<path class="curve" d="M{" L".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>')
    for value in dict.fromkeys((low, high)):
        height = place(first, value)[1] + 4
        parts.append(f'<text x="{_LEFT - 6}" y="{height:.0f}" text-anchor="end">{value:.4g}</text>')
    for step, anchor in ((first, "start"), (last, "end")) if last > first else ((first, "middle"),):
        parts.append(f'<text x="{place(step, low)[0]:.0f}" y="{bottom + 16}" text-anchor="{anchor}">{step}</text>')
    return parts


def _unbroken(points: Sequence[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """The runs of finite values."""
    lines: list[list[tuple[int, float]]] = [[]]
    for point in points:
        if isfinite(point[1]):
            lines[-1].append(point)
        elif lines[-1]:
            lines.append([])
    return [line for line in lines if line]
