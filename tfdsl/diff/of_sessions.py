"""The things of a session: its statements in order, each with its facts."""

from collections.abc import Callable, Mapping
from typing import assert_never

from ..diagnostics.spelling import counted
from ..narrowing import is_list
from ..program import (
    Apply,
    BatchField,
    Bind,
    Checkpoint,
    Counter,
    Evaluate,
    Every,
    Expect,
    Export,
    Feed,
    Fetch,
    Field,
    If,
    Init,
    Keep,
    Literal,
    LogValues,
    Moved,
    PlanExpr,
    Ref,
    Restore,
    Save,
    Session,
    SessionValue,
    Set,
    Shown,
    Statement,
    StopAfter,
    Template,
    Train,
    Value,
    Write,
    walk,
)
from .expressions import Expressions, literal_text, value_text
from .inventory import Fact, Mention, Phrase, Thing, Things, joined, unordered


def session_things(
    things: Things,
    session: Session,
    graph: int,
    data: Mapping[str, int],
    expressions: Expressions,
    dtype: Callable[[Ref], str],
) -> None:
    """Add the things of a session. `dtype` gives the dtype of a tensor."""
    root = things.new_id()
    opening = "all variables are initialized" if session.initialise else "nothing is initialized"
    label: Phrase = ("the session",)
    things.add(Thing(root, "session", session.name, {"opening": Fact((opening,))}, graph, label,
                     session.origin.span.line))  # fmt: skip
    names = dict.fromkeys(name for one in walk(session.body) for name in one.uses().binds)
    local = {name: things.new_id() for name in names}
    for name, id in local.items():
        things.add(Thing(id, "local", name, {}, root))
    for one in [one for one in walk(session.body) if isinstance(one, Evaluate)]:
        for name in one.names:
            for item in one.items:
                keys = [f"{name}.{field}" for field in (item.field, item.column) if field]
                if any(key not in local for key in keys):
                    id = things.new_id()
                    things.add(Thing(id, "local", item.field or item.column, {}, local[name]))
                    local = dict.fromkeys(keys, id) | local
    _SessionThings(things, data, local, expressions, dtype).add(session.body, root)


