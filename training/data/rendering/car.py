"""Vehicles that are neither bicycle nor motorcycle, for drift tests: cars, vans, pickups and buses."""

import math

from training.data.rendering.colour import grey, mix, paint, rubber
from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.solid import Body, Flat

_ROOFS: dict[str, tuple[Flat, ...]] = {  # cabin as shares of length and of height
    "saloon": ((0.12, 0.55), (0.24, 0.98), (0.58, 1.0), (0.74, 0.57)),
    "hatch": ((0.02, 0.55), (0.1, 0.95), (0.55, 1.0), (0.76, 0.57)),
    "pickup": ((0.42, 0.55), (0.44, 0.97), (0.64, 1.0), (0.76, 0.58)),
    "van": ((0.01, 0.5), (0.02, 0.99), (0.74, 1.0), (0.9, 0.55)),
    "bus": ((0.0, 0.3), (0.0, 1.0), (0.98, 1.0), (1.0, 0.4)),
}
_SIZES = {"saloon": (4.4, 1.45), "hatch": (3.9, 1.5), "pickup": (5.0, 1.75), "van": (4.9, 2.1), "bus": (8.0, 2.9)}


def car(random: SeededRandom) -> Body:
    """Return a random four-wheeled vehicle, scaled to a motorcycle's length."""
    kind = random.pick(tuple(_ROOFS))
    length, height = (s * 0.45 * random.between(0.93, 1.07) for s in _SIZES[kind])
    half, radius = 0.4, 0.15 if kind != "bus" else 0.19
    colour, glass = paint(random), mix((60, 80, 95), grey(0.85), random.between(0, 0.6))
    body, low, waist = Body(), radius * 0.8, height * 0.57
    roof = [(x * length, y * height) for x, y in _ROOFS[kind]]
    hull = [(0.0, low), (0.0, waist), roof[0], roof[3], (length, waist * 0.93), (length, low)]
    body.slab(roof, half * 0.85, colour, bevel=0.96)
    body.slab(hull, half, colour, bevel=0.97, lift=0.05)
    _windows(body, roof, half, glass, random.count(1, 3) if kind != "bus" else 6)
    tyre, rim = rubber(random), grey(random.between(0.3, 0.85))
    for x in (length * 0.2, length * 0.8):
        for z in (-half, half):
            body.disc((x, radius), radius, tyre, z * 1.02, lift=0.12 if z > 0 else -0.2)
            body.disc((x, radius), radius * 0.55, rim, z * 1.03, lift=0.13 if z > 0 else -0.19)
    for z in (-half * 0.75, half * 0.75):
        body.ball((length, waist * 0.75, z), 0.06, (245, 245, 220), lift=0.3)
        body.ball((0.0, waist * 0.75, z), 0.05, (190, 20, 20), lift=0.3)
    return body


def _windows(body: Body, roof: list[Flat], half: float, glass: tuple[int, int, int], panes: int) -> None:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = roof

    def across(share: float, up: float) -> Flat:
        bottom, top = (x0 + (x3 - x0) * share, y0 + (y3 - y0) * share), (x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)
        return bottom[0] + (top[0] - bottom[0]) * up, bottom[1] + (top[1] - bottom[1]) * up

    for k in range(panes):
        a, b = 0.08 + 0.86 * k / panes, 0.04 + 0.86 * (k + 1) / panes
        corners = (across(a, 0.15), across(b, 0.15), across(b, 0.85), across(a, 0.85))
        body.face([(*p, half * 0.84) for p in corners], glass, lift=0.2)
    lean = math.copysign(0.02, x3 - x2)
    body.face(
        [
            (x3 + lean, y3, -half * 0.7),
            (x3 + lean, y3, half * 0.7),
            (x2 + lean, y2 * 0.97, half * 0.65),
            (x2 + lean, y2 * 0.97, -half * 0.65),
        ],
        glass,
    )
