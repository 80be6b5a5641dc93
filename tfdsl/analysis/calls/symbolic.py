"""Symbolic gradients: SymPy derives formulas for scalars, which become ordinary nodes.

A whole program as one formula can grow exponentially, because shared values would be repeated. So formulas are
cut at values that are used more than once, and at long formulas. SymPy derives the part between two cuts; the
chain rule combines the parts, from y back to the xs.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, Generic, TypeVar, assert_never

from ...diagnostics import SYMBOLIC_MISSING, SYMBOLIC_OP, SYMBOLIC_SHAPE, Note
from ...ops import OPS
from ...ops.formula import Known, Made, Own
from ...ops.named import ADD, CONSTANT, EXP, IDENTITY, MULTIPLY, NEGATIVE, POW, SQRT, SQUARE, SUBTRACT, TRUEDIV, WHERE
from ...ops.op import Op
from ...program import Arg, Literal, Node, Pack, Ref, Refs
from ...record import Record
from ...source import Span
from ...types import DType
from ..context import Analysis
from ..gradient_flow import depending
from ..values import Tensor
from .arguments import Arguments, ArgumentValue
from .op_calls import call_op

_LONGEST = 40  # maximum number of operations in a formula
_LARGEST = 256  # maximum bits of an integer in it: SymPy multiplies integers out, whatever their size


Formula = Any  # an expression of SymPy, which is imported only for symbolic gradients
SymPy = Any  # the module, which is untyped
_Result = TypeVar("_Result")  # the result type of an operation


class NamedFormula(Record):
    """A named formula over other names, as a SymPy symbol and expression."""

    symbol: Formula
    formula: Formula


def _sympy(ctx: Analysis, span: Span) -> SymPy:
    try:
        import sympy
    except ImportError:
        ctx.fail(SYMBOLIC_MISSING, span)
    return sympy


def derived(ctx: Analysis, ys: list[Tensor], xs: list[Tensor], span: Span, name: str | None) -> list[Tensor]:
    """The gradient of the sum of `ys` with respect to each of `xs`, as new nodes."""
    sympy = _sympy(ctx, span)
    formulas = _Formulas(ctx, sympy, [x.ref for x in xs], span)
    wanted = formulas.gradients([y.ref for y in ys])
    emit = _Nodes(ctx, sympy, span, formulas.tensors, ys[0].type.dtype)
    for step in formulas.steps:
        emit.known[step.symbol] = emit.node(step.formula)
    return [emit.tensor(emit.node(formula, name if len(xs) == 1 else None)) for formula in wanted]


class _Formulas:
    """The formulas between some ys and xs: symbols for the cuts and the leaves, and the steps of the chain rule."""

    def __init__(
        self, ctx: Analysis, sympy: SymPy, xs: list[Ref], span: Span, is_leaf: Callable[[Node], bool] | None = None
    ):
        self.ctx, self.sympy, self.xs, self.span = ctx, sympy, xs, span
        self.nodes = ctx.graph.nodes
        self.tensors: dict[Formula, Ref] = {}  # the node of each symbol
        self.symbols: dict[Ref, Formula] = {}
        self.steps: list[NamedFormula] = []
        self.cuts: dict[Ref, Formula] = {}  # the formulas of the nodes with a symbol
        self._leaf = is_leaf
        self._on_path: set[int] | None = None  # the nodes that pass a gradient to one of the xs

    def gradients(self, ys: list[Ref]) -> list[Formula]:
        """The formula of each gradient, over the symbols of `tensors` and `steps`."""
        sympy = self.sympy
        order = self._order(ys)
        uses = self._uses(order, ys)
        formulas: dict[Ref, Formula] = {}  # of every node, over symbols
        cuts = self.cuts
        for ref in order:
            self.ctx.spend(1000, self.span)
            formula = self._formula(ref, formulas)
            if formula == self.symbols.get(ref) or (isinstance(formula, sympy.Symbol) and ref not in ys):
                formulas[ref] = formula
            elif uses[ref] > 1 or ref in ys or formula.count_ops() > _LONGEST or self._has_huge_number(formula):
                cuts[ref] = formula
                formulas[ref] = self.symbol(ref)
            else:
                formulas[ref] = formula
        adjoint = {self.symbol(y): sympy.Integer(1) for y in ys}
        for ref, formula in reversed(cuts.items()):
            outer = adjoint.get(self.symbol(ref), sympy.Integer(0))
            if outer == 0:
                continue
            if outer.count_ops() > _LONGEST // 4:
                outer = self.step(f"d_{self.symbol(ref)}", outer)
            self.ctx.spend(1000, self.span)
            for symbol in sorted(formula.free_symbols, key=str):
                inner = self.tensors.get(symbol)
                if inner is not None and (inner in self.xs or self.on_path(inner)):
                    adjoint[symbol] = adjoint.get(symbol, 0) + outer * sympy.diff(formula, symbol)
        return [adjoint.get(self.symbol(x), sympy.Integer(0)) for x in self.xs]

    def _has_huge_number(self, formula: Formula) -> bool:
        numbers = formula.atoms(self.sympy.Rational)
        return any(max(abs(n.p), n.q).bit_length() > _LARGEST for n in numbers)

    def step(self, name: str, formula: Formula) -> Formula:
        symbol = self.sympy.Symbol(f"{name}_{len(self.steps)}", real=True)
        self.steps.append(NamedFormula(symbol, formula))
        return symbol

    def symbol(self, ref: Ref) -> Formula:
        if ref not in self.symbols:
            name = self.nodes[ref.node].name or self.nodes[ref.node].op
            self.symbols[ref] = symbol = self.sympy.Symbol(f"{name}_{ref.node}", real=True)
            self.tensors[symbol] = ref
        return self.symbols[ref]

    def on_path(self, ref: Ref) -> bool:
        """Whether a gradient flows through a node to one of the xs."""
        if self._on_path is None:
            self._on_path = depending(self.ctx, self.nodes, self.xs)
        return ref in self.xs or ref.node in self._on_path

    def is_leaf(self, ref: Ref) -> bool:
        """Whether a node counts as a given value."""
        node = self.nodes[ref.node]
        if ref in self.xs or node.is_source or node.is_carried:
            return True
        return not self.on_path(ref) and (self._leaf is None or self._leaf(node))

    def _order(self, ys: list[Ref]) -> list[Ref]:
        """The nodes between the ys and the leaves, each after its inputs."""
        found: set[Ref] = set()
        todo = list(ys)
        while todo:
            ref = todo.pop()
            if ref not in found:
                found.add(ref)
                if not self.is_leaf(ref):
                    self._check(ref)
                    todo += self.nodes[ref.node].inputs()
        return sorted(found, key=lambda ref: (ref.node, ref.output))

    def _check(self, ref: Ref) -> None:
        node = self.nodes[ref.node]
        shown = node.name or node.op
        notes = (Note("the symbolic gradient is on line {line}", self.span),)
        if not node.outputs or node.outputs[ref.output].shape != ():
            self.ctx.fail(SYMBOLIC_SHAPE, node.origin.span, notes, name=shown, type=node.outputs[ref.output])
        if node.row is None or functions().of(node.row) is None:
            xs = ", ".join(self.nodes[x.node].name or self.nodes[x.node].op for x in self.xs)
            self.ctx.fail(SYMBOLIC_OP, node.origin.span, notes, op=node.op, x=xs)

    def _uses(self, order: list[Ref], ys: list[Ref]) -> dict[Ref, int]:
        uses = dict.fromkeys(order, 0)
        for ref in order:
            for inner in () if self.is_leaf(ref) else self.nodes[ref.node].inputs():
                uses[inner] += 1
        return uses

    def _formula(self, ref: Ref, formulas: dict[Ref, Formula]) -> Formula:
        if self.is_leaf(ref):
            return self.symbol(ref)
        node = self.nodes[ref.node]
        assert node.row is not None  # ops without a row are refused earlier
        formula = functions().of(node.row)
        assert formula is not None
        return formula(*(self._operand(arg, formulas) for arg in _operands(node.row, node)))

    def _operand(self, arg: Arg, formulas: dict[Ref, Formula]) -> Formula:
        match arg:
            case Ref():
                return formulas[arg]
            case Literal(value=bool() as value):
                return self.sympy.true if value else self.sympy.false
            case Literal(value=int() | float() as value):
                return self.sympy.Integer(int(value)) if value == int(value) else self.sympy.Float(value, 17)
            case Pack(items) | Refs(items):
                return [self._operand(item, formulas) for item in items]
        raise AssertionError(arg)


def _operands(row: Op, node: Node) -> Iterator[Arg]:
    """The tensor arguments of a node, in the order of the op's parameters."""
    for param in row.params:
        arg = node.args.get(param.name)
        if isinstance(arg, (Ref, Literal, Pack, Refs)):
            yield arg


