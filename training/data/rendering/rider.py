"""People on vehicles: the same clothes, helmets and sizes on every kind."""

import math
from dataclasses import dataclass

from training.data.rendering.colour import Colour, grey, mix, paint, shade, skin
from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.solid import Body, Flat


@dataclass(frozen=True)
class Seat:
    """Where a rider's hip, hands and feet are (x, y in metres) and how far they are apart to each side."""

    hip: Flat
    hand: Flat
    hands_apart: float
    feet: tuple[Flat, Flat]  # right, left
    feet_apart: float
    helmet: float  # how likely
    size: float = 1.0


@dataclass(frozen=True)
class Clothes:
    """What the rider wears."""

    top: Colour
    legs: Colour
    arms: Colour
    shoes: Colour
    head: Colour


def ride(body: Body, seat: Seat, random: SeededRandom) -> None:
    """Add a person to ``body`` who sits, reaches the handlebar and stands on the pedals or pegs."""
    flesh, top, trousers = skin(random), paint(random), paint(random)
    bare_arms, bare_legs = random.chance(0.4), random.chance(0.3)
    helmet = random.chance(seat.helmet)
    clothes = Clothes(
        top=top,
        legs=flesh if bare_legs else trousers,
        arms=flesh if bare_arms else shade(top, 0.9),
        shoes=paint(random),
        head=paint(random)
        if helmet
        else random.pick(((40, 28, 20), (90, 60, 30), (200, 170, 110), grey(0.6), grey(0.08))),
    )
    shoulder = _shoulder(seat, random)
    _torso(body, seat, shoulder, clothes)
    _legs(body, seat, clothes)
    _arms(body, seat, shoulder, clothes, flesh)
    _head(body, shoulder, seat.size, flesh, clothes.head, helmet=helmet)


def _shoulder(seat: Seat, random: SeededRandom) -> Flat:
    """Return a shoulder a torso away from the hip and, where it can be, within reach of the hands."""
    torso, arm = 0.5 * seat.size, 0.56 * seat.size
    dx, dy = seat.hand[0] - seat.hip[0], seat.hand[1] - seat.hip[1]
    away = max(0.05, math.hypot(dx, dy))
    bend = (torso**2 + away**2 - arm**2) / (2 * torso * away)
    angle = math.atan2(dy, dx) + math.acos(max(-1.0, min(1.0, bend)))
    angle = max(math.radians(28), min(math.radians(97), angle + random.near(0, 0.1)))
    return seat.hip[0] + torso * math.cos(angle), seat.hip[1] + torso * math.sin(angle)


def _torso(body: Body, seat: Seat, shoulder: Flat, clothes: Clothes) -> None:
    (hx, hy), (sx, sy), s = seat.hip, shoulder, seat.size
    length = math.hypot(sx - hx, sy - hy)
    nx, ny = -(sy - hy) / length, (sx - hx) / length
    back = [(hx + nx * 0.11 * s, hy + ny * 0.11 * s), (sx + nx * 0.12 * s, sy + ny * 0.12 * s)]
    front = [(sx - nx * 0.09 * s, sy - ny * 0.09 * s), (hx - nx * 0.1 * s, hy - ny * 0.1 * s)]
    body.slab([*back, (sx + 0.05 * s, sy + 0.06 * s), *front], 0.19 * s, clothes.top, bevel=0.85)
    body.ball((hx, hy, 0.0), 0.13 * s, clothes.legs)


def _legs(body: Body, seat: Seat, clothes: Clothes) -> None:
    s = seat.size
    for z, foot in ((seat.feet_apart, seat.feet[0]), (-seat.feet_apart, seat.feet[1])):
        knee = _joint(seat.hip, foot, 0.44 * s, 0.46 * s, forward=True)
        hip = (*seat.hip, z * 0.7)
        body.tube((hip, (*knee, z)), 0.14 * s, clothes.legs)
        body.tube(((*knee, z), (foot[0] - 0.04 * s, foot[1] + 0.06 * s, z)), 0.1 * s, clothes.legs)
        body.tube(
            ((foot[0] - 0.08 * s, foot[1] + 0.04 * s, z), (foot[0] + 0.1 * s, foot[1] + 0.03 * s, z)),
            0.08 * s,
            clothes.shoes,
        )


def _arms(body: Body, seat: Seat, shoulder: Flat, clothes: Clothes, flesh: Colour) -> None:
    s = seat.size
    for side in (1, -1):
        z = seat.hands_apart * 0.85 * side
        elbow = _joint(shoulder, seat.hand, 0.29 * s, 0.29 * s, forward=False)
        body.tube(
            ((shoulder[0], shoulder[1] - 0.04 * s, 0.18 * s * side), (*elbow, (z + 0.2 * s * side) / 2)),
            0.1 * s,
            clothes.arms,
        )
        body.tube(((*elbow, (z + 0.2 * s * side) / 2), (*seat.hand, z)), 0.08 * s, clothes.arms)
        body.ball((*seat.hand, z), 0.045 * s, flesh)


def _joint(start: Flat, end: Flat, upper: float, lower: float, *, forward: bool) -> Flat:
    """Return the knee or elbow between two ends of a limb, bent forward or backward."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    away = max(1e-6, math.hypot(dx, dy))
    along = max(0.0, min(upper, (upper**2 - lower**2 + away**2) / (2 * away)))
    out = math.sqrt(max(0.0, upper**2 - along**2)) * (1 if forward else -1)
    return start[0] + (dx * along - dy * out) / away, start[1] + (dy * along + dx * out) / away


def _head(body: Body, shoulder: Flat, s: float, flesh: Colour, top: Colour, *, helmet: bool) -> None:
    x, y = shoulder[0] + 0.09 * s, shoulder[1] + 0.2 * s
    body.tube(((shoulder[0] + 0.02, shoulder[1], 0.0), (x, y, 0.0)), 0.11 * s, flesh)
    body.ball((x, y, 0.0), 0.115 * s, flesh)
    if helmet:
        body.ball((x - 0.01 * s, y + 0.03 * s, 0.0), 0.145 * s, top, lift=0.1)
        visor = [(0.06, -0.04), (0.15, -0.03), (0.14, 0.06), (0.07, 0.06)]
        outline = [(x + dx * s, y + dy * s) for dx, dy in visor]
        body.slab(outline, 0.08 * s, mix(flesh, grey(0.1), 0.6), lift=0.2)
    else:
        body.ball((x - 0.025 * s, y + 0.04 * s, 0.0), 0.115 * s, top, lift=-0.01)
