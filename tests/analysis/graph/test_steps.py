"""`global_step` and `apply`, compared with TensorFlow 1 by hand."""

import numpy as np
import pytest
from conftest import some
from tensorflow.compat import v1

import tfdsl
from tfdsl.runtime.options import Options

ENGINES = ["step", "loop", "xla"]
X = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(8, 3)
Y = (X @ [[1.0], [-2.0], [0.5]] + 0.25).astype(np.float32)
MODEL = """
param X = []
param y = []
variable w = [[0.5], [0.5], [0.5]]
variable b = 0.0
inputs = constant(X, dtype=float32)
cost = reduce_mean(square(inputs @ w + b - constant(y, dtype=float32)))
"""


def trained(text, engine="step"):
    inputs = {"X": X.tolist(), "y": Y.tolist()}
    return tfdsl.compile(MODEL + text, params=inputs).run(options=Options(write=lambda line: None, engine=engine))


def by_hand(step, turns):
    """The variables after some steps, and the names of all ops but those of the inputs."""
    with v1.Graph().as_default() as graph:
        global_step = v1.Variable(0, trainable=False, name="global_step", dtype=v1.int64, use_resource=True)
        w = v1.Variable([[0.5], [0.5], [0.5]], name="w", use_resource=True)
        b = v1.Variable(0.0, name="b", use_resource=True)
        cost = v1.reduce_mean(v1.square(v1.constant(X) @ w + b - v1.constant(Y)))
        op = step(cost, [w, b], global_step)
        with v1.Session(graph=graph) as session:
            session.run(v1.global_variables_initializer())
            for _ in range(turns):
                session.run(op)
            return session.run({"w": w, "b": b, "global_step": global_step})


def clipped(cost, variables, global_step):
    rate = v1.train.exponential_decay(0.2, global_step, 3, 0.5, staircase=True)
    gradients = [v1.clip_by_norm(one, 0.5) for one in v1.gradients(cost, variables)]
    optimizer = v1.train.MomentumOptimizer(rate, 0.9)
    return optimizer.apply_gradients(zip(gradients, variables, strict=True), global_step=global_step)


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_gradients_that_the_program_changed(engine):
    result = trained(
        """
rate = exponential_decay(0.2, global_step, 3, 0.5, staircase=true)
ws = trainable_variables()
apply [clip_by_norm(g, 0.5) for g in gradients(cost, ws)] to ws with momentum(0.9, learning_rate=rate) as training_op
session:
    train 7 steps: run training_op
""",
        engine,
    )
    wanted = by_hand(clipped, 7)
    np.testing.assert_allclose(result.variables["w"], wanted["w"], rtol=1e-6)
    np.testing.assert_allclose(result.variables["b"], wanted["b"], rtol=1e-6)
    assert result.variables["global_step"] == wanted["global_step"] == 7


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_one_optimizer_counts_its_steps(engine):
    result = trained(
        """
optimize cost with adam(learning_rate=polynomial_decay(0.1, global_step, 5, 0.01))
session:
    train 6 steps:
        every 2 steps: print global_step
""",
        engine,
    )

    def step(cost, variables, global_step):
        rate = v1.train.polynomial_decay(0.1, global_step, 5, 0.01)
        return v1.train.AdamOptimizer(rate).minimize(cost, global_step, var_list=variables)

    wanted = by_hand(step, 6)
    np.testing.assert_allclose(result.variables["w"], wanted["w"], rtol=2e-6)
    assert result.variables["global_step"] == 6


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("optimize cost with adam", 4),
        ("optimize cost with adam, global_step=none", 0),
        ("optimize cost with adam, global_step=global_step wrt w as one", 4),
        ("optimize cost with adam wrt w, b as one\noptimize cost with adam, global_step=global_step wrt b as two", 4),
        (
            "optimize cost with adam, global_step=global_step wrt w as one\n"
            "optimize cost with adam, global_step=global_step wrt b as two",
            8,
        ),
        ("apply gradients(cost, w) to w with adam", 4),
        ("apply gradients(cost, [w, b]) to w, b with adam, global_step=none", 0),
    ],
)
def test_which_steps_are_counted(text, counts):
    result = trained(f"{text}\nsession:\n    train 4 steps:\n        every 2 steps: print global_step\n")
    assert result.variables["global_step"] == counts


def test_a_name_that_the_program_binds_is_its_own():
    result = trained(
        """
variable global_step = 10, trainable=false
optimize cost with adam, global_step=global_step
session:
    train 4 steps:
        every 4 steps: print global_step
"""
    )
    assert result.variables["global_step"] == 14
    result = trained(
        "variable global_step = 10\noptimize cost with adam\nsession:\n    train 4 steps: print global_step\n"
    )
    assert result.variables["global_step"] == 10


def test_without_the_name_there_is_no_variable():
    result = trained("# global_step\noptimize cost with adam\nsession:\n    train 2 steps: print cost\n")
    assert "global_step" not in result.variables


def test_the_variable_is_outside_all_scopes_and_in_front():
    compiled = tfdsl.compile(
        """
variable w = 1.0
scope deep:
    def rate(): return exponential_decay(0.1, global_step, 10, 0.5)
    optimize square(w) with adam(learning_rate=rate()) as step
"""
    )
    assert compiled["global_step"].op.name == "global_step"
    assert compiled.graph.get_operations()[0].name.startswith("global_step")
    assert compiled["deep.step"].type == "AssignAddVariableOp"


def test_loss_that_becomes_nan_is_found_behind_applied_gradients():
    with pytest.raises(tfdsl.TfgError) as error:
        trained(
            """
variable far = 1.0
bad = cost + log(far - 1.5)
apply gradients(bad, far) to far with gradient_descent(learning_rate=0.1) as step
session:
    train 4 steps: run step
"""
        )
    assert error.value.diagnostics[0].code == "TFG716"
