"""The names of variables in messages: as the program writes them, with scopes if they are ambiguous."""

from collections import Counter
from collections.abc import Iterable
from typing import assert_never

from ..program import Enter, Exit, Item, Node


def variable_names(items: Iterable[Item], ids: Iterable[int]) -> list[str]:
    """The names of some variables of a graph, with their scopes if they are ambiguous."""
    full = full_names(items)
    bare = {id: name.rpartition("/")[2] for id, name in full.items()}
    repeated = Counter(bare.values())
    return [full[id] if repeated[bare[id]] > 1 else bare[id] for id in ids]


def full_names(items: Iterable[Item]) -> dict[int, str]:
    """The names of all variables of a graph. Scopes are numbered as in TensorFlow: `dense_1/kernel`."""
    full: dict[int, str] = {}
    taken: Counter[str] = Counter()
    opened = [""]
    for item in items:
        match item:
            case Enter(kind="scope", name=name):
                path = opened[-1] + name
                taken[path.lower()] += 1
                count = taken[path.lower()] - 1
                opened.append(f"{path}_{count}/" if count else f"{path}/")
            case Enter():
                opened.append(opened[-1])
            case Exit():
                opened.pop()
            case Node() if item.is_variable:
                full[item.id] = ("" if item.is_whole else opened[-1]) + (item.name or item.op)
            case Node():
                pass
            case _:
                assert_never(item)
    return full


def shown_variables(items: Iterable[Item], ids: Iterable[int]) -> str:
    """Variables in a sentence. Of many, only the first are shown."""
    names = variable_names(items, ids)
    names = names if len(names) <= 4 else [*names[:3], "others"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
