"""Replaces scopes that repeat node for node with a function and its calls.

Two scopes are alike if their nodes have the same names in the scope, the same ops and attributes, and the same
connections. They can differ in numbers, in sizes and in the values that they read from outside, which become parameters
of the function. The innermost scopes become functions first, so that functions can call functions.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ...program import HostValue
from ...record import Record, replace
from ...types import Size
from ..constants import LiftedParameter
from ..draft import (
    CallPiece,
    Draft,
    FunctionCallPiece,
    Given,
    IndexPiece,
    LiftedFunction,
    LiftedPiece,
    LoopPiece,
    Operand,
    ParameterPiece,
    Produced,
    ReturnPiece,
    StoredPiece,
    VariablePiece,
)
from ..graph import Endpoint
from ..lifted import formatted
from ..names import TAKEN
from ..needs import Needs
from ..rewrite import CannotRewrite, Rewrite
from ..write import Misplaced, function_lines

_PARTS = (CallPiece, IndexPiece, VariablePiece, LoopPiece, FunctionCallPiece)
_MOST_PIECES = 300  # the most pieces of a function
_MOST_PARAMETERS = 8
_MOST_INLINE = 9  # the most nodes in all occurrences of a scope that is a single expression
_MOST_RESULTS = 4
_INPUT = "x"  # a parameter that is neither a constant nor a variable
_RETURN = "%return"


class Hole(Record):
    """A place where scopes can differ: the value in one of them, and a suggested name for the parameter."""

    value: "HostValue | Endpoint"
    hint: str
    dtype: str = ""


class AlikeScope(Record):
    """One of several scopes that are alike: its name, its pieces, its values in the places that can differ, and the
    loop around it."""

    scope: str
    names: tuple[str, ...]
    holes: tuple[Hole, ...]
    region: str


def fold_repeats(draft: Draft, roots: Sequence[str], avoid: frozenset[str], apart: frozenset[str]) -> list[str]:
    """Fold scopes that repeat, apart from those with a node in `apart`. Functions do not get the names in `avoid`.
    Return the remaining roots."""
    left = list(roots)
    depths = {name.count("/") for name in draft.pieces}
    for depth in range(max(depths, default=0), -1, -1):
        alike: dict[object, list[AlikeScope]] = defaultdict(list)
        needs = Needs(draft, left)
        for scope, names in _groups(needs, depth).items():
            if 1 < len(names) <= _MOST_PIECES and apart.isdisjoint(names):
                try:
                    form, occurrence = _Form(needs, scope, names).made()
                except CannotRewrite:
                    continue
                alike[form].append(occurrence)
        for found in alike.values():
            if len(found) > 1:
                left = _fold(draft, left, found, avoid)
    return left


def _groups(needs: Needs, depth: int) -> dict[str, list[str]]:
    """The pieces in each scope of a depth."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in needs.live:
        parts = name.split("/")
        if len(parts) > depth and isinstance(needs.draft.pieces[name], _PARTS):
            found["/".join(parts[: depth + 1])].append(name)
    return found


