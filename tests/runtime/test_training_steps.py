"""`session.train`: trainings whose steps Python takes, with data of its own."""

import copy
import os
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from conftest import some

import tfdsl
from tfdsl import TfgError
from tfdsl.runtime.options import Options

v1 = tf.compat.v1


def codes(raised) -> list[str]:
    return [diagnostic.code for diagnostic in raised.value.diagnostics]


# --- a supervised training, as `run` takes it -------------------------------------------------------

GRAPH = """\
import nn
seed 3
data d = moons(90, noise=0.1, seed=1) | standardize
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
hidden = nn.dropout(nn.dense(X, 6, activation=tanh), rate=0.2)
logits = nn.dense(hidden + random_normal([6], stddev=0.01), 1)
mse = reduce_mean(square(logits - y))
summary scalar mse as "mse"
optimize mse with adam(learning_rate=0.05)
"""
SESSION = """\
session:
    log to "by_run"
    train 4 epochs on d in batches of 20 ordered as b:
        feed X = b.features, y = b.target
        log
"""
STEPS = 20


def batches(program) -> list[dict[str, object]]:
    """The batches of the four epochs; the last one of each is short."""
    data = program.dataset("d")
    parts = [slice(at, at + 20) for at in range(0, 90, 20)]
    return [{"X": data.features[part], "y": data.target[part]} for part in parts] * 4


def trained(program, feed, fetch=("mse",), options=None, **how) -> tuple[list, dict]:
    """The fetched values of all steps, and the variables afterwards."""
    with program.session(options=options) as session:
        found = [step.values for step in session.train(feed=feed, fetch=fetch, **how)]
        return found, session.session.run({one.op.name: one for one in program.built().variables()})


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_the_steps_are_those_of_run(here):
    # `log` draws too, in an execution of its own, so this graph does not.
    graph = GRAPH.replace(" + random_normal([6], stddev=0.01)", "")
    graph = graph.replace("nn.dropout(nn.dense(X, 6, activation=tanh), rate=0.2)", "nn.dense(X, 6, activation=tanh)")
    result = tfdsl.compile(graph + SESSION).run()
    program = tfdsl.compile(graph)
    feeds = batches(program)
    for feed, steps in ((iter(feeds), STEPS), (feeds.__getitem__, STEPS)):
        found, variables = trained(program, feed, steps=steps)
        assert_same(variables, result.variables)
        assert [(number, one["mse"]) for number, one in enumerate(found)] == result.history["mse"]


def test_random_ops_draw_as_in_run(here):
    """`nn.dropout` drops, as in a training, because the step of an optimizer is taken."""
    text = SESSION.replace('    log to "by_run"\n', "").replace("        log\n", "")
    result = tfdsl.compile(GRAPH + text).run()
    program = tfdsl.compile(GRAPH)
    assert_same(trained(program, batches(program), fetch=())[1], result.variables)


@pytest.mark.long
def test_steps_together_give_the_same_bits(here):
    program = tfdsl.compile(GRAPH)
    feeds, fetch = batches(program), ("mse", "logits", "X", "dense.kernel")
    alone, after = trained(program, feeds, fetch)
    for together, log in ((4, "logs"), (64, "")):
        found, variables = trained(program, feeds, fetch, together=together, log_to=log or None)
        assert_same(variables, after)
        assert len(found) == STEPS
        for one, other in zip(found, alone, strict=True):
            assert_same(one, other)
        assert [one["logits"].shape for one in found] == [(20, 1), (20, 1), (20, 1), (20, 1), (10, 1)] * 4


