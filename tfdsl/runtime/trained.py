"""A trained model for commands: the variables of a checkpoint, and what its data has learned."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager

from ..access import TRUSTED
from ..data.learned import Fitted
from ..data.saved import matching
from ..data.schema import DataError, shown_path
from ..diagnostics import CHECKPOINT_DAMAGED, PREDICT_DATA, PREDICT_LEARNED, Diagnostic, Note, TfgError
from ..diagnostics.render import render_text
from ..lowering.failures import failure
from ..program import Field, Graph, Origin, Ref
from ..source import Source, Span
from .checkpoint.store import CheckpointStore, reported
from .execution.execution import Execution
from .program import RunnableProgram


def argument(option: str, text: str) -> Origin:
    """The place of an argument of the command line."""
    return Origin(Span(Source(option, text, is_argument=True), 0, len(text)))


def restored(run: Execution, nodes: Collection[int], prefix: str, path: str, origin: Origin) -> dict[str, Fitted]:
    """Restore the variables among some nodes from the files of a prefix. Returns what data sets have learned. `path` is
    what messages call the files."""
    program = run.built.program
    variables = tuple((Ref(id), "") for id in sorted(nodes) if program.nodes[id].is_variable)
    return run.savers.load(run.session, prefix, variables, path, origin)


@contextmanager
def stored(run: Execution, path: str, origin: Origin) -> Iterator[str]:
    """The files of a checkpoint: that of a `save`, or the newest in the folder of a training."""
    if not os.path.isdir(path) or os.path.exists(f"{path}.index"):
        with run.savers.reading(path, origin) as prefix:
            yield prefix
        return
    with reported(path, origin), closing(CheckpointStore(path, TRUSTED)) as store:
        entry, damaged = store.newest()
        if entry is None and not damaged:
            with run.savers.reading(path, origin) as prefix:  # says that there is none
                yield prefix
            return
        if entry is None:
            name, reason = damaged[0]
            raise failure(CHECKPOINT_DAMAGED, origin, folder=path, name=name, reason=reason)
        with store.reading(entry) as prefix:
            yield prefix


def learned_of(
    compiled: RunnableProgram, name: str, checkpoint: str, saved: Mapping[str, Fitted], note: Callable[[str], None]
) -> Fitted:
    """What a data set has learned: as it was `saved` beside the checkpoint, or else, with a warning, from the data of
    the program."""
    with placed():
        pipeline = compiled.pipeline(name)
        if pipeline.learns and saved:
            return matching(saved, pipeline.learned_by, checkpoint)
        if pipeline.learns:
            note(render_text(Diagnostic(PREDICT_LEARNED, None, {"path": checkpoint, "data": name})).rstrip())
        return compiled.fitted(name)


def tell_data(
    compiled: RunnableProgram, graph: Graph, outputs: Iterable[tuple[str, Ref]], given: Collection[Ref],
    note: Callable[[str], None],
) -> None:  # fmt: skip
    """Warn of values that are computed from the data of the program itself, apart from what is fed."""
    sources = {one.name: one.source for one in compiled.program.data}
    for name, ref in outputs:
        nodes = [graph.nodes[id] for id in sorted(graph.reach([ref], frozenset(given)))]
        fields = [arg for node in nodes for arg in node.args.values() if isinstance(arg, Field) and arg.data in sources]
        for field in fields[:1]:
            source = sources[field.data]
            path = source.arguments.get("path")
            file = shown_path(path) if isinstance(path, str) else source.name
            details = {"name": name, "field": str(field), "file": file}
            note(render_text(Diagnostic(PREDICT_DATA, None, details)).rstrip())
            return


@contextmanager
def placed() -> Iterator[None]:
    """Errors of data, with their places in its files."""
    try:
        yield
    except DataError as error:
        notes = (Note(f"at {error.place}"),) if error.place else ()
        raise TfgError([Diagnostic(error.message, None, error.details, notes)]) from None
