"""The whole pipeline: text -> tree -> program -> graph -> session, each stage one line of `run`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from .analysis.check import analyse
from .analysis.context import Limits
from .diagnostics import ENCODING, FILE_MISSING, NO_SESSIONS, SESSION_UNKNOWN, Diagnostic, TfgError
from .program import Field, Program
from .source import Source
from .suggest import did_you_mean
from .syntax import tree as t
from .syntax.parse import parse

MAX_BYTES = 10_000_000  # of a program


def read(path: str | os.PathLike) -> Source:
    """A file as a source; a clear error where it cannot be read."""
    shown = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise OSError(f"it has more than {MAX_BYTES // 1_000_000} MB")
        return Source(shown, data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        details = {"path": shown, "reason": f"byte {error.start} is {error.object[error.start]:#04x}"}
        raise TfgError([Diagnostic(ENCODING, None, details)]) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or str(error)
        details = {"path": shown, "reason": reason[:1].lower() + reason[1:]}
        raise TfgError([Diagnostic(FILE_MISSING, None, details)]) from None


def check(
    source: Source | t.File, params: Mapping | None = None, data: Mapping | None = None, limits: Limits | None = None
) -> tuple[Program | None, list[Diagnostic]]:
    """The program of a source, or of a tree, and its diagnostics in the order of the text.

    There is no program where there are errors.
    """
    try:
        tree = parse(source) if isinstance(source, Source) else source
        program, bag = analyse(tree, params, data, limits)
    except TfgError as error:
        return None, list(error.diagnostics)
    return (None if bag.errors else program), bag.ordered()


def compile_source(
    source: Source, params: Mapping | None = None, data: Mapping | None = None, limits: Limits | None = None
) -> "Compiled":
    """A source, checked; `TfgError` with everything that is wrong with it."""
    program, diagnostics = check(source, params, data, limits)
    if program is None:
        raise TfgError(diagnostics)
    return Compiled(program, data, diagnostics)


class Compiled:
    """A compiled program. Its graphs are built, and TensorFlow imported, when they are first asked for.

    `program` is the typed program, `diagnostics` the warnings that the compiler had.
    """

    def __init__(self, program: Program, data: Mapping | None = None, diagnostics: list[Diagnostic] | None = None):
        self.program = program
        self.diagnostics = diagnostics or []
        self._given_data = dict(data or {})
        self.datasets: dict[str, object] = {}
        self._built: dict[str, object] = {}

    # --- data and graphs ------------------------------------------------------------------

    def dataset(self, name: str):
        """A data set of the program, loaded: arrays `features`, `target`, and `train` and `test` after a split."""
        if name not in self.datasets:
            from .runtime.arrays import load

            spec = next(data for data in self.program.data if data.name == name)
            self.datasets[name] = load(spec, self._given_data.get(name))
        return self.datasets[name]

    def array(self, field: Field):
        """The array of a field of data."""
        from .runtime.host import indexed

        dataset = self.dataset(field.data)
        part = getattr(dataset, field.part) if field.part else dataset
        return indexed(getattr(part, field.field), field.index)

    def built(self, graph: str = ""):
        """A graph of the program with everything known of its nodes."""
        if graph not in self._built:
            from .lowering.graph import build

            self._built[graph] = build(self.program.graph(graph), self.array)
        return self._built[graph]

    @property
    def graph(self):
        """The program's default graph, a `tf.Graph`."""
        return self.built().graph

    def __getitem__(self, name: str):
        """The tensor, variable or operation of a name of the program: `program["loss.mse"]`.

        A name of another graph is `graph.name`; a value known while compiling is itself. KeyError without it.
        """
        from .program import Static

        for graph in self.program.graphs:
            named = graph.names.get(name if not graph.name else name.removeprefix(f"{graph.name}."))
            if named is None or (graph.name and not name.startswith(f"{graph.name}.")):
                continue
            return named.value.value if isinstance(named.value, Static) else self.built(graph.name).value(named.value)
        known = [f"{g.name}.{n}" if g.name else n for g in self.program.graphs for n in g.names]
        hint = did_you_mean(name, known)
        raise KeyError(f"the program has no name {name!r}" + (f"; {hint}" if hint else ""))

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True

    # --- sessions -------------------------------------------------------------------------

    @contextmanager
    def session(self, graph: str = "") -> Iterator:
        """A session on a graph with every variable initialised: `with program.session() as s: s.run(...)`."""
        from .runtime.embedded import open_session

        with open_session(self, graph) as session:
            yield session

    def run(self, session: str | None = None, options=None):
        """Run the program's sessions, or the one named, in order; the `runtime.record.Result`.

        Printed lines go to the result; give `options.write` to have them elsewhere too.
        """
        if not self.program.sessions:
            raise TfgError([Diagnostic(NO_SESSIONS, None, {"path": self.program.path})])
        names = [s.name for s in self.program.sessions]
        if session is not None and session not in names:
            help = did_you_mean(session, names) or "the sessions are " + ", ".join(n or "(without name)" for n in names)
            raise TfgError([Diagnostic(SESSION_UNKNOWN, None, {"name": session}, help=help)])
        from .runtime.run import run

        return run(self, session, options)
