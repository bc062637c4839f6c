"""Where a training stands on its schedule, how large its pictures are, and how many epochs it has time for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fertune.training.progress import Progress
from fertune.training.rates import rate_at
from fertune.training.recipe import Recipe

SMALL, FULL = "small", "full"
WARM = 3
"""Batches of a first epoch before its speed is measured: they trace and compile."""
LOOK_EVERY = 10
"""Batches between two looks at the clock, while the speed of an epoch is not known."""
MARGIN = 1.04
"""An epoch to come may take this much longer than the last one of its kind."""
PREDICTING = 0.35
"""Predicting a row, over training on it: until it was measured."""


@dataclass(frozen=True)
class Work:
    """The size of a training.

    Attributes:
        steps: Batches an epoch.
        fit, stop, after: Rows of an epoch, rows predicted after each, and rows predicted at the end.
        budget: Most epochs of this stretch.
        horizon: Epochs of the whole training: an annealed schedule ends there.
        seconds: Wall seconds for everything, all stretches together; None: ``budget`` alone counts.
        small_cost: Seconds of an epoch on small pictures over one on full pictures, until it was measured; None: all
            pictures are full.
    """

    steps: int
    fit: int
    stop: int
    after: int
    budget: int
    horizon: int
    seconds: float | None = None
    small_cost: float | None = None


class Pace:
    """Turns (epoch, batch) into a position from 0 to 1, and the position into a learning rate and a size of pictures.

    Without ``seconds`` the position is (epoch + batch / steps) / horizon. With ``seconds`` the rest of the schedule is
    spread anew over the whole epochs that fit the time left, before each epoch (in the first epoch of a kind also while
    it runs): it ends annealed, and in time. At least one epoch is trained.

    Args:
        highest: The learning rate that the schedule is built on.
        progress: ``position``, ``spent`` and ``speeds`` are carried on in it.
        clock: Seconds; ``begun`` is its reading where this stretch began.
    """

    def __init__(
        self, recipe: Recipe, highest: float, work: Work, progress: Progress, clock: Callable[[], float], begun: float
    ) -> None:
        self._recipe, self._highest, self._work, self._progress = recipe, highest, work, progress
        self._clock, self._begun, self._earlier = clock, begun, progress.spent
        self._epoch, self._anchor, self._left = progress.epoch, (progress.position, 0.0), 1.0
        self._epoch_begun = self._measured_from = begun

    @property
    def small(self) -> bool:
        """Whether the next epoch (or the one that runs) sees small pictures."""
        return self._work.small_cost is not None and self._progress.position < self._recipe.small_until - 1e-9

    @property
    def finished(self) -> bool:
        """Whether no further epoch belongs to this stretch; asked between epochs."""
        epoch = self._progress.epoch
        if epoch >= min(self._work.budget, self._work.horizon):
            return True
        return self._work.seconds is not None and epoch > 0 and self._fitting(0.0, self._progress.position) < 1

    def begin(self) -> None:
        """An epoch begins."""
        self._epoch, self._epoch_begun = self._progress.epoch, self._clock()
        self._spread(0.0, self._progress.position)

    def rate(self, batch: int) -> float | None:
        """The learning rate of a batch, counted from 0; None where the schedule leaves it as it is."""
        return rate_at(self._recipe, self._highest, self._position(batch), self._epoch)

    def after_batch(self, batch: int) -> None:
        """Look at the clock where the speed of such epochs is not known yet."""
        if self._work.seconds is None or self._kind in self._progress.speeds:
            return
        done = batch + 1
        if done == WARM:
            self._measured_from = self._clock()
        elif done > WARM and done % LOOK_EVERY == 0 and done < self._work.steps:
            position = self._position(done)
            step = (self._clock() - self._measured_from) / (done - WARM)
            predicted = 1.0 + PREDICTING * self._work.stop / self._work.fit
            self._spread(done / self._work.steps, position, known=step * self._work.steps * predicted)

    def end(self, predicting: float) -> None:
        """An epoch and its predictions are done; before ``progress.epoch`` is counted up.

        Args:
            predicting: Seconds that predicting the ``stop`` rows took.
        """
        now, progress = self._clock(), self._progress
        kind = self._kind
        first = kind not in progress.speeds
        progress.position = self._position(self._work.steps)
        progress.spent = self._earlier + now - self._begun
        taken = now - self._epoch_begun
        if first and self._work.seconds is not None and self._work.steps > 2 * WARM:
            step = (now - predicting - self._measured_from) / (self._work.steps - WARM)
            taken = min(taken, step * self._work.steps + predicting)
        row = predicting / self._work.stop / ((self._work.small_cost or 1.0) if kind == SMALL else 1.0)
        progress.speeds = {**progress.speeds, kind: taken, "row": row}

    @property
    def _kind(self) -> str:
        return SMALL if self.small else FULL

    def _position(self, batch: int) -> float:
        part = batch / self._work.steps
        if self._work.seconds is None:
            return min((self._epoch + part) / self._work.horizon, 1.0)
        position, done = self._anchor
        return min(position + (1.0 - position) * (part - done) / self._left, 1.0)

    def _spread(self, done: float, position: float, known: float | None = None) -> None:
        """From here, in the part ``done`` of the epoch, the rest of the schedule covers the epochs that fit."""
        if self._work.seconds is None:
            return
        further = max(self._fitting(done, position, known) - 1, 0)
        self._anchor, self._left = (position, done), 1.0 - done + further

    def _fitting(self, done: float, position: float, known: float | None = None) -> int:
        """Epochs, the one that runs included, that the time left allows; at most those up to the horizon."""
        most = self._work.horizon - self._progress.epoch
        speeds = dict(self._progress.speeds)
        if known is not None:
            speeds[self._kind] = known
        if SMALL not in speeds and FULL not in speeds:
            return most
        cost = self._work.small_cost or 1.0
        full = speeds.get(FULL, speeds.get(SMALL, 0.0) / cost)
        small = speeds.get(SMALL, full * cost)
        row = speeds.get("row", PREDICTING * full / self._work.fit)
        left = (self._work.seconds or math.inf) - self._earlier - (self._clock() - self._begun)
        left = left / MARGIN - row * self._work.after - 1.0
        rest = 1.0 - done
        for n in range(most, 0, -1):
            left_epochs = rest + n - 1
            if self._work.small_cost is None:
                small_ones = 0.0
            else:
                until = (self._recipe.small_until - position) / max(1.0 - position, 1e-9) * left_epochs
                # an epoch that begins on small pictures ends on them
                small_ones = min(max(math.ceil(until - rest) + rest, 0.0), left_epochs) if until > 0 else 0.0
            if small_ones * small + (left_epochs - small_ones) * full <= left:
                return n
        return 0
