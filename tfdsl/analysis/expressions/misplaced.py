"""Help lines for names that have no meaning where they are written: words of a training, and statements of other
languages.
"""

import re

from ...diagnostics.spelling import nearest
from ...libraries import LIBRARIES
from ...syntax import tree as t
from ...syntax.hints import WHOLE_MODEL, arguments, code_of, in_session, seed_statement
from ...syntax.number_words import digits, in_digits, is_number
from ..context import Analysis, StatementFailed

_STEPS = "train train_op train_step training_op training_step optimize optimizer minimize step".split()


def misplaced(ctx: Analysis, expr: t.Name | t.Identifier) -> str:
    """What to write instead of an unknown name. "" if the name has a meaning nowhere else."""
    from ...syntax.hints import GRAPH_WORDS, NO_STATEMENTS, SESSION_WORDS, no_statement

    if expr.id in NO_STATEMENTS:
        return no_statement(expr.id)
    if expr.id in SESSION_WORDS and expr.id not in GRAPH_WORDS and _is_statement(ctx.tree, expr):
        if any(isinstance(one, t.Broken) and one.word in SESSION_WORDS for one in ctx.tree):
            raise StatementFailed(None)  # one line is missing for all of them
        return f"'{expr.id}' belongs to a session: write the line 'session:' above it, and indent it by 4 spaces"
    before = expr.span.source.line_text(expr.span.line)[: expr.span.column - 1]
    if re.search(r"[\d)\"]\s*//\s*$", before):
        return "// divides whole numbers; a comment begins with #"
    if not isinstance(_around(ctx.tree, expr), t.Session):
        return _in_graph_half(expr.id)
    if help := _whole_model(expr, before) or _measured(ctx, expr):
        return help
    if expr.id in ("step", "epoch"):
        return f"only the body of a training knows {expr.id}; outside, write a number or a param"
    trainings = [one for one in t.trees(ctx.tree) if isinstance(one, t.Train) and one.target is not None]
    of = next((one for one in trainings if one.target is not None and one.target.id == expr.id), None)
    if of is not None:
        data = f"; here, write {of.data.id}.features or the like" if of.data is not None else ""
        return f"only the body of the training on line {of.span.line} knows {expr.id}{data}"
    return ""


def _whole_model(expr: t.Name | t.Identifier, before: str) -> str:
    """What to write for a word such as `model` in a statement that takes all variables, or the names of values."""
    statement = re.search(r"(?:^|:)\s*(save|restore|export)(\s+(?:to|from))?\s+$", before)
    if statement is None:
        return ""
    word, after = statement[1], expr.span.source.text[expr.span.end :].partition("\n")[0]
    if statement[2]:  # the path of it
        path = re.match(r"[\w./-]*", after)
        return f'a path is in quotes: {word}{statement[2]} "{expr.id}{path[0] if path else ""}"'
    if expr.id not in WHOLE_MODEL:
        return ""
    if word == "export":
        return "name the values of the model, and the placeholders that are its inputs: export p with X to ..."
    clause = re.match(r"\s*((?:to|from)\s+\S+)", after)
    preposition = "to" if word == "save" else "from"
    return f"without names it takes all variables: write: {word} {clause[1] if clause else f'{preposition} ...'}"


def _measured(ctx: Analysis, expr: t.Name | t.Identifier) -> str:
    """What to write for a name such as `val_loss`, which Keras gives a measure of other rows."""
    named = re.fullmatch(r"(val|valid|validation|test|dev|eval)_(\w+)", expr.id)
    if named is None:
        return ""
    measured = [one for one in t.trees(ctx.tree) if isinstance(one, t.Evaluate)]
    for one in measured:
        fields = [value.span.text for value in one.values]
        if len(one.targets) == 1:
            fields = [one.targets[0].id + (f".{field}" if len(fields) > 1 else "") for field in fields]
        else:
            fields = [target.id for target in one.targets]
        best = nearest(named[2], [field.rpartition(".")[2] for field in fields])
        meant = next((field for field in fields if best and field.endswith(best)), fields[0])
        return f"the evaluate of line {one.span.line} gives this value: write: {meant}"
    loss = next((text for text, _, refs in ctx.graph.bound if text and ctx.graph.loss in refs), "loss")
    rows = "test" if named[1] == "test" else "validation"
    name = named[1]
    return f"compute it before on other rows, as in {name} = evaluate {loss} on d.{rows} with ..., and write {name}"