class _Form:
    """The pieces of a scope, without the values that can differ."""

    def __init__(self, needs: Needs, scope: str, names: Sequence[str]):
        self._needs, self._draft, self._scope = needs, needs.draft, scope
        self._names = tuple(sorted(names))
        self._group = frozenset(names)
        self._holes: list[Hole] = []

    def made(self) -> tuple[object, AlikeScope]:
        regions = self._draft.regions
        outer = {regions.get(name, "") for name in self._names} - self._group
        loops = {name for name in self._names if isinstance(self._draft.pieces[name], LoopPiece)}
        if len(outer) != 1 or (loops and any(regions.get(name) in loops for name in {*self._needs.live} - self._group)):
            raise CannotRewrite
        pieces = tuple(self._piece(name) for name in self._names)
        places = tuple(self._relative(regions.get(name, "")) for name in self._names if regions.get(name) in loops)
        return (pieces, places), AlikeScope(self._scope, self._names, tuple(self._holes), next(iter(outer)))

    def _piece(self, name: str) -> LiftedPiece:
        piece = self._draft.pieces[name]
        waits = tuple(one for one in piece.controls if self._needs.is_there(one))
        if any(self._needs.owner(one) not in self._group for one in waits):
            raise CannotRewrite
        piece = replace(piece, controls=waits)
        return Rewrite(
            number=lambda value, key, dtype: LiftedParameter(self._hole(value, key, dtype), type(value).__name__),
            size=lambda size: Size(self._hole(size, "n")),
            read=self._read,
            made=self._made,
            name=self._relative,
        ).piece(piece if not isinstance(piece, FunctionCallPiece) else replace(piece, parts=()))

    def _hole(self, value: "HostValue | Endpoint", hint: str, dtype: str = "") -> str:
        self._holes.append(Hole(value, hint, dtype))
        return f"#{len(self._holes)}"

    def _read(self, end: Endpoint) -> Operand:
        end = self._draft.end(end)
        if self._needs.owner(end.node) in self._group:
            return Produced(Endpoint(self._relative(end.node), end.output))
        return Produced(Endpoint(self._hole(end, self._hint(end))))

    def _hint(self, end: Endpoint) -> str:
        """A name for a value from outside: the name of a constant or a variable, otherwise a general one."""
        piece = self._draft.pieces[self._needs.owner(end.node)]
        last = re.sub(r"_\d+$", "", end.node.rpartition("/")[2])
        return last if isinstance(piece, (VariablePiece, StoredPiece)) else _INPUT

    def _made(self, end: Endpoint) -> Endpoint:
        end = self._draft.end(end)
        if self._needs.owner(end.node) not in self._group:
            raise CannotRewrite
        return Endpoint(self._relative(end.node), end.output)

    def _relative(self, node: str) -> str:
        return node.removeprefix(f"{self._scope}/") if node != self._scope else ""


# --- functions and calls ------------------------------------------------------------------------


def _fold(draft: Draft, roots: list[str], found: list[AlikeScope], avoid: frozenset[str]) -> list[str]:
    """Replace scopes that are alike with a function if that makes the program shorter. Return the remaining roots."""
    needs = Needs(draft, roots)
    name = _function_name(draft, needs, [one.scope for one in found])
    results = sorted(
        {end for one in found for end in _results(needs, one, roots)}, key=lambda end: (end.node, end.output)
    )
    found, constants = _name_constants(needs, found)
    parameters = _parameters(found)
    if (
        any(one.scope in avoid for one in found)
        or not 0 < len(results) <= _MOST_RESULTS
        or len(set(parameters.values())) > _MOST_PARAMETERS
        or any(one.scope in draft.pieces and one.scope not in one.names for one in found)
        or any(one.scope in draft.inside and needs.owner(one.scope) not in one.names for one in found)
    ):
        return roots
    function = _function(draft, needs, name, found[0], parameters, constants, results)
    variables = [one for one in found[0].names if _is_layer(draft.pieces[one])]
    try:
        lines = function_lines(function, variables)
    except Misplaced:
        return roots
    if not _is_worth_it(lines, found, bool(variables)) or (len(lines) == 3 and _are_ends(needs, found, results)):
        return roots
    before = dict(draft.pieces), dict(draft.inside), dict(draft.regions)
    for one in found:
        _collapse(draft, one, name, parameters, results)
    draft.functions[name] = function
    kept = [next((one.scope for one in found if root in one.names), root) for root in roots]
    left = list(dict.fromkeys(kept))
    if not Needs(draft, left).can_be_ordered():
        draft.pieces, draft.inside, draft.regions = before
        del draft.functions[name]
        return roots
    return left


def _is_worth_it(lines: Sequence[str], found: Sequence[AlikeScope], is_layer: bool) -> bool:
    """Whether a function makes the program shorter. A short body that is not a layer could also be nested in other
    statements."""
    body = formatted("\n".join(lines) + "\n").count("\n") - 1
    if body == 1:
        return len(found) * len(found[0].names) >= _MOST_INLINE
    return len(found) * (body + is_layer) + (len(found) > 2) > body + 1 + len(found)


def _are_ends(needs: Needs, found: Sequence[AlikeScope], results: Sequence[Endpoint]) -> bool:
    """Whether nothing reads the result of a scope, which then keeps the name of its node."""
    return any(
        not needs.users(Endpoint(f"{one.scope}/{end.node}" if end.node else one.scope, end.output))
        for one in found
        for end in results
    )


def _is_layer(piece: LiftedPiece) -> bool:
    """Whether a piece has variables."""
    return isinstance(piece, VariablePiece) or (isinstance(piece, FunctionCallPiece) and bool(piece.parts))


