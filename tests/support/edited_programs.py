"""Programs that tests of the editor open: a file of layers, and the start of a network that imports it. `DATA` stands for
a data set."""

LAYERS = """# Halves what it gets.
def half(X, factor=0.5):
    variable w = 1.0
    return X * factor * w
"""
NETWORK = """import nn
import "layers.tfg" as layers

param rate = 0.01  # how fast it learns
data d = DATA
placeholder X: float32[batch, 2]
placeholder y: float32[batch, 1]

scope dnn:
    h = nn.dense(X, 4, activation=relu) as first
    h = layers.half(h, factor=0.5)
    logits = nn.dense(h, 1) as head

"""
