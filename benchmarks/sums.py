"""Executes gradients and sums of generated programs many times: each must have one value.

    python benchmarks/sums.py [--programs N] [--executions N] [--seed N] [--busy N] [--trained N] [--plain]

A program uses its variables many times: directly, through ops that share their memory (reshape, identity, slices), in
`while` and in `if`. So its gradients and its `add_n` are sums of several tensors, some of which share buffers. It is
executed repeatedly, fetching the gradients alone or together with their inputs, and all values must have the same bits.
With `--busy`, that many processes compute at the same time. One program in `--trained` is also trained, by `step` and
by `loop`, which must end with the same bits. `--plain` shows the behaviour of TensorFlow alone: the same graphs without
what tfdsl does for the order.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TFDSL_LOOP_ALWAYS"] = "1"  # the trainings are short
ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT)]  # make `benchmarks` and `tfdsl` of this folder importable

import tensorflow as tf  # noqa: E402

import tfdsl  # noqa: E402
from tfdsl.runtime.options import Options  # noqa: E402

# What tfdsl adds to sums.
_OWN = ("_scoped_allocator", "_grappler_ArithmeticOptimizer_AddOpsRewriteStage")
_VARIABLES = 4
_STEPS = 6


class Writer:
    """Writes one program: values of one shape, [n], each computed from earlier ones and variables."""

    def __init__(self, random: Random):
        self._random = random
        self._n = random.choice([4, 16, 64])
        self._lines: list[str] = []
        self._values: list[str] = []
        self._count = 0

    def program(self) -> str:
        n, random = self._n, self._random
        self._lines += [f"seed {random.randrange(1000)}", "placeholder x: float32"]
        for number in range(_VARIABLES):
            self._lines.append(f"variable v{number} = random_uniform([{n}], -1.0, 1.0, seed={random.randrange(1000)})")
        self._lines.append(f"variable m = random_uniform([{n}, {n}], -0.5, 0.5, seed={random.randrange(1000)})")
        kinds = [self._plain, self._plain, self._shared, self._shared, self._sum, self._while, self._if]
        for _ in range(random.randint(6, 20)):
            random.choice(kinds)()
        total = " + ".join(f"reduce_sum(square({value})) * {self._factor()}" for value in [*self._values, "m"])
        total += "".join(f" + reduce_sum(v{number})" for number in range(_VARIABLES))
        names = [f"g{number}" for number in range(_VARIABLES)] + ["gm"]
        self._lines += [
            f"l = {total}",
            f"{', '.join(names)} = gradients(l, [v0, v1, v2, v3, m])",
            f"found = concat([reshape(g, [-1]) for g in [{', '.join(names)}]], axis=0)",
            "optimize l with adam(learning_rate=0.01) as t",
            "session:",
            f"    train {_STEPS} epochs:",
            "        feed x = 0.1 * step",
            "        run t",
        ]
        return "\n".join(self._lines) + "\n"

    def _factor(self) -> str:
        """Factors of many magnitudes, so that different orders of additions have different results."""
        return f"{self._random.uniform(0.5, 2.0) * 10 ** self._random.randint(-2, 2):.4f}"

    def _variable(self) -> str:
        return f"v{self._random.randrange(_VARIABLES)}"

    def _any(self) -> str:
        recent = self._values[-4:]
        return self._random.choice([*recent, self._variable(), self._variable()])

    def _new(self, text: str) -> None:
        name = f"a{self._count}"
        self._count += 1
        self._lines.append(f"{name} = {text}")
        self._values.append(name)

    def _plain(self) -> None:
        a, b, f = self._any(), self._variable(), self._factor()
        self._new(self._random.choice([
            f"sin({a} * x + {b})", f"tanh({a} * {b}) * {f}", f"cos({a}) * {b} + {self._variable()} * {f}",
            f"sigmoid({a} - {b}) * {b}", f"{a} * {b} - {self._variable()}",
        ]))  # fmt: skip

    def _shared(self) -> None:
        """A value that shares the memory of another tensor, or whose gradient does."""
        n, a, b = self._n, self._any(), self._variable()
        self._new(self._random.choice([
            f"reshape(tanh(reshape({a}, [1, {n}]) @ m + {b}), [{n}])",
            f"reshape(reshape({a}, [{n // 2}, 2]) * reshape({b}, [{n // 2}, 2]), [{n}])",
            f"identity({b}) + reshape({a}, [{n}])",
            f"concat([{a}[{n // 2}:], {b}[:{n // 2}]], axis=0)",
            f"reshape(stack(unstack(reshape({a}, [2, {n // 2}])), axis=1), [{n}]) * {b}",
            f"squeeze(expand_dims({a}, 0) + expand_dims({b}, 0), axis=0)",
        ]))  # fmt: skip

    def _sum(self) -> None:
        items = [f"{self._any()} * {self._factor()}" for _ in range(self._random.randint(2, 5))]
        items += [self._any() for _ in range(self._random.randint(1, 6))]
        self._random.shuffle(items)
        self._new(f"tanh(add_n([{', '.join(items)}]))")

    def _turn(self, a: str) -> str:
        b, c = self._variable(), self._variable()
        return f"tanh({a} * {b} + sin({b}) * {c} + reshape(identity({b}), [{self._n}]) * {self._factor()} + {b} * {c})"

    def _while(self) -> None:
        name, number = self._any(), self._count
        self._lines += [f"k{number} = constant(0)", f"w{number} = identity({name})", f"while k{number} < 2:"]
        self._lines += [f"    w{number} = {self._turn(f'w{number}')}", f"    k{number} = k{number} + 1"]
        self._new(f"identity(w{number})")

    def _if(self) -> None:
        a, number = self._any(), self._count
        self._lines += [f"def choice{number}(c, a):", "    if c > -1000.0:", f"        return {self._turn('a')}"]
        self._lines += ["    else:", f"        return {self._variable()}"]
        self._new(f"choice{number}(reduce_sum({a}), {a})")


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Let this many processes compute meanwhile, at a low priority."""
    code = "import os\nos.nice(10)\nwhile True: pass"
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(processes)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def sums_of(graph: tf.Graph) -> tuple[int, int]:
    """The number of sums of more than two tensors in a graph and in its functions."""
    definition = graph.as_graph_def()
    inside = [node for function in definition.library.function for node in function.node_def]
    return tuple(sum(n.op == "AddN" and n.attr["N"].i > 2 for n in nodes) for nodes in (definition.node, inside))


