import os
import sys
from pathlib import Path

# As in fertune's own process: no TensorFlow for the sake of Keras Tuner's oracles.
os.environ.setdefault("FERTUNE_COORDINATOR", "1")
sys.path.insert(0, str(Path(__file__).parent))
