"""Programs for tests: valid ones to mutate, and random ones that are well formed but rarely make sense."""

from pathlib import Path
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tfdsl.data import SOURCES, TRANSFORMS
from tfdsl.ops import OPS
from tfdsl.ops.op import REQUIRED, Parameter
from tfdsl.ops.optimizers import OPTIMIZERS
from tfdsl.types import DTYPES

HERE = Path(__file__).parents[1]
MODELS = sorted((HERE.parent / "models").glob("*.tfg"))
WITH_DATA = [p for p in sorted((HERE.parent / "models").glob("*/*.tfg")) if p.stem == p.parent.name]
GOLDEN = sorted((HERE / "golden").glob("*.tfg"))
CASES = sorted((HERE / "cases").rglob("*.tfg"))

# Executions that read and write one variable.
GAN = """
variable g = 0.5
variable d = 0.5
optimize square(g * d - 1.0) with gradient_descent(learning_rate=0.1) wrt d as d_op
optimize square(g * d - 2.0) with gradient_descent(learning_rate=0.1) wrt g as g_op
session:
    train 5 steps:
        run d_op, g_op
    print g, d
"""
READ = """
variable c = 0
inc = assign_add(c, 1)
twice = c * 2
session:
    train 3 steps:
        run inc
        print inc, c, twice
"""

# Features that the models do not use.
SEEDS = [
    """\
seed 42
param activation = "relu"
param rate: float32 = 1
placeholder A: float32[?, 3]
placeholder keep: float32 = 1.0
variable w: float32[3, 1] = zeros
variable frozen = 0.0, trainable=false
shared threshold = 0.0
shared threshold
a, b = split(A, [1, 2], axis=1)
scope layer:
    z = A @ w + frozen
    if activation == "relu":
        out = maximum(z, threshold)
    elif activation == "none":
        out = z
    else:
        out = sigmoid(z) if keep > 0.5 else tanh(z)
scope layer reuse:
    d = layer.out[0, :] + 0x1f * 1_000.5e-3
after z:
    step = assign_add(frozen, rate)
loss reduce_mean(square(layer.out))
optimize with adam(learning_rate=0.01) wrt w as training_op
summary histogram w as "weights\\t{rate}"
graph other:
    variable q = [[1, 2], [3, 4]]
    t = q[..., none]
session one:
    init
    log to "logs/{now}"
    run training_op, step with A = [[1, 2, 3]]
    print "w =", w, a[0], layer.out with A = [[1.0, 2, 3], [4, 5, 6]]
    set w = [[1.0], [2.0], [3.0]]
    expect frozen == 1.0 within 0.01
    expect w[0, 0] > 0.5 and not frozen < 0.0
    save w as "weights" to "w.ckpt"
    for i in range(3):
        print frozen * i
    if rate > 0:
        print d with A = [[1, 2, 3]]
session two on other:
    restore from "my.ckpt" if exists
    print t
""",
    """\
data points = moons(100, noise=0.1, seed=42) | standardize | split(test=0.2, seed=1)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
def dense(x, units, activation=none):
    variable w = random_normal([x.shape[1], units], seed=1)
    variable b = zeros([units])
    z = x @ w + b
    if activation == none:
        return z
    return activation(z)
h = dense(X, 4, activation=tanh)
logits = dense(h, 1)
mse = reduce_mean(square(logits - y))
optimize mse with momentum(0.9, learning_rate=0.1)
summary scalar mse as "MSE"
session:
    train 500 steps on points.train in batches of 20 shuffled seed 7 as batch:
        feed X = batch.features, y = batch.target
        every 100 steps:
            print epoch, step, "loss", mse
        every 2 epochs: print batch.rows
        stop when mse < 0.01 or step > 300
        checkpoint every 100 steps in "checkpoints"
    print mse with X = points.test.features, y = points.test.target
    save to "final.ckpt"
""",
    """\
variable a = 0.2
variable b = 0.3
z = constant(0.0)
for i in range(20):
    z = a * cos(z + i) + z * sin(b - i)
da, db = gradients(z, [a, b])
names = ["x", "y\\u00e9\\N{BULLET}"]
pairs = [(n, k) for n in names for k in range(4) if k % 2 == 1 and k < 3 or n == "y"]
e = add_n([a * k for n, k in pairs])
c = -a ** 2 // 3 % 4
i = constant(0)
while i < 10:
    i = i + 1
session:
    train 10 epochs:
        run assign(a, a - 0.1 * da)
    print da, db, e, c, len(pairs), pairs[0][1:]
""",
    """\
data points = moons(100, noise=0.1, seed=42) | split(test=0.2, seed=1)
placeholder X: float32[n, 2]
placeholder y: int64[n, 1]
variable w: float32[2, 1] = zeros
p = X @ w
mse = reduce_mean(square(p - cast(y, float32)))
optimize mse with adam()
session:
    best, name = 10.0, "run {now}"
    train 3 epochs on points.train in batches of 20 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 1 epoch in "checkpoints"
        every 1 epoch:
            test = evaluate mse, 2.0 * mse + reduce_sum(w) as more on points.test in batches of 7 as b with X = b.features, y = b.target
            best = minimum(best, test.mse)
            print "{epoch}: {best:.3f} {test.more}"
    cached = evaluate p, y on points.train in batches of 30 as b with X = b.features, y = b.target
    train 2 steps on cached in batches of 10 as batch:
        feed X = batch.p[:, 0:1] if 1 > 2 else [[1.0, 2.0]], y = [[1]]
    write cached, points.train.target as label to "out.csv"
    write cached.p[0:3] as p to "out.npz"
""",
    """\
import "layers.tfg" as layers
from "layers.tfg" import dense, relu
device "/cpu:0":
    x = constant([1.0, 2.0])
container "experiment":
    variable v = x
y = raw.Roll(input=x, shift=1, axis=0)
session: print y
""",
]


