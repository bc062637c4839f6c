"""How many CPU threads fits may use, and which warning of theirs is no news."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_lock = threading.Lock()
_inside = 0
_stack = ExitStack()


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """BLAS and OpenMP of this process use at most ``threads``; 'did not converge' is not said.

    Both settings belong to the whole process, so where several threads are inside at once the first one sets them and
    the last one puts them back. A meta-learner stops after a fixed number of steps on purpose: its cross-validated
    score says whether that was good.
    """
    global _inside, _stack
    with _lock:
        if _inside == 0:
            _stack = _entered(threads)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _stack.close()


def _entered(threads: int) -> ExitStack:
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    stack = ExitStack()
    stack.enter_context(threadpool_limits(limits=max(1, threads)))
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore", ConvergenceWarning)
    return stack
