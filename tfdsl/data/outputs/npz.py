"""NumPy's files of several arrays, each with its name and all its axes."""

import zipfile

from .base import Collected


class NpzOutput(Collected):
    def finish(self) -> None:
        import numpy as np

        with zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in self.arrays().items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    text = array.dtype == object
                    np.lib.format.write_array(member, array.astype(str) if text else array, allow_pickle=False)


OUTPUT = NpzOutput
