"""Programs with the best params in place."""

from tfdsl.driver import check
from tfdsl.source import Source
from tfdsl.tuning.best import with_params

TEXT = """param rate = 0.01  # kept
import "layers.tfg" as layers
param kind: string = "relu"
param units = 3 + 4
param is_on = false
"""


def test_values_take_the_place_of_the_defaults():
    values = {"rate": 1e-05, "kind": 'a "b" \\ c', "units": 12, "is_on": True, "layers.depth": 2}
    text, others = with_params(Source("p.tfg", TEXT), values, "why")
    assert others == ["layers.depth"]
    assert text == (
        '# why\nparam rate = 1e-05  # kept\nimport "layers.tfg" as layers\nparam kind: string = "a \\"b\\" \\\\ c"\n'
        "param units = 12\nparam is_on = true\n"
    )
    program, _ = check(Source("p.tfg", text.replace('import "layers.tfg" as layers\n', "")))
    assert {one.name: one.value for one in program.params} == {name: values[name] for name in list(values)[:4]}


def test_params_in_scopes_and_lists_and_lifted_programs():
    text = "# lifted from a.pb, 3 nodes\nscope s:\n    param inner = 2.0\nparam sizes = [1, 2]\n"
    written, others = with_params(Source("p.tfg", text), {"inner": 1.0, "sizes": (3, 4)}, "why")
    assert not others and written == (
        "# lifted from a.pb, 3 nodes\n# why\nscope s:\n    param inner = 1.0\nparam sizes = [3, 4]\n"
    )
