"""Looks at a body from somewhere and draws it on a canvas."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from training.data.rendering.colour import shade
from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.solid import Body, Part

Outline = list[float]  # x and y in turn

_SLICE = 2.0  # pixels between two slices of a slab


@dataclass(frozen=True)
class Pose:
    """How a vehicle stands before the camera. Angles in radians, lengths as shares of the image's width."""

    yaw: float
    pitch: float
    roll: float
    mirrored: bool
    distance: float  # metres to the eye, for perspective
    fill: float  # share of the frame that the vehicle's longer side takes
    shift: tuple[float, float]
    stretch: float  # how much taller than it is: most datasets squeeze their images into squares

    @classmethod
    def draw(cls, random: SeededRandom) -> "Pose":
        """Return a random pose: mostly the side, often from an angle, at times nearly from the front or behind."""
        turn = random.weighted({(0, 14): 0.5, (14, 50): 0.35, (50, 74): 0.15})
        low, high, slack = random.weighted(
            {(0.55, 0.75, 0.12): 0.12, (0.75, 1.02, 0.05): 0.76, (1.02, 1.3, 0.12): 0.12}
        )
        return cls(
            yaw=math.radians(random.between(*turn)) * (1 if random.chance(0.5) else -1),
            pitch=math.radians(random.between(0, 22) if random.chance(0.6) else random.between(0, 6)),
            roll=math.radians(random.near(0, 30 if random.chance(0.07) else 6)),
            mirrored=random.chance(0.5),
            distance=random.between(3.5, 9),
            fill=random.between(low, high),
            shift=(random.near(0, slack), random.near(0, slack)),
            stretch=random.between(0.95, 1.3),
        )


class View(NamedTuple):
    """A body as the camera sees it, by point: canvas pixels, depth in metres (more is nearer), pixels to a metre."""

    pixels: NDArray[np.float64]
    depth: NDArray[np.float64]
    scale: NDArray[np.float64]


def look(body: Body, pose: Pose, side: int) -> View:
    """Return the view of ``body`` that fills a square canvas of ``side`` pixels as ``pose`` wants it."""
    x, y, z = np.array(body.points).T
    x = x - (x.max() + x.min()) / 2
    y = y - 0.5
    sin, cos = math.sin(pose.yaw), math.cos(pose.yaw)
    across, near = x * cos + z * sin, z * cos - x * sin
    sin, cos = math.sin(pose.pitch), math.cos(pose.pitch)
    up, depth = (y * cos - near * sin) * pose.stretch, near * cos + y * sin
    if pose.mirrored:
        across = -across
    sin, cos = math.sin(pose.roll), math.cos(pose.roll)
    nearness = pose.distance / (pose.distance - depth)
    flat = np.stack(((across * cos - up * sin) * nearness, (across * sin + up * cos) * -nearness), axis=1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    zoom = side * pose.fill / float((high - low).max())
    pixels = (flat - (low + high) / 2) * zoom + side * (0.5 + np.array(pose.shift))
    return View(pixels, depth, nearness * zoom)


def draw(body: Body, view: View, canvas: ImageDraw.ImageDraw) -> None:
    """Draw ``body`` on ``canvas``, far parts first."""
    pixels: list[float] = view.pixels.ravel().tolist()
    scale: list[float] = view.scale.tolist()
    depth: list[float] = [0.0, *np.cumsum(view.depth).tolist()]
    nearness = [(depth[p.last] - depth[p.first]) / (p.last - p.first) + p.lift for p in body.parts]
    for k in sorted(range(len(body.parts)), key=nearness.__getitem__):
        part = body.parts[k]
        _PAINT[part.shape](canvas, part, pixels[2 * part.first : 2 * part.last], scale[part.first])


def _tube(canvas: ImageDraw.ImageDraw, part: Part, pixels: Outline, scale: float) -> None:
    width = max(1, round(part.size * scale))
    canvas.line(pixels, part.colour, width, joint="curve" if width > 8 else None)
    if width > 3:
        half = width / 2 - 0.5
        for x, y in {(pixels[0], pixels[1]), (pixels[-2], pixels[-1])}:
            canvas.ellipse((x - half, y - half, x + half, y + half), part.colour)
    if width > 8:
        lit = pixels.copy()
        lit[1::2] = [y - width * 0.2 for y in pixels[1::2]]
        canvas.line(lit, shade(part.colour, 1.35), width // 4)


def _face(canvas: ImageDraw.ImageDraw, part: Part, pixels: Outline, scale: float) -> None:  # noqa: ARG001
    canvas.polygon(pixels, part.colour)


def _ball(canvas: ImageDraw.ImageDraw, part: Part, pixels: Outline, scale: float) -> None:
    x, y, r = pixels[0], pixels[1], part.size * scale
    canvas.ellipse((x - r, y - r, x + r, y + r), part.colour)
    if r > 3:
        canvas.ellipse((x - r * 0.55, y - r * 0.75, x + r * 0.25, y - r * 0.1), shade(part.colour, 1.3))


def _slab(canvas: ImageDraw.ImageDraw, part: Part, pixels: Outline, scale: float) -> None:
    """Draw slices from the far side to the near one, each a little lighter, and a sheen towards the top."""
    n = len(pixels) // 3
    far, middle, near = pixels[:n], pixels[n : 2 * n], pixels[2 * n :]
    reach = max(abs(a - b) for a, b in zip(middle[:6], near, strict=False))
    steps = max(1, min(24, round(reach / _SLICE)))
    for k in range(steps):
        canvas.polygon(_between(far, middle, k / steps), shade(part.colour, 0.6 + 0.1 * k / steps))
    for k in range(steps):
        canvas.polygon(_between(middle, near, k / steps), shade(part.colour, 0.7 + 0.3 * k / steps))
    canvas.polygon(near, part.colour)
    if part.size * scale > 4:
        left, top = min(near[::2]), min(near[1::2])
        wide, high, sheen = max(near[::2]) - left, max(near[1::2]) - top, near.copy()
        sheen[::2] = [left + wide * 0.12 + (x - left) * 0.76 for x in near[::2]]
        sheen[1::2] = [top + high * 0.08 + (y - top) * 0.45 for y in near[1::2]]
        canvas.polygon(sheen, shade(part.colour, 1.18))


def _between(one: Outline, other: Outline, share: float) -> Outline:
    return [a + (b - a) * share for a, b in zip(one, other, strict=True)] if share else one


_PAINT = {"tube": _tube, "face": _face, "ball": _ball, "slab": _slab}