def not_imported(ctx: Analysis, expr: t.Name | t.Identifier) -> str:
    """What to write for the name of a library that the file does not import, or imports by another name."""
    if expr.id not in LIBRARIES:
        return ""
    for one in ctx.tree if expr.span.source is ctx.tree[0].span.source else ():
        if isinstance(one, t.Import) and one.path == expr.id and one.target is not None:
            return f"line {one.span.line} calls this library {one.target.id}: write {one.target.id} for {expr.id}"
    return f"write at the top of the file: import {expr.id}"


def counted_line(expr: t.Name | t.Identifier) -> str:
    """A line of a session in digits, for an unknown name that is a word of a number in it. "" for other names."""
    row = code_of(expr.span.source.line_text(expr.span.line))
    if is_number(expr.id) and in_session(expr.span.source, expr.span.line) and (counted := in_digits(row)) != row:
        return f"write: {counted.strip()}"
    return ""


def meant_line(expr: t.Name | t.Identifier) -> str:
    """A help line for an unknown name that is a number in words, or that begins a line of the graph half, which is
    meant as another statement."""
    row = code_of(expr.span.source.line_text(expr.span.line))
    if way := _as_argument(expr, row) or _of_model(expr, row.strip()):
        return way
    if number := digits(expr.id):
        return f"a number is written in digits: {number}"
    if not row.startswith(expr.id) or expr.span.column != 1:
        return ""
    compared = re.fullmatch(r"(\w+)\s*==\s*(.+?)\s*", row)
    if compared is not None and compared[1] == expr.id:
        return f"a name gets its value by =: write: {expr.id} = {compared[2]}"
    return seed_statement(row.strip())


def _as_argument(expr: t.Name | t.Identifier, row: str) -> str:
    """A help line for a name that begins an argument of a call and is compared, as in `f(axis == 0)`. "" for others."""
    at = expr.span.column - 1
    before, compared = row[:at].rstrip(), re.match(r"\s*==\s*", row[at + len(expr.id) :])
    opened: list[int] = []
    for bracket in re.finditer(r"[(\[{)\]}]", before):
        if bracket[0] in "([{":
            opened.append(bracket.start())
        elif opened:
            opened.pop()
    is_of_call = bool(opened) and re.search(r"\w\($", before[: opened[-1] + 1]) is not None
    if compared is None or not is_of_call or before[-1] not in "(,":
        return ""
    given = arguments(row[at + len(expr.id) + compared.end() :])
    return f"an argument gets its value by =: write: {expr.id}={given[0]}" if given else ""


_MODELS = ("model", "net", "network", "clf", "estimator")  # what other libraries call one
_MODEL = {  # its methods
    "compile": "a model has a loss and an optimizer: write: optimize cost with adam()",
    "fit": "write in a session: train 10 epochs on d in batches of 50 as batch: "
           "feed X = batch.features, y = batch.target",
    "evaluate": "write in a session: seen = evaluate cost on d as b with X = b.features, y = b.target",
    "predict": "write in a session: found = evaluate logits on d as b with X = b.features",
    "summary": "the layers of a program are listed by: tfdsl summary FILE",
    "parameters": "write: trainable_variables()", "trainable_variables": "write: trainable_variables()",
}  # fmt: skip


def _of_model(expr: t.Name | t.Identifier, row: str) -> str:
    """A help line for a method of a model, and for a call of a session or of `evaluate`, as other libraries have them.
    "" for other names."""
    source, end = expr.span.source, expr.span.end
    if expr.id in _MODELS and (method := re.match(r"\.(\w+)", source.text[end:])):
        return _MODEL.get(method[1], "")
    if not in_session(source, expr.span.line):
        return ""
    if expr.id in ("sess", "session") and (run := re.fullmatch(r"([\w., ]+?)\s*=\s*\w+\.run\((.*)\)", row)):
        values, *others = arguments(run[2])
        feeds = next((one for one in others if "{" in one), "").partition("{")[2].rpartition("}")[0]
        given = re.sub(r"(\w+)\s*:\s*", r"\1 = ", feeds)
        return f"write: {run[1]} = {values.strip('[]')}{given and f' with {given}'}"
    if expr.id == "evaluate" and (call := re.fullmatch(r"([\w., ]+?)\s*=\s*evaluate\((.*)\)", row)):
        *values, data = arguments(call[2])
        return f"write: {call[1]} = evaluate {', '.join(values) or 'cost'} on {data}"
    return ""