def good_programs() -> list[str]:
    """Texts of programs of some length."""
    return SEEDS + [path.read_text(encoding="utf-8") for path in (*MODELS, *GOLDEN)]


def cases() -> list[str]:
    """The texts of the test cases, which are short and mostly invalid."""
    return [path.read_bytes().decode("utf-8", "replace") for path in CASES]


# --- random programs --------------------------------------------------------------------------

_NAMES = ["a", "b", "x", "w", "X", "theta", "loss", "mse", "step", "data", "seed", "on", "with", "batch", "relu", "n"]
_DTYPES = ["float32"] * 6 + ["int32", "int32", "float64", "bool", "string", "int64", *DTYPES]
_BINARY = ["+", "-", "*", "/", "//", "%", "**", "@", "<", "<=", ">", ">=", "==", "!=", "and", "or", "in", "not in"]
_OPS = sorted(OPS)
_EXAMPLES = [line for op in OPS.values() for line in op.example.split("\n")[-1:]]


_PREAMBLE = """\
placeholder p: float32[n, 3]
placeholder one: float32 = 1.0
variable weights: float32[3, 1] = ones
variable bias = 0.5
variable count = 3
f = constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
k = constant([2, 0, 1])
out = p @ weights + bias
mean = reduce_mean(square(out))
points = [1.0, 2.0, 3.0]
size = 3
"""