class Functions:
    """The formulas of ops, as attributes with the names of the ops. They map SymPy expressions to one SymPy
    expression."""

    def __init__(self, sympy: SymPy):
        self.sympy = sympy
        self.ops: dict[str, Op] = {}  # by the name of the function in a formula
        self._formulas: dict[str, Callable] = {}
        for op in OPS.values():
            match op.formula:
                case Known(name=name):
                    self.ops[name] = op
                    self._formulas[op.name] = getattr(sympy, name)
                case Made(of=of):
                    self._formulas[op.name] = partial(of, self)
                case Own(partials=partials):
                    self.ops[op.name] = op
                    self._formulas[op.name] = self._own(op.name, partials)
                case None:
                    pass
                case _:
                    assert_never(op.formula)

    def __getattr__(self, name: str) -> Callable:
        return self._formulas[name]

    def of(self, op: Op) -> Callable | None:
        """The formula of an op. None if it has no formula that can be derived."""
        is_derived = op.formula is not None and not (isinstance(op.formula, Known) and not op.formula.is_derived)
        return self._formulas[op.name] if is_derived else None

    def _own(self, name: str, partials: Callable) -> type:
        sympy = self.sympy

        def fdiff(function: Formula, argindex: int = 1) -> Formula:
            return sympy.sympify(partials(self, *function.args)[argindex - 1])

        return type(name, (sympy.Function,), {"fdiff": fdiff})


