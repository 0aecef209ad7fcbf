"""Draws that are the same on every machine.

`random.Random.random()` is exact everywhere; a logarithm's last bit is not (it is libm's). So what is drawn here uses
comparisons and sums only.
"""

import random


def exponential(rng: random.Random) -> float:
    """Draw from the exponential distribution with mean 1.

    Source: von Neumann, "Various techniques used in connection with random digits", 1951: the length of a descending
    run of uniform draws decides whether its first one is the fractional part of the result. About six draws.
    """
    whole = 0
    while True:
        first = last = rng.random()
        accepted = True
        while (draw := rng.random()) <= last:
            last = draw
            accepted = not accepted
        if accepted:
            return whole + first
        whole += 1
