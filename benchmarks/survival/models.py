"""Small programs for the experiments, which spend most of their time saving.

Every line that a training prints has the step in it, so that a resumed run can be compared from there on.
"""

import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import indent

ROWS = 60
BATCH = 7
COLUMNS = ("a", "b", "c", "kind")

_TEXT = """
seed {seed}

data rows = {source}

placeholder X: float32[n, 4]
placeholder y: float32[n, 1]

variable w = random_normal([{width}, 6])
variable v = random_normal([6, 1])
variable b = 0.0
{graph}
hidden = tanh(inputs @ w)
p = hidden @ v + b
mse = reduce_mean(square(p - y))
{step} as training_op
summary scalar mse as "MSE"

session:
    {log}
    print "begin"
{before}
    train {epochs} epochs on {data} in batches of {batch} {order} as batch:
        feed {feeds}
        {checkpoint}
        every 2 steps: print "step", step, epoch, mse, b
{each}
        run training_op
    print "end", b
{after}
    save to "final.ckpt"
"""
_PLAIN = "inputs = X"
_DROPOUT = "inputs = dropout(X, rate=0.3)"
_NOISE = "inputs = X + 0.1 * random_normal([1, 4]) + random_uniform([1, 4], -0.1, 0.1) + truncated_normal([1, 4]) * 0.1"
_SHUFFLED = "inputs = X * random_uniform([4], 0.5, 1.5) + cast(random_uniform([1, 4], 0, 3, dtype=int32), float32)"
_GATHERED = """
variable table = random_normal([12, 5])
inputs = concat([X[:, :3], gather(table, cast(X[:, 3], int32))], axis=1)"""


