"""Limited-memory BFGS (Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 3.1)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_MEMORY = 10
_SUFFICIENT = 1e-4  # of the decrease that the slope promises
_HALVINGS = 40


def minimise(
    function: Callable[[Floats], tuple[float, Floats]], start: Floats, *, iterations: int, tolerance: float = 1e-6
) -> Floats:
    """Minimise a smooth function; where it is not convex, to a local minimum.

    Args:
        function: point [n] -> (value, gradient [n]).
        start: [n].
        iterations: bound on steps.
        tolerance: stops where no gradient component is larger.

    Returns:
        The point reached.
    """
    point, (value, gradient) = start, function(start)
    pairs: deque[tuple[Floats, Floats]] = deque(maxlen=_MEMORY)
    for _ in range(iterations):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = -_precondition(gradient, pairs)
        slope = float(gradient @ direction)
        step = 1.0 if pairs else min(1.0, 1.0 / float(np.abs(gradient).sum()))
        for _ in range(_HALVINGS):
            moved = point + step * direction
            moved_value, moved_gradient = function(moved)
            if moved_value <= value + _SUFFICIENT * step * slope:
                break
            step /= 2
        else:
            break  # no descent left in floating point
        difference, change = moved - point, moved_gradient - gradient
        if difference @ change > 0:
            pairs.append((difference, change))
        point, value, gradient = moved, moved_value, moved_gradient
    return point


def _precondition(gradient: Floats, pairs: deque[tuple[Floats, Floats]]) -> Floats:
    result = gradient.copy()
    factors = []
    for difference, change in reversed(pairs):
        factor = (difference @ result) / (difference @ change)
        result -= factor * change
        factors.append(factor)
    if pairs:
        difference, change = pairs[-1]
        result *= (difference @ change) / (change @ change)
    for (difference, change), factor in zip(pairs, reversed(factors), strict=True):
        result += difference * (factor - (change @ result) / (difference @ change))
    return result
