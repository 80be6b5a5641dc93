"""Checks the data that a program feeds: one placeholder always gets the same columns with the same scaling, and a
training feeds its batches.

A placeholder matches columns by position. If two data sets are fed to one placeholder, their columns must have
the same names, and scaling each by its own mean is most likely a mistake.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...data.declaration import scaled_by
from ...data.learned import fitted_of
from ...data.scaling import Scaling
from ...data.schema import shown
from ...diagnostics import BATCH_UNUSED, FED_COLUMNS, FED_SCALE, FED_UNSCALED, NOT_BINARY, NOT_CLASSES, Note
from ...program import (
    Apply,
    BatchField,
    Bind,
    Feed,
    Fetch,
    Field,
    Index,
    PlanExpr,
    Ref,
    Restore,
    Run,
    SessionValue,
    Set,
    Statement,
    Template,
    Value,
    parts_of,
    walk,
    written,
)
from ...record import Record
from ...source import Span
from ...syntax import tree as t
from ..context import Analysis
from ..executed import Kind, Reached
from ..values import ExprValue

FedField = tuple[Ref, str]  # a placeholder, and the field of data that it is fed
Places = dict[str, Span]  # by the data

_WRITTEN_OUT = re.compile(r"[-+\s\d._eE,()\[\]]*")
_FAR = 4
_LISTS = ("categories", "vocabulary")  # what transforms learn of a column as a list


class FedValue(Record):
    """A feed of a session, the data of the training around it, and the place of its value."""

    feed: Feed
    batches_of: str | None
    span: Span


class Trained(Record):
    """A training whose analysis found no error."""

    tree: t.Train
    body: tuple[Statement, ...]


def check_fed(
    ctx: Analysis, fed: Iterable[FedValue], trainings: Iterable[Trained], body: Iterable[Statement] = ()
) -> None:
    """Check all that a session with the statements `body` feeds, and that its trainings use their batches. What other
    sessions have fed counts only if the session takes over their variables."""
    statements = walk(body)
    bound: dict[str, list[tuple[Bind, PlanExpr]]] = {}
    for statement in statements:
        match statement:
            case Bind(names=names, values=values):
                for name, value in zip(names, values):
                    bound.setdefault(name, []).append((statement, value))
    goes_on = any(isinstance(one, Restore) for one in statements)
    seen = {key: dict(places) for key, places in ctx.graph.fed.items()} if goes_on else dict[FedField, Places]()
    for one in fed:
        _check_binary(ctx, one.feed, one.batches_of, one.span)
        _check_classes(ctx, one.feed, one.batches_of, one.span)
        _check_columns(ctx, one.feed, one.batches_of, seen, one.span)
    for one in fed:
        _check_unscaled(ctx, one.feed, bound, seen, one.span)
    for key, places in seen.items():
        ctx.graph.fed[key] = {**places, **ctx.graph.fed.get(key, {})}
    for one in trainings:
        _check_batches(ctx, one.tree, one.body)


def _check_columns(ctx: Analysis, feed: Feed, batches_of: str | None, fed: dict[FedField, Places], span: Span) -> None:
    """Check that the columns fed to a placeholder match those of other data `fed` to it."""
    match feed.value:
        case Field(data=data, field=field, index=index) if len(index) < 2 and data in ctx.datasets:
            pass
        case BatchField(field=field, index=index) if len(index) < 2 and batches_of is not None and field != "rows":
            data = batches_of
        case _:
            return
    seen = fed.setdefault((feed.ref, field), {})
    first = next(iter(seen), data)
    if data in seen or first == data:
        seen.setdefault(data, span)
        return
    seen[data] = span
    note = (Note(f"'{feed.text}' is fed {first} on line {{line}}", seen[first]),)
    one, other = ctx.datasets[first].schema, ctx.datasets[data].schema
    if field == "features" and one.columns != other.columns:
        return  # the placeholder takes any number of columns, so any data fits
    names, other_names = ([column.name for column in schema.columns_of(field)] for schema in (one, other))
    different = next((at for at, (a, b) in enumerate(zip(names, other_names)) if a != b), None)
    declared = list(ctx.datasets)
    learner, learning = sorted((first, data), key=declared.index)
    if different is not None and field == "features" and one.named and other.named:
        made = (other.features[different], one.features[different])
        help = ""
        if any(column.is_learned for column in made):
            help = f"each has columns for its own categories: declare {learning} with | fitted({learner}) in place of "
            help += "its transforms, which makes the same columns"
        ctx.report(FED_COLUMNS, span, note, help, name=feed.text, data=data, first=first, number=different + 1,
                   column=shown(other_names[different]), other=shown(names[different]))  # fmt: skip
    elif difference := _difference(ctx, first, data, field):
        ctx.report(FED_SCALE, span, note, name=feed.text, data=data, difference=difference, learner=learner,
                   learning=learning)  # fmt: skip


def _check_unscaled(
    ctx: Analysis, feed: Feed, bound: Mapping[str, Sequence[tuple[Bind, PlanExpr]]], fed: Mapping[FedField, Places],
    span: Span,
) -> None:  # fmt: skip
    """Warn of numbers as in a file that are fed where a training feeds scaled features. `bound` has the values that
    the names of the session get, `fed` the data of this session."""
    match feed.value:
        case SessionValue(name=name, field="", index=()):
            given = [(one.origin.span.text.partition("=")[2], value) for one, value in bound.get(name, ())]
        case value:
            given = [(span.text, value)]
    # Numbers that the program computes may be scaled ones.
    values = [one.value for text, one in given if isinstance(one, Value) and _WRITTEN_OUT.fullmatch(text)]
    if not values:
        return
    for data, place in fed.get((feed.ref, "features"), {}).items():
        learned = _learned(ctx, data, "features")
        if learned.scaled is None:
            continue
        source = ctx.pipelines[data].schemas[0].table
        unscaled = {one.name for one in source if one.role == "feature"} - learned.scaled_columns
        is_whole = unscaled.isdisjoint(one.name for one in ctx.datasets[data].schema.features)
        names = {one.name for one in source}  # a transform after the scaling makes columns with other names
        scaled = [one.name in learned.scaled_columns or (is_whole and one.name not in names)
                  for one in ctx.datasets[data].schema.features]  # fmt: skip
        # Few scaled numbers are as far from 0 as this, and none of those that minmax has scaled.
        if any(abs(one) > _FAR for value in values for one in _numbers(_kept(value, scaled))):
            note = Note(f"'{feed.text}' is fed {data} on line {{line}}", place)
            ctx.report(FED_UNSCALED, span, (note,), name=feed.text, data=data)
            return


def _kept(value: ExprValue, columns: Sequence[bool]) -> ExprValue:
    """The numbers of rows in some of their columns. All, if rows have another form."""
    match value:
        case tuple() if any(isinstance(one, tuple) for one in value):
            return tuple(_kept(one, columns) for one in value)
        case tuple() if len(value) == len(columns):
            return tuple(one for one, kept in zip(value, columns) if kept)
    return value


def _check_binary(ctx: Analysis, feed: Feed, batches_of: str | None, span: Span) -> None:
    """Warn of labels that are used as 0 and 1 but are fed other numbers."""
    taken = ctx.graph.binary.get(feed.ref)
    what, ends = _ends(ctx, feed, batches_of) if taken is not None else ("", None)
    if taken is not None and ends is None and (data := _standardized(ctx, feed, batches_of)):
        del ctx.graph.binary[feed.ref]  # warn only once
        help = "leave the target out of standardize: name the columns that it scales"
        ctx.report(NOT_BINARY, span, help=help, name=feed.text, what=f"{data}.target",
                   range="has mean 0, as standardize makes it", line=taken.line)  # fmt: skip
        return
    if taken is None or ends is None or (ends[0] >= 0 and ends[1] <= 1):
        return

    del ctx.graph.binary[feed.ref]
    least, most = ends
    if least == int(least) and most == int(most) and least >= 0 and most - least > 1:
        help = "for class numbers use nn.sparse_softmax_cross_entropy and nn.accuracy, with a logit for each class"
    else:
        truth = f"cast({feed.text} > {max(least, 0):g}, float32)"
        help = f"turn them into 0 and 1 in the graph, and use these wherever {feed.text} is compared: truth = {truth}"
    help += "; for numbers that are not labels use nn.mean_squared_error"
    ctx.report(NOT_BINARY, span, help=help, name=feed.text, what=what, range=_range(ends), line=taken.line)


def _standardized(ctx: Analysis, feed: Feed, batches_of: str | None) -> str:
    """The data whose target is fed after `standardize`. "" if it is something else."""
    match feed.value:
        case Field(data=data, field="target") if data in ctx.pipelines:
            pass
        case BatchField(field="target") if batches_of is not None:
            data = batches_of
        case _:
            return ""
    learning = ctx.pipelines[data].learning("target")
    return data if any(one.transform.name == "standardize" for one in learning) else ""


def _check_classes(ctx: Analysis, feed: Feed, batches_of: str | None, span: Span) -> None:
    """Warn of class numbers for which the logits have no column."""
    place, count = ctx.graph.classes.get(feed.ref, (None, 0))
    what, ends = _ends(ctx, feed, batches_of) if place is not None else ("", None)
    if place is None or ends is None or (ends[0] >= 0 and ends[1] < count):
        return
    del ctx.graph.classes[feed.ref]  # warn only once
    help = f"give the logits {ends[1] + 1:g} columns, one for each class" if ends[0] >= 0 else "classes count from 0"
    if ends[0] == 1 and ends[1] == count:
        help += f"; or if they count from 1, write {feed.text} - 1 in the graph"
    ctx.report(NOT_CLASSES, span, help=help, name=feed.text, what=what, range=_range(ends), line=place.line,
               last=count - 1)  # fmt: skip


def _ends(ctx: Analysis, feed: Feed, batches_of: str | None) -> tuple[str, tuple[float, float] | None]:
    """What is fed, and its least and greatest numbers, if they are known."""
    match feed.value:
        case Field(data=data, field="target", index=index) if data in ctx.datasets and _is_whole(index):
            return f"{data}.target", ctx.datasets[data].schema.target_range
        case BatchField(field="target", index=index) if batches_of is not None and _is_whole(index):
            return f"{batches_of}.target", ctx.datasets[batches_of].schema.target_range
        case Value(value=value) if numbers := list(_numbers(value)):
            return "this", (min(numbers), max(numbers))
    return "", None


def _is_whole(index: tuple[Index, ...]) -> bool:
    """Whether an index takes all rows: `x`, or its column `x[:, 0]`."""
    return index in ((), ((None, None, None), 0))


def _range(ends: tuple[float, float]) -> str:
    least, most = ends
    return f"is {least:g}" if least == most else f"goes from {least:g} to {most:g}"


def _numbers(value: ExprValue) -> Iterator[float]:
    match value:
        case tuple():
            for one in value:
                yield from _numbers(one)
        case int() | float() if not isinstance(value, bool) and abs(value) <= sys.float_info.max:
            yield value


class _Learned(Record):
    """What the values of a field depend on. `scaled` and `filled` are keys of the numbers that scale them and fill
    their gaps, None if there are none. `scaled_columns` has the names that scaled columns had before.
    `lists` has the categories or the vocabulary of each column."""

    scaled: object
    scaled_columns: frozenset[str]
    filled: object
    lists: tuple[tuple[str, str, Sequence[object]], ...]  # the word, the column, and what it has


def _difference(ctx: Analysis, first: str, data: str, field: str) -> str:
    """How the values of a field differ from those of the same field of other data. "" if they do not."""
    one, other = _learned(ctx, first, field), _learned(ctx, data, field)
    for (word, _, known), (other_word, column, found) in zip(one.lists, other.lists):
        if word == other_word and known != found:
            these = "are not those" if word == "categories" else "is not that"
            return f"whose {word} of {shown(column)} {these} of {first}"
    if one.scaled != other.scaled:
        return f"which is scaled differently from {first}"
    return f"whose gaps are filled otherwise than those of {first}" if one.filled != other.filled else ""


def _learned(ctx: Analysis, name: str, field: str) -> _Learned:
    """What the values of a field of data depend on."""
    pipeline = ctx.pipelines[name]
    scaled: object = None
    filled: object = None
    columns = frozenset[str]()
    lists: list[tuple[str, str, Sequence[object]]] = []
    for one in pipeline.learning(field):
        if one.transform.takes_data:
            data, of = str(one.arguments["data"]), one.arguments["name"]
            if of is None:
                inner = _learned(ctx, data, field)
                scaled, filled, lists = scaled or inner.scaled, filled or inner.filled, [*lists, *inner.lists]
                columns |= inner.scaled_columns
            else:
                scaled = filled = (data, of)
                columns |= one.columns
                fitted = fitted_of(one.learned)
                lists += [
                    (word, column, found)
                    for word in _LISTS
                    for column, found in fitted.readable(word).items()
                    if column in one.columns
                ]
            continue
        key = scaled_by(pipeline.spec), given_as(ctx, name)
        found = [word for word in one.transform.words if word in _LISTS]
        readable = one.transform.readable(one.arguments, one.learned) if found else {}
        lists += [(word, column, known) for word in found for column, known in readable[word].items()
                  if column in one.columns]  # fmt: skip
        if isinstance(one.transform, Scaling):
            scaled = scaled or key
            columns |= one.columns
        elif not found:
            filled = filled or key
    return _Learned(scaled, columns, filled, tuple(lists))


def given_as(ctx: Analysis, name: str) -> object:
    """The caller's replacement for data. Equal replacements compare equal."""
    given = ctx.given_data.get(name)
    return given if isinstance(given, str) else id(given)