@dataclass(frozen=True)
class Model:
    """One program: its content, its engines, and how often it is drawn."""

    name: str
    optimizer: str = "adam()"
    order: str = ""
    graph: str = _PLAIN
    width: int = 4
    source: str = 'csv("rows.csv", target="y")'
    engines: tuple[str, ...] = ("step", "loop")
    log: bool = False
    epochs: int = 8
    every: int = 4  # steps between checkpoints; 0 for none
    step: str = ""  # instead of `optimize`
    before: str = ""  # statements above the training
    each: str = ""  # in it
    after: str = ""  # and below it
    data: str = "rows"
    feeds: str = "X = batch.features, y = batch.target"

    @property
    def steps(self) -> int:
        return self.epochs * -(-ROWS // BATCH)

    def write(self, folder: Path) -> Path:
        """Write the program and its data. Returns the path of the program."""
        folder.mkdir(parents=True, exist_ok=True)
        self.write_data(folder)
        text = _TEXT.format(
            seed=len(self.name), source=self.source, width=self.width, graph=self.graph, order=self.order,
            step=self.step or f"optimize mse with {self.optimizer}", epochs=self.epochs, batch=BATCH,
            checkpoint=f'checkpoint every {self.every} steps in "kept"' if self.every else "",
            log='log to "logs"' if self.log else "", data=self.data, feeds=self.feeds,
            before=indent(self.before, " " * 4), after=indent(self.after, " " * 4),
            each=indent("every 1 steps: log\n" * self.log + self.each, " " * 8),
        )  # fmt: skip
        path = folder / "model.tfg"
        path.write_text("\n".join(line for line in text.splitlines() if line.strip()) + "\n")
        return path

    def write_data(self, folder: Path) -> None:
        draw = random.Random(7)
        number = partial(draw.uniform, -1, 1)
        rows = [[number(), number(), number(), draw.randrange(12), number()] for _ in range(ROWS)]
        if "parquet" in self.source:
            import pyarrow as pa
            from pyarrow import parquet

            columns = dict(zip((*COLUMNS, "y"), zip(*rows)))
            table = pa.table({name: pa.array(column, pa.float32()) for name, column in columns.items()})
            parquet.write_table(table, folder / "rows.parquet")
        else:
            lines = [",".join((*COLUMNS, "y")), *(",".join(map(str, row)) for row in rows)]
            (folder / "rows.csv").write_text("\n".join(lines) + "\n")


STREAMED = 'csv("rows.csv", target="y", stream=true)'
PARQUET = 'parquet("rows.parquet", target="y", stream=true)'
GATHERED = {"graph": _GATHERED, "width": 8}

MODELS = [
    Model("descent", "gradient_descent(learning_rate=0.05)"),
    Model("momentum", "momentum(0.9, learning_rate=0.05)", "ordered"),
    Model("adam", "adam(learning_rate=0.02)", "sampled seed 5"),
    Model("rmsprop", "rmsprop(centered=true)", "shuffled seed 7"),
    Model("adagrad", "adagrad(learning_rate=0.1)", "ordered"),
    Model("dropout", "momentum(0.9)", graph=_DROPOUT),
    Model("dropout-sampled", "adam()", "sampled", graph=_DROPOUT),
    Model("noise", "adam()", "ordered", graph=_NOISE),
    Model("draws", "rmsprop()", graph=_SHUFFLED),
    Model("embedding", "adam(learning_rate=0.02)", **GATHERED),
    Model("embedding-momentum", "momentum(0.9)", "sampled", **GATHERED),
    Model("embedding-adagrad", "adagrad()", source=STREAMED, **GATHERED),
    Model("streamed", "adam()", source=STREAMED),
    Model("streamed-ordered", "momentum(0.9)", "ordered", source=STREAMED),
    Model("streamed-sampled", "gradient_descent()", "sampled", source=STREAMED),
    Model("parquet", "adam()", source=PARQUET),
    Model("parquet-dropout", "adagrad()", "sampled", graph=_DROPOUT, source=PARQUET),
    Model("compiled", "momentum(0.9, learning_rate=0.05)", engines=("xla",)),
    Model("compiled-adam", "adam()", "sampled", engines=("xla",)),
]

LOGGING = [
    Model("log", "momentum(0.9)", log=True),
    Model("log-adam", "adam()", "sampled", graph=_DROPOUT, log=True),
    Model("log-streamed", "adam()", "ordered", source=STREAMED, log=True),
    Model("log-compiled", "momentum(0.9)", engines=("xla",), log=True),
]

EVERY = ("step", "loop", "xla")
_TEST = "test = evaluate mse, reduce_mean(p) as mean on rows in batches of 9 as b with X = b.features, y = b.target"
_SHOWN = 'print "step {step} test {test.mse:.6f} {test.mean:.6f}"'
_PREDICTED = """
found = evaluate p, hidden on rows in batches of 11 as b with X = b.features
"""
_BEST = f"""
after every 1 epoch:
    {_TEST}
    {_SHOWN}
    keep lowest test.mse to "best.ckpt"
    stop after 2 epochs without lower test.mse by 0.001
"""
_DROPS = """
every 3 steps:
    now_at = mse
    if now_at < last:
        drops = drops + 1
        print "step {step} better {now_at:.6f} {drops}"
    elif now_at < 1.2 * last:
        print "step {step} no better"
    else:
        print "step {step} worse {now_at:.6f}"
    last = now_at
"""

# All that sessions have: values, evaluations, best values, branches, written files, runs beside that of a training.
STATEMENTS = [
    Model(
        "best",
        "adam(learning_rate=0.05)",
        epochs=14,
        each=_BEST,
        after=f"""
restore from "best.ckpt"{_PREDICTED}write found to "found.csv"
print "best", mse with X = rows.features, y = rows.target""",
        engines=EVERY,
    ),
    Model(
        "best-drawn",
        "momentum(0.9, learning_rate=0.05)",
        graph=_NOISE,
        epochs=12,
        each=_BEST,
        after=f'restore from "best.ckpt"{_PREDICTED}write found.p to "found.npy"',
        engines=EVERY,
    ),
    Model(
        "logged",
        "rmsprop()",
        "sampled",
        log=True,
        each=f"after every 5 steps:\n    {_TEST}\n    {_SHOWN}\n    log test",
        engines=EVERY,
    ),
    Model(
        "branches",
        "momentum(0.9, learning_rate=0.2)",
        before="last = 100.0\ndrops = 0",
        each=_DROPS,
        after='if drops > 3:\n    print "many {drops}"\n    export p with X to "served"\nelse:\n    print "few"',
        engines=EVERY,
    ),
    Model(
        "branches-each",
        "momentum(0.9, learning_rate=0.2)",
        engines=("step",),
        before="last = 100.0",
        each='one = mse\nif one < last:\n    last = one\n    print "step {step} lowest {last:.6f}"',
        after='print "lowest {last:.6f}"',
    ),
    Model(
        "schedule",
        "momentum(0.9, learning_rate=exponential_decay(0.1, global_step, 7, 0.8, staircase=true))",
        each='every 5 steps: print "step", step, global_step',
        after="print global_step",
        engines=EVERY,
    ),
    Model(
        "applied",
        step="apply [clip_by_norm(g, 0.5) for g in gradients(mse, [w, v, b])] to [w, v, b] with adam()",
        graph=_DROPOUT,
        each=_BEST,
        engines=EVERY,
    ),
    Model(
        "cached",
        "adagrad()",
        data="cached",
        feeds="hidden = batch.hidden, y = batch.y",
        step="optimize mse with adagrad(learning_rate=0.1) wrt v, b",
        before="cached = evaluate hidden, y on rows in batches of 13 as b with X = b.features, y = b.target",
        after='other = evaluate mse on cached as b with hidden = b.hidden, y = b.y\nprint "cached {other:.6f}"',
        engines=EVERY,
    ),
    Model(
        "written",
        "adam(learning_rate=0.05)",
        "ordered",
        each=f'after every 2 epochs:{indent(_PREDICTED, "    ")}    write found to "found-{{epoch}}.npz"\n'
        '    save w, b to "part-{epoch}.ckpt"',
        engines=EVERY,
    ),
    Model(
        "trained-before",
        "adam()",
        before="""
for rate in [0.1, 0.2]:
    init
    train 3 epochs on rows in batches of 20 as batch:
        feed X = batch.features, y = batch.target
        after every 1 epoch: score = mse with X = rows.features, y = rows.target
    print "rate {rate} {score:.6f}"
""",
        each='every 6 steps:\n    seen = score\n    print "step {step} {seen:.6f}"',
        after='write score to "score.csv"',
        engines=EVERY,
    ),
]

# For clusters, where a step takes longer: some seconds each. With few checkpoints, the snapshots on the servers are
# newer than those on disk. Without checkpoints, a killed client starts over.
ON_CLUSTERS = [
    Model("descent", "gradient_descent(learning_rate=0.05)", epochs=40, every=20),
    Model("momentum", "momentum(0.9, learning_rate=0.05)", "ordered", engines=("loop",), epochs=60, every=0),
    Model("adam", "adam(learning_rate=0.02)", "sampled seed 5", log=True, epochs=15, every=6),
    Model("rmsprop", "rmsprop(centered=true)", "shuffled seed 7", engines=("step",), epochs=30, every=0),
    Model("dropout", "momentum(0.9)", graph=_DROPOUT, log=True, epochs=15),
    Model("noise", "adam()", "ordered", graph=_NOISE, engines=("loop",), epochs=30, every=150),
    Model("draws", "rmsprop()", graph=_SHUFFLED, engines=("step",), epochs=25, every=100),
    Model("embedding", "adam(learning_rate=0.02)", **GATHERED, epochs=30, every=120),
    Model("embedding-adagrad", "adagrad()", engines=("loop",), log=True, epochs=40, every=0, **GATHERED),
]