@cache
def functions() -> Functions:
    import sympy

    return Functions(sympy)


# --- formulas to nodes, and to text -----------------------------------------------------------


class _Emitter(Generic[_Result]):
    """Walks a formula. Subclasses define the result of an operation in `op`."""

    def __init__(self, sympy: SymPy):
        self.sympy = sympy
        self.known: dict[Formula, _Result | float] = {}

    def op(self, op: Op, *operands: _Result | float) -> _Result:
        raise NotImplementedError

    def leaf(self, symbol: Formula) -> _Result:
        raise NotImplementedError

    def value(self, formula: Formula) -> _Result | float:
        """Convert a formula to a Python number, or to the result of `op` or `leaf`."""
        sympy = self.sympy
        if formula in self.known:
            return self.known[formula]
        match formula:
            case sympy.Symbol():
                return self.leaf(formula)
            case _ if formula.is_number:
                return float(formula)
            case sympy.Add():
                terms = sorted(formula.args, key=lambda term: (term.could_extract_minus_sign(), str(term)))
                result = self.value(terms[0])
                for term in terms[1:]:
                    if term.could_extract_minus_sign():
                        result = self.op(SUBTRACT, result, self.value(-term))
                    else:
                        result = self.op(ADD, result, self.value(term))
                return result
            case sympy.Mul():
                return self._product(formula)
            case sympy.Pow():
                return self._power(*formula.as_base_exp())
        name = type(formula).__name__
        if name in ("re", "conjugate"):  # SymPy does not know that a value is real; all are
            return self.value(formula.args[0])
        if name == "im":
            return self.value(self.sympy.Integer(0))
        op = functions().ops[name]
        if _is_condition(op):
            return self.op(WHERE, self._holds(formula), 1.0, 0.0)
        if op is WHERE:
            return self.op(WHERE, self._holds(formula.args[0]), *map(self.value, formula.args[1:]))
        return self.op(op, *map(self.value, formula.args))

    def _holds(self, condition: Formula) -> _Result | float:
        """Convert a comparison to a bool."""
        op = functions().ops.get(type(condition).__name__)
        if op is None or not _is_condition(op):
            return self.value(condition)
        return self.op(op, *map(self.value, condition.args))

    def _product(self, formula: Formula) -> _Result | float:
        if formula.could_extract_minus_sign():
            return self.op(NEGATIVE, self.value(-formula))
        below = [one for one in formula.args if one.is_Pow and one.exp.could_extract_minus_sign()]
        above = [self.value(one) for one in formula.args if one not in below]
        result = above[0] if above else 1.0
        for factor in above[1:]:
            result = self.op(MULTIPLY, result, factor)
        return self.op(TRUEDIV, result, self.value(1 / self.sympy.Mul(*below))) if below else result

    def _power(self, base: Formula, exponent: Formula) -> _Result | float:
        if exponent == 2:
            return self.op(SQUARE, self.value(base))
        if exponent == self.sympy.Rational(1, 2):
            return self.op(SQRT, self.value(base))
        if exponent.could_extract_minus_sign():
            return self.op(TRUEDIV, 1.0, self.value(base**-exponent))
        if base == self.sympy.E:
            return self.op(EXP, self.value(exponent))
        return self.op(POW, self.value(base), self.value(exponent))


def _is_condition(op: Op) -> bool:
    return isinstance(op.formula, Own) and op.formula.is_condition