def test_together_the_feeds_are_read_ahead():
    program = tfdsl.compile("placeholder x: float32\nvariable w = 0.0\nadd = assign_add(w, x)\n")
    seen = []

    def feed(number):
        seen.append(number)
        return {"x": 1.0}

    with program.session() as session:
        for step in session.train(10, feed, "w", run="add", together=4):
            assert step.w == step.number + 1
            after = {0: 4, 1: 8, 2: 10}[step.number // 4]
            assert session.run("w") == after
            assert seen == list(range(after))


def test_each_optimizer_takes_its_step_as_in_train():
    """The second loss sees what the first optimizer has changed; `run` with both takes one execution."""
    text = """\
variable a = 1.0
variable b = 2.0
one = square(a - 3.0)
other = square(b - a)
optimize one with gradient_descent(learning_rate=0.25) wrt a as first
optimize other with gradient_descent(learning_rate=0.25) wrt b as second
"""
    program = tfdsl.compile(text + "session:\n    train 3 steps: print a, b\n    print a, b\n")
    result = program.run()
    with program.session() as session:
        steps = [(step.a, step.b) for step in session.train(3, fetch=["a", "b"])]
        assert (session.run("a"), session.run("b")) == (result.variables["a"], result.variables["b"])
    with program.session() as session:
        together = [(step.a, step.b) for step in session.train(3, fetch=["a", "b"], together=3)]
    assert together == steps
    with program.session() as session:  # two trainings take turns
        a, b = session.train(run="first", fetch="a"), session.train(run="second", fetch="b")
        assert [(a.step().a, b.step().b) for _ in range(3)] == steps
    with program.session() as session:
        first = next(session.train(fetch=["a", "b"], run=["first", "second"]))
        assert (first.a, first.b) == (2.0, 1.5)  # both at once: the second loss sees the old `a`


# --- policy gradients -------------------------------------------------------------------------------

POLICY = """\
placeholder observations: float32[n, 4]
placeholder actions: int32[n]
placeholder returns: float32[n]
variable hidden: float32[4, 16] = HIDDEN
variable bias: float32[16] = zeros
variable out: float32[16, 2] = OUT
logits = tanh(observations @ hidden + bias) @ out
probabilities = softmax(logits)
loss = reduce_mean(returns * sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits))
optimize loss with adam(learning_rate=0.02)
"""
UPDATES, POLES, MOST = 14, 8, 120


class CartPoles:
    """Some carts that balance a pole each, with the physics of Barto, Sutton and Anderson (1983), in steps of 20 ms."""

    def __init__(self, count: int, rng: np.random.Generator):
        self.state = rng.uniform(-0.05, 0.05, size=(count, 4))

    def act(self, actions: np.ndarray) -> np.ndarray:
        """Push each cart with 10 N, to the left (0) or right (1). Returns which poles are still up."""
        _, speed, angle, turning = self.state.T
        force, sine, cosine = np.where(actions == 1, 10.0, -10.0), np.sin(angle), np.cos(angle)
        pushed = (force + 0.05 * turning**2 * sine) / 1.1
        turned = (9.8 * sine - cosine * pushed) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
        moved = pushed - 0.05 * turned * cosine / 1.1
        self.state += 0.02 * np.stack([speed, moved, turning, turned], axis=1)
        return (np.abs(self.state[:, 0]) < 2.4) & (np.abs(self.state[:, 2]) < np.radians(12))


def episodes(number: int, probabilities) -> tuple[dict[str, np.ndarray], float]:
    """Episodes of a policy, whose random numbers depend on the number of the step: what was seen and done, with the
    discounted returns, which are made alike in size; and the mean number of steps until a pole fell."""
    rng = np.random.default_rng(number)
    carts, up = CartPoles(POLES, rng), np.ones(POLES, bool)
    seen, done, alive = [], [], []
    while up.any() and len(seen) < MOST:
        observations = carts.state.astype(np.float32)
        actions = (rng.uniform(size=POLES) < probabilities(observations)[:, 1]).astype(np.int32)
        seen.append(observations)
        done.append(actions)
        alive.append(up)
        up = up & carts.act(actions)
    returns, after = np.zeros((len(seen), POLES), np.float32), np.zeros(POLES, np.float32)
    for at in reversed(range(len(seen))):
        after = returns[at] = alive[at] + np.float32(0.97) * after
    was = np.array(alive)
    kept = returns[was]
    feed = {
        "observations": np.array(seen)[was], "actions": np.array(done)[was],
        "returns": (kept - kept.mean()) / (kept.std() + 1e-6),
    }  # fmt: skip
    return feed, was.sum() / POLES


def initial() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return (
        rng.normal(scale=0.5, size=(4, 16)).astype(np.float32),
        rng.normal(scale=0.1, size=(16, 2)).astype(np.float32),
    )


def by_hand() -> tuple[list[float], list[float], list[np.ndarray]]:
    """The same training in TensorFlow 1: losses, lengths of the episodes, and the variables afterwards."""
    with tf.Graph().as_default():
        observations = v1.placeholder(tf.float32, [None, 4])
        actions, returns = v1.placeholder(tf.int32, [None]), v1.placeholder(tf.float32, [None])
        first, last = initial()
        hidden, bias = v1.Variable(first, use_resource=True), v1.Variable(np.zeros(16, np.float32), use_resource=True)
        out = v1.Variable(last, use_resource=True)
        logits = tf.matmul(tf.tanh(tf.matmul(observations, hidden) + bias), out)
        probabilities = tf.nn.softmax(logits)
        taken = v1.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits)
        loss = tf.reduce_mean(returns * taken)
        update = v1.train.AdamOptimizer(0.02).minimize(loss)
        losses, lengths = [], []
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for number in range(UPDATES):
                feed, length = episodes(number, lambda seen: session.run(probabilities, {observations: seen}))
                values = {
                    observations: feed["observations"], actions: feed["actions"], returns: feed["returns"]
                }  # fmt: skip
                losses.append(session.run([loss, update], values)[0])
                lengths.append(length)
            return losses, lengths, session.run([hidden, bias, out])


