"""Records, and their mutable counterparts: what dataclasses do."""

import copy
import dataclasses
import pickle
from functools import cached_property
from typing import Generic, TypeVar

import pytest

from tfdsl.cluster import Cluster
from tfdsl.driver import Devices
from tfdsl.limits import Limits
from tfdsl.record import Frozen, Record, State, field, replace

_T = TypeVar("_T")


class Point(Record):
    x: int
    y: int = 2


class Counter(State, Generic[_T]):
    name: str
    items: list[_T] = field(default_factory=list)
    start: int = 0
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.start + len(self.items)


class Placed(Record):
    x: int
    path: str

    def __hash__(self) -> int:
        return hash(self.path)


class Loud(Counter[int]):
    def shout(self) -> str:
        self.said = self.name.upper()
        return self.said


def test_a_copy_has_all_fields_that_are_given_by_name_only():
    @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        a: int = 1
        b: int = 2

    assert replace(Named(a=5), b=7) == Named(a=5, b=7)


def test_what_a_record_derives_is_derived_again_in_a_copy():
    class Counted(Record):
        items: tuple[int, ...]
        kind: type = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "kind", type(self.items))

    one = Counted((1, 2))
    made = copy.deepcopy(one)
    assert one.__getstate__() == ((1, 2),) and (made.items, made.kind) == ((1, 2), tuple)


def test_a_record_keeps_its_own_hash():
    one = Placed(1, "p")
    assert hash(one) == hash("p") and one == Placed(1, "p") != Placed(2, "p") and hash(one) == hash("p")


def test_records_are_equal_by_value():
    point = Point(1)
    assert point == Point(1, 2) != Point(2) and hash(point) == hash(Point(1)) and repr(point) == "Point(x=1, y=2)"
    assert replace(point, y=3) == dataclasses.replace(point, y=3) == Point(1, 3) and Point.__match_args__ == ("x", "y")
    with pytest.raises(TypeError):
        Point()


class Held(Frozen):
    x: int
    y: int = 2


def test_records_that_users_hold_do_not_change():
    held = Held(1)
    assert held == Held(1, 2) == pickle.loads(pickle.dumps(held)) and replace(held, y=3).y == 3
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to 'x'"):
        held.x = 3
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete 'x'"):
        del held.x
    for one in (Limits(), Devices(), Cluster({})):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, one.__match_args__[0], None)


class Sum(Record):
    parts: tuple[int, ...]
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", sum(self.parts))

    @cached_property
    def mean(self) -> float:
        return self.total / len(self.parts)


def test_a_record_can_derive_values():
    made = Sum((1, 3))
    assert made.total == 4 and made.mean == 2 and made == Sum((1, 3)) and repr(made) == "Sum(parts=(1, 3))"
    assert replace(made, parts=(5,)).total == 5 and Sum.__match_args__ == ("parts",)


def test_states_have_fields_of_their_own():
    one, other = Counter("a"), Counter("a", start=2)
    one.items.append("x")
    assert other.items == [] and (one.total, other.total) == (0, 2) and one != Counter("a", one.items)
    assert repr(other) == "Counter(name='a', items=[], start=2, total=2)"
    copy = replace(one, name="b")
    assert (copy.name, copy.items, copy.total) == ("b", ["x"], 1)
    with pytest.raises(AttributeError):
        one.unknown = 1
    with pytest.raises(TypeError):
        Counter()


def test_a_subclass_of_a_state_is_a_usual_class():
    assert Loud("a", [1, 2]).total == 2 and Loud("a").shout() == "A"
