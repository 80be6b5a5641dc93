"""A name that several scopes bind, at all places that look a name up before or after its use."""

import pytest

from tfdsl.driver import check
from tfdsl.source import Source

SCOPES = "scope a:\n    z = constant(1)\nscope b:\n    z = constant(2)\nplaceholder X: float32[n, 2]\n"
DATA = "data d = moons(60, noise=0.1, seed=4)"
PLACES = {
    "a value of a session": ("session:\n    z = 3\n    print X with X = [[1.0, 2.0]]\n", ["TFG550"]),
    "an operand of whole numbers": ("session:\n    k = z + 1\n    print k, X with X = [[1.0, 2.0]]\n", ["TFG303"]),
    "a feed of an evaluate": (
        f"{DATA}\nsession:\n    m = evaluate reduce_mean(X) on d in batches of 10 as c with X = z.features\n    print m\n",
        ["TFG303"],
    ),
    "a condition on rows": (f"{DATA} | where(x0 > z)\n", ["TFG668"]),
    "a column": (f"{DATA} | drop(z)\n", ["TFG303"]),
    "a result below an 'after'": (
        "def f(x):\n    scope c:\n        y = x\n    scope e:\n        y = x + 1.0\n"
        "    after y:\n        return y\n\n_r = f(X)\n",
        ["TFG303", "TFG303"],
    ),
    "the library of a name": ("scope c:\n    nn = 1\nscope e:\n    nn = 2\n_r = dense(X, 3)\n", ["TFG301"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_name_of_several_scopes(place):
    text, codes = PLACES[place]
    assert [one.code for one in check(Source("<text>", SCOPES + text))[1] if one.severity == "error"] == codes
