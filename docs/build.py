"""Builds the documentation site: `python docs/build.py` writes build/site/, whose index.html opens without a server.

It needs `pip install ".[docs]"`. The pages are in README.md and docs/; those in docs/reference/ are made here, from the
tables of the language.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

from builder.pages import ROOT
from builder.site import write_pages

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}  # fewer lines and imports of TensorFlow


def main() -> int:
    folder = ROOT / "build"
    write_pages(folder)
    if find_spec("zensical") is None:
        print('the site needs zensical: pip install ".[docs]"', file=sys.stderr)
        return 2
    shutil.rmtree(folder / "site", ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(folder / "zensical.toml")]
    code = subprocess.run(command, cwd=folder, check=False).returncode
    if code == 0:
        (folder / "site" / "404.html").unlink()  # its links only work at the root of a server
        print(f"the site is in {folder / 'site' / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
