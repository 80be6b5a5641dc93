"""A variational autoencoder, beside the same program by hand."""

import numpy as np
import pytest
from beside_by_hand import agree
from PIL import Image

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_the_same_results(engine):
    agree("vae", engine=engine, n_epochs=2)
    found, wanted = (np.asarray(Image.open(name), int) for name in ("pictures/vae.png", "vae_by_hand.png"))
    assert abs(found - wanted).max() <= 1


@pytest.mark.long
def test_the_default_size():
    agree("vae", rtol=1e-2)
