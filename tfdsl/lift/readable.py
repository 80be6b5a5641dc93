"""Makes the readable form of a graph: applies the folds one after another, and writes the source of the result."""

import os
from collections.abc import Iterator
from functools import partial

import numpy as np

from ..diagnostics import TfgError
from ..diagnostics.spelling import listed
from ..lowering.definitions import functions_of
from ..ops.raw import NEXT_ITERATIONS
from ..record import Record, replace
from .constants import constant_value
from .draft import (
    BlockPiece,
    Draft,
    FunctionCallPiece,
    NotFolded,
    NotReadable,
    PlaceholderPiece,
    StepPiece,
    StoredPiece,
    SummaryPiece,
    VariablePiece,
    is_raw,
)
from .exact import function_blocks, lift_exact
from .folds.array_lists import fold_array_lists
from .folds.arrays import fold_arrays
from .folds.branches import fold_branches
from .folds.calls import fold_calls
from .folds.clips import fold_clips
from .folds.composites import fold_composites
from .folds.conds import fold_conds, is_gradient
from .folds.drops import drop_asserts, drop_dropout, drop_summaries, drop_training
from .folds.initializers import fold_initializers
from .folds.leftovers import fold_outputs, is_leftover
from .folds.lists import fold_lists
from .folds.loop_gradients import fold_loop_gradients
from .folds.loops import fold_loops
from .folds.losses import fold_losses
from .folds.optimizers import fold_optimizers
from .folds.pipelines import drop_pipelines
from .folds.random import fold_random
from .folds.repeats import fold_repeats
from .folds.saver import drop_checks, drop_initializers, drop_savers
from .folds.shapes import fold_shapes
from .folds.summaries import fold_summaries
from .folds.unrun import drop_unrun
from .folds.variables import fold_variables
from .folds.waits import fold_waits
from .graph import NAMED, SWITCHES, VARIABLES, Endpoint, SavedGraph, reached
from .inline import inlined
from .lifted import Lifted, formatted
from .needs import Needs
from .options import USUAL, LiftOptions
from .pipelines import fed
from .program_names import correspondence, path, unused
from .restoring import ProgramVariable, Restoring, is_partial, restoring, shapes_in_checkpoint
from .signatures import served, signature_statements
from .tables import FILLS, FILLS_FROM_FILES
from .unfolded import ALL_FOLDED, Unfolded
from .weights import Unfrozen, unfrozen
from .write import Misplaced, Writer, function_lines

# Ops that only give a constant, a shape or the value of a variable.
_IDLE = ("Shape", "Rank", "Size", "Const", "ReadVariableOp")
_NO_SEED = 87654321  # TensorFlow's seed for a graph without one
FOLDS = (
    drop_savers, drop_checks, drop_pipelines, drop_asserts, drop_summaries, drop_dropout,
    drop_unrun, fold_optimizers, drop_training, fold_loop_gradients, fold_loops, fold_shapes, fold_branches, fold_conds,
    fold_shapes, fold_variables, fold_summaries, drop_initializers, fold_losses, fold_composites, fold_clips,
    fold_random, fold_calls, fold_arrays, fold_array_lists, fold_initializers, fold_lists, fold_outputs, fold_waits,
)  # fmt: skip


class ReadableForm(Record):
    """A program, its draft, and its text before formatting. `lines` has the piece that each line of this text comes
    from."""

    lifted: Lifted
    draft: Draft
    text: str
    lines: tuple[str, ...]


def lift_readable(
    graph: SavedGraph, arrays: str = "", unfolded: Unfolded = ALL_FOLDED, options: LiftOptions = USUAL
) -> Lifted:
    """The graph as a person would write it. `arrays` is the name of the file for large constants; if it is empty, they
    are written in the source. `unfolded` says which parts stay as they were. If a part of the graph has no readable
    form, the whole graph is lifted exactly, with a note."""
    try:
        if not unfolded.exact:
            return readable(graph, arrays, unfolded, options).lifted
        reason = unfolded.exact
    except NotReadable as error:
        reason = str(error)
    exact = lift_exact(graph, arrays)
    notes = [f"written node for node, because {reason}"]
    if options.as_variables is not None:
        notes.append("no constant is a variable: only the readable form can have them")
    first, *rest = exact.source.splitlines(keepends=True)
    source = "".join((first, *(f"# {note}\n" for note in notes), *rest))
    return replace(exact, source=source, notes=(*exact.notes, *notes))


