"""Graphs that are damaged at random, as files can be: bytes that change, ends that are missing, fields that are wrong."""

import random
import re
from collections.abc import Iterator

from tfdsl.lowering.tf import GraphDef, MetaGraphDef, SavedModel

NAMES = ["", "x", "y:7", "^x", "a b", "_x", "é", "../x", "x/y", "CON", "x" * 300]
OPS = [
    "",
    "Const",
    "Relu",
    "Nothing",
    "NoOp",
    "Merge",
    "Switch",
    "VariableV2",
    "PartitionedCall",
    "Conv2D",
    "Placeholder",
]
NUMBERS = [-1, 0, 1, 2, 3, 9, 19, 23, 77, 101, 9999, 2**31 - 1, 2**40, -(2**40)]


def damaged(data: bytes, kind: type | None, seed: int) -> tuple[str, bytes]:
    """One damage to the bytes of a graph of a kind, or to the text of a graph: what it is, and the bytes."""
    chance = random.Random(seed)
    inside = _line if kind is None else _field
    how = chance.choice([_bytes, _cut, _inserted, inside, inside, inside, inside])
    return how.__name__.strip("_"), how(data, kind, chance)


def damaged_file(data: bytes, seed: int) -> bytes:
    """The bytes of any file, damaged."""
    chance = random.Random(seed)
    return chance.choice([_bytes, _cut, _inserted, lambda *_: b""])(data, None, chance)


def _bytes(data, kind, chance):
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 5, 50])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(data, kind, chance):
    at = chance.randrange(len(data))
    return data[:at] if chance.random() < 0.7 else data[at:]


def _inserted(data, kind, chance):
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.choice([1, 3, 40])) + data[at:]


def _line(data, kind, chance):
    """The same text with a line removed, repeated or moved, or with another number or name in it."""
    lines = data.decode().splitlines(keepends=True)
    at = chance.randrange(len(lines))
    line = lines.pop(at)
    other = re.sub(r"\d+", lambda _: str(chance.choice(NUMBERS)), line)
    named = re.sub(r'"[^"]*"', lambda _: f'"{chance.choice([*NAMES, *OPS])}"', line)
    lines[at:at] = chance.choice([[], [line, line], [other], [other], [named], [named]])
    if chance.random() < 0.2:
        lines.insert(chance.randrange(len(lines)), line)
    return "".join(lines).encode()


def _field(data, kind, chance):
    """The same graph with some fields removed or changed."""
    message = kind.FromString(data)
    for _ in range(chance.choice([1, 1, 1, 3])):
        graph = _graph(message)
        node = chance.choice(graph.node)
        chance.choice([_rename, _other_op, _other_input, _no_input, _no_attribute, _number, _number, _number, _twice,
                       _gone, _device, _shape, _version])(graph, node, chance)  # fmt: skip
    return message.SerializeToString()


def _graph(message) -> GraphDef:
    match message:
        case SavedModel():
            return message.meta_graphs[0].graph_def
        case MetaGraphDef():
            return message.graph_def
        case _:
            return message


def _rename(graph, node, chance):
    node.name = chance.choice([*NAMES, chance.choice(graph.node).name])


def _other_op(graph, node, chance):
    node.op = chance.choice([*OPS, chance.choice(graph.node).op])


def _other_input(graph, node, chance):
    if node.input:
        name = chance.choice([*NAMES, *(one.name for one in graph.node)])
        node.input[chance.randrange(len(node.input))] = name
    else:
        node.input.append(chance.choice(graph.node).name)


def _no_input(graph, node, chance):
    if node.input:
        del node.input[chance.randrange(len(node.input))]


def _no_attribute(graph, node, chance):
    if node.attr:
        del node.attr[chance.choice(sorted(node.attr))]


def _number(graph, node, chance):
    """Another number in an attribute, however deep."""
    places = [(value, field) for name in sorted(node.attr) for value, field in _numbers(node.attr[name])]
    if places:
        value, field = chance.choice(places)
        number = chance.choice(NUMBERS)
        try:
            if hasattr(getattr(value, field.name), "append"):
                getattr(value, field.name).append(number)
            else:
                setattr(value, field.name, number)
        except (ValueError, TypeError):
            node.attr["T"].type = 1


def _numbers(message) -> Iterator:
    for field, value in message.ListFields():
        if field.message_type is None:
            yield message, field
        elif hasattr(value, "ListFields"):
            yield from _numbers(value)
        elif not field.message_type.GetOptions().map_entry:
            for one in value:
                yield from _numbers(one)


def _twice(graph, node, chance):
    graph.node.add().CopyFrom(node)


def _gone(graph, node, chance):
    graph.node.remove(node)
    if not graph.node:
        graph.node.add(name="x", op="NoOp")


def _device(graph, node, chance):
    node.device = chance.choice(["/nowhere", "/device:GPU:99", "cpu", "/job:a/task:b", "\n", "/cpu:0"])


def _shape(graph, node, chance):
    for size in chance.choice([[-1], [0, 0], [2**40, 2**40], [3] * 300, [-5]]):
        node.attr["shape"].shape.dim.add(size=size)


def _version(graph, node, chance):
    graph.versions.producer = chance.choice(NUMBERS[4:12])
    graph.versions.min_consumer = chance.choice([0, 0, 5, 9999])