def _check_batches(ctx: Analysis, statement: t.Train, body: tuple[Statement, ...]) -> None:
    """Check that the steps of a training depend on its batches."""
    if (statement.batching is None and statement.target is None) or ctx.graph.broken:
        return
    needed, steps, is_fed = [], False, False
    whole: dict[str, str] = {}  # what placeholders are fed in place of batches: fields of all rows
    for one in walk(body):
        match one:
            case Bind(values=values, feeds=feeds):
                refs = [part.ref for value in values for part in parts_of(value) if isinstance(part, Fetch)]
                executed = ctx.executed(ctx.graph, refs, statement.span)
                is_fed |= any(feed.ref.node in executed and any(_batch_fields(feed.value)) for feed in feeds)
                is_fed |= any(field for value in values for field in _batch_fields(value))
            case Set(value=value) if any(_batch_fields(value)):
                return
            case Run(refs=refs, feeds=feeds):
                executed = ctx.executed(ctx.graph, refs, statement.span)
                if any(feed.ref.node in executed and any(_batch_fields(feed.value)) for feed in feeds):
                    return
                whole |= {feed.text: feed.value.field for feed in feeds
                          if isinstance(feed.value, Field) and feed.ref.node in executed}  # fmt: skip
                needed += executed.all(Kind.PLACEHOLDER)
                steps = steps or changes_trained(ctx, one) is not None
    if not steps and (ctx.graph.optimizers or is_fed):
        return  # the step itself is missing, or values are made of the batches
    name = ctx.graph.nodes[needed[0]].name if needed else "X"
    batch = statement.target.id if statement.target else "batch"
    help = ""
    if whole:
        feeds = ", ".join(f"{text} = {batch}.{field}" for text, field in whole.items())
        help = f"feed them in place of all rows: {feeds}"
    if not statement.target:
        help = f"write 'as batch' before the colon, and {help or f'in the body: feed {name} = batch.features'}"
    place = statement.data.span if statement.data else statement.span
    ctx.report(BATCH_UNUSED, place, help=help, name=name, batch=batch)


def changes_trained(ctx: Analysis, statement: Statement) -> Reached | None:
    """What a statement executes if it changes trainable variables, by an optimizer or by an assignment. None
    otherwise."""
    nodes, executed = ctx.graph.nodes, ctx.executed(ctx.graph, statement.uses().executes, statement.origin.span)
    if executed.takes_step:
        return executed
    changed = (nodes[one] for id in executed.all(Kind.WRITE) for one in written(nodes, nodes[id]))
    return executed if any(node.is_trainable for node in changed) else None


def _batch_fields(expr: PlanExpr) -> Iterator[bool]:
    """For each field of data in an expression, whether it belongs to the batch."""
    match expr:
        case BatchField(field=field):
            yield field != "rows"
        case Apply(args=parts) | Template(parts=parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from _batch_fields(part)
