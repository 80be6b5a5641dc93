"""Generates random trainings that write and read variables in every way that the language has, right or wrong.

A program has variables of a few shapes, named values, assignments, `after`, `if`, `while`, assertions that fail at some
step, indices that go out of range, several optimizers, and trainings whose bodies run and print all of these.
`trainings(random)` returns the text of one.
"""

from dataclasses import dataclass, field
from random import Random

_KINDS = ("scalar", "vector", "count")


@dataclass
class _Names:
    """The names that the program has bound so far: tensors by kind, variables by kind, and ops to run."""

    tensors: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _KINDS})
    variables: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _KINDS})
    writes: list[str] = field(default_factory=list)  # tensors whose computation writes a variable
    steps: list[str] = field(default_factory=list)  # optimizers


class Trainings:
    """Generates programs. Without `draws`, they have no random numbers, which engines may draw differently."""

    def __init__(self, draws: bool = True):
        self.draws = draws

    def program(self, random: Random) -> str:
        return _Program(random, self.draws).text()


class _Program:
    def __init__(self, random: Random, draws: bool):
        self.random, self.draws = random, draws
        self.names = _Names()
        self.lines: list[str] = []
        self.made = 0
        self.has_data = random.random() < 0.4
        self.rate = random.choice(("0.01", "0.05", "0.1"))

    # --- values ---------------------------------------------------------------------------

    def number(self) -> str:
        return repr(round(self.random.uniform(-1.0, 1.0), 2))

    def scalar(self, depth: int = 2) -> str:
        known = self.names.tensors["scalar"] + self.names.variables["scalar"]
        if depth == 0 or self.random.random() < 0.25:
            return self.random.choice([*known, self.number()]) if known else self.number()
        way = self.random.randrange(8)
        if way == 0:
            return f"reduce_sum({self.vector(depth - 1)})"
        if way == 1:
            return f"{self.random.choice(('tanh', 'sin', 'sigmoid'))}({self.scalar(depth - 1)})"
        if way == 2:
            return f"cast({self.count()} % 3, float32)"
        if way == 3:
            return f"gather({self.vector(0)}, {self.count()} % 3)"
        operator = self.random.choice("+-*+-")
        return f"({self.scalar(depth - 1)} {operator} {self.scalar(depth - 1)})"

    def vector(self, depth: int = 2) -> str:
        known = self.names.tensors["vector"] + self.names.variables["vector"]
        if depth == 0 or not known or self.random.random() < 0.25:
            return self.random.choice(known) if known else "constant([0.5, -0.25, 1.0])"
        way = self.random.randrange(6)
        if way == 0:
            return f"tanh({self.vector(depth - 1)})"
        if way == 1:
            return f"where({self.vector(0)} > 0.0, {self.vector(depth - 1)}, {self.vector(depth - 1)})"
        if way == 2:
            return f"({self.vector(depth - 1)} * {self.scalar(depth - 1)})"
        return f"({self.vector(depth - 1)} {self.random.choice('+-')} {self.vector(depth - 1)})"

    def count(self) -> str:
        known = self.names.tensors["count"] + self.names.variables["count"]
        return self.random.choice(known) if known else "constant(1)"

    def value(self, kind: str) -> str:
        if kind == "count":
            return f"{self.count()} + {self.random.randint(1, 3)}"
        return self.scalar() if kind == "scalar" else self.vector()

    def bounded(self, kind: str) -> str:
        """A value that stays small when it is added repeatedly."""
        return f"tanh({self.value(kind)})" if kind != "count" else str(self.random.randint(1, 3))

    def name(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    def bind(self, kind: str, text: str, indent: str = "") -> str:
        name = self.name("e")
        self.lines.append(f"{indent}{name} = {text}")
        self.names.tensors[kind].append(name)
        return name

    # --- statements of the graph half -----------------------------------------------------

    def variable(self) -> None:
        kind = self.random.choice(("scalar", "scalar", "vector", "count"))
        name = self.name("v")
        first = {"scalar": self.number(), "count": str(self.random.randint(0, 3))}.get(kind)
        self.lines.append(f"variable {name} = {first or '[' + ', '.join(self.number() for _ in range(3)) + ']'}")
        self.names.variables[kind].append(name)

    def some_variable(self) -> tuple[str, str] | None:
        found = [(kind, name) for kind in _KINDS for name in self.names.variables[kind]]
        return self.random.choice(found) if found else None

    def write(self, indent: str = "") -> None:
        chosen = self.some_variable()
        if chosen is None:
            return
        kind, variable = chosen
        op = self.random.choice(("assign", "assign_add", "assign_add", "assign_sub"))
        value = self.bounded(kind)
        if kind == "vector" and self.random.random() < 0.25:
            text = f"scatter_add({variable}, [{self.count()} % 3], [{self.bounded('scalar')}])"
        else:
            text = f"{op}({variable}, {value})"
        self.names.writes.append(self.bind(kind, text, indent))

    def after(self) -> None:
        if not self.names.writes:
            return self.write()
        self.lines.append(f"after {self.random.choice(self.names.writes)}:")
        kind = self.random.choice(_KINDS)
        if self.random.random() < 0.4:
            self.write("    ")
        self.bind(kind, self.value(kind) if kind == "count" else f"{self.value(kind)} * 1.0", "    ")

    def branch(self) -> None:
        kind = self.random.choice(("scalar", "vector"))
        name, test = self.name("e"), self.scalar(1)
        self.lines.append(f"if {test} + 0.0 * reduce_sum({self.vector(0)}) > {self.number()}:")
        sides = []
        for _ in range(2):
            chosen = self.some_variable()
            if chosen and chosen[0] == kind and self.random.random() < 0.5:
                sides.append(f"assign_add({chosen[1]}, {self.bounded(kind)}) * 1.0")
            else:
                sides.append(f"{self.value(kind)} * 1.0")
        self.lines += [f"    {name} = {sides[0]}", "else:", f"    {name} = {sides[1]}"]
        self.names.tensors[kind].append(name)

    def loop(self) -> None:
        count, name = self.name("i"), self.name("e")
        self.lines += [
            f"{count} = constant(0)",
            f"{name} = {self.scalar(1)} * 1.0",
            f"while {count} < {self.random.randint(1, 4)}:",
            f"    {count} = {count} + 1",
            f"    {name} = tanh({name} + {self.scalar(1)})",
        ]
        self.names.tensors["scalar"].append(name)

    def failing(self) -> None:
        """A value that depends on something that may fail at some step."""
        kind = self.random.randrange(4)
        bound = self.random.randint(2, 6)
        if kind == 0:
            check = self.name("a")
            self.lines.append(f'{check} = assert_less(cast({self.count()}, float32), {bound}.0, message="too many")')
            self.lines.append(f"after {check}:")
            self.bind("scalar", f"{self.scalar(1)} * 1.0", "    ")
        elif kind == 1:
            self.bind("scalar", f"gather({self.vector(0)}, {self.count()})")
        elif kind == 2:
            self.bind("count", f"{self.random.randint(4, 9)} // ({bound} - {self.count()})")
        else:
            self.bind("scalar", f"cast({self.count()} % ({bound} - {self.count()}), float32)")

    def drawn(self) -> None:
        self.bind("vector", f"random_normal([3], 0.0, 0.1, seed={self.random.randint(1, 99)})")

    def optimizer(self) -> None:
        trainable = self.names.variables["scalar"] + self.names.variables["vector"]
        if not trainable:
            return
        chosen = self.random.sample(trainable, self.random.randint(1, min(2, len(trainable))))
        loss = self.name("l")
        parts = [f"reduce_sum(square({name} - {self.number()}))" for name in chosen]
        more = f" + 0.1 * tanh({self.scalar(1)})"
        if self.has_data and chosen[0] in self.names.variables["scalar"]:
            more += f" + 0.1 * reduce_mean(square(reduce_sum(X, axis=1) - {chosen[0]}))"
        self.lines.append(f"{loss} = {' + '.join(parts)}{more}")
        self.names.tensors["scalar"].append(loss)
        way = self.random.choice(("gradient_descent(", "momentum(0.9, ", "adam(", "adagrad("))
        step = self.name("o")
        self.lines.append(f"optimize {loss} with {way}learning_rate={self.rate}) wrt {', '.join(chosen)} as {step}")
        self.names.steps.append(step)

    # --- the session ----------------------------------------------------------------------

    def shown(self, most: int) -> str:
        every = [
            name for table in (self.names.tensors, self.names.variables) for kind in _KINDS for name in table[kind]
        ]
        return ", ".join(self.random.sample(every, min(most, len(every))))

    def body(self) -> list[str]:
        lines = ["feed X = b.features"] if self.has_data else []
        runs = self.names.writes + self.names.steps
        for _ in range(self.random.randint(1, 4)):
            way = self.random.randrange(6)
            if way <= 2 and runs:
                lines.append("run " + ", ".join(self.random.sample(runs, min(self.random.randint(1, 3), len(runs)))))
            elif way == 3:
                lines.append(f"every {self.random.randint(1, 3)} steps: print step, {self.shown(2)}")
            elif way == 4 and self.names.variables["count"]:
                lines.append(
                    f"stop when {self.random.choice(self.names.variables['count'])} > {self.random.randint(5, 9)}"
                )
            else:
                lines.append(f"print {self.shown(3)}")
        if not any(line.startswith("run") for line in lines) and runs:
            lines.append("run " + self.random.choice(runs))
        return lines

    def text(self) -> str:
        self.lines.append(f"seed {self.random.randint(1, 999)}")
        if self.has_data:
            self.lines += ["data d = moons(11, noise=0.1, seed=1)", "placeholder X: float32[n, 2]"]
        for _ in range(self.random.randint(2, 4)):
            self.variable()
        ways = [
            self.write, self.write, self.after, self.branch, self.loop, self.optimizer, self.optimizer, self.failing,
            lambda: self.bind("scalar", f"{self.scalar()} * 1.0"),
            lambda: self.bind("vector", f"{self.vector()} * 1.0"),
        ]  # fmt: skip
        if self.draws and self.random.random() < 0.4:
            ways.append(self.drawn)
        for _ in range(self.random.randint(4, 10)):
            self.random.choice(ways)()
        self.lines.append("session:")
        for _ in range(self.random.randint(1, 2)):
            amount = self.random.randint(3, 9)
            if self.has_data:
                order = self.random.choice(("ordered", "shuffled", "sampled"))
                self.lines.append(f"    train {amount} steps on d in batches of 4 {order} as b:")
            else:
                self.lines.append(f"    train {amount} steps:")
            self.lines += [f"        {line}" for line in self.body()]
        every = [name for kind in _KINDS for name in self.names.variables[kind]]
        self.lines.append("    print " + ", ".join(every))
        return "\n".join(self.lines) + "\n"
