"""How a run is seen while it goes on: by several observers at once, from another terminal, and in TensorBoard."""

from fertune.watching.curves import Curves, check_tensorboard
from fertune.watching.follow import Follower
from fertune.watching.pulse import Pulse
from fertune.watching.several import Several
from fertune.watching.status import read_status

__all__ = ["Curves", "Follower", "Pulse", "Several", "check_tensorboard", "read_status"]
