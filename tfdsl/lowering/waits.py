"""What ops wait for before they return an output, if TensorFlow inlines `if` and `while`.

Most ops wait for all of their inputs. An inlined `if` returns an output as soon as the ops that compute it in the
branch are done: it does not wait for the other inputs or for reads in the branch. An output of a `while` without
iterations is one of its inputs: it waits for the condition, but for no other input. The ops inside an `if` or `while`
wait for its condition and for its control inputs.

A set of preceding ops is an integer with a bit for each op.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .definitions import IFS, Handles, arguments_of, executed, full, is_inlined, op_name, output
from .tf import FunctionDef, NodeDef

_BRANCHES = "then_branch", "else_branch"


@dataclass(frozen=True, slots=True)
class _Outputs:
    """The results of a function: the arguments that each waits for, as bits, and the arguments whose variables it
    accesses completely before returning."""

    arguments: list[int]
    after: list[set[int]]


class Waits:
    """What the ops of some graphs and functions wait for. `accessed` returns the variables that an op accesses."""

    def __init__(
        self, library: "Mapping[str, FunctionDef]", accessed: Callable[[NodeDef, Handles], Mapping[str, bool]]
    ):
        self._library, self._accessed = library, accessed
        self._outputs: dict[str, _Outputs] = {}

    def before(
        self, nodes: Iterable, handles: Handles, bits: Mapping[tuple[str, str], int], inlined: set[str],
        fed: frozenset[str] = frozenset(), begin: Mapping[str, int] | None = None,
    ) -> dict[str, int]:  # fmt: skip
        """What comes before some ops, by name. For the ops in `inlined`, what comes before each output ("a:0").

        The ops are those of a graph or function, each after its inputs. `bits` has the bits of accesses, by op and
        variable, and `begin` those of other sources of tensors. An op includes its own bits.
        """
        own: dict[str, dict[str, int]] = {}
        for (name, variable), bit in bits.items():
            own.setdefault(name, {})[variable] = bit
        found = dict(begin or {})
        for node in nodes:
            masks = [_of(found, one, inlined, fed) for one in node.input]
            if node.name in inlined:
                found |= self._of_block(node, handles, own.get(node.name, {}), masks)
                continue
            mask = 0
            for bit in (*own.get(node.name, {}).values(), *masks):
                mask |= bit
            if mask:
                found[node.name] = mask
        return found

    def leaving(
        self, nodes: Iterable, handles: Handles, bits: Mapping[tuple[str, str], int], inlined: set[str],
        fed: frozenset[str] = frozenset(),
    ) -> Iterator[str]:  # fmt: skip
        """The ops in `inlined` with an output that does not wait for some accesses that the op comes after."""
        found = self.before(nodes, handles, bits, inlined, fed)
        for node in nodes:
            if node.name in inlined:
                whole = 0
                for one in node.input:
                    whole |= _of(found, one, inlined, fed)
                outputs = (found[f"{node.name}:{at}"] for at in range(_count(node)))
                if any(whole & ~mask for mask in outputs):
                    yield node.name

    def _of_block(self, node: NodeDef, handles: Handles, own: Mapping[str, int], masks: list[int]) -> dict[str, int]:
        """What comes before the inside of an `if` or `while`, by its name, and before each output."""
        count = sum(not one.startswith("^") for one in node.input)  # they precede the control inputs
        inputs, variables = masks[:count], [handles.get(op_name(one)) for one in node.input[:count]]
        gate = 0
        for mask in masks[count:]:
            gate |= mask
        if node.op in IFS:
            gate |= inputs[0]
            inputs, variables = inputs[1:], variables[1:]
            branches = [self._of_function(node.attr[name].func.name) for name in _BRANCHES]
            outputs = []
            for ways in zip(*(branch.arguments for branch in branches), strict=True):
                masks = [_chosen(way, inputs) for way in ways]
                outputs.append(masks[0] & masks[1])
            after = [one & other for one, other in zip(*(branch.after for branch in branches), strict=True)]
        else:
            test, body = (self._of_function(node.attr[name].func.name) for name in ("cond", "body"))
            gate |= _chosen(test.arguments[0], inputs)
            # The iterations form a chain for the results that depend on their own last value.
            chained = [bool(body.arguments[at] >> at & 1) for at in range(len(inputs))]
            outputs = [mask if chained[at] else 0 for at, mask in enumerate(inputs)]
            after = [body.after[at] & test.after[0] if chained[at] else set() for at in range(len(inputs))]
        found = {node.name: gate}
        for at, mask in enumerate(outputs):
            for argument in after[at]:
                mask |= own.get(variables[argument] or "", 0)
            found[f"{node.name}:{at}"] = mask | gate
        return found

    def _of_function(self, name: str) -> _Outputs:
        if name not in self._outputs:
            function = self._library[name]
            arguments = [argument.name for argument in function.signature.input_arg]
            nodes, handles = executed(function), arguments_of(function)
            bits: dict[tuple[str, str], int] = {}
            by_variable = {f"{at}": 0 for at in range(len(arguments))}
            for node in nodes:
                for variable in self._accessed(node, handles):
                    bit = bits[node.name, variable] = 1 << len(arguments) + len(bits)
                    if variable in by_variable:  # an argument; no edge passes on what Python functions keep
                        by_variable[variable] |= bit
            begin = {argument: 1 << at for at, argument in enumerate(arguments)}
            inlined = {node.name for node in nodes if is_inlined(node)}
            found = self.before(nodes, handles, bits, inlined, begin=begin)
            masks = []
            for result in function.signature.output_arg:
                one = function.ret[result.name]
                masks.append(found.get(output(one) if op_name(one) in inlined else op_name(one), 0))
            after = [{int(at) for at, bits in by_variable.items() if mask & bits == bits} for mask in masks]
            self._outputs[name] = _Outputs([mask & (1 << len(arguments)) - 1 for mask in masks], after)
        return self._outputs[name]


def _of(found: Mapping[str, int], one: str, inlined: set[str], fed: frozenset[str]) -> int:
    """What comes before an input of an op."""
    if one in fed or full(one) in fed:
        return 0
    name = op_name(one)
    return found.get(output(one) if name in inlined and not one.startswith("^") else name, 0)


def _count(node: NodeDef) -> int:
    """The number of outputs of an `if` or `while`."""
    return len(node.attr["Tout" if node.op in IFS else "T"].list.type)


def _chosen(bits: int, masks: list[int]) -> int:
    """The union of the masks with set bits."""
    found = 0
    for at, mask in enumerate(masks):
        if bits >> at & 1:
            found |= mask
    return found
