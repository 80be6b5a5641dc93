"""The params of a run in its event file, for the tab HParams of TensorBoard."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

import tfdsl

PROGRAM = """
param rate: float = 1
param layers = 2
param on = true
param name = "a"
param sizes = [1, 2]
param nothing = none
variable w = 1.0
summary scalar w as "w"
session:
    log to "logs"
    log w
"""


def params_in(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    metadata = events.SummaryMetadata("_hparams_/session_start_info")
    content = plugin_data_pb2.HParamsPluginData.FromString(metadata.plugin_data.content)
    found = content.session_start_info.hparams
    return {name: getattr(one, one.WhichOneof("kind")) for name, one in found.items()}, events


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({}, {"rate": 1.0, "layers": 2.0, "on": True, "name": "a", "sizes": "[1, 2]", "nothing": "none"}),
        ({"rate": 0.5, "layers": 3, "on": False, "name": "1", "sizes": [], "nothing": 7},
         {"rate": 0.5, "layers": 3.0, "on": False, "name": "1", "sizes": "[]", "nothing": "7"}),
    ],
)  # fmt: skip
def test_each_param_has_its_type_in_every_run(here, given, values):
    program = PROGRAM.replace("rate: float", "rate: float32")
    tfdsl.compile(program, **given).run()
    found, events = params_in(Path("logs"))
    assert found == values and {name: type(one) for name, one in found.items()} == {
        n: type(v) for n, v in values.items()
    }
    assert [(one.step, one.value) for one in events.Scalars("w")] == [(0, 1.0)]


def test_a_program_without_params_has_none(here):
    tfdsl.compile('variable w = 1.0\nsummary scalar w as "w"\nsession:\n    log to "logs"\n    log w\n').run()
    with pytest.raises(KeyError):
        params_in(Path("logs"))