class _SessionThings:
    def __init__(
        self,
        things: Things,
        data: Mapping[str, int],
        local: Mapping[str, int],
        expressions: Expressions,
        dtype: Callable[[Ref], str],
    ):
        self._things, self._data, self._local, self._expressions = things, data, local, expressions
        self._dtype = dtype
        self._batches = ""  # the data of the training around a statement

    def add(self, statements: tuple[Statement, ...], parent: int) -> None:
        for one in statements:
            id = self._things.new_id()
            feeds: tuple[Feed, ...] = getattr(one, "feeds", ())
            facts = {name: unordered(what) if isinstance(what, list) else Fact(what)
                     for name, what in self._facts(one).items() if what}  # fmt: skip
            if isinstance(one, Evaluate) and len(one.items) > 1 and len(one.names) == 1:
                values = self._evaluated(one)
                facts[""] = Fact(facts[""].phrase, parts=(self._name(one.names[0]), *values))  # it gives fields by name
            if feeds:
                pairs = ((self._ref(one.ref), self._given(one.ref, one.value)) for one in feeds)
                facts["feeds"] = unordered(joined(pair, " = ") for pair in pairs)
            self._things.add(Thing(id, "statement", "", facts, parent, (_word(one),), one.origin.span.line))
            match one:
                case If(then=then, otherwise=otherwise):
                    self.add(then, id)
                    if otherwise:
                        other = self._things.new_id()
                        self._things.add(Thing(other, "statement", "", {}, id, ("else",)))
                        self.add(otherwise, other)
                case Train(body=body, data=trained):
                    self._batches = trained[0] if trained else ""
                    self.add(body, id)
                    self._batches = ""
                case Every(body=body):
                    self.add(body, id)
                case _:
                    pass

    def _facts(self, statement: Statement) -> "dict[str, Phrase | list[Phrase]]":
        """The facts about a statement, except its feeds. A list has no order. The fact with the name "" is the text
        after the keyword of the statement."""
        expression, refs = self._expression, self._refs
        match statement:
            case Init(variables=variables, steps=steps):
                return {"": refs(None if variables is None else (*variables, *steps))}
            case Restore(path=path, pairs=pairs, if_exists=if_exists):
                return {"": self._pairs(pairs), "from": expression(path), "if exists": _flag(if_exists)}
            case Save(path=path, pairs=pairs):
                return {"": self._pairs(pairs), "to": expression(path)}
            case Set(variable=variable, value=value):
                return {"": joined((self._ref(variable), (" = ",), self._given(variable, value)))}
            case LogValues(run=run, items=items):
                values = ((self._ref(summary), expression(value)) for summary, value in items)
                return {"": [joined(pair, ": ") for pair in values], "run": (run,)}
            case Expect(condition=condition, within=within):
                return {"": expression(condition), "within": () if within is None else expression(within)}
            case Export(path=path, signatures=signatures, made=made):
                found: dict[str, Phrase | list[Phrase]] = {"to": expression(path)}
                for one in signatures:
                    for word, pairs in (("outputs", one.outputs), ("inputs", one.inputs)):
                        named = (joined(((f"{name}=",), self._ref(ref))) for name, ref in pairs)
                        found[f"{word} of '{one.name}'"] = list(named)
                    found[f"steps of '{one.name}'"] = [self._ref(ref) for ref in one.steps]
                found["made of data"] = [joined((self._ref(ref), (" = ",), self._field(value))) for ref, value in made]
                return found
            case Write(path=path, items=items):
                columns = ", ".join(one.text for one in items)
                return {"": joined((expression(one.value) for one in items), ", "), "to": expression(path),
                        "columns": (columns,)}  # fmt: skip
            case Bind(names=names, values=values, dtypes=dtypes):
                bound = joined((self._name(name) for name in names), ", ")
                made = joined(map(expression, values), ", ")
                return {"": joined((bound, (" = ",), made)), "dtypes": joined(((one,) for one in dtypes if one), ", ")}
            case Evaluate():
                return self._evaluate(statement)
            case If(condition=condition):
                return {"": expression(condition)}
            case Keep(value=value, highest=highest, path=path):
                return {"": joined(((_best(highest),), expression(value))), "to": expression(path)}
            case StopAfter(count=count, unit=unit, value=value, highest=highest, by=by):
                better = joined(((f"{_count(count, unit)} without {_better(highest)}",), expression(value)))
                return {"": better, "by": (repr(by),) if by else ()}
            case Checkpoint(count=count, unit=unit, path=path):
                return {"every": (_count(count, unit),), "in": expression(path)}
            case Every(count=count, unit=unit, after=after):
                return {"": (_count(count, unit),), "after": _flag(after)}
            case Train():
                return self._train(statement)
            case _:
                return self._by_field(statement)

    def _by_field(self, statement: Statement) -> "dict[str, Phrase | list[Phrase]]":
        """A fact for each field but the texts of the program. The first stands behind the keyword of the statement."""
        fields = [name for name in type(statement).__match_args__ if name not in ("origin", "feeds", "text")]
        return {name.replace("_", " ") if at else "": self._any(getattr(statement, name))
                for at, name in enumerate(fields)}  # fmt: skip

    def _any(self, value: object) -> "Phrase | list[Phrase]":
        """The value of a field. The order of nodes that are run means nothing."""
        match value:
            case None | False:
                return ()
            case True:
                return ("yes",)
            case int() | float() | str():
                return (value_text(value),)
            case Ref():
                return self._ref(value)
            case Shown(value=shown):
                return self._expression(shown)
            case Value() | Fetch() | Counter() | Field() | BatchField() | SessionValue() | Apply() | Template():
                return self._expression(value)
            case _ if is_list(value):
                refs = [one for one in value if isinstance(one, Ref)]
                if len(refs) == len(value):
                    return [self._ref(one) for one in refs]
                return joined((one for one in map(self._any, value) if isinstance(one, tuple)), ", ")
            case _:
                raise TypeError(f"no text for a field with a {type(value).__name__}")

    def _evaluate(self, one: Evaluate) -> "dict[str, Phrase | list[Phrase]]":
        names = joined((self._name(name) for name in one.names), ", ")
        size = (str(one.size),) if one.size is not None else ()
        return {
            "": joined((names, (" = ",), joined(self._evaluated(one), ", "))), "on": self._part(one.data),
            "in batches of": size,
        }  # fmt: skip

    def _evaluated(self, one: Evaluate) -> list[Phrase]:
        """The values of an `evaluate`, each with the field that it gives."""
        values: list[Phrase] = []
        for item in one.items:
            field = (self._of(one.names[0], item.field), (": ",)) if item.field else ()
            values.append(joined((*field, self._expression(item.value))))
        return values

    def _train(self, one: Train) -> "dict[str, Phrase | list[Phrase]]":
        facts: dict[str, Phrase | list[Phrase]] = {"": (_count(one.count, one.unit),)}
        if one.data is not None:
            facts["on"] = self._part(one.data)
            facts["in batches of"] = (str(one.size) if one.size is not None else "all rows",)
            facts["order"] = (one.order,)
            facts["seed"] = (str(one.seed),)
        return facts | {"engine": (one.engine,) if one.engine else (), "on nan": (one.on_nan,) if one.on_nan else ()}

    def _part(self, data: tuple[str, str]) -> Phrase:
        name, part = data
        return joined((self._name(name), (f".{part}" if part else "",)))

    def _name(self, name: str) -> Phrase:
        """The name of a data set or of a value of the session."""
        id = self._local.get(name, self._data.get(name))
        return (name,) if id is None else (Mention(id),)

    def _of(self, name: str, field: str) -> Phrase:
        """A field of a data set or of a value of the session."""
        id = self._local.get(f"{name}.{field}")
        return (f".{field}" * bool(field),) if id is None else (".", Mention(id))

    def _ref(self, ref: Ref) -> Phrase:
        return self._expressions.argument(ref).phrase

    def _refs(self, refs: tuple[Ref, ...] | None) -> list[Phrase]:
        return [("all variables",)] if refs is None else list(map(self._ref, refs))

    def _pairs(self, pairs: "tuple[tuple[Ref, str | Moved], ...] | None") -> list[Phrase]:
        if pairs is None:
            return [("all variables",)]
        parts: list[Phrase] = []
        for ref, name in pairs:
            ending = f" as {value_text(name)}" if isinstance(name, str) and name else ""
            if isinstance(name, Moved):
                ending = f" as {value_text(name.name)} for '{name.scope}'"
            parts.append(joined((self._ref(ref), (ending,))))
        return parts

    def _field(self, field: Field) -> Phrase:
        return self._expressions.argument(field).phrase

    def _given(self, ref: Ref, value: PlanExpr) -> Phrase:
        """A value that a tensor gets. Numbers are written in the form of its dtype."""
        if isinstance(value, Value):
            return (literal_text(Literal(value.value, self._dtype(ref))),)
        return self._expression(value)

    def _expression(self, expr: PlanExpr) -> Phrase:
        match expr:
            case Value(value=value):
                return (value_text(value),)
            case Fetch(ref=ref):
                return self._ref(ref)
            case Counter(name=name):
                return (name,)
            case Field():
                return self._field(expr)
            case BatchField(field=field):
                return joined((("batch",), self._of(self._batches, field), (_index(expr),)))
            case SessionValue(name=name, field=field):
                return joined((self._name(name), self._of(name, field), (_index(expr),)))
            case Apply(op="format", args=(value, Value(value=str() as spec))):  # in a string
                return joined((self._expression(value), (f":{spec}",)))
            case Apply(op=op, args=args):
                if len(args) == 2 and not op.isidentifier():
                    return joined(map(self._operand, args), f" {op} ")
                return joined(((f"{op}(",), joined(map(self._expression, args), ", "), (")",)))
            case Template(parts=parts):
                inside = (
                    (one,) if isinstance(one, str) else joined((("{",), self._expression(one), ("}",))) for one in parts
                )
                return joined((('"',), joined(inside), ('"',)))
            case _:
                assert_never(expr)

    def _operand(self, expr: PlanExpr) -> Phrase:
        phrase = self._expression(expr)
        return joined((("(",), phrase, (")",))) if isinstance(expr, Apply) else phrase


def _word(statement: Statement) -> str:
    """The keyword of a statement."""
    return statement.word.removeprefix("NAME = ") if statement.word != Bind.word else "value"


def _count(count: float, unit: str) -> str:
    return counted(count, unit, "batches" if unit == "batch" else "")


def _index(one: BatchField | SessionValue) -> str:
    return str(Field("", "", "", one.index)) if one.index else ""


def _flag(value: bool) -> Phrase:
    return ("yes",) if value else ()


def _best(highest: bool) -> str:
    return "highest " if highest else "lowest "


def _better(highest: bool) -> str:
    return "higher " if highest else "lower "
