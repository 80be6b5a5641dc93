"""`tfdsl summary`: lists the layers of a program. It imports neither TensorFlow nor NumPy."""

import argparse
import sys

from ..analysis.layers import Amount, Layer, Layers, Work, layers
from ..diagnostics import TfgError
from ..driver import check
from ..program import Graph, Program
from ..syntax.read import read
from .options import add_program_options, given, positive
from .parser import CommandParser
from .report import WrongUse, colour, show, show_json

_HEAD = ("layer", "output", "params", "trainable", "memory", "flops")
_TEXTS = 2  # columns at the left
_OUTSIDE = "(outside all scopes)"
_OUTPUTS = 3  # of a layer, in the table
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def configure(parser: CommandParser) -> None:
    parser.description = (
        "List the layers of a program: what each call of a function and each scope returns, its parameters and their "
        "memory, and the floating-point operations for one row, forward. Training is not counted."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("--graph", metavar="NAME", help="only this graph")
    parser.add_argument("--depth", metavar="N", type=positive, help="only N levels of scopes in scopes")
    parser.add_argument("--json", action="store_true", help="as a JSON object")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    extra = given(arguments)
    program, diagnostics = check(read(arguments.file, extra.limits), extra.inputs(arguments.file))
    if program is None:
        raise TfgError(diagnostics)
    found = [layers(graph) for graph in _chosen(program, arguments.graph)]
    if arguments.json:
        show_json({"path": program.path, "graphs": [_json(one, arguments.depth) for one in found]})
        return 0
    _print_all(found, arguments.depth)
    return 0


def print_layers(program: Program) -> None:
    """Print the layers of all graphs of a program."""
    _print_all([layers(graph) for graph in _chosen(program, None)], None)


def _print_all(found: list[Layers], depth: int | None) -> None:
    for at, one in enumerate(found):
        if at:
            print()
        if len(found) > 1:
            show(f"graph {one.graph}:" if one.graph else "default graph:")
        _print(one, depth)


def _chosen(program: Program, name: str | None) -> list[Graph]:
    """The graph of this name, or all that have nodes."""
    if name is None:
        return [graph for graph in program.graphs if graph.nodes] or list(program.graphs[:1])
    chosen = [graph for graph in program.graphs if graph.name == name]
    if not chosen:
        known = ", ".join(graph.name or "(the default one)" for graph in program.graphs)
        raise WrongUse(f"there is no graph {name!r}; there are {known}")
    return chosen


def _shown(summary: Layers, depth: int | None) -> list[Layer]:
    return [layer for layer in summary.layers if depth is None or layer.level < depth]


def _print(summary: Layers, depth: int | None) -> None:
    rows = [_row(layer) for layer in _shown(summary, depth)]
    if rows:
        widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
        head, *lines = [_line(row, widths) for row in (_HEAD, *rows)]
        print(f"{_BOLD}{head}{_PLAIN}" if colour(sys.stdout) else head)
        show("\n".join(lines))
        print()
    for name, amount in (
        ("Total", summary.trainable + summary.fixed), ("Trainable", summary.trainable),
        ("Non-trainable", summary.fixed), ("Optimizer", summary.optimizer),
    ):  # fmt: skip
        if name != "Optimizer" or amount.count:
            print(f"{name} params: {amount.count:,} ({_memory(amount.bytes)})")
    sizes = f" (with {', '.join(f'{name} = 1' for name in summary.batch)})" if summary.batch else ""
    show(f"Flops for a row: {_flops(summary.work)}{sizes}")
    if summary.work.unknown:
        show(f"Flops not known: {', '.join(summary.work.unknown)}")


def _row(layer: Layer) -> tuple[str, ...]:
    both = layer.trainable + layer.fixed
    outputs = [*map(str, layer.outputs[:_OUTPUTS]), *(["..."] if len(layer.outputs) > _OUTPUTS else [])]
    numbers = (f"{both.count:,}", f"{layer.trainable.count:,}", _memory(both.bytes), _flops(layer.work))
    return (f"{'  ' * layer.level}{layer.path or _OUTSIDE}", ", ".join(outputs), *numbers)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [f"{cell:{'<' if at < _TEXTS else '>'}{width}}" for at, (cell, width) in enumerate(zip(row, widths))]
    return "  ".join(cells).rstrip()


def _flops(work: Work) -> str:
    """The number, with a question mark for what is not known."""
    return f"{work.flops:,}" + (" + ?" if work.unknown else "")


def _memory(size: int) -> str:
    """A number of bytes as Keras writes it."""
    if size < 1024:
        return f"{size} B"
    amount, unit = size / 1024, "KB"
    for larger in ("MB", "GB", "TB"):
        if amount >= 1024:
            amount, unit = amount / 1024, larger
    return f"{amount:.2f} {unit}"


def _json(summary: Layers, depth: int | None) -> dict[str, object]:
    return {
        "name": summary.graph,
        "layers": [
            {
                "name": layer.path,
                "level": layer.level,
                "outputs": [str(type) for type in layer.outputs],
                **_numbers(layer.trainable, layer.fixed, layer.work),
            }
            for layer in _shown(summary, depth)
        ],
        "total": {
            **_numbers(summary.trainable, summary.fixed, summary.work),
            "optimizer_params": summary.optimizer.count,
            "optimizer_bytes": summary.optimizer.bytes,
        },
        "batch_sizes": list(summary.batch),
    }


def _numbers(trainable: Amount, fixed: Amount, work: Work) -> dict[str, object]:
    """`flops` is null if not everything is known."""
    return {
        "trainable_params": trainable.count,
        "non_trainable_params": fixed.count,
        "bytes": trainable.bytes + fixed.bytes,
        "flops": None if work.unknown else work.flops,
        "known_flops": work.flops,
        "unknown": list(work.unknown),
    }