def plain(graph: tf.Graph) -> tf.Graph:
    """The same graph as TensorFlow's functions make it."""
    definition = graph.as_graph_def()
    for nodes in (definition.node, *(function.node_def for function in definition.library.function)):
        for node in nodes:
            for name in _OWN:
                node.attr.pop(name, None)
    with tf.Graph().as_default() as copy:
        tf.graph_util.import_graph_def(definition, name="")
    return copy


def values_of(program: tfdsl.Compiled, executions: int, is_plain: bool) -> int:
    """The number of different values of the gradients. Half of the executions also fetch their inputs."""
    with program.session() as session:
        variables = {v.op.name: value for v, value in _variables(program, session)}
        own = session.session
        graph = plain(program.graph) if is_plain else program.graph
        run = tf.compat.v1.Session(graph=graph) if is_plain else own
        if is_plain:
            names = {f"{name}/Assign": value for name, value in variables.items()}
            ops = [graph.get_operation_by_name(name) for name in names]
            run.run(ops, {op.inputs[1]: value for op, value in zip(ops, names.values(), strict=True)})
        fetched = graph.get_tensor_by_name(program["found"].name)
        beside = [op.outputs[0] for op in graph.get_operations() if op.type in ("Tanh", "Identity")]
        fed = [graph.get_tensor_by_name(program["x"].name)]
        beside = [tensor for tensor in beside if tensor.dtype == tf.float32 and "while" not in tensor.name]
        alone, together = run.make_callable(fetched, fed), run.make_callable([fetched, *beside], fed)
        counts = [len({alone(0.7).tobytes() for _ in range(executions - executions // 2)})]
        counts.append(len({together(0.7)[0].tobytes() for _ in range(executions // 2)}))
        return max(counts)


def _variables(program: tfdsl.Compiled, session) -> list[tuple]:
    found = program.built().variables()
    return list(zip(found, session.session.run(found), strict=True))


def trained_alike(program: tfdsl.Compiled) -> bool:
    """Whether a training by `step` and one by `loop` end with the same bits."""
    step, loop = (program.run(options=Options(engine=engine)).variables for engine in ("step", "loop"))
    return {name: v.tobytes() for name, v in step.items()} == {name: v.tobytes() for name, v in loop.items()}


def campaign(arguments: argparse.Namespace) -> tuple[dict[str, int], list[str]]:
    """The figures, and the texts of failing programs."""
    figures = dict.fromkeys(("programs", "executions", "sums", "sums in functions", "several values", "trainings",
                             "trainings that differ"), 0)  # fmt: skip
    wrong = []
    each = max(2, arguments.executions // arguments.programs)
    with busy(arguments.busy):
        for number in range(arguments.programs):
            text = Writer(Random(f"{arguments.seed} {number}")).program()
            program = tfdsl.compile(text)
            figures["programs"] += 1
            figures["executions"] += each
            for name, count in zip(("sums", "sums in functions"), sums_of(program.graph), strict=True):
                figures[name] += count
            several = values_of(program, each, arguments.plain) > 1
            figures["several values"] += several
            differs = False
            if arguments.trained and number % arguments.trained == 0:
                figures["trainings"] += 1
                differs = not trained_alike(program)
                figures["trainings that differ"] += differs
            if several or differs:
                wrong.append(text)
    return figures, wrong


def options(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=40, metavar="N")
    parser.add_argument("--executions", type=int, default=10_000, metavar="N", help="of all programs together")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="processes that compute meanwhile")
    parser.add_argument("--trained", type=int, default=10, metavar="N", help="train one program in N; 0 for none")
    parser.add_argument("--plain", action="store_true", help="show the behaviour of TensorFlow alone")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
    return parser.parse_args(given)


def main() -> int:
    arguments, started = options(), time.monotonic()
    tf.config.experimental.enable_op_determinism()
    figures, wrong = campaign(arguments)
    for text in wrong[:3]:
        print(text, file=sys.stderr)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=1) + "\n")
    seconds = time.monotonic() - started
    print(", ".join(f"{name} {value:,}" for name, value in figures.items()) + f", seconds {seconds:,.0f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
