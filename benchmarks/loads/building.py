"""Compile time: programs of thousands of nodes, from text to graph, beside the same graph by hand.

The programs are generated in the language and in Python, statement by statement the same. By hand means plain calls of
`tf.compat.v1` and Python operators. Python compiles the script before the clock starts, while tfdsl parses its text
after that. Both must make the same number of ops of each type.
"""

import gc
import statistics
from collections import Counter
from collections.abc import Callable
from time import perf_counter

from ..result import LoadResult, Row, Wanted
from ..workers import Worker

SIZES = (2_000, 20_000)
_OPS_OF_BLOCK = 28

_TFG = """scope block{i}:
    variable w{i} = random_normal([8, 8], stddev=0.1, seed={i})
    a{i} = h{p} @ w{i}
    b{i} = a{i} * 0.5 + 1.0
    c{i} = maximum(b{i}, 0.0)
    d{i} = c{i} - reduce_mean(c{i})
    e{i} = d{i} / (1.0 + square(d{i}))
    k{i} = constant(0.25)
    h{i} = e{i} * k{i} + h{p}
"""
_PYTHON = """with tf.name_scope("block{i}"):
    w{i} = tf.Variable(tf.random_normal([8, 8], stddev=0.1, seed={i}), name="w{i}")
    a{i} = tf.matmul(h{p}, w{i})
    b{i} = a{i} * 0.5 + 1.0
    c{i} = tf.maximum(b{i}, 0.0)
    d{i} = c{i} - tf.reduce_mean(c{i})
    e{i} = d{i} / (1.0 + tf.square(d{i}))
    k{i} = tf.constant(0.25)
    h{i} = e{i} * k{i} + h{p}
"""


def texts(nodes: int) -> tuple[str, str]:
    """A program of about `nodes` nodes, in the language and in Python."""
    blocks = range(1, max(2, round(nodes / _OPS_OF_BLOCK)) + 1)
    tfg = "seed 42\nplaceholder h0: float32[batch, 8]\n" + "".join(_TFG.format(i=i, p=i - 1) for i in blocks)
    python = 'tf.set_random_seed(42)\nh0 = tf.placeholder(tf.float32, [None, 8], name="h0")\n'
    python += "".join(_PYTHON.format(i=i, p=i - 1) for i in blocks)
    return f"{tfg}output = reduce_mean(h{blocks[-1]})\n", f"{python}output = tf.reduce_mean(h{blocks[-1]})\n"


class Builder:
    """Builds one program repeatedly. `run` returns the seconds, `types` the number of ops of each type.

    The contender "tfdsl check" only parses and analyses.
    """

    def __init__(self, contender: str, nodes: int):
        tfg, python = texts(nodes)
        kinds = {"by hand": _by_hand, "tfdsl": _tfdsl, "tfdsl check": _check}
        self._build = kinds[contender](python if contender == "by hand" else tfg)

    def run(self) -> float:
        gc.collect()
        started = perf_counter()
        self._build()
        return perf_counter() - started

    def types(self) -> Counter:
        return Counter(op.type for op in self._build().get_operations())


def _tfdsl(text: str) -> Callable:
    import tfdsl

    return lambda: tfdsl.compile(text).graph


def _check(text: str) -> Callable:
    import tfdsl

    return lambda: tfdsl.check(text)


def _by_hand(text: str) -> Callable:
    import tensorflow.compat.v1 as tf

    code = compile(text, "by_hand.py", "exec")

    def build():
        with tf.Graph().as_default() as graph:
            exec(code, {"tf": tf})
        return graph

    return build


class Building:
    name = "building"

    def measure(self, settings) -> LoadResult:
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}
        rows: list[Row] = []
        workers: list[Worker] = []
        notes: list[str] = []
        try:
            for nodes in SIZES:
                types = []
                for contender in ("by hand", "tfdsl"):
                    settings.say(f"building: {nodes:,} nodes, {contender}")
                    name, against = _name(contender, nodes), "" if contender == "by hand" else _name("by hand", nodes)
                    workers.append(Worker(Builder, (contender, nodes), environment))
                    types.append(workers[-1].call("types"))  # this is also the warm-up
                    rows.append(Row(name, against))
                notes.append(f"{nodes:,} nodes: {sum(types[0].values()):,} ops in the graph")
                if types[0] != types[1]:
                    rows[-1].status = "differs"
                    more, fewer = types[1] - types[0], types[0] - types[1]
                    notes.append(f"tfdsl makes other ops: {dict(more)} more, {dict(fewer)} fewer")
            workers.append(Worker(Builder, ("tfdsl check", SIZES[-1]), environment))
            workers[-1].call("run")
            rows.append(Row(_name("tfdsl check", SIZES[-1]), _name("by hand", SIZES[-1])))
            for repeat in range(settings.repeats):
                settings.say(f"building: repeat {repeat + 1} of {settings.repeats}")
                for row, worker in zip(rows, workers):
                    if row.status == "ok":
                        row.repeats.append(worker.call("run"))
        finally:
            for worker in workers:
                worker.close()
        for row in rows:
            row.seconds = statistics.median(row.repeats) if row.repeats else None
        small, large = SIZES
        size = len(texts(large)[0]) / 1e6
        notes.append(
            f"tfdsl check, which builds no graph, goes through {size / rows[-1].seconds:.2f} MB of text a second"
        )
        wanted = [
            Wanted(_name("tfdsl", large), _name("by hand", large), 0.8, is_time=True),
            Wanted(_name("tfdsl", large), _name("tfdsl", small), 11, is_time=True),
        ]
        return LoadResult(self.name, "from text to graph, beside the same graph by hand", "run", rows, wanted, notes)


def _name(contender: str, nodes: int) -> str:
    return f"{contender}, {nodes:,} nodes"