def _is_statement(block: t.Block, expr: t.Name | t.Identifier) -> bool:
    """Whether a name alone is a statement of a block."""
    return any(isinstance(one, t.ExpressionStatement) and one.value is expr for one in block)


def batch_name(ctx: Analysis, expr: t.Name | t.Identifier) -> str:
    """What to write for a name that is used as the batch of a training, or of an `evaluate`, that does not name its
    batch so, or ""."""
    at = _around(ctx.tree, expr)
    if not isinstance(at, t.Session | t.Broken):
        return ""
    training: t.Train | None = None
    while isinstance(at, (t.Session, t.For, t.If, t.Train, t.Every, t.Broken)):
        training = at if isinstance(at, t.Train) else training
        bodies = [body for _, body in at.branches] if isinstance(at, t.If) else [at.body]
        at = _around(tuple(one for body in bodies for one in body), expr)
    if isinstance(at, t.Evaluate):
        return _batch_evaluated(expr, at)
    return _batch(expr, training) if training is not None else ""


def _around(block: t.Block, expr: t.Name | t.Identifier) -> t.Statement | None:
    """The statement of a block that holds an expression."""
    before = [one for one in block if one.span.source == expr.span.source and one.span.start <= expr.span.start]
    return before[-1] if before else None


def _in_graph_half(name: str) -> str:
    if name == "batch":
        return (
            "a training has batches: use a placeholder here, and write in the training's body: feed X = batch.features"
        )
    if name == "step":
        return "global_step is the number of steps taken so far, for a schedule say: cast(global_step, float32)"
    if name == "epoch":
        return (
            f"only a training knows it: declare 'placeholder count: float32 = 0.0', use count here, and write in the "
            f"training's body: feed count = {name}"
        )
    return ""


def _is_batch(expr: t.Name | t.Identifier) -> bool:
    field = re.compile(r"\.(features|target|rows)\b")
    return expr.id == "batch" or field.match(expr.span.source.text, expr.span.end) is not None


def _batch_evaluated(expr: t.Name | t.Identifier, evaluated: t.Evaluate) -> str:
    if expr.id in ("features", "target"):
        batch, data = (evaluated.batch.id if evaluated.batch else "b"), evaluated.data.span.text
        begin = "write" if evaluated.batch else f"name the batch, evaluate ... on {data} as b, and write"
        return f"{begin}: {batch}.{expr.id}"
    if not _is_batch(expr):
        return ""
    if evaluated.batch is not None:
        return f"the batch of this evaluate is called {evaluated.batch.id}"
    begun = expr.span.source.text[evaluated.data.span.start : (evaluated.size or evaluated.data).span.end]
    return f"give the batch this name: evaluate ... on {' '.join(begun.split())} as {expr.id} with ..."


def _batch(expr: t.Name | t.Identifier, training: t.Train) -> str:
    source, name = expr.span.source, expr.id
    if not _is_batch(expr):
        return ""
    if training.target is not None:
        return f"the batch of this training is called {training.target.id}"
    begun = source.text[training.span.start : (training.batching or training.data or training.count).span.end]
    header = " ".join(begun.split())
    if training.data is None:
        return f"give the training data, and its batch this name: train ... on DATA in batches of 10 as {name}:"
    return f"give the batch this name on line {training.span.line}: {header} as {name}:"


def step_of(ctx: Analysis, name: str) -> str:
    """A help line for a name that looks like an optimizer step. "" for other names."""
    steps = ctx.graph.optimizers
    if name not in _STEPS or not steps:
        return ""
    known = [one for one, _, refs in ctx.graph.bound if one and any(ref in steps for ref in refs)]
    if known:
        return f"the step of the optimizer is called {known[0]}"
    return "give the step of the optimizer a name: optimize ... as step, and then: run step"


def returning(function: t.Def) -> str:
    """What to write for a function that returns nothing: the value of its last line, if that has one."""
    last: object = function
    while isinstance(last, t.Def | t.Scope | t.After) and last.body:
        last = last.body[-1]
    match last:
        case t.Assign():
            return f"end the function with: return {', '.join(one.id for one in last.targets)}"
        case t.ExpressionStatement() if "\n" not in last.value.span.text:
            return f"write on the last line of the function: return {last.value.span.text}"
        case _:
            return "a function gives a value with: return VALUE"
