"""Executions that a session repeats, beside `tf.compat.v1.Session`."""

import threading

import numpy as np
import pytest

from tfdsl.lowering.data import GraphData
from tfdsl.lowering.tf import tf, v1
from tfdsl.runtime.execution import repeated
from tfdsl.runtime.execution.data_session import DataSession
from tfdsl.runtime.execution.repeated import _OFTEN

TIMES = 10 * _OFTEN


def sessions(graph):
    """A session that repeats, and TensorFlow's own."""
    return DataSession(GraphData(graph)), v1.Session(graph=graph)


def callables(session):
    """The number of executions that are callables."""
    return sum(one.chosen is not None for one in session._repeated._found.values())


@pytest.mark.parametrize(("expected", "are_compared"), [(1, False), (TIMES, False), (TIMES, True)])
def test_a_repeated_execution_has_the_values_of_the_others(expected, are_compared, monkeypatch):
    if are_compared:  # as if each execution took long enough for several threads
        monkeypatch.setattr(repeated, "_SHORT", 0.0)
        monkeypatch.setattr(repeated, "_GAIN", float("inf"))
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        w = v1.get_variable("w", initializer=tf.ones([2]), use_resource=True)
        noise = tf.random.normal([2], seed=3)
        y = tf.reduce_sum(x * w + noise)
        step = w.assign_sub(y * 0.01 + noise).op
        with tf.control_dependencies([step]):
            after = w.read_value()
        kept = v1.get_variable("kept", initializer=tf.ones([3]), use_resource=True)  # nothing assigns it
        fetches = [y, step, after, kept, y, tf.strings.as_string(y), noise]
        init = [w.initializer, kept.initializer]
    for session in (both := sessions(graph)):
        session.run(init)
    both[0].expect(expected)
    for at in range(TIMES):
        fed = {x: np.full([at % 5 + 1, 2], at, np.float32)}
        ours, other = (session.run(fetches, fed) for session in both)
        assert ours[1] is other[1] is None
        for one, two in zip(ours, other, strict=True):
            assert type(one) is type(two)
            np.testing.assert_array_equal(one, two)
        assert callables(both[0]) == (expected == TIMES) or at > 2 * _OFTEN
    assert callables(both[0]) == 1
    if expected == TIMES:
        (found,) = [one for one in both[0]._repeated._found.values() if one.fed]
        assert not found.made and found.chosen.looks == repeated._LOOKS
        assert are_compared or found.chosen.is_undivided


def test_the_faster_of_two_callables_is_kept(monkeypatch):
    """Undivided, divided: which of them is slow is up to the test."""
    clock = iter(range(10**6))
    with tf.Graph().as_default() as graph:
        y = tf.square(tf.constant(3.0))
    for slow in (True, False):
        session = DataSession(GraphData(graph))
        session.expect(10**6)

        def seconds(slow=slow, session=session):
            (found,) = session._repeated._found.values()
            return next(clock) * (10.0 if found.chosen.is_undivided == slow else 1.0)

        monkeypatch.setattr(repeated.time, "perf_counter", seconds)
        assert [session.run([y]) for _ in range(TIMES)] == [[9.0]] * TIMES
        monkeypatch.undo()
        (found,) = session._repeated._found.values()
        assert found.chosen.is_undivided != slow


def test_an_execution_of_many_ops_becomes_a_callable_later_or_at_once():
    with tf.Graph().as_default() as graph:
        y = x = v1.placeholder(tf.float32, [], "x")
        for _ in range(50):
            y = tf.sin(y)
    for expected in (1, TIMES):
        session = DataSession(GraphData(graph))
        session.expect(expected)
        for _ in range(2 * _OFTEN):
            session.run([y], {x: np.float32(1)})
        assert callables(session) == (expected == TIMES)


@pytest.mark.parametrize("value", ["text", np.zeros([2, 3], np.float32), np.zeros([4], np.float32)])
def test_a_value_that_does_not_fit_is_refused_after_many_that_did(value):
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        y = tf.reduce_sum(x)
    session = DataSession(GraphData(graph))
    for _ in range(TIMES):
        assert session.run([y], {x: np.ones([1, 2], np.float32)}) == [2.0]
    with pytest.raises(ValueError):
        session.run([y], {x: value})
    assert session.run([y], {x: [[1, 2]]}) == [3.0]  # a list is converted


def test_a_fed_tensor_can_be_fetched():
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [], "x")
    session = DataSession(GraphData(graph))
    assert [session.run([x], {x: np.float32(at)}) for at in range(TIMES)] == [[at] for at in range(TIMES)]


def test_a_failure_names_its_op_as_in_the_first_execution():
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.int32, [], "x")
        row = tf.gather([1.0, 2.0], x, name="row")
    session = DataSession(GraphData(graph))
    with pytest.raises(tf.errors.InvalidArgumentError) as first:
        session.run([row], {x: np.array(5, np.int32)})
    for _ in range(TIMES):
        session.run([row], {x: np.array(1, np.int32)})
    with pytest.raises(tf.errors.InvalidArgumentError) as later:
        session.run([row], {x: np.array(5, np.int32)})
    assert later.value.op is first.value.op is row.op
    assert later.value.message == first.value.message


def test_python_functions_do_not_run_in_the_thread_of_the_caller():
    threads = set()

    def function(x):
        threads.add(threading.current_thread())
        return x

    with tf.Graph().as_default() as graph:
        y = v1.py_func(function, [tf.constant(1.0)], tf.float32)
    session = DataSession(GraphData(graph))
    for _ in range(TIMES):
        assert session.run([y]) == [1.0]
    assert threading.current_thread() not in threads


def test_executions_are_not_kept_without_limit(monkeypatch):
    monkeypatch.setattr(repeated, "_MOST", 10)
    with tf.Graph().as_default() as graph:
        tensors = [tf.constant(float(at)) for at in range(25)]
    session = DataSession(GraphData(graph))
    for at, tensor in enumerate(tensors):
        assert [session.run([tensor]) for _ in range(TIMES)] == [[at]] * TIMES
        assert len(session._repeated._found) <= 10


def test_fetched_data_is_a_copy(here):
    import tfdsl

    np.savez("d.npz", features=np.arange(8, dtype=np.float32).reshape(4, 2), target=np.ones(4, np.float32))
    program = tfdsl.compile('data d = npz("d.npz")\nx = constant(d.features)\ny = x + 0.0\n')
    with program.session() as session:
        for _ in range(TIMES):
            array = session.run("x")
            array[:] = -1
            np.testing.assert_array_equal(session.run("y"), np.arange(8).reshape(4, 2))