class _Nodes(_Emitter[Tensor]):
    """Converts formulas to nodes of the graph."""

    def __init__(self, ctx: Analysis, sympy: SymPy, span: Span, tensors: dict[Formula, Ref], dtype: DType):
        super().__init__(sympy)
        self.ctx, self.span, self.tensors, self.dtype = ctx, span, tensors, dtype
        self._name: str | None = None

    def node(self, formula: Formula, name: str | None = None) -> Tensor | float:
        return self.value(formula) if name is None else self.named(self.value(formula), name)

    def named(self, value: Tensor | float, name: str) -> Tensor:
        return self._call(IDENTITY, (value,), name)

    def op(self, op: Op, *operands: Tensor | float) -> Tensor:
        return self._call(op, operands)

    def _call(self, op: Op, operands: tuple[Tensor | float, ...], given_name: str | None = None) -> Tensor:
        first = 1 if op is WHERE else 0  # the first operand is a bool there
        if not any(isinstance(operand, Tensor) for operand in operands[first:]):
            operands = (*operands[:first], self.tensor(operands[first]), *operands[first + 1 :])
        given = [(None, ArgumentValue(operand, self.span)) for operand in operands]
        return self._made(op, given, given_name)

    def _made(self, op: Op, given: Arguments, name: str | None = None) -> Tensor:
        made = call_op(self.ctx, op, given, self.span, name)
        assert isinstance(made, Tensor)  # these ops have one output
        return made

    def leaf(self, symbol: Formula) -> Tensor:
        ref = self.tensors[symbol]
        node = self.ctx.graph.nodes[ref.node]
        is_variable = node.is_variable
        return Tensor(ref, node.outputs[ref.output], self.ctx.graph.name, self.span, is_variable)

    def tensor(self, value: Tensor | float) -> Tensor:
        """A tensor. A number becomes a `constant`."""
        if isinstance(value, Tensor):
            return value
        return self._made(
            CONSTANT, [(None, ArgumentValue(value, self.span)), ("dtype", ArgumentValue(self.dtype, self.span))]
        )


_BINDS = {ADD: 1, SUBTRACT: 1, MULTIPLY: 2, TRUEDIV: 2, POW: 4}  # precedence of the signs


class _Text(_Emitter[tuple[str, int]]):
    """Converts formulas to expressions of the language: pairs of a text and its precedence."""

    def __init__(self, sympy: SymPy, names: dict[Formula, str]):
        super().__init__(sympy)
        self.names = names

    def text(self, formula: Formula) -> str:
        return self._shown(self.value(formula), 0)

    def leaf(self, symbol: Formula) -> tuple[str, int]:
        return self.names[symbol], 9

    def op(self, op: Op, *operands: tuple[str, int] | float) -> tuple[str, int]:
        if op is NEGATIVE:
            return f"-{self._shown(operands[0], 3)}", 3
        if op not in _BINDS:
            return f"{op.name}({', '.join(self._shown(operand, 0) for operand in operands)})", 9
        binds, is_power = _BINDS[op], op is POW
        left, right = operands
        sides = self._shown(left, binds + is_power), self._shown(right, binds + (not is_power))
        return (op.operator if is_power else f" {op.operator} ").join(sides), binds

    def _shown(self, value: tuple[str, int] | float, binds: int) -> str:
        text, own = value if isinstance(value, tuple) else (repr(value), 9 if value >= 0 else 3)
        return text if own >= binds else f"({text})"


def derivative_text(ctx: Analysis, y: Ref, x: Ref, names: dict[Ref, str], span: Span, taken: set[str]) -> str:
    """The derivative of y with respect to x as statements of the language, over the names of the program.

    `names` has the nodes that the new text can name; `taken` has the names that are not free.
    """
    sympy = _sympy(ctx, span)
    formulas = _Formulas(ctx, sympy, [x], span, is_leaf=lambda node: any(ref.node == node.id for ref in names))
    (wanted,) = formulas.gradients([y])
    shown: dict[Formula, str] = {}
    emit = _Text(sympy, shown)
    lines: list[str] = []

    def free(name: str) -> str:
        name = re.sub(r"\W", "_", name)
        number, made = 0, name
        while made in taken:
            number += 1
            made = f"{name}_{number}"
        taken.add(made)
        return made

    def need(formula: Formula) -> None:
        """Write the lines for the parts of a formula that have no name in the program."""
        for symbol in sorted(formula.free_symbols, key=str):
            if symbol in shown:
                continue
            ref = formulas.tensors.get(symbol)
            if ref is not None and ref in names:
                shown[symbol] = names[ref]
                continue
            made = formulas.cuts[ref] if ref is not None and symbol not in steps else steps[symbol]
            need(made)
            shown[symbol] = free(str(symbol).rpartition("_")[0])
            lines.append(f"{shown[symbol]} = {emit.text(made)}")

    steps = {step.symbol: step.formula for step in formulas.steps}
    need(wanted)
    result = free(f"d_{names.get(y, 'y')}_d_{names.get(x, 'x')}".replace(".", "_"))
    lines.append(f"{result} = {emit.text(wanted)}")
    return "".join(line + "\n" for line in lines)
