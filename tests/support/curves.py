"""Logged scalars as a picture in SVG, as TensorBoard draws them. Pages show what their programs log."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 480, 260, 64, 34, 16, 34
COLOURS = ("#ff7043", "#0077bb", "#009e73", "#cc3377")


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, four to ten of them."""
    size = 10.0 ** math.floor(math.log10((high - low) / 4))
    size = next(size * one for one in (5, 2, 1) if (high - low) / (size * one) >= 4)
    return [size * one for one in range(math.ceil(low / size), math.floor(high / size) + 1)]


def curves(history: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """A chart of `history`, which has (step, value) pairs for each tag."""
    points = [point for series in history.values() for point in series]
    steps, values = [step for step, _ in points], [value for _, value in points]
    first, last, low, high = min(steps), max(steps), min(0.0, *values), max(values)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - first) / (last - first)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="Helvetica,sans-Serif" font-size="11" fill="#444">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for value in _ticks(low, high):
        lines += [
            f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
            f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,g}</text>',
        ]
    for step in _ticks(first, last):
        lines.append(f'<text x="{x(step):.1f}" y="{HEIGHT - 14}" text-anchor="middle">{step:,g}</text>')
    at = LEFT
    for colour, (tag, series) in zip(COLOURS, history.items()):
        path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in series)
        lines += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>',
            f'<text x="{at}" y="20" fill="{colour}" font-weight="bold">{escape(tag)}</text>',
        ]
        at += 24 + 7 * len(tag)
    lines.append(f'<text x="{WIDTH - RIGHT}" y="20" text-anchor="end">by step</text>')
    return "\n".join([*lines, "</svg>", ""])