@pytest.mark.long
def test_policy_gradients_learn_as_by_hand():
    first, last = initial()
    program = tfdsl.compile(POLICY.replace("HIDDEN", "zeros").replace("OUT", "zeros"))
    lengths = []
    with program.session(variables={"hidden": first, "out": last}) as session:

        def play(number: int) -> dict[str, np.ndarray]:
            feed, length = episodes(number, lambda seen: session.run("probabilities", {"observations": seen}))
            lengths.append(length)
            return feed

        losses = [step.loss for step in session.train(UPDATES, feed=play, fetch="loss")]
        variables = session.run(["hidden", "bias", "out"])
    by_losses, by_lengths, by_variables = by_hand()
    assert lengths == by_lengths
    np.testing.assert_array_equal(losses, by_losses)
    for ours, theirs in zip(variables, by_variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert np.mean(lengths[-5:]) > 2 * np.mean(lengths[:5]), lengths


def test_the_loop_of_the_caller_finds_the_feeds():
    """The steps of `training.step(feed)` are those of a loop over the training."""
    program = tfdsl.compile(
        "placeholder x: float32\nvariable w = 1.0\noptimize square(w - x) with adam(learning_rate=0.1)\n"
    )
    with program.session() as session:
        expected = [step.w for step in session.train(5, lambda number: {"x": number}, "w")]
    with program.session() as session:
        training = session.train(5, fetch="w")
        found = []
        while training.number < 5:
            step = training.step({"x": training.number})
            assert training.number == step.number + 1
            found.append(step.w)
        assert found == expected
        with pytest.raises(TfgError, match="all its steps are taken") as caught:
            training.step({"x": 1.0})
        assert codes(caught) == ["TFG753"]
        assert list(training) == []
    with program.session() as session:
        training = session.train(2, [{"x": 0.0}, {"x": 1.0}], "w")
        assert [training.step().w, training.step().w] == expected[:2]
        with pytest.raises(TfgError) as caught:
            training.step()
        assert codes(caught) == ["TFG753"]
        assert training.steps == 2 and training.number == 2
        with pytest.raises(ValueError, match="in advance"):
            session.train(fetch="w", together=2).step({"x": 1.0})


# --- what a step has --------------------------------------------------------------------------------


def test_values_of_a_step():
    text = "variable w = [1.0, 2.0]\nscope loss:\n    mse = reduce_sum(w)\nsizes = [2, 3]\nboth = [w, mse]\nup = assign_add(w, w)\n"
    with tfdsl.compile(text).session() as session:
        (step,) = session.train(1, fetch=["loss.mse", "sizes", "both", "up", "w"], run="up")
        assert step["loss.mse"] == 3.0 and step.sizes == [2, 3] and step.number == 0
        assert [one.tolist() for one in step.both] == [[2.0, 4.0], 3.0]  # variables are read at the end
        assert step.up.tolist() == step.w.tolist() == [2.0, 4.0]
        with pytest.raises(KeyError, match=r"did you mean 'loss\.mse'"):
            step["loss.ms"]
        with pytest.raises(AttributeError, match="has fetched no 'speed'"):
            step.speed  # noqa: B018
        assert copy.copy(step).values == step.values
        assert "mse" in repr(step)
        assert session.run("w").tolist() == [2.0, 4.0]


def test_logs(here):
    text = """\
variable w = 8.0
loss_of_w = square(w)
summary scalar w as "w"
summary scalar loss_of_w as "loss"
optimize loss_of_w with gradient_descent(learning_rate=0.25)
"""
    program = tfdsl.compile(text)
    with program.session() as session:
        for step in session.train(5, log_to="logs", log_every=2, log="w"):
            step.log({"reward": -step.number})
        for step in session.train(1, log_to="logs", together=2):  # goes on in the same file
            step.log({"reward": 7})
    (name,) = os.listdir("logs")
    found: dict[str, list] = {}
    for event in v1.train.summary_iterator(os.path.join("logs", name)):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert found["w"] == [(0, 8.0), (2, 2.0), (4, 0.5), (0, 0.25)]
    assert found["loss"] == [(0, 0.0625)]
    assert found["reward"] == [(0, 0.0), (1, -1.0), (2, -2.0), (3, -3.0), (4, -4.0), (0, 7.0)]
    with program.session(options=Options(logdir="others")) as session:
        list(session.train(1, log_to="logs"))
    assert len(os.listdir("others")) == 1
    with program.session() as session:
        with pytest.raises(TfgError) as caught:
            session.train(1, log="w")
        assert codes(caught) == ["TFG755"]
        with pytest.raises(TfgError) as caught:
            session.train(1).step().log({"reward": 1.0})
        assert codes(caught) == ["TFG755"]
        with pytest.raises(TfgError, match="did you mean 'loss'") as caught:
            session.train(1, log_to="logs", log=["los"])
        assert codes(caught) == ["TFG511"]


# --- checkpoints ------------------------------------------------------------------------------------

SAMPLED = """\
seed 4
placeholder x: float32[n]
variable w = [0.5, -0.5]
action = random_uniform([5]) < sigmoid(w[0])
noisy = w * (1.0 + 0.1 * random_normal([2]))
loss_of_x = reduce_mean(square(reduce_sum(noisy) - x))
summary scalar loss_of_x as "loss"
optimize loss_of_x with adam(learning_rate=0.1)
"""


class Killed(Exception):
    pass


def seen_in(session, killed_at=None, feeds=None, together=1) -> Iterator:
    """What a caller sees in a training that keeps checkpoints. It samples actions between the steps."""

    def feed(number):
        return {"x": session.run("action").ravel() + number}

    training = session.train(
        20, feeds or feed, ["loss_of_x", "w"], checkpoint="kept", checkpoint_every=6, log_to="logs", together=together
    )
    for step in training:
        if step.number == killed_at:
            raise Killed
        yield step.number, step.loss_of_x, step.w.tolist(), session.run("action").tolist()


@pytest.mark.parametrize(("kind", "killed_at"), some(
    product(("function", "iterable", "together"), (3, 6, 15)), [("together", 15)]
))  # fmt: skip
def test_a_killed_training_ends_with_the_same_bits(here, killed_at, kind):
    program, notes = tfdsl.compile(SAMPLED), []
    feeds = None if kind == "function" else [{"x": np.arange(3) * number} for number in range(20)]
    together = 5 if kind == "together" else 1
    with program.session() as session:
        whole = list(seen_in(session, None, feeds, together))
    assert not os.path.exists("kept"), "removed with the session"
    with pytest.raises(Killed), program.session() as session:
        list(seen_in(session, killed_at, feeds, together))
    saved = os.listdir("kept") if os.path.exists("kept") else []
    assert len(saved) == {3: 0, 6: 1, 15: 2}[killed_at]
    with program.session(options=Options(note=notes.append)) as session:
        rest = list(seen_in(session, None, feeds, together))
        begin = killed_at // 6 * 6
        assert rest == whole[begin:]
        history = session._graph.run.result.history["loss"]
        assert history == [(number, loss) for number, loss, *_ in whole]
    assert notes == ([f"resuming from step {begin}, saved in kept"] if begin else [])
    assert not os.path.exists("kept")


def test_what_checkpoints_belong_to(here):
    program = tfdsl.compile(SAMPLED)
    with pytest.raises(Killed), program.session() as session:
        list(seen_in(session, 15))
    other = tfdsl.compile(SAMPLED.replace("square", "abs"))
    with pytest.raises(TfgError) as caught, other.session() as session:
        list(seen_in(session))
    assert codes(caught) == ["TFG710"]
    assert caught.value.diagnostics[0].span is None, "no line of the program has the folder"
    # More steps, other fetches and how often checkpoints are saved change nothing.
    with program.session(), pytest.raises(Killed), program.session() as session:
        training = session.train(30, lambda number: {"x": [1.0]}, checkpoint="kept", checkpoint_every=5)
        assert training.number == 12
        with pytest.raises(TfgError) as caught, program.session() as again:
            again.train(checkpoint="kept")
        assert codes(caught) == ["TFG721"] or "kept" in str(caught.value)
        raise Killed
    with pytest.raises(Killed), other.session(options=Options(resume_anyway=True)) as session:
        assert session.train(checkpoint="kept").number == 12
        raise Killed
    with other.session(options=Options(fresh=True)) as session:
        assert session.train(checkpoint="kept").number == 0


def test_one_training_after_the_other_keeps_checkpoints(here):
    program = tfdsl.compile(SAMPLED)

    def both(killed_at=None):
        with program.session() as session:
            first = session.train(8, lambda number: {"x": [1.0]}, checkpoint="first", checkpoint_every=5)
            list(first)
            second = session.train(8, lambda number: {"x": [2.0]}, checkpoint="second", checkpoint_every=3)
            for step in second:
                if step.number == killed_at:
                    raise Killed
            for call in (lambda: first.step({"x": [1.0]}), lambda: next(first)):
                with pytest.raises(TfgError, match="another training of the session") as caught:
                    call()
                assert codes(caught) == ["TFG753"]
            return session.run("w").tolist()

    whole = both()
    with pytest.raises(Killed):
        both(7)
    assert sorted(os.listdir()) == ["first", "second"]
    assert both() == whole
    assert os.listdir() == []


def test_states_that_no_checkpoint_holds(here):
    text = SAMPLED + "other = categorical([[0.5, 0.5]], 5)\n"
    with tfdsl.compile(text).session() as session:
        session.run("action")  # its kernel has drawn
        with pytest.warns(UserWarning) as caught:
            session.train(checkpoint="kept")
    assert [str(one.message) for one in caught] == [
        "line 4: no checkpoint can hold the state of RandomUniform; a resumed run resets it",
        "line 9: no checkpoint can hold the state of Multinomial; a resumed run resets it",
    ]
    assert {one.filename for one in caught} == {__file__}


# --- failures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [1, 4])
def test_a_loss_that_is_not_a_number(together):
    text = "placeholder x: float32\nvariable w = 1.0\nl = log(x) * w\noptimize l with gradient_descent(learning_rate=0.1)\n"
    feeds = [{"x": 1.0}] * 6 + [{"x": -1.0}] + [{"x": 2.0}] * 3
    with tfdsl.compile(text).session() as session:
        seen = []
        with pytest.raises(TfgError, match="at step 6") as caught:
            for step in session.train(feed=feeds, fetch="l", together=together):
                seen.append(step.number)
        assert codes(caught) == ["TFG716"] and "the training is on line" not in str(caught.value)
        assert seen == list(range(6))
        assert np.isnan(session.run("w")), "as the step has left it"
    with tfdsl.compile(text).session() as session:
        steps = list(session.train(feed=feeds, fetch="l", together=together, on_nan="ignore"))
        assert len(steps) == 10 and np.isnan(steps[6].l) and np.isnan(session.run("w"))


def test_a_variable_that_is_not_a_number():
    text = "variable w = 0.0\noptimize sqrt(w) with gradient_descent(learning_rate=0.0)\n"
    with tfdsl.compile(text).session() as session, pytest.raises(TfgError, match="the variable w") as caught:
        list(session.train(1))
    assert codes(caught) == ["TFG716"]


def test_a_step_that_fails_is_the_one_that_fails_alone():
    text = "placeholder i: int32\nvariable w = [1.0, 2.0]\nup = assign_add(w, gather(w, [i, i]))\n"
    feeds = [{"i": 0}, {"i": 1}, {"i": 5}, {"i": 0}]
    found = []
    for together in (1, 4):
        with tfdsl.compile(text).session() as session:
            seen = []
            with pytest.raises(TfgError) as caught:
                for step in session.train(feed=feeds, fetch="up", run="up", together=together):
                    seen.append(step.up.tolist())
            found.append((seen, str(caught.value), session.run("w").tolist()))
    assert found[0] == found[1] and len(found[0][0]) == 2


def test_ops_that_cannot_be_taken_together(here):
    calls, notes = [], []

    def count(x):
        def called(value):
            calls.append(float(value))
            return value

        made = tf.numpy_function(called, [x], tf.float32)
        made.set_shape([])
        return made

    text = "placeholder x: float32\nvariable w = 1.0\noptimize square(w) * count(x) with adam(learning_rate=0.1)\n"
    program = tfdsl.compile(text, ops={"count": count})
    with program.session(options=Options(note=notes.append)) as session:
        list(session.train(6, lambda number: {"x": number}, together=3))
    assert calls == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert notes == ["the training takes its steps one by one: PyFunc has effects that cannot be undone (line 3)"]


MISTAKES = {
    "fetch": (lambda s: s.train(fetch="loss_of_y"), "TFG301", "did you mean"),
    "fetch nothing alike": (lambda s: s.train(fetch="other"), "TFG301", "there are "),
    "run": (lambda s: s.train(run=["w2"]), "TFG301", "did you mean 'w'"),
    "run of a number": (lambda s: s.train(run="k"), "TFG752", "known while compiling"),
    "run of nothing": (lambda s: s.train(run=[]), "TFG752", "empty"),
    "unfed": (lambda s: next(s.train(fetch="loss_of_x")), "TFG501", 'train(..., feed={"x": ...})'),
    "unfed optimizer": (lambda s: next(s.train()), "TFG501", "the optimizer needs x"),
    "shape": (lambda s: next(s.train(feed={"x": [[1.0]]})), "TFG502", "float32[n]"),
    "dtype": (lambda s: next(s.train(feed={"x": ["a"]})), "TFG503", "x is float32[n]"),
    "name": (lambda s: next(s.train(feed={"z": 1.0})), "TFG301", "'z'"),
    "target": (lambda s: next(s.train(feed={"w": [1.0, 2.0]})), "TFG505", "placeholders"),
    "end": (lambda s: list(s.train(3, [{"x": [1.0]}] * 2)), "TFG754", "2 steps of 3"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes(kind):
    call, code, text = MISTAKES[kind]
    with tfdsl.compile(SAMPLED + "k = 3\n").session() as session:
        with pytest.raises(TfgError) as caught:
            call(session)
        assert codes(caught) == [code] and text in str(caught.value)


def test_a_graph_without_an_optimizer():
    with tfdsl.compile("variable w = 1.0\n").session() as session, pytest.raises(TfgError) as caught:
        session.train()
    assert codes(caught) == ["TFG752"]


def test_arguments_of_wrong_types():
    with tfdsl.compile(SAMPLED).session() as session:
        for given in ({"steps": 1.5}, {"steps": True}, {"fetch": 3}, {"fetch": [3]}, {"run": 3}, {"feed": 3},
                      {"together": None}, {"log_every": "2"}):  # fmt: skip
            with pytest.raises(TypeError, match=r"must be|takes a name"):
                session.train(**given)
        for given in ({"steps": -1}, {"together": 0}, {"log_every": 0}, {"checkpoint_every": 0}, {"on_nan": "go"}):
            with pytest.raises(ValueError, match="must be"):
                session.train(**given)
        with pytest.raises(TypeError, match="feed must be a mapping"):
            next(session.train(feed=lambda number: 5))
    with pytest.raises(TypeError, match=r"tfdsl\.Options"), tfdsl.compile(SAMPLED).session(options="step"):
        pass


def test_a_closed_session(here):
    with tfdsl.compile(SAMPLED).session() as session:
        training = session.train(feed={"x": [1.0]}, log_to="logs")
        step = next(training)
        with pytest.raises(TfgError) as caught:
            copy.copy(training)
        assert codes(caught) == ["TFG751"]
    for call in (session.train, lambda: next(training), lambda: training.step({"x": [1.0]}), lambda: step.log({})):
        with pytest.raises(TfgError) as caught:
            call()
        assert codes(caught) == ["TFG750"]


def test_no_steps_and_early_ends():
    with tfdsl.compile(SAMPLED).session() as session:
        assert list(session.train(0, feed={"x": [1.0]})) == []
        assert list(session.train(feed=[])) == []
        for step in session.train(feed={"x": [1.0]}):
            if step.number == 2:
                break
        training = session.train(feed=({"x": [float(at)]} for at in range(3)), together=2)
        assert [step.number for step in training] == [0, 1, 2]
        assert next(training, None) is None and list(training) == []
