"""Programs of the language beside the same programs by hand in TensorFlow 1: from the same first values, the same results.

A pair has one name: `tests/ports/NAME.tfg`, or a model, and `tests/ports/by_hand/NAME.py`. The program by hand is written
in the ordinary style of TensorFlow 1. Its function `train` gets the first values of the variables, by their names in
the program, and params such as the number of epochs. It returns variables and printed values, by their names in the program,
and the values of a logged scalar as "log TAG".
"""

import functools
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import tensorflow as tf

import tfdsl
from tfdsl.runtime.options import Options

ROOT = Path(__file__).resolve().parents[2]
PORTS = ROOT / "tests" / "ports"
BY_HAND = {path.stem: path for path in sorted((PORTS / "by_hand").glob("*.py"))}
PROGRAMS = {path.stem: path for path in [*sorted(PORTS.glob("*.tfg")), *sorted((ROOT / "models").rglob("*.tfg"))]}


def agree(
    name: str,
    *,
    engine: str = "",
    towers: int = 1,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    only: str = "",
    **params: object,
) -> None:
    """Check that a program and its counterpart by hand have the same results, or the same result `only`: in long
    trainings of some networks, rounding makes all others differ."""
    program, wanted = _prepared(name, tuple(params.items()))
    if towers > 1:
        program = program.on(towers=towers)  # which is built again
    result = program.run(options=Options(write=lambda line: None, engine=engine))
    assert not engine or set(result.engines) <= {engine}
    logged = {f"log {tag}": [value for _, value in pairs] for tag, pairs in result.history.items()}
    found = result.variables | result.values | logged
    for key, value in wanted.items() if not only else [(only, wanted[only])]:
        np.testing.assert_allclose(np.asarray(found[key]), value, rtol=rtol, atol=atol, err_msg=key)
    assert wanted


@functools.cache
def _prepared(name: str, params: tuple[tuple[str, object], ...]) -> tuple[tfdsl.Compiled, Mapping[str, object]]:
    """A program, and the results of its counterpart by hand."""
    program = tfdsl.compile(PROGRAMS[name], dict(params))
    with tf.Graph().as_default():
        return program, by_hand(name).train(first_values(program), **dict(params))


def by_hand(name: str) -> ModuleType:
    """The module with the program by hand."""
    spec = importlib.util.spec_from_file_location(f"by_hand_{name}", BY_HAND[name])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def first_values(program: tfdsl.Compiled) -> Mapping[str, np.ndarray]:
    """The values with which the variables of a program begin, by their names."""
    with program.graph.as_default(), tf.compat.v1.Session() as session:
        variables = {one.op.name: one for one in tf.compat.v1.global_variables()}
        feeds = program.feeds
        session.run(tf.compat.v1.variables_initializer(list(variables.values())), feeds)
        return session.run(variables)
