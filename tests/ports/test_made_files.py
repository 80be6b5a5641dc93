"""The data of the programs are those that the script makes."""

import shutil
import sys
from subprocess import run

from beside_by_hand import PORTS


def test_the_script_makes_the_data(tmp_path):
    shutil.copy(PORTS / "data" / "make_data.py", tmp_path)
    run([sys.executable, tmp_path / "make_data.py"], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")}
    assert made == {path.name: path.read_bytes() for path in (PORTS / "data").glob("*.csv")}