def readable(
    graph: SavedGraph, arrays: str = "", unfolded: Unfolded = ALL_FOLDED, options: LiftOptions = USUAL
) -> ReadableForm:
    """The readable form of a graph. Parts that cannot be folded stay as they were. Raises `NotReadable` if the graph
    has no readable form."""
    try:
        return _readable(graph, arrays, unfolded, options)
    except NotFolded as error:
        if error.part.nodes <= unfolded.of(error.part.fold):
            raise
        return readable(graph, arrays, replace(unfolded, parts=(*unfolded.parts, error.part)), options)
    except (NotReadable, TfgError):
        raise
    except Exception as error:  # a fold fails on nodes that it does not foresee
        said = " ".join((type(error).__name__, *str(error).splitlines()[:1]))
        raise NotReadable(f"the readable form cannot be written: {said}") from error


def _readable(graph: SavedGraph, arrays: str, unfolded: Unfolded, options: LiftOptions) -> ReadableForm:
    flat = inlined(graph)
    weights = Unfrozen(flat.graph) if options.as_variables is None else unfrozen(flat.graph, options.as_variables)
    made = fed(weights.graph)
    trainable = made.graph.collections.get("trainable_variables")
    results = {**flat.results, **made.results}
    draft = Draft(
        made.graph,
        arrays,
        aliases={end: other for end, other in results.items() if end != other},
        notes=[*weights.notes, *made.notes],
        stored=shapes_in_checkpoint(graph),
        trainable=None if trainable is None else frozenset(trainable),
        from_functions=frozenset(flat.graph.nodes.keys() - graph.nodes.keys()),
        served=frozenset(end.node for end in served(made.graph.signatures)),
        drop=options.drop,
    )
    for fold in FOLDS:
        draft.apply(fold, unfolded.of(fold.__name__))
    for name in flat.accumulators:
        if not is_gradient(draft, name):
            raise NotReadable(f"the gradients that need {name} are not a step of an optimizer")
    if any(node.device for node in graph.nodes.values()):
        draft.notes.append("left out: the devices of nodes; the exact form has them")
    if unfolded.is_apart:
        draft.notes.append("each value has its own statement, because nested expressions do not compute the same")
    roots = _roots(draft, {draft.end(end).node for end in results.values()})
    _train_all(draft)
    if is_partial(graph):
        _name_steps(draft)
    beside: dict[str, np.ndarray] = {}
    functions, blocks = function_blocks(graph, beside) if graph.library.function else ({}, {})
    constants = [name for name in Needs(draft, roots).live if isinstance(draft.pieces[name], StoredPiece)]
    stored = {name: constant_value(draft.graph.nodes[name]) for name in constants}
    is_apart = options.keep_names == "all"
    kept = (
        frozenset(draft.pieces if is_apart else roots if options.keep_names == "outputs" else ()) & graph.nodes.keys()
    )
    whole = replace(unfolded, is_apart=unfolded.is_apart or is_apart)
    defined, writer, source = _written(draft, functions, roots, kept, whole)
    session = restoring(graph, _variables(draft, writer), options.checkpoint or graph.checkpoint)
    ending = _ending(draft, writer, session)
    called = _called(graph, writer.called())
    declared = "".join(f"{line}\n" for name, block in blocks.items() if name in called for line in (*block, ""))
    seed = _seed(draft)
    first = f"lifted from {os.path.basename(graph.path)}, {len(graph.nodes)} nodes"
    head = "".join(f"# {line}\n" for line in (first, *draft.notes))
    found = correspondence(writer)
    for end in draft.aliases:
        if draft.end(end) in found and end.node not in draft.regions and not _is_switched(draft, end):
            found[end] = found[draft.end(end)]
    compared = graph.nodes.keys() - draft.incomplete
    found = {end: text for end, text in found.items() if end.node in compared}
    arrays_of = {name: value for name, value in {**beside, **stored}.items() if value is not None}
    before = head + seed + declared + defined
    text = before + source + ending
    lifted = Lifted(
        _formatted(text),
        arrays_of,
        found,
        (*graph.notes, *draft.notes),
        restores=bool(session.lines),
        keeps_names=options.keep_names != "none",
    )
    lines = (*[""] * before.count("\n"), *writer.lines, *[""] * ending.count("\n"))
    return ReadableForm(lifted, draft, text, lines)