def _function_name(draft: Draft, needs: Needs, scopes: Sequence[str]) -> str:
    """A name for the function, taken from the names of the scopes."""
    stems = [_snake(re.sub(r"(_?\d+)+$", "", scope.rpartition("/")[2])) for scope in scopes]
    stem = stems[0] if len(set(stems)) == 1 else ""
    if not stem or stem[0].isdigit():
        stem = "part"
    taken = {*TAKEN, *draft.functions, *(part for name in needs.live for part in name.split("/"))}
    for name in (stem, f"{stem}_layer", *(f"{stem}_{at}" for at in range(1, len(draft.functions) + len(taken)))):
        if name not in taken or (name not in TAKEN and name not in draft.functions and name in {*stems}):
            return name
    raise AssertionError(stem)


def _snake(name: str) -> str:
    """A name with underscores: `gru_cell` for `GRUCell`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"\W", "_", words, flags=re.ASCII).lower().strip("_")


def _results(needs: Needs, one: AlikeScope, roots: Sequence[str]) -> Iterator[Endpoint]:
    """The values of a scope that anything outside reads, by their names in the scope."""
    group = frozenset(one.names)
    for name in one.names:
        piece = needs.draft.pieces[name]
        parts = {end for end, _ in piece.parts} if isinstance(piece, FunctionCallPiece) else set[Endpoint]()
        for end in piece.ends:
            is_read = any(user not in group for user in needs.users(end))
            if not isinstance(piece, VariablePiece) and end not in parts and (is_read or name in roots):
                yield Endpoint(end.node.removeprefix(f"{one.scope}/") if end.node != one.scope else "", end.output)


def _name_constants(needs: Needs, found: Sequence[AlikeScope]) -> tuple[list[AlikeScope], dict[int, str]]:
    """Find scopes with several stored constants of their own whose names differ from scope to scope in one part only.
    Return the scopes, with these parts in place of the constants, and the names of the constants, built from the
    part."""
    templates: dict[int, tuple[str, tuple[str, ...]]] = {}
    for at, column in enumerate(zip(*(one.holes for one in found), strict=True)):
        names = [hole.value.node for hole, one in zip(column, found) if _is_own_constant(needs, hole, one)]
        parts = [name.split("/") for name in names]
        if len(names) < len(found) or len({*map(len, parts)}) > 1:
            continue
        different = [place for place, those in enumerate(zip(*parts, strict=True)) if len(set(those)) > 1]
        if len(different) == 1:
            (place,) = different
            template = "/".join((*parts[0][:place], "{name}", *parts[0][place + 1 :]))
            templates[at] = template, tuple(one[place] for one in parts)
    counts = Counter(values for _, values in templates.values())
    kept = {at: template for at, (template, values) in templates.items() if counts[values] > 1}
    named: list[AlikeScope] = []
    for number, one in enumerate(found):
        holes = (Hole(templates[at][1][number], "name") if at in kept else hole for at, hole in enumerate(one.holes))
        named.append(replace(one, holes=tuple(holes)))
    return named, kept


def _is_own_constant(needs: Needs, hole: Hole, one: AlikeScope) -> bool:
    """Whether a place reads a stored constant that nothing else reads."""
    if not isinstance(hole.value, Endpoint):
        return False
    piece = needs.draft.pieces.get(hole.value.node)
    return isinstance(piece, StoredPiece) and needs.users(hole.value) <= {*one.names}


def _parameters(found: Sequence[AlikeScope]) -> dict[int, str]:
    """The names of the parameters, by place. A place with the same value in all scopes gets no parameter, unless the
    value comes from outside. Places that always have the same value as one another share a parameter."""
    columns = list(zip(*(one.holes for one in found), strict=True))
    names: dict[object, str] = {}
    used = {name.rpartition("/")[2] for one in found for name in one.names}
    made: dict[int, str] = {}
    ordered = sorted(range(len(columns)), key=lambda at: _rank(columns[at][0]))
    for at in ordered:
        values = tuple((type(hole.value).__name__, hole.value) for hole in columns[at])
        if len(set(values)) == 1 and not isinstance(columns[at][0].value, Endpoint):
            continue
        if values not in names:
            hints = {hole.hint for hole in columns[at]}
            hint = hints.pop() if len(hints) == 1 else "x"
            hint = hint if len(hint) > 1 or isinstance(columns[at][0].value, Endpoint) or hint == "n" else "value"
            names[values] = _parameter_name(hint, {*names.values(), *used})
        made[at] = names[values]
    return made


def _rank(hole: Hole) -> int:
    """The position of a parameter: computed tensors first, then variables and constants, then numbers."""
    return 2 if not isinstance(hole.value, Endpoint) else int(hole.hint != _INPUT)


def _parameter_name(hint: str, taken: set[str]) -> str:
    stem = hint if hint.isidentifier() and hint.isascii() and hint not in TAKEN else "x"
    more = {"x": "yz", "n": "mk"}.get(stem, "")
    choices = (stem, *more, *(f"{stem}_{at}" for at in range(1, len(taken) + 2)))
    return next(name for name in choices if name not in taken and name not in TAKEN)


def _function(
    draft: Draft,
    needs: Needs,
    name: str,
    first: AlikeScope,
    parameters: dict[int, str],
    constants: dict[int, str],
    results: Sequence[Endpoint],
) -> LiftedFunction:
    """The function. Its body has the names of the first scope."""
    group = frozenset(first.names)
    at = iter(range(len(first.holes)))
    tensors: dict[str, None] = {}
    stored: dict[str, LiftedPiece] = {}

    def number(value: HostValue, key: str, dtype: str) -> "HostValue | LiftedParameter":
        own = parameters.get(next(at))
        return value if own is None else LiftedParameter(own, value)

    def size(value: int) -> int | Size:
        own = parameters.get(next(at))
        return value if own is None else Size(own)

    def read(end: Endpoint) -> Operand:
        end = draft.end(end)
        if needs.owner(end.node) in group:
            return Produced(end)
        place = next(at)
        if place in constants:
            made = Endpoint(f"%{place}/{end.node.rpartition('/')[2]}")
            stored[made.node] = StoredPiece(made.node, (made,), key=constants[place])
            return Produced(made)
        own = parameters[place]
        tensors[own] = None
        return Produced(Endpoint(f"%{own}"))

    rewrite = Rewrite(number=number, size=size, read=read, made=draft.end, name=lambda node: node)
    pieces = {one: rewrite.piece(draft.pieces[one]) for one in first.names}
    ends = [Endpoint(f"{first.scope}/{end.node}" if end.node else first.scope, end.output) for end in results]
    needed = {needs.owner(end.node) for one in first.names for end in needs.reads(one)}
    needed |= {needs.owner(end.node) for end in ends}
    roots = [one for one in first.names if one not in needed or _is_layer(pieces[one])]
    pieces |= stored | {f"%{own}": ParameterPiece(f"%{own}", (Endpoint(f"%{own}"),)) for own in tensors}
    pieces[_RETURN] = ReturnPiece(_RETURN, values=tuple(map(Produced, ends)))
    body = Draft(
        draft.graph,
        draft.arrays,
        pieces=pieces,
        aliases=draft.aliases,
        inside=dict(draft.inside),
        types=draft.types,
        regions={one: draft.regions[one] for one in first.names if draft.regions.get(one) in group},
        functions=draft.functions,
    )
    return LiftedFunction(name, tuple(dict.fromkeys(parameters.values())), body, (*roots, _RETURN), f"{first.scope}/")


def _collapse(
    draft: Draft, one: AlikeScope, function: str, parameters: dict[int, str], results: Sequence[Endpoint]
) -> None:
    """Replace the pieces of a scope by a call."""
    arguments: dict[str, Operand] = {}
    for at, name in parameters.items():
        value, dtype = one.holes[at].value, one.holes[at].dtype
        arguments[name] = Produced(value) if isinstance(value, Endpoint) else Given(value, dtype)
    ends = tuple(Endpoint(f"{one.scope}/{end.node}" if end.node else one.scope, end.output) for end in results)
    parts: list[tuple[Endpoint, tuple[str, ...]]] = []
    for name in one.names:
        piece = draft.pieces[name]
        inner = piece.ends if isinstance(piece, VariablePiece) else ()
        inner = (*inner, *(end for end, _ in piece.parts)) if isinstance(piece, FunctionCallPiece) else inner
        parts += [(end, tuple(end.node.removeprefix(f"{one.scope}/").split("/"))) for end in inner]
    for name in one.names:
        del draft.pieces[name]
        draft.regions.pop(name, None)
        draft.inside[name] = one.scope
    draft.inside.pop(one.scope, None)
    call = FunctionCallPiece(one.scope, ends, function=function, arguments=tuple(arguments.items()), parts=tuple(parts))
    draft.pieces[one.scope] = call
    if one.region:
        draft.regions[one.scope] = one.region
