"""What the names of a program stand for outside it: for callers, and in its typed form."""

from collections.abc import Iterator

from ..program import Named, Ref, Refs, Static
from ..source import Span
from .values import Env, ExprValue, Operation, Tensor, freeze, is_host


def members(env: Env) -> Iterator[tuple[str, Named]]:
    """The qualified names of what scopes bind. Names bound by calls are inner ones."""
    todo: list[tuple[Env, tuple[str, ...], bool]] = [(env, (), False)]
    for env, around, is_inner in todo:  # which grows
        for path, bound in env.last.items():
            for name, one in bound.items():
                named = as_named(one.value, one.span, is_inner)
                if named is None:
                    continue
                for whole in dict.fromkeys((path, env.written(path))):
                    yield ".".join((*around, *whole, name)), named
        for scope in env.scopes.values():
            if scope.inside is not None:
                todo += [
                    (scope.inside, (*around, *whole), True) for whole in dict.fromkeys((scope.path, scope.written))
                ]


def as_named(value: ExprValue, span: Span, is_inner: bool = False) -> Named | None:
    """What callers of the program get for a name with this value. None if it has none outside the program."""
    fetched = _fetched(value)
    return None if fetched is None else Named(fetched, span, is_inner)


def _fetched(value: ExprValue) -> Ref | Refs | Static | None:
    """What a caller gets for a name with this value. None if it has none outside the program."""
    match value:
        case Tensor() | Operation():
            return value.ref
        case bool() | int() | float() | str() | bytes():
            return Static(value)
        case list() | tuple() if is_host(value):
            return Static(freeze(value))
        case list() | tuple():
            parts = (Static(freeze(one)) if is_host(one) else _fetched(one) for one in value)
            items = [part for part in parts if part is not None]
            return Refs(tuple(items)) if len(items) == len(value) else None
        case _:
            return None
