"""Bicycles: road, city, mountain, BMX, child's, cruiser, folding and, now and then, a penny-farthing."""

import math
from dataclasses import dataclass

from training.data.rendering.colour import Colour, grey, metal, mix, paint, rubber
from training.data.rendering.rider import Seat, ride
from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.solid import Body, Flat


@dataclass(frozen=True)
class Style:
    """What makes one kind of bicycle, in metres; ranges are low and high."""

    wheel: tuple[float, float]
    tyre: tuple[float, float]
    base: tuple[float, float]  # between the axles
    saddle: tuple[float, float]  # height
    grips: tuple[float, float]  # height
    tube: tuple[float, float]
    bars: str
    step_through: float = 0.0
    mudguards: float = 0.1
    carrier: float = 0.1


STYLES = {
    "road": Style((0.33, 0.35), (0.024, 0.035), (0.97, 1.02),
        (0.9, 1.02), (0.88, 1.0), (0.03, 0.04), "drop", 0, 0.05, 0.05),
    "city": Style((0.32, 0.36), (0.035, 0.05), (1.02, 1.15),
        (0.85, 1), (1.0, 1.15), (0.03, 0.042), "swept", 0.6, 0.8, 0.7),
    "mountain": Style((0.32, 0.37), (0.05, 0.075), (1.04, 1.2),
        (0.85, 1), (0.95, 1.08), (0.035, 0.06), "flat", 0, 0.05),
    "bmx": Style((0.24, 0.26), (0.045, 0.06), (0.88, 0.98),
        (0.52, 0.68), (0.85, 0.95), (0.032, 0.042), "high", 0, 0, 0),
    "child": Style((0.18, 0.25), (0.04, 0.055), (0.68, 0.85),
        (0.5, 0.65), (0.65, 0.78), (0.032, 0.042), "swept", 0.5, 0.5),
    "cruiser": Style((0.31, 0.35), (0.05, 0.07), (1.08, 1.2),
        (0.8, 0.92), (0.98, 1.1), (0.032, 0.045), "swept", 0.4, 0.6),
    "folding": Style((0.2, 0.25), (0.035, 0.045), (0.95, 1.05),
        (0.85, 1), (0.98, 1.08), (0.04, 0.06), "flat", 1, 0.5, 0.4),
}  # fmt: skip
_SHARES = {
    "road": 3.0, "city": 2.5, "mountain": 3.0, "bmx": 1.2, "child": 1.2, "cruiser": 1.3, "folding": 0.7, "penny": 0.5,
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """Where the frame's joints are (x, y) and what it is painted with."""

    rear: Flat
    front: Flat
    crank: Flat
    seat: Flat  # top of the seat tube
    head: Flat  # top of the head tube
    crown: Flat  # bottom of the head tube
    saddle: Flat
    grips: Flat
    radius: float
    tyre: float
    tube: float
    paint: Colour
    trim: Colour
    steel: Colour


def bicycle(random: SeededRandom) -> Body:
    """Return a random bicycle, at times with its rider."""
    name = random.weighted(_SHARES)
    if name == "penny":
        return _penny_farthing(random)
    style = STYLES[name]
    frame = _frame(style, random)
    body = Body()
    _wheels(body, frame, random)
    _frame_tubes(body, frame, style, random)
    _drive(body, frame, random)
    _saddle(body, frame, random)
    half = _bars(body, frame, style, random)
    _extras(body, frame, style, random, training_wheels=name == "child" and random.chance(0.5))
    if random.chance(0.3):
        foot = random.between(0, 2 * math.pi)
        seat = Seat(
            hip=(frame.saddle[0] + 0.02, frame.saddle[1] + 0.08),
            hand=frame.grips,
            hands_apart=half,
            feet=(_pedal(frame, foot), _pedal(frame, foot + math.pi)),
            feet_apart=0.12,
            helmet=0.45,
            size=min(1.0, 0.45 + 0.55 * frame.saddle[1] / 0.95),
        )
        ride(body, seat, random)
    return body


def _penny_farthing(random: SeededRandom) -> Body:
    """Return a high wheel with a small one behind it."""
    body, high, low = Body(), random.between(0.6, 0.72), random.between(0.18, 0.24)
    back, colour, steel = -high - low * 0.7, paint(random), metal(random)
    for axle, radius in (((0.0, high), high), ((back, low), low)):
        body.star(axle, radius, 16, random.between(0, 1), 0.006, steel)
        body.ring(axle, radius, 0.03, rubber(random))
    spine = [
        (0.05, high * 2 + 0.1),
        (-0.2, high * 2 + 0.06),
        (-high * 0.8, high * 1.5),
        (back * 0.93, high * 0.75),
        (back, low),
    ]
    body.tube([(*p, 0.0) for p in spine], 0.04, colour)
    for z in (-0.05, 0.05):
        body.bar((0.04, high * 2 + 0.12), (0.0, high), 0.03, colour, z)
        body.bar((0.0, high), (0.15 * z / 0.05, high - 0.06 * z / 0.05), 0.025, steel, z * 2)
    body.tube(((0.06, high * 2 + 0.1, -0.3), (0.1, high * 2 + 0.16, 0.0), (0.06, high * 2 + 0.1, 0.3)), 0.03, steel)
    x, y = -0.2, high * 2 + 0.1
    body.slab(((x - 0.13, y), (x - 0.13, y + 0.06), (x + 0.13, y + 0.03)), 0.08, grey(0.08), bevel=0.7)
    if random.chance(0.3):
        feet = ((0.15, high - 0.06), (-0.15, high + 0.06))
        ride(body, Seat((x, y + 0.1), (0.06, y), 0.3, feet, 0.12, 0.3), random)
    return body


def _frame(style: Style, random: SeededRandom) -> Frame:
    radius, base = random.between(*style.wheel), random.between(*style.base)
    crank = (base * random.between(0.4, 0.43), radius * (random.between(0.75, 0.95) if radius > 0.28 else 1.15))
    saddle_y, grip_y = random.between(*style.saddle), random.between(*style.grips)
    lean = math.radians(random.between(15, 20))
    saddle = (crank[0] - math.tan(lean) * (saddle_y - crank[1]), saddle_y)
    low = 0.25 if style.step_through == 1.0 else random.between(0.05, 0.22)
    seat_y = max(crank[1] + 0.18, saddle_y - 0.06 - low)
    seat = (crank[0] - math.tan(lean) * (seat_y - crank[1]), seat_y)
    rake = math.radians(random.between(16, 20))
    crown_y = 2 * radius + style.tyre[1] + random.between(0.0, 0.1)
    crown_x = base - math.tan(rake) * (crown_y - radius) + 0.02
    head_y = max(crown_y + 0.09, min(grip_y - 0.06, crown_y + random.between(0.1, 0.2)))
    head = (crown_x - math.tan(rake) * (head_y - crown_y), head_y)
    grips = (head[0] - math.tan(rake) * (grip_y - head_y) + random.between(-0.02, 0.06), grip_y)
    return Frame(
        rear=(0.0, radius), front=(base, radius), crank=crank, seat=seat, head=head, crown=(crown_x, crown_y),
        saddle=saddle, grips=grips, radius=radius, tyre=random.between(*style.tyre), tube=random.between(*style.tube),
        paint=paint(random), trim=paint(random), steel=metal(random),
    )  # fmt: skip


def _wheels(body: Body, f: Frame, random: SeededRandom) -> None:
    tyre, rim = rubber(random), mix(f.steel, f.trim, random.pick((0.0, 0.0, 1.0)))
    spokes, spoke = random.pick((8, 10, 12, 14)), mix(f.steel, grey(0.5), 0.3)
    solid = random.chance(0.04)
    for axle in (f.rear, f.front):
        twist = random.between(0, 1)
        if solid:
            body.disc(axle, f.radius - f.tyre, f.trim)
        else:
            body.star(axle, f.radius, spokes, twist, 0.006, spoke)
        body.ring(axle, f.radius - f.tyre * 0.9, f.tyre * 0.5, rim)
        body.ring(axle, f.radius - f.tyre / 2, f.tyre, tyre)
        body.tube(((*axle, -0.06), (*axle, 0.06)), 0.05, f.steel)


def _frame_tubes(body: Body, f: Frame, style: Style, random: SeededRandom) -> None:
    low_step = random.chance(style.step_through)
    body.bar(f.crank, f.seat, f.tube, f.paint)
    body.bar(f.seat, f.saddle, f.tube * 0.75, f.steel)
    body.bar(f.crank, f.crown, f.tube * 1.15, f.paint)
    if low_step:
        knee = (f.crank[0] - 0.02, f.crank[1] + (f.seat[1] - f.crank[1]) * random.between(0.3, 0.55))
        if style.step_through < 1.0:
            body.bar(knee, f.head, f.tube, f.paint)
    elif style.bars == "swept" and random.chance(0.4):
        middle = ((f.seat[0] + f.head[0]) / 2, max(f.seat[1], f.head[1]) + 0.04)
        body.tube([(*p, 0.0) for p in (f.seat, middle, f.head)], f.tube, f.paint)
    else:
        body.bar((f.seat[0], f.seat[1] - 0.03), f.head, f.tube, f.paint)
    body.bar(f.crown, f.head, f.tube * 1.2, f.paint)
    for z in (-0.05, 0.05):
        body.bar(f.rear, f.crank, f.tube * 0.55, f.paint, z)
        body.bar(f.rear, f.seat, f.tube * 0.5, f.paint, z)
    fork = f.trim if random.chance(0.25) else f.paint
    sturdy = style.tyre[0] >= 0.05 and style.bars == "flat"
    bend = (f.front[0] - 0.035, f.front[1] + 0.1)
    for z in (-0.05, 0.05):
        path = (f.crown, f.front) if sturdy else (f.crown, bend, f.front)
        body.tube([(*p, z) for p in path], f.tube * (1.1 if sturdy else 0.7), f.steel if sturdy else fork)


def _pedal(f: Frame, angle: float) -> Flat:
    length = 0.17 * min(1.0, f.radius / 0.3)
    return f.crank[0] + length * math.cos(angle), f.crank[1] + length * math.sin(angle)


def _drive(body: Body, f: Frame, random: SeededRandom) -> None:
    ring = random.between(0.08, 0.11) * min(1.0, f.radius / 0.28)
    chain = grey(random.between(0.1, 0.4))
    if random.chance(0.2):
        guard = [(f.rear[0], f.rear[1] + 0.05), (f.crank[0], f.crank[1] + ring), (f.crank[0] + ring, f.crank[1]),
                 (f.crank[0], f.crank[1] - ring), (f.rear[0], f.rear[1] - 0.05)]  # fmt: skip
        body.face([(*p, 0.07) for p in guard], f.trim if random.chance(0.5) else f.paint)
    else:
        body.ring(f.crank, ring * 0.85, ring * 0.3, chain, 0.06)
        body.bar((f.rear[0], f.rear[1] + 0.04), (f.crank[0], f.crank[1] + ring), 0.012, chain, 0.06)
        body.bar((f.rear[0], f.rear[1] - 0.04), (f.crank[0], f.crank[1] - ring), 0.012, chain, 0.06)
        body.disc(f.rear, 0.04, chain, 0.06)
    angle = random.between(0, 2 * math.pi)
    for z, turn in ((0.1, 0.0), (-0.1, math.pi)):
        x, y = _pedal(f, angle + turn)
        body.bar(f.crank, (x, y), 0.025, f.steel, z)
        body.slab(
            ((x - 0.05, y - 0.012), (x + 0.05, y - 0.012), (x + 0.05, y + 0.012), (x - 0.05, y + 0.012)),
            0.04,
            grey(0.1),
            z * 1.5,
        )


def _saddle(body: Body, f: Frame, random: SeededRandom) -> None:
    x, y = f.saddle
    long, thick = random.between(0.24, 0.28), random.between(0.03, 0.08)
    colour = random.weighted({grey(0.07): 5.0, (110, 65, 35): 1.5, f.trim: 1.5, grey(0.85): 0.7})
    outline = (
        (x - long / 2, y + 0.02),
        (x - long / 2, y + 0.03 + thick),
        (x + long / 2, y + 0.035),
        (x + long / 2, y + 0.005),
    )
    body.slab(outline, random.between(0.06, 0.1), colour, bevel=0.7)


def _bars(body: Body, f: Frame, style: Style, random: SeededRandom) -> float:
    """Add stem, handlebar and grips; return half the handlebar's width."""
    half = random.between(0.2, 0.24) if style.bars == "drop" else random.between(0.26, 0.37) * min(1.0, f.radius / 0.28)
    (x, y), bar = f.grips, mix(f.steel, f.paint, random.pick((0.0, 0.0, 0.0, 1.0)))
    grip = random.weighted({grey(0.08): 4.0, f.trim: 1.5, (110, 65, 35): 0.6})
    clamp = (x + (0.06 if style.bars == "drop" else 0.0), y if style.bars != "high" else f.head[1] + 0.05)
    body.bar(f.head, clamp, 0.035, bar)
    for z in (-half, half):
        if style.bars == "drop":
            drop = [(0.06, 0.0), (0.14, -0.01), (0.16, -0.07), (0.11, -0.14), (0.02, -0.15)]
            body.tube(((*clamp, 0.0), *((x + dx, y + dy, z) for dx, dy in drop)), 0.028, grip)
        elif style.bars == "swept":
            body.tube(((*clamp, 0.0), (x + 0.03, y + 0.02, z * 0.6), (x - 0.08, y, z)), 0.024, bar)
            body.tube(((x - 0.08, y, z), (x - 0.2, y - 0.02, z)), 0.036, grip)
        else:
            body.tube(((*clamp, 0.0), (x, y, z * 0.45), (x - 0.02, y, z * 0.7)), 0.026, bar)
            body.tube(((x - 0.02, y, z * 0.7), (x - 0.03, y, z)), 0.036, grip)
    if style.bars == "high":
        body.tube(((x, y - 0.06, -half * 0.42), (x, y - 0.06, half * 0.42)), 0.022, bar)
    return half


def _extras(body: Body, f: Frame, style: Style, random: SeededRandom, *, training_wheels: bool) -> None:
    if random.chance(style.mudguards):
        colour = f.paint if random.chance(0.6) else f.steel
        body.arc(f.rear, f.radius + 0.03, (35, 190), f.tyre + 0.01, colour, lift=0.02)
        body.arc(f.front, f.radius + 0.03, (45, 170), f.tyre + 0.01, colour, lift=0.02)
    if random.chance(style.carrier):
        y = 2 * f.radius + 0.08
        body.bar((f.rear[0] - 0.22, y), (f.rear[0] + 0.18, y), 0.03, f.steel)
        body.bar((f.rear[0] - 0.1, y), f.rear, 0.015, f.steel, 0.08)
        if random.chance(0.25):
            _box(body, (f.rear[0] - 0.02, y + 0.02), (0.36, random.between(0.15, 0.28)), 0.15, paint(random))
    if random.chance(style.carrier * 0.4):
        _box(
            body,
            (f.grips[0] + 0.25, f.grips[1] - 0.28),
            (0.28, 0.24),
            0.16,
            random.pick(((150, 105, 60), grey(0.35), f.trim)),
        )
    if random.chance(0.15):
        at = ((f.crank[0] + f.crown[0]) / 2, (f.crank[1] + f.crown[1]) / 2 + 0.05)
        body.bar(at, (at[0] + 0.08, at[1] + 0.14), 0.07, paint(random))
    if random.chance(0.2):
        body.ball((f.head[0] + 0.08, f.head[1] + 0.03, 0.0), 0.04, grey(0.9))
    if training_wheels:
        for z in (-0.2, 0.2):
            body.ring((f.rear[0], 0.07), 0.06, 0.04, grey(0.15), z)
            body.tube(((*f.rear, 0.0), (*f.rear, z), (f.rear[0], 0.07, z)), 0.02, f.steel)


def _box(body: Body, low_middle: Flat, size: Flat, half: float, colour: Colour) -> None:
    (x, y), (w, h) = low_middle, size
    body.slab(((x - w / 2, y), (x + w / 2, y), (x + w / 2, y + h), (x - w / 2, y + h)), half, colour, bevel=0.97)
