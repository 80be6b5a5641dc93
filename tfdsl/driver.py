"""The whole pipeline: text -> tree -> program -> graph -> session, with one line of `run` per stage."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy, deepcopy
from threading import RLock
from typing import TYPE_CHECKING

from .access import Access
from .analysis.calls.foreign import python_ops
from .analysis.check import analyse
from .collector import paused
from .data.declaration import is_path, named_data
from .data.sources import SOURCES
from .diagnostics import (
    ENGINE_UNKNOWN,
    NO_SESSIONS,
    PARAM_TWICE,
    SESSION_NAME,
    SESSION_UNKNOWN,
    Diagnostic,
    TfgError,
)
from .diagnostics.spelling import did_you_mean, listed
from .given import mapping, named_values
from .inputs import NO_INPUTS, CompileInputs, ExternalNames, Foreign, Inference
from .limits import Clock, Limits
from .packages import missing_package
from .program import (
    ENGINES,
    Data,
    Field,
    Graph,
    LogTo,
    Named,
    Node,
    Program,
    Session,
    fed,
    filled,
    kept_nodes,
    walk,
)
from .quiet import load_beside_others
from .record import Frozen, replace
from .source import Source
from .syntax import tree as t
from .syntax.parse import parse_anyway

if TYPE_CHECKING:
    import numpy as np

    from .analysis.prefixes import Prefixes
    from .cluster import Cluster
    from .data.arrays import Dataset
    from .data.learned import Fitted
    from .data.pipeline import Pipeline
    from .data.shares import Readable
    from .lowering.built import BuiltGraph
    from .lowering.layout import Setting
    from .lowering.tf import tf
    from .runtime.embedded import OpeningSession
    from .runtime.options import Options
    from .runtime.result import Result


def merged_params(params: Mapping[str, object] | None, named: Mapping[str, object]) -> dict[str, object]:
    """Combine params from a mapping and from keyword arguments. A param in both is an error."""
    params = named_values("params", params)
    twice = [name for name in named if name in params]
    if twice:
        raise TfgError([Diagnostic(PARAM_TWICE, None, {"name": name}) for name in twice])
    return {**params, **named}


def check(
    source: Source | t.File, inputs: CompileInputs = NO_INPUTS, prefixes: "Prefixes | None" = None
) -> tuple[Program | None, list[Diagnostic]]:
    """The program of a source or a tree, and its diagnostics in text order.

    If there are errors, the program is None. `prefixes` are the states that are kept of a text that is edited.
    """
    clock = inputs.clock or Clock(inputs.limits)
    try:
        with paused():
            tree = parse_anyway(source, inputs.limits, clock) if isinstance(source, Source) else source
            program, bag = analyse(tree, replace(inputs, data=named_values("data", inputs.data), clock=clock), prefixes)
    except TfgError as error:
        return None, list(error.diagnostics)
    except ModuleNotFoundError as error:
        found = missing_package(error)
        if found is None:
            raise
        return None, [found]
    return (None if bag.errors else program), bag.ordered()


def compile_source(source: Source | t.File, inputs: CompileInputs = NO_INPUTS) -> "Compiled":
    """Compile a source or a tree. Raises `TfgError` with all errors."""
    foreign = inputs.foreign or with_ops(None)
    read: dict[str, Pipeline] = {}
    texts: dict[str, str] = {}
    program, diagnostics = check(source, replace(inputs, foreign=foreign, read=read, texts=texts))
    if program is None:
        raise TfgError(diagnostics)
    ops = {name: op.function for name, op in foreign.functions.items()}
    # The compiled program copies data given from Python.
    files = {name: pipeline for name, pipeline in read.items() if is_path(inputs.data.get(name, ""))}
    origins = {name: inputs.origins.get(name, "Python") for name in inputs.params}
    return Compiled(
        program, inputs.data, diagnostics, inputs.outside, ops, inputs.access, read=files, texts=texts, origins=origins,
        limits=inputs.limits,
    )  # fmt: skip


def with_ops(ops: Mapping[str, Callable[..., object]] | None) -> Foreign:
    """Python functions as ops, with TensorFlow's inference. Raises `TfgError` for a value that cannot be an op."""
    return Foreign(python_ops(mapping("ops", ops)), infer)


