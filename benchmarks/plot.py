"""Plots the speed of each contender relative to the chapter's loop, with a panel for each training load.

Colours and the transparent background are readable on white and on black.
"""

from pathlib import Path
from textwrap import wrap

from .result import LoadResult

INK = "#7a838d"
TFDSL, BASE, OTHER = "#2f81f7", "#7a838d", "#c08a3e"
ENGINES = ("step", "loop", "xla")


def plot(results: list[LoadResult], machine: str, path: str) -> None:
    """Draw the training loads into a file. Its suffix sets the format (.svg, .png)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = [result for result in results if result.unit == "step" and any(row.seconds for row in result.rows)]
    if not shown:
        return
    style = {
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": INK,
        "font.size": 9, "svg.hashsalt": "tfdsl",
    }  # fmt: skip
    columns = 2 if len(shown) > 1 else 1
    lines = -(-len(shown) // columns)
    longest = max(sum(row.seconds is not None for row in result.rows) for result in shown)
    with plt.rc_context(style):
        size = 5.2 * columns, (0.27 * longest + 0.75) * lines + 0.6
        figure, axes = plt.subplots(lines, columns, figsize=size, squeeze=False, layout="constrained")
        for axis in axes.flat[len(shown) :]:
            axis.set_visible(False)
        for axis, result in zip(axes.flat, shown):
            _panel(axis, result)
        figure.suptitle("Times as fast as the chapter's loop (further right is faster, logarithmic)", fontsize=11)
        figure.supxlabel("\n".join(wrap(machine, 66 * columns)), fontsize=7)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Date": None} if path.endswith(".svg") else None
        figure.savefig(path, transparent=True, metadata=metadata, dpi=150)
        plt.close(figure)


def _panel(axis, result: LoadResult) -> None:
    rows = [row for row in result.rows if row.seconds is not None]
    speeds = [result.speed(row) or 1.0 for row in rows]
    colours = [_colour(row.name) for row in rows]
    places = range(len(rows))
    axis.barh(places, [speed - 1 for speed in speeds], left=1, color=colours, height=0.72)
    axis.axvline(1, color=INK, linewidth=0.8)
    axis.set_xscale("log")
    axis.xaxis.set_minor_formatter("")  # the bars show numbers between the powers of ten
    axis.set_xlim(min(0.25, min(speeds) / 3), max(4, max(speeds) * 2.5))
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_yticks(places, [row.name for row in rows])
    for label, row in zip(axis.get_yticklabels(), rows):
        label.set_color(_colour(row.name))
    for place, speed in zip(places, speeds):
        text = f"{speed:.0f}" if speed >= 20 else f"{speed:.1f}" if speed >= 2 else f"{speed:.2f}"
        away, side = (4, "left") if speed >= 1 else (-4, "right")
        axis.annotate(text, (speed, place), (away, 0), textcoords="offset points", va="center", ha=side, fontsize=8)
    axis.set_title(result.title, fontsize=9, color=INK)
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.set_facecolor("none")


def _colour(name: str) -> str:
    if name.startswith("by hand"):
        return BASE
    return TFDSL if name.split(",")[0] in ENGINES else OTHER