def _formatted(text: str) -> str:
    """The text of a program, formatted. A text that cannot be parsed stays, and its errors are found when it is
    compiled."""
    try:
        return formatted(text)
    except TfgError:
        return text


def _ending(draft: Draft, writer: Writer, session: Restoring) -> str:
    """The signatures, and the session that restores the variables."""
    lines = signature_statements(draft, partial(path, writer), partial(unused, writer))
    draft.notes += session.notes
    raw = [one.node for one in draft.pieces.values() if is_raw(one) and draft.graph.nodes[one.node].op in VARIABLES]
    if raw and draft.graph.checkpoint:
        draft.notes.append(f"not restored from the checkpoint, because they stay ops: {listed(raw, NAMED)}")
    zeros = [name for name in draft.uninitialized if name not in session.restored]
    if zeros:
        draft.notes.append(
            f"these variables have no initializer in the graph and begin with zeros: {listed(zeros, NAMED)}"
        )
    if fills := _fills(draft, writer):
        draft.notes.append(f"lookup tables are empty until a session fills them: run {listed(fills, NAMED)}")
    if session.lines:
        lines += ["", "session:", *(f"    {line}" for line in session.lines)]
    return "".join(f"{line}\n" for line in lines)


def _fills(draft: Draft, writer: Writer) -> list[str]:
    """The ops that fill lookup tables with their first content, or a group of all of them, by their names in the
    program."""
    pieces = [one for one in draft.pieces.values() if one.node not in draft.regions and one.node in draft.graph.nodes]
    fills = {one.node for one in pieces if draft.graph.nodes[one.node].op in (*FILLS, *FILLS_FROM_FILES)}
    groups = [one for one in pieces if draft.graph.nodes[one.node].op == "NoOp" and fills <= {*one.controls}]
    found = [path(writer, one.ends[0]) for one in pieces if one in groups[:1] or (one.node in fills and not groups)]
    return [text for text in found if text] if fills else []


def _variables(draft: Draft, writer: Writer) -> dict[str, ProgramVariable]:
    """The variables of the program, with those that its optimizers keep, by their nodes in the graph."""
    found: dict[str, ProgramVariable] = {}
    for name, piece in draft.pieces.items():
        if isinstance(piece, FunctionCallPiece):
            found |= {end.node: ProgramVariable(path(writer, end) or "", end.node) for end, _ in piece.parts}
        elif isinstance(piece, VariablePiece) and (text := path(writer, piece.ends[0])) is not None:
            node = name if name in writer.kept else text.replace(".", "/")
            found[name] = ProgramVariable(text, node, piece.type)
    for name, owner in sorted(draft.inside.items()):
        step = draft.pieces.get(owner)
        if isinstance(step, StepPiece) and draft.graph.nodes[name].op in VARIABLES:
            above = max((one for one in found if name.startswith(f"{one}/")), key=len, default="")
            node = found[above].node + name[len(above) :] if above else name
            found[name] = ProgramVariable("", node, step=path(writer, step.ends[0]) or "")
    return found


def _is_switched(draft: Draft, end: Endpoint) -> bool:
    """Whether an endpoint equals another one only inside a branch."""
    while end in draft.aliases:
        if end.node in draft.graph.nodes and draft.graph.nodes[end.node].op in SWITCHES:
            return True
        end = draft.aliases[end]
    return False


