"""A vehicle as a list of simple solids in metres: x forward, y up from the ground, z to the right-hand side."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from training.data.rendering.colour import Colour

Point = tuple[float, float, float]
Flat = tuple[float, float]

_CIRCLE = tuple((math.cos(2 * math.pi * k / 26), math.sin(2 * math.pi * k / 26)) for k in range(27))


class Part(NamedTuple):
    """One solid: the points ``first`` to ``last`` of its body.

    A tube is a line ``size`` metres thick through its points, a face a filled outline, a ball a sphere with the radius
    ``size``, a slab an outline three times: at its far side, in its middle, where it is widest, and at its near side.
    """

    shape: Literal["tube", "face", "ball", "slab"]
    first: int
    last: int
    size: float
    colour: Colour
    lift: float  # metres that it counts as nearer to the eye than it is, to settle who covers whom


class Body:
    """Collects the solids of a vehicle and its rider."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.parts: list[Part] = []

    def _add(
        self,
        shape: Literal["tube", "face", "ball", "slab"],
        points: Sequence[Point],
        size: float,
        colour: Colour,
        lift: float,
    ) -> None:
        first = len(self.points)
        self.points.extend(points)
        self.parts.append(Part(shape, first, len(self.points), size, colour, lift))

    def tube(self, points: Sequence[Point], width: float, colour: Colour, lift: float = 0.0) -> None:
        """Add a round tube through ``points``."""
        self._add("tube", points, width, colour, lift)

    def bar(self, start: Flat, end: Flat, width: float, colour: Colour, z: float = 0.0, lift: float = 0.0) -> None:
        """Add a straight tube in the plane at ``z``."""
        self._add("tube", ((*start, z), (*end, z)), width, colour, lift)

    def ring(
        self, centre: Flat, radius: float, width: float, colour: Colour, z: float = 0.0, lift: float = 0.0
    ) -> None:
        """Add an upright ring (a tyre, a rim); ``radius`` reaches the middle of its material."""
        x, y = centre
        self._add("tube", [(x + radius * c, y + radius * s, z) for c, s in _CIRCLE], width, colour, lift)

    def star(self, centre: Flat, radius: float, rays: int, twist: float, width: float, colour: Colour) -> None:
        """Add spokes from a hub to a rim, turned by ``twist`` spokes, behind all else at their depth."""
        x, y = centre
        points: list[Point] = []
        for k in range(rays):
            angle = 2 * math.pi * (k + twist) / rays
            points += ((x, y, 0.0), (x + radius * math.cos(angle), y + radius * math.sin(angle), 0.0), (x, y, 0.0))
        self._add("tube", points, width, colour, -0.05)

    def arc(self, centre: Flat, radius: float, degrees: Flat, width: float, colour: Colour, lift: float = 0.0) -> None:
        """Add a part of a ring, from one angle to another (0 forward, 90 up)."""
        x, y = centre
        start, end = (math.radians(d) for d in degrees)
        steps = [start + (end - start) * k / 10 for k in range(11)]
        self._add(
            "tube", [(x + radius * math.cos(a), y + radius * math.sin(a), 0.0) for a in steps], width, colour, lift
        )

    def disc(self, centre: Flat, radius: float, colour: Colour, z: float = 0.0, lift: float = 0.0) -> None:
        """Add an upright disc."""
        x, y = centre
        self._add("face", [(x + radius * c, y + radius * s, z) for c, s in _CIRCLE], 0.0, colour, lift)

    def face(self, points: Sequence[Point], colour: Colour, lift: float = 0.0) -> None:
        """Add a flat filled outline."""
        self._add("face", points, 0.0, colour, lift)

    def ball(self, centre: Point, radius: float, colour: Colour, lift: float = 0.0) -> None:
        """Add a sphere."""
        self._add("ball", (centre,), radius, colour, lift)

    def slab(
        self,
        outline: Sequence[Flat],
        half: float,
        colour: Colour,
        z: float = 0.0,
        lift: float = 0.0,
        bevel: float = 0.8,
    ) -> None:
        """Add a rounded block with the side view ``outline``, ``half`` metres thick to either side of ``z``.

        ``bevel`` is the size of its sides next to its middle.
        """
        x = sum(p[0] for p in outline) / len(outline)
        y = sum(p[1] for p in outline) / len(outline)
        small = [(x + (px - x) * bevel, y + (py - y) * bevel) for px, py in outline]
        points = [(px, py, z - half) for px, py in small]
        points += [(px, py, z) for px, py in outline]
        points += [(px, py, z + half) for px, py in small]
        self._add("slab", points, half, colour, lift)
