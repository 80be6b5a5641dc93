"""The values of names outside the program: for its callers, and in its typed form."""

from collections.abc import Iterator

from ..program import Named, Ref, Refs, Static
from ..source import Span
from .values import Env, ExprValue, Operation, Tensor, freeze, is_host


def members(env: Env) -> Iterator[tuple[str, Named]]:
    """The qualified names that scopes bind. Names bound by calls are inner names."""
    todo: list[tuple[Env, tuple[str, ...], bool]] = [(env, (), False)]
    for env, around, is_inner in todo:  # the loop adds to it
        for path, bound in env.last.items():
            spaces = [
                "".join(f"{one}." for one in (*around, *whole)) for whole in dict.fromkeys((path, env.written(path)))
            ]
            for name, one in bound.items():
                named = as_named(one.value, one.span, is_inner)
                if named is not None:
                    for space in spaces:
                        yield f"{space}{name}", named
        for scope in env.scopes.values():
            if scope.inside is not None:
                todo += [
                    (scope.inside, (*around, *whole), True) for whole in dict.fromkeys((scope.path, scope.written))
                ]


def as_named(value: ExprValue, span: Span, is_inner: bool = False) -> Named | None:
    """The value of a name for callers of the program, or None if the name has no value outside the program."""
    fetched = _fetched(value)
    return None if fetched is None else Named(fetched, span, is_inner)


def _fetched(value: ExprValue) -> Ref | Refs | Static | None:
    """The value for callers, without its place, or None if it has no meaning outside the program."""
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
