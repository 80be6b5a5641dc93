"""The typed program: what the analysis makes and everything after it reads.

Nothing here is TensorFlow's or NumPy's.
"""

from .graph import *
from .plan import *
