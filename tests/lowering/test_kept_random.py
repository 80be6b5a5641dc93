"""Random ops of programs with checkpoints: they draw the same numbers as TensorFlow's own ops, from variables."""

import numpy as np
import pytest

import tfdsl
from tfdsl.lowering.kept_random import KEPT
from tfdsl.lowering.tf import tf, v1
from tfdsl.runtime.execution import random_state
from tfdsl.runtime.options import Options
from tfdsl.runtime.result import Result
from tfdsl.runtime.run_context import RunContext
from tfdsl.runtime.session import opened

PROGRAM = """
{seed}
variable w: float32[2, 3] = random_normal([2, 3])
{nodes}
optimize reduce_sum(square(w)) with gradient_descent(learning_rate=0.1)
session:
    print {names}
    train 2 steps:
        {checkpoint}
        print {names}
    print {names}
"""
CHECKPOINT = 'checkpoint every 7 steps in "kept"'
NODES = {
    "uniform": "random_uniform([2], -1.0, 1.0)",
    "normal": "random_normal([2, 2], mean=1.0, seed=3)",
    "truncated": "truncated_normal([3], dtype=float64)",
    "integers": "random_uniform([3], 0, 1000, dtype=int64)",
    "gamma": "random_gamma([2], [1.0, 3.0], [2.0, 5.0])",
    "gamma_double": "random_gamma([], [0.1, 3.0, 7.0], dtype=float64)",
    "shuffle": "random_shuffle(range(50))",
    "shuffle_rows": "random_shuffle([[1, 2], [3, 4], [5, 6]], seed=4)",
    "shuffle_one": "random_shuffle([1])",
    "crop": "random_crop([[1, 2, 3], [4, 5, 6]], [1, 2])",
    "kept": "dropout(w, rate=0.5)",
    "glorot": "glorot_uniform([2, 2])",
    "variance": "variance_scaling([2, 2], seed=9)",
    "drawn_shape": "random_uniform(shape(w))",
    "raw_one": "raw.RandomStandardNormal(shape=[2], dtype=float32, seed=4, seed2=6)",
}


def lines(here, checkpoint, seed="seed 5", nodes=None):
    nodes = NODES if nodes is None else nodes
    text = PROGRAM.format(
        seed=seed, nodes="\n".join(f"{name} = {made}" for name, made in nodes.items()),
        checkpoint=checkpoint, names=", ".join(nodes),
    )  # fmt: skip
    compiled = tfdsl.compile(text)
    return compiled.run(options=Options(write=lambda line: None, engine="step")).printed, compiled


def test_the_numbers_are_the_same_as_without_checkpoints(here):
    plain, without = lines(here, "")
    kept, with_states = lines(here, CHECKPOINT)
    assert plain == kept and len(set(plain)) == 4
    assert not without.built().random.variables
    assert len(with_states.built().random.variables) == len(NODES)
    types = {op.type for op in with_states.graph.get_operations()}
    assert types & KEPT.keys() == {"RandomStandardNormal"}  # of the initial value


def test_poisson_and_multinomial_depend_on_seed_and_count(here):
    nodes = {"p": "random_poisson([3.0, 50.0], [2])", "m": "multinomial([[0.0, 1.0, 0.5]], 20)"}
    first, _ = lines(here, CHECKPOINT, nodes=nodes)
    second, _ = lines(here, CHECKPOINT, nodes=nodes)
    other, _ = lines(here, CHECKPOINT, "seed 6", nodes)
    assert first == second and len(set(first)) == 4 and not set(first) & set(other)


def test_poisson_and_multinomial_have_their_distributions(here):
    nodes = {
        "p": "reduce_mean(random_poisson([3.0], [20000]))",
        "m": "reduce_mean(cast(multinomial([[0.0, 1.0986123]], 20000), float32))",
    }
    (first, *_), _ = lines(here, CHECKPOINT, nodes=nodes)
    mean, share = map(float, first.split())
    assert abs(mean - 3) < 0.06 and abs(share - 0.75) < 0.02


