"""What `tfdsl predict` evaluates, and what it feeds: found from the `export` of a program, or from its feeds.

Input: a checked program, and the names of values, if the user gives some. Output: a `Prediction`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice

from ..data.pipeline import Pipeline
from ..diagnostics import (
    PREDICT_FED,
    PREDICT_MIXED,
    PREDICT_NAME,
    PREDICT_NOTHING,
    PREDICT_SEVERAL,
    PREDICT_UNFED,
    PREDICT_VALUE,
    Diagnostic,
    Message,
    TfgError,
)
from ..diagnostics.spelling import alternatives, did_you_mean, listed
from ..program import BatchField, Export, Feed, Field, Graph, Named, Node, Program, Ref, Session, Statement, walk
from ..record import Record
from .sessions.combination import Combinations

_TRIED = 200  # values, for a help line


class Prediction(Record):
    """Tensors of a graph by their names, with a row for each row of data, and the fields of data that are fed to
    placeholders."""

    graph: str
    outputs: Mapping[str, Ref]
    fed: Mapping[Ref, Field]

    @property
    def data(self) -> tuple[str, ...]:
        """The data sets that are fed."""
        return tuple(dict.fromkeys(field.data for field in self.fed.values()))


def prediction(
    program: Program, values: Iterable[str] | None, pipeline: Callable[[str], Pipeline], given: Iterable[str]
) -> Prediction:
    """What to evaluate: the values with some names, or those of the only `export` that is made of columns, or else of
    the only `export`, whose inputs the program feeds from data. `pipeline` returns that of a data set. `given` are the
    data sets that the user names."""
    names, sets = None if values is None else list(values), frozenset(given)
    try:
        return _found(program, names, pipeline, sets)
    except _Refused as refused:
        known = possible(program, pipeline, sets)
        details = {**refused.details, "some": listed(known) or "none", "way": _way(program, known, pipeline)}
        raise TfgError([Diagnostic(refused.message, None, details, help=refused.help)]) from None


def possible(program: Program, pipeline: Callable[[str], Pipeline], given: Iterable[str]) -> dict[str, Prediction]:
    """What can be predicted for new rows that lack the target, by the names that the program gives. What it exports
    comes first."""
    own = [
        name for name, (_, named) in named_values(program).items() if not named.is_inner and name.split(".")[-1] != "_"
    ]
    found: dict[str, Prediction] = {}
    for name in islice(own, _TRIED):
        with suppress(_Refused):
            found[name] = _found(program, [name], pipeline, frozenset(given))
    exported = {(session.graph, ref) for session, one in _exports(program) for _, ref in one.outputs}
    kept = {
        name: one
        for name, one in found.items()
        if not set(one.outputs.values()) & set(one.fed)  # not just what is fed
        and not any(
            column.role == "target"
            for field in one.fed.values()
            for column in pipeline(field.data).schema.columns_of(field.field)
        )
    }

    def is_new(name: str) -> bool:
        (ref,) = kept[name].outputs.values()
        return (kept[name].graph, ref) not in exported

    return {name: kept[name] for name in sorted(kept, key=is_new)}


def _way(program: Program, known: Mapping[str, Prediction], pipeline: Callable[[str], Pipeline]) -> str:
    """How to say what to predict, in a program that does not."""
    if not known:
        return "write a value that has a row for each row of the data, and name it with --values"
    way = f"name values of the graph half with --values, from: {listed(known)}"
    name, first = next(iter(known.items()))
    if any(pipeline(data).outside_graph() for data in first.data) or len(first.fed) > 1:
        return way
    ((ref, field),) = first.fed.items()
    rows = f"{program.graph(first.graph).nodes[ref.node].shown} = {field.data}.{field.field}"
    return f"{way}; or write in a session: export {name} with {rows} to PATH"


class _Refused(Exception):
    """What cannot be predicted. `help` replaces the help of the message, in which `some` are the values that can be
    predicted, and `way` says how to name them."""

    def __init__(self, message: Message, help: str = "", **details: object):
        super().__init__(message.code)
        self.message, self.help, self.details = message, help, details


def _found(
    program: Program, values: list[str] | None, pipeline: Callable[[str], Pipeline], given: frozenset[str]
) -> Prediction:
    found = _exported(program, pipeline, given) if values is None else _named(program, values, pipeline, given)
    _check_rows(program.graph(found.graph), found)
    return found


def named_values(program: Program) -> dict[str, tuple[str, Named]]:
    """The values of all graphs by their names, each with the name of its graph."""
    return {graph.prefix + name: (graph.name, named) for graph in program.graphs for name, named in graph.names.items()}


def _exports(program: Program) -> Iterator[tuple[Session, Export]]:
    for session in program.sessions:
        yield from ((session, one) for one in walk(session.body) if isinstance(one, Export))


def _name(program: Program, graph: str, output: tuple[str, Ref]) -> str:
    """The name of an exported value in the program."""
    own, ref = output
    names = [name for name, (of, named) in named_values(program).items() if of == graph and named.value == ref]
    return own if own in names or not names else names[0]


def _exported(program: Program, pipeline: Callable[[str], Pipeline], given: frozenset[str]) -> Prediction:
    found = [(session.graph, one) for session, one in _exports(program)]
    exports = [(graph, one) for graph, one in found if one.made] or [
        (graph, one) for graph, one in found if one.inputs and not any(each.steps for each in one.signatures)
    ]
    if not exports:
        raise _Refused(PREDICT_NOTHING)
    graph, first = exports[0]
    if any((name, one.outputs, one.made) != (graph, first.outputs, first.made) for name, one in exports):
        names = [", ".join(_name(program, graph, output) for output in one.outputs) for graph, one in exports]
        raise _Refused(PREDICT_SEVERAL, names="; ".join(dict.fromkeys(names)), one=names[0].replace(" ", ""))
    outputs = dict(first.outputs)
    if not first.made:
        return Prediction(graph, outputs, _fed(program, graph, outputs, pipeline, given, ""))
    made = Prediction(graph, outputs, dict(first.made))
    unfed = _unfed(program.graph(graph), made)
    if unfed:
        names = [node.shown for node in unfed]
        raise _Refused(PREDICT_UNFED, names=listed(names), declared=f"{names[0]}: {unfed[0].outputs[0]}")
    return made


def _unfed(graph: Graph, found: Prediction) -> list[Node]:
    """The placeholders without a value."""
    reached = graph.reach(found.outputs.values(), frozenset(found.fed))
    nodes = (graph.nodes[id] for id in sorted(reached))
    return [node for node in nodes if node.is_placeholder and "default" not in node.args]


def _named(
    program: Program, values: list[str], pipeline: Callable[[str], Pipeline], given: frozenset[str]
) -> Prediction:
    known = named_values(program)
    outputs: dict[str, Ref] = {}
    graphs = set()
    for name in values:
        if name not in known:
            raise _Refused(PREDICT_NAME, did_you_mean(name, known), name=name)
        graph, named = known[name]
        value = named.value
        if not isinstance(value, Ref) or program.graph(graph).type(value) is None:
            raise _Refused(PREDICT_VALUE, name=name)
        graphs.add(graph)
        outputs[name.rpartition(".")[2] if name.rpartition(".")[2] not in outputs else name] = value
    if len(graphs) != 1:
        raise _Refused(PREDICT_VALUE, name=listed(values))
    name = graphs.pop()
    return Prediction(name, outputs, _fed(program, name, outputs, pipeline, given, "; and leave --values out"))


def _fed(
    program: Program, name: str, outputs: Mapping[str, Ref], pipeline: Callable[[str], Pipeline],
    given: frozenset[str], then: str,
) -> dict[Ref, Field]:  # fmt: skip
    """The fields of data that the sessions feed to the placeholders that values of a graph need. `then` ends the help
    that is to write an export."""
    graph = program.graph(name)
    reached = graph.reach(outputs.values())
    needed = [
        Ref(id) for id in sorted(reached) if graph.nodes[id].is_placeholder and "default" not in graph.nodes[id].args
    ]
    fed: dict[Ref, Field] = {}
    ways = list(_feeds(program, graph.name))
    for ref in needed:
        found: dict[tuple[str, object], Field] = {}
        others: list[str] = []
        for feed, data in ways:
            if feed.ref != ref:
                continue
            field = _field(feed, data)
            if field is None:
                others.append(str(feed.origin.span.line))
                continue
            key = pipeline(field.data).learned_by, _columns(pipeline(field.data), field)
            if key not in found or field.data in given:
                found[key] = field
        chosen = {key: field for key, field in found.items() if field.data in given}
        chosen = chosen or {key: field for key, field in found.items() if key[0] in given}
        if not chosen and not others:
            chosen = found
        if len(chosen) != 1:
            texts = [f"{field.data}.{field.field}" for field in found.values()]
            texts += [f"what line {line} feeds" for line in dict.fromkeys(others)]
            shown = graph.nodes[ref.node].shown
            sets = [field.data for field in found.values()]
            field = next((f"{field.data}.{field.field}" for field in found.values()), "DATA.features")
            if len(set(sets)) == len(sets) > 0:
                way = f"say which: {alternatives(f'--data {one}=PATH' for one in sets)}"
            elif any(pipeline(one).outside_graph() for one in sets):  # no model has it
                way = f"predict with a program that feeds {shown} = {field} only"
            else:  # fields of one data set, or none
                value = _name(program, name, next(iter(outputs.items())))
                way = f"write in a session: export {value} with {shown} = {field} to PATH{then}"
            raise _Refused(PREDICT_FED, way, name=shown, ways=" or ".join(texts) or "nothing")
        fed[ref] = next(iter(chosen.values()))
    if not fed:
        raise _Refused(PREDICT_VALUE, name=listed(outputs))
    return fed


def _columns(pipeline: Pipeline, field: Field) -> object:
    """What a field has in each row, whatever the program calls it: the only column is also the features."""
    schema = pipeline.schema
    type = schema.type_of(field.field)
    names = tuple(column.name for column in schema.columns_of(field.field))
    return names, None if type is None or type.shape is None else type.shape[1:]


def _field(feed: Feed, data: str | None) -> Field | None:
    """The field of data that a feed takes its rows from. None if it is something else."""
    match feed.value:
        case Field(data=name, field=field, index=()) if field:
            return Field(name, "", field)
        case BatchField(field=field, index=()) if data is not None and field != "rows":
            return Field(data, "", field)
    return None


def _feeds(program: Program, graph: str) -> Iterator[tuple[Feed, str | None]]:
    """All feeds of the sessions of a graph, with the data whose batches they may take."""

    def inside(statements: Iterable[Statement], data: str | None) -> Iterator[tuple[Feed, str | None]]:
        for one in statements:
            uses = one.uses()
            own = uses.data[0] if uses.data is not None else data
            yield from ((feed, own) for feed in uses.feeds)
            yield from inside(uses.body, own)

    for session in program.sessions:
        if session.graph == graph:
            yield from inside(session.body, None)


def feeds_of(program: Program, graph: str) -> Iterator[tuple[Feed, Field]]:
    """The feeds of the sessions of a graph that take a field of data or of its batches, with this field."""
    for feed, data in _feeds(program, graph):
        if (field := _field(feed, data)) is not None:
            yield feed, field


def _check_rows(graph: Graph, found: Prediction) -> None:
    """Refuse a value that has no row for each row of data, whatever the other rows are."""
    fed = {ref.node for ref in found.fed}
    reached = graph.reach(found.outputs.values(), frozenset(found.fed)) | fed
    off = () if graph.training is None else (graph.training.node,)
    combinations = Combinations(graph.nodes, reached, fed, (), off, found.fed)
    for name, ref in found.outputs.items():
        kind = combinations.kind(ref)
        if kind != "rows":
            why = "it is one value for all rows" if kind else "its rows depend on each other"
            raise _Refused(PREDICT_MIXED, name=name, why=why)