def _written(
    draft: Draft, functions: dict[str, str], roots: list[str], named: frozenset[str], unfolded: Unfolded
) -> tuple[str, Writer, str]:
    """The functions for scopes that repeat, and the rest of the program with its writer. A function is left out if one
    of its calls could not be written in its scope."""
    before = dict(draft.pieces), dict(draft.inside), dict(draft.regions)
    variables = tuple(one for one in draft.pieces.values() if isinstance(one, VariablePiece))
    avoid: set[str] = set()
    while True:
        kept = roots if unfolded.is_apart else fold_repeats(draft, roots, frozenset(avoid), unfolded.nodes)
        writer = Writer(draft, functions, kept=named, unfolded=unfolded, variables=variables)
        try:
            source = writer.write(kept)
        except Misplaced as error:
            avoid.add(error.scope)
            draft.pieces, draft.inside, draft.regions = (dict(before[0]), dict(before[1]), dict(before[2]))
            draft.functions.clear()
            continue
        defined = "".join(f"{line}\n" for one in draft.functions.values() for line in function_lines(one, ()))
        return defined, writer, source


def _seed(draft: Draft) -> str:
    """The statement with the seed of the graph."""
    seeds = draft.seeds - {_NO_SEED}
    if len(seeds) == 1 and _NO_SEED not in draft.seeds:
        return f"seed {min(seeds)}\n"
    if seeds:
        draft.notes.append("ops with seeds draw different numbers, because the graph sets several graph-level seeds")
    return ""


def _called(graph: SavedGraph, names: set[str]) -> set[str]:
    """These functions of a graph and all functions that they call."""
    library = {one.signature.name: one for one in graph.library.function}

    def used(name: str) -> Iterator[str]:
        for node in library[name].node_def:
            yield from (one for one in (node.op, *functions_of(node)) if one in library)

    return reached(names & library.keys(), used)


def _train_all(draft: Draft) -> None:
    """Name the variables that an optimizer trains only if it does not train all of them."""
    variables = [one for one in draft.pieces.values() if isinstance(one, VariablePiece)]
    trainable = {one.ends[0] for one in variables if one.is_trainable and one.type.dtype.kind in ("float", "complex")}
    for name, piece in draft.pieces.items():
        if isinstance(piece, StepPiece) and not piece.gradients and set(piece.trained or ()) == trainable:
            draft.pieces[name] = replace(piece, trained=None)


def _name_steps(draft: Draft) -> None:
    """Name the steps, so that a session can restore the variables that they keep."""
    for name, piece in draft.pieces.items():
        if isinstance(piece, StepPiece) and any(
            draft.graph.nodes[one].op in VARIABLES for one, owner in draft.inside.items() if owner == name
        ):
            draft.pieces[name] = replace(piece, is_restored=True)


def _roots(draft: Draft, named: set[str]) -> list[str]:
    """The pieces that the program keeps even if nothing uses them, including the pieces of the nodes `named`. If parts
    are left out, placeholders and variables are kept only if other pieces need them."""
    graph = draft.graph
    named |= {draft.end(end).node for end in served(graph.signatures)} | draft.served
    kept = (StepPiece, SummaryPiece) if draft.drop else (PlaceholderPiece, VariablePiece, StepPiece, SummaryPiece)
    pieces = {name: piece for name, piece in draft.pieces.items() if name not in draft.regions}
    last = [name for name in pieces if not _is_used(draft, name)]
    ends = {name for name in last if not is_leftover(graph, name)}
    ends |= {name for name in draft.kept if graph.nodes[name].op in NEXT_ITERATIONS}
    ends |= {name for name, piece in pieces.items()
             if isinstance(piece, BlockPiece) and not all(graph.users.get(end.node) for end in piece.ends)}  # fmt: skip
    if not ends and named.isdisjoint(pieces):
        ends = set(last)
    return [name for name, piece in pieces.items() if isinstance(piece, kept) or name in named or name in ends]


def _is_used(draft: Draft, name: str) -> bool:
    """Whether another node needs the outputs of a node, or waits for a node without outputs."""
    graph = draft.graph
    if name not in graph.nodes:
        return False
    todo, is_operation = [name], not graph.nodes[name].types
    while todo:
        one = todo.pop()
        for user in (graph.nodes[user] for user in graph.users.get(one, ())):
            reads = any(end.node == one for end in user.inputs)
            if draft.end(Endpoint(user.name)).node == name and reads:
                todo.append(user.name)  # another name of the same value
            elif (reads or is_operation) and (user.op not in _IDLE or graph.users.get(user.name)):
                return True
    return False
