"""The inventory of a program: its graphs, data, params and sessions.

A node is a thing if it has a name or several users. Any other node is part of the phrase of its user. So the inventory
does not depend on names that make no node, the form of the text, or the order of declarations.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import assert_never

from ..lift.expression_text import ATOM
from ..ops.named import CONSTANT, STORED
from ..ops.optimizers import LEARNING_RATE, OPTIMIZERS
from ..program import (
    CARRIED,
    COND,
    WHILE,
    Arg,
    Back,
    Data,
    DataStage,
    Enter,
    Exit,
    Field,
    Graph,
    GraphFunction,
    Item,
    Literal,
    Node,
    Pack,
    Program,
    Ref,
    Refs,
    Static,
    refs_in,
    refs_of,
    written,
)
from ..record import Record
from ..types import Size, TensorType
from .expressions import Expression, Expressions, value_text
from .inventory import TYPES_INSIDE, Fact, Inventory, Mention, Phrase, Thing, Things, joined, unordered
from .of_sessions import session_things
from .values import ArrayPlace

_DEEPEST = 40  # nodes in one phrase, from the outermost to the innermost
_REGIONS = {WHILE: ("condition", "body"), COND: ("then", "else")}


class _NodePlace(Record):
    """The place of a node: its scope, and the blocks around it."""

    parent: int
    blocks: tuple[tuple[str, str | tuple[Ref, ...]], ...] = ()


def inventory_of(program: Program, title: str) -> Inventory:
    """The inventory of a program."""
    things = Things()
    data = {one.name: things.new_id() for one in program.data}
    for param in program.params:
        facts = {"value": Fact((value_text(param.value),)), "type": Fact((param.type,))}
        things.add(Thing(things.new_id(), "param", param.name, facts))
    for one in program.data:
        things.add(_data(one, data))
    makers: dict[str, tuple[int, GraphThings]] = {}
    for graph in program.graphs:
        used = Counter(ref for one in program.sessions if one.graph == graph.name for ref in refs_in(one))
        root = things.new_id()
        maker = GraphThings(things, graph, root, data, used)
        maker.add_all()
        facts = {"seed": Fact((value_text(graph.seed),)), "version": Fact((value_text(graph.version),))}
        if (loss := _own_loss(graph)) is not None:
            facts["loss"] = Fact(maker.tensor(loss).phrase)
        things.add(Thing(root, "graph", graph.name, facts))
        makers[graph.name] = root, maker
    for session in program.sessions:
        root, maker = makers[session.graph]
        session_things(things, session, root, data, maker.expressions, maker.dtype)
    return Inventory(title, dict(sorted(things.made.items())))


def _own_loss(graph: Graph) -> Ref | None:
    """The declared loss, unless an optimizer minimizes it."""
    return None if any(step.loss == graph.loss for step in graph.steps()) else graph.loss


def _data(data: Data, ids: Mapping[str, int]) -> Thing:
    stages = [_stage(one, ids) for one in (data.source, *data.transforms)]
    facts = {"source": Fact(stages[0]), "transforms": Fact(joined(stages[1:], " | "))}
    facts["rows"] = Fact((str(data.rows),), follows=True)
    facts["columns"] = Fact((str(data.columns),), follows=True)
    return Thing(ids[data.name], "data", data.name, facts, line=data.origin.span.line)


def _stage(stage: DataStage, ids: Mapping[str, int]) -> Phrase:
    """A source or a transform with its arguments."""
    given = {name: value for name, value in stage.arguments.items() if value not in (None, (), False)}
    parts: list[Phrase] = []
    for name, value in given.items():
        data = ids.get(value) if stage.name == "fitted" and isinstance(value, str) else None
        parts.append((f"{name}=", value_text(value) if data is None else Mention(data)))
    return joined(((f"{stage.name}(",), joined(parts, ", "), (")",)))


def type_facts(type: TensorType, sizes: Mapping[str, int], follows: bool) -> dict[str, Fact]:
    """The dtype and the shape of a tensor."""
    return {"dtype": Fact((type.dtype.name,), follows), "shape": Fact(shape_phrase(type, sizes), follows)}


def shape_phrase(type: TensorType, sizes: Mapping[str, int]) -> Phrase:
    if type.shape is None:
        return ("[...]",)

    def size(one: "int | Size | None") -> Phrase:
        return (Mention(sizes[one.name]),) if isinstance(one, Size) else ("?" if one is None else str(one),)

    return joined((("[",), joined(map(size, type.shape), ", "), ("]",)))


class GraphThings:
    """Makes the things of one graph, or of the body of a function."""

    def __init__(self, things: Things, graph: Graph, root: int, data: Mapping[str, int], used: Counter[Ref]):
        self._things, self._graph, self._root = things, graph, root
        self._uses = self._counted(used)
        self._bound_outputs: dict[Ref, str] = {}
        self._bound = self._names()
        self._parts: dict[tuple[int, int], int] = {}  # the things for the outputs of `while` and `if`
        self._depths: dict[int, int] = {}  # of the nodes that are not things
        self._ids: dict[int, int] = {}  # the things for nodes
        self._names_of: dict[int, str] = {}
        self._places: dict[int, _NodePlace] = {}
        self._scopes: dict[tuple[int, str], int] = {}
        self._sizes: dict[str, int] = {}
        self._within: list[int] = []  # the nodes whose phrases are being written
        self.expressions = Expressions(self.tensor, lambda name: (Mention(data[name]),))

    # --- which nodes are things -----------------------------------------------------------------

    def _counted(self, used: Counter[Ref]) -> Counter[int]:
        """How often each node is used."""
        found: Counter[int] = Counter()
        for ref, number in used.items():
            found[ref.node] += number
        graph = self._graph
        for node in graph.nodes.values():
            found.update(ref.node for arg in node.args.values() for ref in _refs(arg))
            for region in node.regions:
                found.update(ref.node for arg in region.results for ref in refs_of(arg))
            found.update(ref.node for ref in graph.controls(node))
        for signature in graph.signatures:
            found.update(ref.node for ref in (*signature.executes, *(ref for _, ref in signature.inputs)))
        if (loss := _own_loss(graph)) is not None:
            found[loss.node] += 1
        return found

    def _names(self) -> dict[int, str]:
        """The names that the program gives to the values of nodes. They describe nodes that have no name themselves."""
        found: dict[int, list[str]] = {}
        for name, named in self._graph.names.items():
            if not named.is_inner and not isinstance(named.value, Static):
                for ref in refs_of(named.value):
                    found.setdefault(ref.node, []).append(name.rpartition(".")[2])
                    self._bound_outputs[ref] = name.rpartition(".")[2]
        return {node: ", ".join(dict.fromkeys(names)) for node, names in found.items()}

    def _is_thing(self, node: Node) -> bool:
        if node.is_source or node.is_step or node.is_summary or node.regions or node.op == CARRIED:
            return True
        if node.name or node.row is STORED:
            return True
        is_literal = node.row is CONSTANT and not any(True for _ in node.inputs())
        if self._uses[node.id] != 1 and not (is_literal and self._uses[node.id]):
            return True
        return self._depth_of(node) == _DEEPEST

    def _depth_of(self, node: Node) -> int:
        """How many nodes are nested in the phrase of a node."""
        inner = (self._depths.get(ref.node, 0) for arg in node.args.values() for ref in _refs(arg))
        self._depths[node.id] = 1 + max(inner, default=0)
        return self._depths[node.id]

    # --- making them ----------------------------------------------------------------------------

    def add_all(self) -> None:
        self._place(self._graph.items, _NodePlace(self._root), is_whole=True)
        for node in self._graph.nodes.values():
            if node.id in self._places and node.id in self._ids:
                self._things.add(self._thing(node))
                if node.op in _REGIONS:
                    self._add_parts(node)
        for one in self._graph.signatures:
            facts = {
                word: Fact(joined((joined(((f"{name}=",), self.tensor(ref).phrase)) for name, ref in pairs), ", "))
                for word, pairs in (("outputs", one.outputs), ("inputs", one.inputs))
            }
            if one.steps:
                facts["steps"] = Fact(joined((self.tensor(ref).phrase for ref in one.steps), ", "))
            self._things.add(Thing(self._things.new_id(), "signature", one.name, facts, self._root))
        for function in self._graph.functions:
            self._function(function)

    def _place(self, items: Iterable[Item], place: _NodePlace, is_whole: bool = False) -> None:
        """Find the scope of each node, and make the scopes."""
        places = [place]
        for item in items:
            match item:
                case Enter(kind="scope"):
                    name = self._things.unique(places[-1].parent, item.name)
                    places.append(_NodePlace(self._scope(places[-1].parent, name), places[-1].blocks))
                case Enter(kind="apart"):
                    kept = tuple(pair for pair in places[-1].blocks if pair[0] != "after")
                    places.append(_NodePlace(places[-1].parent, kept))
                case Enter():
                    block = (item.kind, item.refs or item.name)
                    places.append(_NodePlace(places[-1].parent, (*places[-1].blocks, block)))
                case Exit():
                    places.pop()
                case Node():
                    self._place_node(item, places[-1])
                case _:
                    assert_never(item)

    def _scope(self, parent: int, name: str) -> int:
        if (parent, name) not in self._scopes:
            id = self._scopes[parent, name] = self._things.new_id()
            self._things.add(Thing(id, "scope", name, {}, parent))
        return self._scopes[parent, name]

    def _place_node(self, node: Node, place: _NodePlace) -> None:
        name = node.name or ""
        if node.is_whole:
            *scopes, name = name.split("/")
            parent = self._root
            for scope in scopes:
                parent = self._scope(parent, scope)
            place = _NodePlace(parent, place.blocks)
        self._places[node.id] = place
        if not self._is_thing(node):
            return
        self._depths.pop(node.id, None)
        id = self._ids[node.id] = self._things.new_id()
        if node.is_summary:  # its tag is not the name of a node
            name = node.text("tag")
        elif name and not node.is_whole:
            name = self._things.unique(place.parent, name)
        self._names_of[node.id] = name
        self._parts |= {(node.id, at): self._things.new_id() for at in range(len(node.outputs)) if node.op in _REGIONS}
        for title, region in zip(_titles(node), node.regions):
            inside = _NodePlace(self._scope(id, title))
            for at, param in enumerate(region.params):
                if node.op == WHILE:  # a loop variable is one thing, in the loop and after it
                    self._ids[param.id] = self._parts[node.id, at]
                else:
                    self._place_node(param, inside)
            self._place(region.items, inside)

    def _thing(self, node: Node) -> Thing:
        self._within = [node.id]
        facts = {**self._facts(node), **self._around(node)}
        label: Phrase = () if self._names_of[node.id] else self._label(node)
        array = None
        if node.row is STORED:
            folder = os.path.dirname(node.origin.span.source.path)
            array = ArrayPlace(os.path.join(folder, node.text("from")), node.text("name"))
        return Thing(self._ids[node.id], self._kind(node), self._names_of[node.id], facts, self._places[node.id].parent,
                     label, node.origin.outside_libraries.line, array)  # fmt: skip

    def _kind(self, node: Node) -> str:
        if node.is_variable:
            return "variable"
        if node.is_placeholder:
            return "placeholder"
        if node.is_step:
            return "optimizer"
        return "summary" if node.is_summary else "value"

    def _label(self, node: Node) -> Phrase:
        if node.is_step:
            name = self._bound.get(node.loss.node) if node.loss and node.loss.node not in self._ids else None
            loss: Phrase = (name,) if name else self.tensor(node.loss).phrase if node.loss else ()
            return joined((("optimize ",), loss)) if loss else ("apply",)
        if node.op in _REGIONS:
            return ({WHILE: "while", COND: "if"}[node.op],)
        if node.row is STORED:
            return (self._bound.get(node.id) or node.text("name"),)
        return (self._bound.get(node.id) or f"({node.op})",)

    def _facts(self, node: Node) -> dict[str, Fact]:
        if node.is_variable:
            return self._variable(node)
        if node.is_placeholder:
            facts = type_facts(node.outputs[0], self._sized(node.outputs), follows=False)
            return {**facts, **self._arguments(node, ())}
        if node.is_step:
            return self._step(node)
        if node.is_summary:
            return self._arguments(node, ("tag",))
        if node.op in _REGIONS:
            (condition,) = node.regions[0].results if node.op == WHILE else node.args.values()
            return {"condition": Fact(self.expressions.argument(condition).phrase)}
        made = self._definition(node)
        facts = {"definition": Fact(made.phrase, level=made.level), **self._results(node)}
        if node.row is STORED:
            facts["values"] = Fact((f"{node.static('checksum'):08x}",))
        for at, type in enumerate(node.outputs):
            ending = f" of output {at}" if at else ""
            found = type_facts(type, self._sized(node.outputs), follows=True)
            facts |= {name + ending: fact for name, fact in found.items()}
        if inner := list(self._inner_types(node)):
            facts[TYPES_INSIDE] = unordered(inner, follows=True)
        return facts

    def _add_parts(self, node: Node) -> None:
        """Add a thing for each output of a `while` or an `if`. The outputs have no order."""
        argument = self.expressions.argument
        for at, type in enumerate(node.outputs):
            if node.op == WHILE:
                name, initial = list(node.args.items())[at]
                sides = {"begins with": initial, "next": node.regions[1].results[at]}
            else:
                name = self._bound_outputs.get(Ref(node.id, at), "")
                sides = {title: region.results[at] for title, region in zip(_titles(node), node.regions)}
            facts = {title: Fact(argument(one).phrase) for title, one in sides.items()}
            facts |= type_facts(type, self._sized(node.outputs), follows=True)
            self._things.add(Thing(self._parts[node.id, at], "value", name, facts, self._ids[node.id],
                                   (f"output {at}",), node.origin.outside_libraries.line))  # fmt: skip

    def _definition(self, node: Node) -> Expression:
        if node.op == CARRIED or node.row is STORED:  # its value comes from elsewhere
            return Expression((node.op,))
        return self.expressions.node(node)

    def _results(self, node: Node) -> dict[str, Fact]:
        return {
            f"result of {title}": Fact(joined((self.expressions.argument(one).phrase for one in region.results), ", "))
            for title, region in zip(_titles(node), node.regions)
        }

    def _variable(self, node: Node) -> dict[str, Fact]:
        type = node.outputs[0]
        facts = type_facts(type, self._sized(node.outputs), follows=False)
        initial = node.args["initial"]
        if isinstance(initial, Ref) and initial.node not in self._ids:
            made = self._graph.nodes[initial.node]
            shape = tuple(one if isinstance(one, int) else None for one in type.shape or ())
            omitted: dict[str, Arg] = {"shape": Literal(shape, "int32"), "dtype": Static(type.dtype.name)}
            self._within.append(made.id)
            facts["initializer"] = Fact(self.expressions.node(made, omitted).phrase)
            self._within.pop()
        else:
            facts["initializer"] = Fact(self.expressions.argument(initial).phrase)
        facts["trainable"] = Fact((value_text(node.is_trainable),))
        facts["shared"] = Fact((value_text(node.is_shared),))
        facts["resource"] = Fact((value_text(not node.is_reference_variable),))
        return facts | self._arguments(node, ("initial", "trainable", "resource"))

    def _step(self, node: Node) -> dict[str, Fact]:
        name = node.text("optimizer")
        facts: dict[str, Fact] = {}
        if node.loss is not None:
            facts["loss"] = Fact(self.tensor(node.loss).phrase)
        facts["optimizer"] = Fact((name,))
        row = OPTIMIZERS[name]
        defaults = {**row.params, "learning_rate": LEARNING_RATE}
        for argument in sorted(defaults.keys() & {*node.args, "learning_rate"}):
            given = _number(node.args.get(argument, Static(LEARNING_RATE)))
            if argument == "learning_rate" or not isinstance(given, Static) or given.value != defaults[argument]:
                facts[argument] = Fact(self.expressions.argument(given).phrase)
        if "gradients" in node.args:
            argument = self.expressions.argument
            pairs = zip(node.items("gradients"), node.items("wrt"), strict=True)
            facts["gradients"] = unordered(
                joined((argument(one).phrase, argument(two).phrase), " to ") for one, two in pairs
            )
            return facts | self._arguments(node, ("gradients", "optimizer", "wrt", *defaults))
        trained = [ref.node for ref in node.refs("wrt")] if "wrt" in node.args else None
        every = {one.id for one in self._graph.variables() if one.is_trainable}
        if trained is not None and set(trained) != every:
            facts["trains"] = unordered((Mention(self._ids[one]),) for one in trained)
        else:
            facts["trains"] = Fact(("all trainable variables",))
        return facts | self._arguments(node, ("loss", "optimizer", "wrt", *defaults))

    def _arguments(self, node: Node, but: tuple[str, ...]) -> dict[str, Fact]:
        """A fact for each argument of a node."""
        return {name: Fact(self.expressions.argument(arg).phrase) for name, arg in node.args.items() if name not in but}

    def _around(self, node: Node) -> dict[str, Fact]:
        """Facts about the blocks around a node, and about its place among the writes of variables."""
        found: dict[str, list[Phrase]] = {}
        for kind, what in self._places[node.id].blocks:
            found.setdefault(kind, []).extend(self._block(what))
        return {kind: unordered(phrases) for kind, phrases in found.items()} | self._order(node)

    def _block(self, what: "str | tuple[Ref, ...]") -> list[Phrase]:
        return [(value_text(what),)] if isinstance(what, str) else [self.tensor(ref).phrase for ref in what]

    # --- the order of reads and writes ----------------------------------------------------------

    def _order(self, node: Node) -> dict[str, Fact]:
        """A fact that counts, for each variable that the node reads or writes, the writes before the node."""
        found: list[Phrase] = []
        for inner in self._own(node):
            for variable in dict.fromkeys(ref.node for ref in inner.inputs() if ref.node in self._writes):
                before = sum(write < inner.id for write in self._writes[variable])
                total = len(self._writes[variable])
                found.append((f"after {before} of {total} writes of ", Mention(self._ids[variable])))
        return {"order": unordered(found)} if found else {}

    @cached_property
    def _writes(self) -> dict[int, list[int]]:
        """The nodes that write each variable."""
        found: dict[int, list[int]] = {}
        for node in self._graph.nodes.values():
            if not node.is_step:
                for variable in written(self._graph.nodes, node):
                    found.setdefault(variable, []).append(node.id)
        return found

    def _own(self, node: Node) -> Iterator[Node]:
        """A node, and the nodes that are part of its phrase."""
        yield node
        for arg in node.args.values():
            for ref in _refs(arg):
                if ref.node not in self._ids:
                    yield from self._own(self._graph.nodes[ref.node])

    # --- phrases --------------------------------------------------------------------------------

    def mention(self, ref: Ref) -> Mention | None:
        """A mention of the thing that has a tensor as an output. None if the tensor is part of a phrase."""
        if (ref.node, ref.output) in self._parts:
            return Mention(self._parts[ref.node, ref.output])
        return Mention(self._ids[ref.node], ref.output) if ref.node in self._ids else None

    def dtype(self, ref: Ref) -> str:
        return self._graph.nodes[ref.node].outputs[ref.output].dtype.name

    def tensor(self, ref: Ref) -> Expression:
        """A tensor in a phrase."""
        mention = self.mention(ref)
        if mention is not None:
            return Expression((mention,))
        node = self._graph.nodes[ref.node]
        around = self._places[self._within[-1]].blocks if self._within else ()
        self._within.append(node.id)
        made = self.expressions.node(node)
        own = self._places[node.id].blocks
        if own != around:
            texts = [joined(((f" {kind} ",), joined(self._block(what), ", "))) for kind, what in own]
            made = Expression(joined((("(",), made.phrase, *(texts or [(" outside the blocks",)]), (")",))))
        self._within.pop()
        if ref.output:
            made = Expression(joined((made.within(ATOM), (f"[{ref.output}]",))))
        return made

    def _inner_types(self, node: Node) -> Iterator[Phrase]:
        """The types of nodes and literals that are part of a node's phrase."""
        for arg in node.args.values():
            yield from self._types_in(arg)

    def _types_in(self, arg: Arg) -> Iterator[Phrase]:
        match arg:
            case Ref():
                if arg.node not in self._ids:
                    node = self._graph.nodes[arg.node]
                    for type in node.outputs:
                        yield joined(((type.dtype.name,), shape_phrase(type, self._sized(node.outputs))))
                    yield from self._inner_types(node)
            case Literal(dtype=dtype):
                yield (dtype,)
            case Pack(items=items) | Refs(items=items):
                for item in items:
                    yield from self._types_in(item)
            case Static() | Field() | Back():
                pass
            case _:
                assert_never(arg)

    def _sized(self, types: Iterable[TensorType]) -> dict[str, int]:
        """The things for named sizes. Adds a thing for each new size in these types."""
        for type in types:
            for size in type.shape or ():
                if isinstance(size, Size) and size.name not in self._sizes:
                    id = self._sizes[size.name] = self._things.new_id()
                    self._things.add(Thing(id, "size", size.name, {}, self._root))
        return self._sizes

    def _function(self, function: GraphFunction) -> None:
        id = self._things.new_id()
        inner = GraphThings(self._things, function.body, id, {},
                            Counter([*function.outputs.values(), *function.controls.values()]))  # fmt: skip
        inner.add_all()
        facts = {
            "inputs": Fact((", ".join(one.name for one in function.inputs),)),
            **{f"output {name}": Fact(inner.tensor(ref).phrase) for name, ref in sorted(function.outputs.items())},
            **{f"control {name}": Fact(inner.tensor(ref).phrase) for name, ref in sorted(function.controls.items())},
            **{name: Fact((value_text(one.value),)) for name, one in sorted(function.attributes.items())},
        }
        self._things.add(Thing(id, "function", re.sub(r"_\d+$", "", function.name), facts, self._root))


def _titles(node: Node) -> tuple[str, ...]:
    """The names of the regions of a node."""
    return node.row.regions if node.row is not None else _REGIONS.get(node.op, ())


def _refs(arg: Arg) -> Iterator[Ref]:
    """The tensors in an argument, including back edges of loops."""
    match arg:
        case Back(value):
            yield value
        case Pack(items=items) | Refs(items=items):
            for item in items:
                yield from _refs(item)
        case _:
            yield from refs_of(arg)


def _number(arg: Arg) -> Arg:
    """An argument of an optimizer. A whole number becomes a float, so that 1 and 1.0 are alike."""
    if isinstance(arg, Static) and isinstance(arg.value, int) and not isinstance(arg.value, bool):
        return Static(float(arg.value))
    return arg