class Writer:
    """Writes one program; `random` makes every choice.

    A careful writer begins with a few tensors and uses each new name once, so that more of its output is valid.
    """

    def __init__(self, random: Random):
        self.random = random
        self.careful = self.chance(6)
        self.known = ["p", "one", "weights", "bias", "count", "f", "k", "out", "mean", "points", "size"]
        if not self.careful:
            self.known += ["epoch", "step"]
        self.placeholders = ["p", "one"]
        self.variables = ["weights", "bias", "count"]
        self.tags: list[str] = []
        self.names = 0

    def one(self, *options):
        return self.random.choice(options)

    def chance(self, of_ten: int) -> bool:
        return self.random.randrange(10) < of_ten

    def name(self) -> str:
        """Mostly a new name."""
        self.names += 1
        name = f"v{self.names}" if self.careful or self.chance(7) else self.random.choice(_NAMES)
        self.known.append(name)
        return name

    def used(self) -> str:
        return self.random.choice(self.known if self.careful or self.chance(9) else _NAMES)

    # --- expressions --------------------------------------------------------------------------

    def number(self) -> str:
        return self.one("0", "1", "2", "3", "-1", "0.5", "1e-3", "2.0", "10", "1_000", "0x1F", "1e400", "99999999999")

    def literal(self) -> str:
        size = self.random.randrange(1, 4)
        row = "[" + ", ".join(self.number() for _ in range(size)) + "]"
        text = self.one('"s"', '"a{now}b"', '"{{"', '"\\n"', '"mean"')
        return self.one(self.number, self.number, lambda: row, lambda: f"[{row}, {row}]",
                        lambda: self.one("true", "false", "none"), lambda: text)()  # fmt: skip

    def expr(self, depth: int = 3) -> str:
        if depth <= 0 or self.chance(2):
            return self.used() if self.chance(6) else self.literal()
        inner = depth - 1
        kind = self.random.randrange(12)
        match kind:
            case 0 | 1:
                return f"{self.expr(inner)} {self.random.choice(_BINARY)} {self.expr(inner)}"
            case 2:
                return f"{self.one('-', 'not ', '+')}{self.expr(inner)}"
            case 3 | 4 | 5:
                return self.op_call(inner)
            case 6:
                return self.random.choice(_EXAMPLES)
            case 7:
                return f"{self.used()}[{self.one('0', '-1', ':', '1:', '::2', '..., none', ':, 0', self.expr(inner))}]"
            case 8:
                return f"({self.expr(inner)} if {self.expr(inner)} else {self.expr(inner)})"
            case 9:
                name = self.one("i", "j")
                return f"[{self.expr(inner)} for {name} in range({self.one('0', '3', self.used())})]"
            case 10:
                return f"{self.used()}.{self.one('shape', 'shape[0]', 'dtype', 'rows', 'features', self.used())}"
            case _:
                items = ", ".join(self.expr(inner) for _ in range(self.random.randrange(4)))
                return self.one(f"[{items}]", f"({items},)" if items else "()", f"{self.used()}({items})")

    def op_call(self, depth: int) -> str:
        op = OPS[self.random.choice(_OPS)]
        given = []
        for param in op.params:
            if param.default is not REQUIRED and self.chance(7):
                continue
            value = self.argument(param, depth)
            given.append(value if param.default is REQUIRED else f"{param.name}={value}")
        if given and self.chance(1):
            given.pop()
        return f"{op.name}({', '.join(given)})"

    def argument(self, param: Parameter, depth: int) -> str:
        if self.chance(1):
            return self.expr(depth)
        match param.kind:
            case "tensor":
                if self.chance(5):
                    return self.used()
                if param.group == "string" or "string" in param.name:
                    return '"text"'
                return self.expr(depth)
            case "tensors":
                return "[" + ", ".join(self.expr(depth) for _ in range(self.random.randrange(1, 4))) + "]"
            case "shape":
                return self.one("[2, 3]", "[]", "[1]", "[3, 1]", "[-1]", "[2, 2, 2]", f"{self.used()}.shape")
            case "variable":
                return self.random.choice(self.variables) if self.variables else self.used()
            case "dtype":
                return self.random.choice(_DTYPES)
            case "flag":
                return self.one("true", "false")
            case "integer" | "number":
                return self.number()
            case "text":
                return self.one('"SAME"', '"VALID"', '"ij,jk->ik"', '"REFLECT"', '"NHWC"')
            case "integers":
                return self.one("0", "1", "-1", "[0]", "[0, 1]", "[]", "[-1, 0]", "5")
            case _:
                return self.literal()

    def type(self) -> str:
        dims = [self.one("?", "n", "1", "2", "3", "9", self.used()) for _ in range(self.random.randrange(3))]
        dtype = self.random.choice(_DTYPES)
        return self.one(dtype, f"{dtype}[{', '.join(dims)}]", f"{dtype}[...]" if self.chance(2) else dtype)

    # --- the graph half -----------------------------------------------------------------------

    def statement(self, depth: int, indent: str) -> list[str]:
        kind = self.random.randrange(26)
        if kind >= 18 and depth > 0:
            return self.compound(depth, indent)
        match kind:
            case 0:
                return [f"{indent}param {self.name()} = {self.literal()}"]
            case 1:
                stages = [f"{self.random.choice(list(SOURCES))}({self.one('', '10', '100, seed=1')})"]
                stages += [self.random.choice(list(TRANSFORMS)) for _ in range(self.random.randrange(3))]
                if self.chance(5):
                    stages = ["moons(100)", self.one("standardize", "add_bias", "split(test=0.2)")]
                return [f"{indent}data {self.name()} = {' | '.join(stages)}"]
            case 2 | 3:
                name = self.name()
                self.placeholders.append(name)
                default = f" = {self.literal()}" if self.chance(2) else ""
                return [f"{indent}placeholder {name}: {self.type()}{default}{self.node_name()}"]
            case 4 | 5 | 6:
                name = self.name()
                self.variables.append(name)
                value = self.one(f" = {self.expr(1)}", f": {self.type()} = {self.one('zeros', 'ones', self.literal())}")
                option = self.one(", trainable=false", "", "")
                return [f"{indent}{self.one('variable', 'variable', 'shared')} {name}{value}{option}{self.node_name()}"]
            case 7:
                return [f"{indent}loss {self.expr(1)}"]
            case 8:
                row = self.random.choice(list(OPTIMIZERS))
                loss = self.one("", f"{self.used()} ")
                wrt = f" wrt {self.random.choice(self.variables)}" if self.variables and self.chance(3) else ""
                counts = self.one("", "", ", global_step=none", f", global_step={self.used()}")
                how = f"with {row}({self.one('0.9', '', 'learning_rate=0.1')}){counts}"
                if self.chance(4):
                    return [f"{indent}apply {self.used()}, {self.used()} to {self.used()} {how}"]
                return [f"{indent}optimize {loss}{how}{wrt} as {self.name()}"]
            case 9:
                tag = self.one("MSE", "acc")
                self.tags.append(tag)
                return [f'{indent}summary {self.one("scalar", "histogram", "text")} {self.used()} as "{tag}"']
            case 10:
                return [f"{indent}{self.name()}, {self.name()} = {self.expr(2)}"]
            case 11:
                return [f"{indent}{self.expr(2)}"]
            case 12:
                return [f"{indent}{self.name()} = gradients({self.used()}, {self.used()})"]
            case _:
                scope = f" as {self.name()}{self.one('', ' reuse')}" if self.chance(1) else self.node_name()
                return [f"{indent}{self.name()} = {self.expr()}{scope}"]

    def node_name(self) -> str:
        return f' as "deep/{self.name()}"' if self.chance(1) else ""

    def compound(self, depth: int, indent: str) -> list[str]:
        body = [line for _ in range(self.random.randrange(1, 4)) for line in self.statement(depth - 1, indent + "    ")]
        kind = self.random.randrange(8)
        if kind == 7:
            parameters = ", ".join(self.one("x", "y = 1", "w = none") for _ in range(self.random.randrange(2)))
            body.append(f"{indent}    return {self.expr(2)}")
            return [f"{indent}def {self.name()}({parameters}):", *body]
        head = (
            f"scope {self.one('layer', 'loss', 'a')}{self.one('', '', ' reuse')}:",
            f"after {self.used()}:",
            f"if {self.expr(1)}:",
            f"for {self.one('i', 'j', 'x, y')} in {self.one('range(3)', 'range(0)', '[(1, 2)]', self.used())}:",
            f"while {self.expr(1)}:",
            f"graph {self.one('g', 'other')}:",
            f'device "{self.one("/cpu:0", "")}":',
        )[kind]
        tail = [f"{indent}else:", f"{indent}    {self.name()} = {self.expr(1)}"] if kind == 2 and self.chance(5) else []
        return [f"{indent}{head}", *body, *tail]

    # --- the session half ---------------------------------------------------------------------

    def feeds(self) -> str:
        names = self.random.sample(self.placeholders, min(len(self.placeholders), self.random.randrange(4)))
        return (" with " + ", ".join(f"{name} = {self.expr(1)}" for name in names)) if names else ""

    def command(self, depth: int, indent: str) -> list[str]:
        kind = self.random.randrange(20)
        if kind >= 16 and depth > 0:
            turns = range(self.random.randrange(1, 4))
            body = [line for _ in turns for line in self.command(depth - 1, indent + "    ")]
            on = f" on {self.used()} in batches of {self.one('10', '7 ordered', '5 sampled seed 3')} as batch"
            unit = self.one("epochs", "steps")
            head = (f"train {self.one('3', '100', self.used())} {unit}{self.one('', on)}:",
                    f"every {self.one('1', '10', '0')} {self.one('epochs', 'batches', 'steps', 'seconds')}:",
                    f"for i in range({self.number()}):", f"if {self.expr(1)}:")[kind - 16]  # fmt: skip
            return [f"{indent}{head}", *body]
        variable = self.random.choice(self.variables) if self.variables else self.used()
        line = (
            lambda: f"init {variable}",
            lambda: self.one("init", "log", 'log to "logs/{now}"'),
            lambda: f'restore from "{self.one("a.ckpt", "{epoch}", "{")}"{self.one("", " if exists")}',
            lambda: f'save {self.one("", variable + " ")}to "x-{{step}}"',
            lambda: f"run {self.used()}{self.feeds()}",
            lambda: f"print {self.expr()}, {self.literal()}{self.feeds()}",
            lambda: f"print {self.used()}{self.feeds()}",
            lambda: f"set {variable} = {self.expr(1)}",
            lambda: f"log {self.random.choice(self.tags) if self.tags else 'MSE'}{self.feeds()}",
            lambda: f"expect {self.expr(2)} {self.one('==', '<', '!=')} {self.literal()}{self.one('', ' within 0.1')}",
            lambda: f"expect {self.expr(1)}{self.feeds()}",
            lambda: f'export {self.used()} with {self.used()} to "saved"',
            lambda: f"feed {self.used()} = {self.one('batch.features', 'batch.target', self.literal())}",
            lambda: f"stop when {self.expr(1)} < {self.number()}",
            lambda: f'checkpoint every {self.number()} {self.one("steps", "epochs")} in "ck"',
            lambda: f"print {self.used()}",
        )[min(kind, 15)]()
        return [f"{indent}{line}"]

    def program(self) -> str:
        lines = ["seed 42"] if self.chance(3) else []
        lines += _PREAMBLE.splitlines() if self.careful else []
        for _ in range(self.random.randrange(1, 5 if self.careful else 10)):
            lines += self.statement(2, "")
        for _ in range(self.random.randrange(3)):
            lines.append(f"session{self.one('', ' main', '' if self.careful else ' main on g')}:")
            for _ in range(self.random.randrange(1, 6)):
                lines += self.command(2, "    ")
        return "\n".join(lines) + "\n"


programs = st.randoms(use_true_random=False).map(lambda random: Writer(random).program())
"""Random programs, for hypothesis to draw."""

# The seeds are fixed: nothing is kept between runs, and slow machines get the same results.
UNHURRIED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
