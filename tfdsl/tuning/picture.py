"""Draws a search as SVG: the value of each trial and the best so far, and the values by each param."""

import math
from collections.abc import Sequence
from html import escape

from .space import Choices, FloatRange, Value
from .study import EndedTrial, StudyPlan

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 320, 220, 60, 34, 16, 40
COLUMNS = 3
_DOT, _BEST, _LINE, _TEXT = "#0077bb", "#d55e00", "#999", "#444"


class _Scale:
    """Positions of numbers on an axis of a panel, evenly or by their logarithms."""

    def __init__(self, values: Sequence[float], start: float, end: float, log: bool = False):
        self._log = log
        found = [self._of(one) for one in values] or [0.0]
        self._low, self._high = min(found), max(found)
        if self._low == self._high:
            self._low, self._high = self._low - 0.5, self._high + 0.5
        self._start, self._end = start, end

    def _of(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def at(self, value: float) -> float:
        share = (self._of(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def ends(self) -> tuple[float, float]:
        low, high = self._low, self._high
        return (10**low, 10**high) if self._log else (low, high)


def picture(trials: Sequence[EndedTrial], plan: StudyPlan) -> str:
    """The panels of a search. A trial without a value has no dot."""
    done = [one for one in trials if one.value is not None and math.isfinite(one.value)]
    panels = [_history(done, plan), *(_by_param(done, plan, name) for name in plan.space)]
    columns = min(COLUMNS, len(panels))
    width, height = columns * WIDTH, -(-len(panels) // columns) * HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="Helvetica,sans-Serif" font-size="11" fill="{_TEXT}">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for at, panel in enumerate(panels):
        x, y = at % columns * WIDTH, at // columns * HEIGHT
        lines += [f'<g transform="translate({x} {y})">', *panel, "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def _history(trials: Sequence[EndedTrial], plan: StudyPlan) -> list[str]:
    x = _Scale([one.number for one in trials], LEFT, WIDTH - RIGHT)
    y = _values(trials)
    best, line = None, list[str]()
    for one in trials:
        assert one.value is not None
        best = one.value if best is None else (max if plan.maximize else min)(best, one.value)
        line.append(f"{'H' if line else 'M'}{x.at(one.number):.1f}{'V' if line else ' '}{y.at(best):.1f}")
    ends = [f"{round(one)}" for one in x.ends()] if trials else ["", ""]
    dots = _dots([(x.at(one.number), one) for one in trials], y, plan)
    return [
        *_frame("trial", ends, y, plan.objective),
        f'<path d="{"".join(line)}" fill="none" stroke="{_BEST}" stroke-width="1.5"/>',
        *dots,
    ]


def _by_param(trials: Sequence[EndedTrial], plan: StudyPlan, name: str) -> list[str]:
    axis = plan.space[name]
    tried = [one for one in trials if name in one.params]
    y = _values(trials)
    if isinstance(axis, Choices):
        places: dict[Value, int] = {option: at for at, option in enumerate(axis.options)}
        x = _Scale([-0.5, len(places) - 0.5], LEFT, WIDTH - RIGHT)
        numbers = [float(places[one.params[name]]) for one in tried]
        labels = [(x.at(at), str(option)) for option, at in places.items()]
    else:
        is_log = isinstance(axis, FloatRange) and axis.log
        x = _Scale([axis.low, axis.high], LEFT, WIDTH - RIGHT, is_log)
        numbers = [float(one.params[name]) for one in tried]
        labels = [(LEFT, f"{axis.low:g}"), (WIDTH - RIGHT, f"{axis.high:g}")]
        if is_log:
            name = f"{name} (logarithmic)"
    dots = _dots([(x.at(number), one) for number, one in zip(numbers, tried, strict=True)], y, plan)
    return [*_frame(name, labels, y, plan.objective), *dots]


def _values(trials: Sequence[EndedTrial]) -> _Scale:
    return _Scale([one.value for one in trials if one.value is not None], HEIGHT - BOTTOM, TOP)


def _frame(name: str, labels: Sequence[str] | Sequence[tuple[float, str]], y: _Scale, objective: str) -> list[str]:
    """The lines and texts around a panel. `labels` are those of the ends, or have places."""
    placed = [
        (one if isinstance(one, tuple) else (LEFT if at == 0 else WIDTH - RIGHT, one)) for at, one in enumerate(labels)
    ]
    low, high = y.ends()
    return [
        f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="{_LINE}"/>',
        f'<text x="{LEFT - 6}" y="{TOP + 4}" text-anchor="end">{high:.4g}</text>',
        f'<text x="{LEFT - 6}" y="{HEIGHT - BOTTOM}" text-anchor="end">{low:.4g}</text>',
        f'<text x="{LEFT}" y="{TOP - 14}">{escape(objective)}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle" font-weight="bold">'
        f"{escape(name)}</text>",
        *(
            f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{escape(label)}</text>'
            for place, label in placed
        ),
    ]


def _dots(places: Sequence[tuple[float, EndedTrial]], y: _Scale, plan: StudyPlan) -> list[str]:
    """A dot for each trial. The one of the best trial is larger. A pointer over it shows the trial."""
    sign = -1 if plan.maximize else 1
    best = min((one for _, one in places), key=lambda one: sign * (one.value or 0.0), default=None)
    lines: list[str] = []
    for x, one in places:
        assert one.value is not None
        look = f'r="4.5" fill="{_BEST}"' if one is best else f'r="3" fill="{_DOT}" fill-opacity="0.6"'
        values = ", ".join(f"{name}={value}" for name, value in one.params.items())
        title = escape(f"trial {one.number}: {one.value:.6g} with {values}")
        lines.append(f'<circle cx="{x:.1f}" cy="{y.at(one.value):.1f}" {look}><title>{title}</title></circle>')
    return lines