def _own(value: object) -> object:
    """A copy of data, independent of later changes by the caller. Data in a file stays there."""
    if isinstance(value, (str, os.PathLike)) or type(value).__name__ == "memmap":
        return value
    if isinstance(value, Mapping):
        return {name: _own(one) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(map(_own, value)) if type(value) in (tuple, list) else value
    try:
        return deepcopy(value)
    except Exception:  # of a library that makes no copies
        return value


def infer(nodes: Mapping[int, Node], version: int | None) -> Inference:
    """TensorFlow's inference for a graph with these nodes. The first call imports TensorFlow."""
    load_beside_others()
    from .lowering import infer

    return infer.GraphInference(nodes, version)


def _options(given: object) -> "Options":
    """A caller's options. By default, printed lines are only in the result."""
    from .runtime.options import Options

    if given is None:
        return Options(write=lambda line: None)
    if not isinstance(given, Options):
        raise TypeError(f"options must be a tfdsl.Options, not {type(given).__name__}")
    return given


class Devices(Frozen):
    """The devices that run a program.

    With `soft_placement`, nodes for a missing device run on an available one. With `towers`, optimizer steps split
    the batch into this many parts, like a cluster with as many workers. With a `cluster`, the program runs on it;
    `placement` (round-robin or size) distributes its variables over the parameter servers, or `workers` over the
    workers. `worker` selects a single worker, for asynchronous training.
    """

    soft_placement: bool = False
    towers: int = 1
    cluster: "Cluster | None" = None
    placement: str = "round-robin"
    worker: int | None = None

    @property
    def parts(self) -> int:
        """The number of parts into which a built graph splits the batch of an optimizer step."""
        if self.worker is not None:
            return 1
        return self.towers if self.cluster is None else len(self.cluster.jobs["worker"])


_HERE = Devices()


class Compiled:
    """A compiled program. TensorFlow is imported and graphs are built on first use.

    `program` is the typed program, `diagnostics` has the compiler's warnings, `access` opens its files, and `devices`
    are the devices that run it; `on` returns the same program for other devices. Several threads can share an object:
    each run and each session has its own variables. Copying or pickling it keeps the program and its inputs; the copy
    builds its own graphs.
    """

    __slots__ = (
        "__weakref__", "_built", "_given_data", "_lock", "_ops", "_outside", "_pipelines", "_read", "access",
        "datasets", "devices", "diagnostics", "limits", "origins", "program", "texts",
    )  # fmt: skip

    def __init__(
        self,
        program: Program,
        data: Mapping[str, object] | None = None,
        diagnostics: list[Diagnostic] | None = None,
        outside: ExternalNames | None = None,
        ops: Mapping[str, Callable[..., object]] | None = None,
        access: Access | None = None,
        devices: Devices = _HERE,
        read: "dict[str, Pipeline] | None" = None,
        texts: Mapping[str, str] | None = None,
        origins: Mapping[str, str] | None = None,
        limits: Limits = NO_INPUTS.limits,
    ):
        self.program: Program = program
        self.devices: Devices = devices
        self.access: Access = access or Access(program.path)
        self.diagnostics: list[Diagnostic] = diagnostics or []
        self._given_data = {name: _own(value) for name, value in (data or {}).items()}
        self._outside = outside or ExternalNames({}, {})
        self._ops = ops or {}
        self.texts: Mapping[str, str] = texts or {}  # of imported files, by their paths
        self.limits: Limits = limits  # under which it was compiled
        self.origins: Mapping[str, str] = origins or {}  # of given params: where each value comes from
        self.datasets: dict[str, Dataset] = {}
        self._read = read or {}  # what the compilation has read
        self._pipelines: dict[str, Pipeline] = {}  # those in use
        self._built: dict[str, BuiltGraph] = {}
        self._lock = RLock()  # data is loaded once, and each graph built once

    def __getstate__(self) -> dict[str, object]:
        return {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in ("__weakref__", "_lock", "_built", "_read", "_pipelines", "datasets")
        }

    def __setstate__(self, state: Mapping[str, object]) -> None:
        empty = {"_lock": RLock(), "_built": {}, "_read": {}, "_pipelines": {}, "datasets": {}}
        for name, value in {**state, **empty}.items():
            setattr(self, name, value)

    def on(self, **devices: object) -> "Compiled":
        """Return the same program for other devices: `program.on(towers=2)`. The arguments are the fields of
        `Devices`."""
        other = copy(self)
        other.devices = replace(self.devices, **devices)
        other._read = self._read
        return other

    # --- what its caller gave -------------------------------------------------------------

    @property
    def replaced(self) -> Mapping[str, object]:
        """What replaces the sources of data sets, by their names."""
        return {name: value for name, value in self._given_data.items() if value is not None}

    @property
    def has_outside(self) -> bool:
        """Whether the text may use names or functions from outside it."""
        return bool(self._ops or self._outside.above or self._outside.beside)

    def of(self, program: Program) -> "Compiled":
        """Return a compiled program that is a part of this one, with the same data and devices."""
        other = self.on()
        other.program = program
        return other

    # --- data and graphs ------------------------------------------------------------------

    def dataset(self, name: str) -> "Dataset":
        """Load a data set of the program: arrays `features` (float32 [rows, columns]) and `target` ([rows, 1]). After
        a split, `train` and `test` have the same arrays. Raises KeyError for an unknown name."""
        with self._lock:
            if name not in self.datasets:
                from .runtime.arrays import load

                self.datasets[name] = load(self._spec(name), self.pipeline(name))
            return self.datasets[name]

    def share(self, name: str, owner: "Compiled") -> None:
        """Have a data set as another program has it, to which its rows may have been given."""
        with self._lock:
            self.datasets[name], self._pipelines[name] = owner.dataset(name), owner.pipeline(name)

    def prepare(self, session: str | None = None) -> None:
        """Make the arrays of the data sets that sessions go over, and let go of what they were made of. Before
        TensorFlow is imported this needs no memory beside its. Errors are left to the sessions that need the data."""
        chosen = [plan for plan in self.program.sessions if session in (None, plan.name)]
        uses = [one.uses().data for plan in chosen for one in walk(plan.body)]
        declared = {data.name for data in self.program.data}  # a training can go over a value of its session, too
        for name in dict.fromkeys(data[0] for data in uses if data is not None and data[0] in declared):
            with suppress(TfgError):
                if self.dataset(name).release(numbered=self.devices.cluster is not None):
                    self.pipeline(name).release()

    def pipeline(self, name: str) -> "Pipeline":
        """The declaration of a data set at work, with what its transforms have learned."""
        with self._lock:
            if name not in self._pipelines:
                read = self._read.get(name)
                if read is None or read.schema.streamed:  # its rows are read when they are needed
                    from .runtime.arrays import opened

                    spec = self._spec(name)
                    others = {one: self.pipeline(one) for one in named_data(spec)}
                    read = opened(spec, self._given_data.get(name), self.access, others)
                self._pipelines[name] = read
            return self._pipelines[name]

    def fitted(self, name: str) -> "Fitted":
        """What the transforms of a data set have learned."""
        from .runtime.arrays import fitted

        return fitted(self._spec(name), self.pipeline(name))

    def readable(self, name: str) -> "Readable | None":
        """How other processes can read a data set from its files. None if they cannot, or if the name is a value of a
        session."""
        from .data.shares import readable

        if all(name != data.name for data in self.program.data):
            return None
        return readable(self.pipeline(name), self.dataset(name))

    def learned(self) -> "dict[str, Fitted]":
        """What the data sets of the program have learned. Rows that are transformed with what another data set has
        learned pass that on, under its name."""
        found: dict[str, Fitted] = {}
        passed_on: list[tuple[str, Fitted]] = []
        for spec in self.program.data:
            can_learn = spec.transforms or SOURCES[spec.source.name].numbers_classes
            pipeline = self.pipeline(spec.name) if can_learn else None
            if pipeline is not None and pipeline.learns:
                one = self.fitted(spec.name)
                if one.name == spec.name:
                    found[one.name] = one
                else:
                    passed_on.append((spec.name, one))
        for name, one in passed_on:
            if found.setdefault(one.name, one) != one:  # the program has another data set of this name
                found[name] = one
        return found

    def _spec(self, name: str) -> Data:
        found = {data.name: data for data in self.program.data}
        if name not in found:
            hint = did_you_mean(name, found)
            raise KeyError(f"the program has no data {name!r}" + (f"; {hint}" if hint else ""))
        return found[name]

    def array(self, field: Field) -> "np.ndarray":
        """The array of a field of data, or of a name from outside the text."""
        import numpy as np

        from .runtime.execution.evaluate import indexed

        if not field.field:
            return indexed(self._outside[field.data], field.index)
        dataset = self.dataset(field.data)
        part = next(one for one in dataset.parts if one.name == field.part) if field.part else dataset
        if field.field == "rows":
            return np.asarray(part.rows)
        return indexed(part.array(field.field), field.index)

    def built(self, graph: str = "") -> "BuiltGraph":
        """A built graph of the program, with information about its nodes. Raises `TfgError` for an unknown graph."""
        graphs = {one.name: one for one in self.program.graphs}
        if graph not in graphs:
            help = did_you_mean(graph, graphs)
            raise TfgError([Diagnostic(SESSION_NAME, None, {"name": graph}, help=help)])
        with self._lock:
            if graph not in self._built:
                load_beside_others()
                from .data.constants import ConstantFiles
                from .lowering.graph import build

                with paused(), ConstantFiles(self.access) as files:
                    setting = replace(self._setting(graphs[graph]), constants=files.read)
                    self._built[graph] = build(graphs[graph], self.array, self._ops, setting)
            return self._built[graph]

    def _setting(self, graph: Graph) -> "Setting":
        """The settings for building a graph."""
        load_beside_others()
        from .lowering.layout import Layout, Setting

        devices = self.devices
        layout = Layout(devices.parts, devices.cluster, devices.placement, devices.worker)
        kept = kept_nodes(self.program, graph, layout.towers > 1 or devices.cluster is not None)
        return Setting(devices.soft_placement, kept, fed(self.program, graph), layout)

    @property
    def graph(self) -> "tf.Graph":
        """The default graph of the program."""
        return self.built().graph

    @property
    def feeds(self) -> "dict[tf.Tensor, np.ndarray]":
        """The data of the default graph: a mapping from placeholders for data to arrays.

        The graph contains no data. To run it in your own session, feed this mapping: `sess.run(program["mse"],
        {**program.feeds, X: ...})`. The sessions of this package feed it automatically. For another graph, use
        `program.built(name).data.feeds`.
        """
        return dict(self.built().data.feeds)

    @property
    def names(self) -> dict[str, tuple[Graph, Named]]:
        """The values of the program's names. A name in a graph other than the default one is `graph.name`."""
        return {
            graph.prefix + name: (graph, named) for graph in self.program.graphs for name, named in graph.names.items()
        }

    def __getitem__(self, name: str) -> object:
        """The tensor, variable or operation with a name in the program: `program["loss.mse"]`.

        A name in another graph is `graph.name`. A name in a scope can also be written as in TensorFlow, `loss/mse`. A
        list of tensors returns a list, a compile-time value returns itself. Raises KeyError for an unknown name.
        """
        if not isinstance(name, str):
            raise TypeError(f"the names of a program are strings, not {type(name).__name__}")
        if name not in self:
            hint = did_you_mean(name, self.names)
            raise KeyError(f"the program has no name {name!r}" + (f"; {hint}" if hint else ""))
        graph, named = self.names[name.replace("/", ".")]
        return filled(named.value, lambda ref: self.built(graph.name).value(ref))

    def __contains__(self, name: str) -> bool:
        return name.replace("/", ".") in self.names

    def __repr__(self) -> str:
        from .program.summary import headline

        return f"<Compiled {headline(self.program)}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """The display of a program in IPython: its names with their types."""
        from .program.summary import as_html, as_text

        return {"text/plain": as_text(self.program), "text/html": as_html(self.program)}

    # --- sessions -------------------------------------------------------------------------

    def session(
        self, graph: str = "", variables: Mapping[str, object] | None = None, options: "Options | None" = None
    ) -> "OpeningSession":
        """Open a session on a graph with every variable initialised: `with program.session() as s: s.run(...)`.

        `variables` maps TensorFlow names of variables to initial values, such as `program.run().variables`, the final
        values of a run. Of the `options`, a session uses `note`, `logdir`, `fresh`, `resume_anyway`, `deterministic`
        and `timeout`.
        """
        load_beside_others()
        from .runtime.embedded import OpeningSession

        return OpeningSession(self, graph, variables, _options(options))

    def chosen(self, session: str | None) -> "list[Session]":
        """The program's sessions in order, or only the named one. Raises `TfgError` if there is none of that name."""
        if session is not None and not isinstance(session, str):
            kind = type(session).__name__
            raise TypeError(
                f"the first argument is the name of a session, not {kind}; options are given by name: options=..."
            )
        names = [s.name for s in self.program.sessions]
        if session is not None and session not in names:
            help = did_you_mean(session, names) or "the sessions are " + listed(n or "(without name)" for n in names)
            raise TfgError([Diagnostic(SESSION_UNKNOWN, None, {"name": session}, help=help)])
        return [one for one in self.program.sessions if session in (None, one.name)]

    def run(self, session: str | None = None, options: "Options | None" = None) -> "Result":
        """Run the program's sessions in order, or only the named one.

        Printed lines go to the result; set `options.write` to receive them as well. Raises `TfgError` if the run or
        an `expect` fails.
        """
        if not self.program.sessions:
            raise TfgError([Diagnostic(NO_SESSIONS, None, {"path": self.program.path})])
        self.chosen(session)
        load_beside_others()
        options = _options(options)
        if options.engine and options.engine not in ENGINES:
            help = did_you_mean(options.engine, ENGINES)
            raise TfgError([Diagnostic(ENGINE_UNKNOWN, None, {"name": options.engine}, help=help)])
        if options.record is not None or self._may_log(session):
            from .runs.recording import run
        else:
            from .runtime.run import run
        return run(self, session, options)

    def _may_log(self, only: str | None) -> bool:
        """Whether a session opens an event file, or may do so."""
        bodies = [plan.body for plan in self.program.sessions if only in (None, plan.name)]
        return any(isinstance(statement, LogTo) for body in bodies for statement in walk(body))
