"""When takers of one side outnumber the other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Imbalance:
    """What is expected of a bar at first, and how fast one learns (M. Lopez de Prado, *Advances in
    Financial Machine Learning*, 2018, 2.3.2.1).

    With b of a trade +1 if the taker bought and -1 if it sold, a bar is over at the first trade at
    which ``|sum of b| >= E[T] * |E[b]|``. After each whole bar both move by ``2 / (bars + 1)``
    towards that bar's. A bar with a gap teaches nothing.
    """

    expected_ticks: int
    """Trades of a bar that are expected at first."""
    expected_imbalance: float
    """Share of one side less that of the other that is expected at first: above 0, to 1."""
    bars: int
    """Bars that the expectations are averaged over, exponentially."""
    least_ticks: int
    """The fewest trades to expect."""
    most_ticks: int
    """The most trades to expect: without bounds such bars run away."""