def test_iterations_of_a_loop_draw_in_order(here):
    """Like TensorFlow if iterations do not overlap."""
    loop = "while i < 5:\n    i = i + 1\n    x = x * 10.0 + random_uniform([])\n"
    text = PROGRAM.format(
        seed="seed 5", nodes="i = constant(0)\nx = constant(0.0)\n" + loop, checkpoint=CHECKPOINT, names="x"
    )
    printed = tfdsl.compile(text).run(options=Options(engine="step")).printed
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(5)
        result = tf.while_loop(
            lambda i, x: i < 5, lambda i, x: (i + 1, x * 10.0 + v1.random_uniform([])), [0, 0.0], parallel_iterations=1
        )
        with v1.Session(graph=graph) as session:
            assert printed == [str(session.run(result)[1]) for _ in printed]


def test_without_a_seed_every_session_has_other_numbers(here):
    first, compiled = lines(here, CHECKPOINT, "", {"a": "random_uniform([2])", "g": "random_gamma([2], 1.0)"})
    again = compiled.run(options=Options(engine="step")).printed
    assert len({*first, *again}) == 8


def test_states_are_not_variables_of_the_program(here):
    text = PROGRAM.format(seed="seed 5", nodes="noise = random_uniform([2])", checkpoint=CHECKPOINT, names="noise")
    compiled = tfdsl.compile(text + '    save to "at"\n    init\n    print noise\n')
    result = compiled.run()
    assert list(result.variables) == ["w"]
    assert tf.train.load_checkpoint("at").get_variable_to_shape_map().keys() == {"w"}
    assert len(set(result.printed)) == 5  # 'init' does not reset the state
    plain = tfdsl.compile(text.replace(CHECKPOINT, "") + '    restore from "at"\n')
    assert np.array_equal(plain.run().variables["w"], tf.train.load_variable("at", "w"))


def test_a_plain_tensorflow_session(here):
    _, compiled = lines(here, CHECKPOINT, nodes={"noise": "random_uniform([2])"})
    with v1.Session(graph=compiled.graph) as session, compiled.graph.as_default():
        session.run(v1.global_variables_initializer())
        first, second = session.run(compiled["noise"]), session.run(compiled["noise"])
    with compiled.session() as session:
        assert np.array_equal(session.run("noise"), first)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_states_that_cannot_be_saved_are_reported(here, engine):
    def noisy(x):
        return x + tf.random.uniform([]) + v1.random_gamma([], 1.0)

    text = PROGRAM.format(seed="seed 5", nodes="noise = noisy(w)", checkpoint=CHECKPOINT, names="noise")
    notes = []
    tfdsl.compile(text, ops={"noisy": noisy}).run(options=Options(engine=engine, note=notes.append))
    assert [note for note in notes if "no checkpoint" in note] == [
        "line 4: no checkpoint can hold the state of RandomGamma; a resumed run resets it"
    ]


def test_states_are_read_and_restored(here):
    _, compiled = lines(here, CHECKPOINT, nodes={"a": "random_uniform([2])", "g": "random_shuffle(range(20))"})
    (plan,) = compiled.program.sessions
    context = RunContext(Options(), Result("", {}), compiled.array, compiled.learned, compiled.fitted, compiled.access)
    drawn = []
    with opened(plan, compiled.built(), context) as opened_session:
        run = opened_session.run
        state = run.built, run.session, run.streams
        fetches = [compiled["a"], compiled["g"]]
        run.session.run(fetches)
        states = random_state.read(*state)
        assert set(states) == {"random/a/RandomUniform", "random/g"}
        assert all(type(number) is int for state in states.values() for number in state)
        for _ in range(2):
            drawn.append([str(run.session.run(fetches)) for _ in range(3)])
            random_state.put(*state, states)
        random_state.put(*state, {"random/gone": [1, 2, 3]})
        assert random_state.read(*state) == states
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 3
