"""Reads both sides of a comparison from their paths, and compares them.

Programs are analysed without TensorFlow. A graph is lifted to a program. If the other side is a program, it is compared
both as it is and as the program that its own graph is lifted to, which has the same form.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..access import Access
from ..diagnostics import TfgError
from ..driver import check, compile_source
from ..inputs import CompileInputs, Foreign
from ..limits import Limits
from ..program import Program
from ..record import Record, replace
from ..source import Source
from ..syntax.read import read
from .differences import DiffReport, compared
from .inventory import Fact, Inventory, Thing
from .kinds import SideKind, kind_of
from .of_program import inventory_of
from .values import ArrayPlace

if TYPE_CHECKING:
    from ..lift.compare import NodeDifference
    from ..lift.graph import SavedGraph
    from ..lift.lifted import Lifted


class DiffInputs(Record):
    """How to read the sides. `inputs` makes the inputs of the program at a path, and `foreign` asks TensorFlow about
    raw ops. `folder` is an empty folder for temporary files."""

    inputs: Callable[[str], CompileInputs]
    foreign: Callable[[], Foreign]
    limits: Limits
    largest: Limits
    max_graph: int
    folder: str


def compared_paths(left: str, right: str, given: DiffInputs) -> DiffReport:
    """The differences between the programs, graphs or checkpoints at two paths."""
    paths = left, right
    kinds = kind_of(left), kind_of(right)
    if "checkpoint" in kinds:
        assert kinds[0] == kinds[1]  # the command refuses other pairs
        from .of_checkpoint import checkpoint_inventory

        return compared(checkpoint_inventory(left), checkpoint_inventory(right))
    if kinds == ("program", "program"):
        return compared(_of_program(left, given), _of_program(right, given))
    return _graphs_compared(paths, kinds, given)


def nodes_compared(left: str, right: str, given: DiffInputs) -> "list[NodeDifference]":
    """The differences between two graphs, node for node."""
    from ..lift.compare import differences

    one, other = (_graph(path, kind_of(path), given) for path in (left, right))
    return differences(one, other)


def _of_program(path: str, given: DiffInputs) -> Inventory:
    return inventory_of(_checked(read(path, given.limits), given.inputs(path)), path)


def _checked(source: Source, inputs: CompileInputs) -> Program:
    program, diagnostics = check(source, inputs)
    if program is None:
        raise TfgError(diagnostics)
    return program


# --- graphs -------------------------------------------------------------------------------------


def _graph(path: str, kind: SideKind, given: DiffInputs) -> "SavedGraph":
    """The graph at a path, or the graph of the program at the path."""
    from ..lift.read import graph_of, read_graph
    from ..lowering.tf import v1

    if kind == "graph":
        return read_graph(path, max_file=given.max_graph)
    inputs = replace(given.inputs(path), foreign=given.foreign())
    graph = compile_source(read(path, given.limits), inputs).built().graph
    with graph.as_default():
        return graph_of(v1.train.export_meta_graph(clear_extraneous_savers=True), path)


def _graphs_compared(paths: tuple[str, str], kinds: tuple[SideKind, SideKind], given: DiffInputs) -> DiffReport:
    """The differences between two sides, at least one of which is a graph.

    A program is compared as it is. If anything differs, it is also compared as the program that its graph is lifted to.
    The report with fewer differences is returned.
    """
    if "program" not in kinds:
        return _lifted_compared(paths, kinds, given, "graphs")
    note = f"sessions, params and data sets are not compared: {paths[kinds.index('graph')]} is a graph"
    at = kinds.index("program")
    inputs = replace(given.inputs(paths[at]), foreign=given.foreign())  # the graph has the types of raw ops, too
    program = inventory_of(_checked(read(paths[at], given.limits), inputs), paths[at])
    graph = _graph(paths[1 - at], "graph", given)
    lifted = inventory_of(_program(_readable(graph), _folder(given, "direct"), given), paths[1 - at])
    one, other = (program, lifted) if at == 0 else (lifted, program)
    report = compared(_pruned(_without_plan(one)), _pruned(_without_plan(other)), names_matter=False)
    if report.entries:
        report = min(_lifted_compared(paths, kinds, given, "built"), report, key=_size)
    return replace(report, notes=(note, *report.notes))


def _lifted_compared(
    paths: tuple[str, str], kinds: tuple[SideKind, SideKind], given: DiffInputs, folder: str
) -> DiffReport:
    from ..lift.exact import lift_exact

    graphs = [_graph(path, kind, given) for path, kind in zip(paths, kinds)]
    notes: list[str] = []
    plain = [path for path, graph in zip(paths, graphs) if graph.kind == "GraphDef"]
    if len(plain) == 1:
        notes.append(f"which variables are trained is not compared: {plain[0]} does not say it")
        graphs = [replace(graph, collections={}, signatures={}) for graph in graphs]
    lifted = [_readable(graph) for graph in graphs]
    try:
        programs = _programs(lifted, folder, given) if not any(one.is_exact for one in lifted) else None
    except TfgError:
        programs = None  # a readable form does not compile
    programs = programs or _programs([lift_exact(graph, _ARRAYS) for graph in graphs], f"{folder}_exact", given)
    have_values = all(graph.checkpoint for graph in graphs)
    found: list[Inventory] = []
    for path, graph, program in zip(paths, graphs, programs):
        inventory = inventory_of(program, path)
        found.append(_with_values(inventory, graph.checkpoint) if have_values else inventory)
    report = compared(_pruned(found[0]), _pruned(found[1]), names_matter=False)
    return replace(report, notes=tuple(notes))


def _size(report: DiffReport) -> int:
    """The number of differences in a report."""
    return sum(1 + len(entry.facts) for entry in report.entries if not entry.follows)


def _readable(graph: "SavedGraph") -> "Lifted":
    from ..lift.readable import lift_readable

    return lift_readable(replace(graph, checkpoint=""), _ARRAYS)  # a checkpoint would add a session


def _folder(given: DiffInputs, name: str) -> str:
    path = os.path.join(given.folder, name)
    os.mkdir(path)
    return path


def _without_plan(inventory: Inventory) -> Inventory:
    """An inventory without the things that only programs have."""
    things = {id: one for id, one in inventory.things.items() if one.kind not in _OF_PROGRAMS}
    return Inventory(inventory.title, things)


def _pruned(inventory: Inventory) -> Inventory:
    """An inventory without the counters that TensorFlow adds to loops. The other loop variables lose their names, which
    are numbered and so depend on the counters."""
    things: dict[int, Thing] = {}
    for id, one in inventory.things.items():
        if "next" not in one.facts:
            things[id] = one
        elif set(inventory.users.get(id, ())) != {id}:
            things[id] = replace(one, name="", label=(one.name,))
    return Inventory(inventory.title, things, inventory.notes)


_ARRAYS = "constants.npz"
_OF_PROGRAMS = ("param", "session", "statement", "local")


def _programs(lifted: "list[Lifted]", folder: str, given: DiffInputs) -> list[Program]:
    """The programs of lifted graphs."""
    return [_program(one, _folder(given, f"{folder}{at}"), given) for at, one in enumerate(lifted)]


def _program(lifted: "Lifted", folder: str, given: DiffInputs) -> Program:
    """The program of a lifted graph. Its constants are written to the folder."""
    import numpy as np

    if lifted.arrays:
        arrays: dict[str, Any] = dict(lifted.arrays)  # NumPy's stubs treat keywords as options
        np.savez(os.path.join(folder, _ARRAYS), **arrays)
    path = os.path.join(folder, "lifted.tfg")
    inputs = CompileInputs(limits=given.largest, foreign=given.foreign(), access=Access(path))
    return _checked(Source(path, lifted.source), inputs)


def _with_values(inventory: Inventory, checkpoint: str) -> Inventory:
    """An inventory whose variables have their values in a checkpoint."""
    from .of_checkpoint import checksums

    sums = checksums(
        checkpoint, [inventory.path(one.id) for one in inventory.things.values() if one.kind == "variable"]
    )

    things = {
        id: replace(one, facts={**one.facts, "values": Fact((sums[name],))}, array=ArrayPlace(checkpoint, name, True))
        if one.kind == "variable" and (name := inventory.path(id)) in sums
        else one
        for id, one in inventory.things.items()
    }
    return Inventory(inventory.title, things, inventory.notes)
