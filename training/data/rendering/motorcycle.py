"""Motorcycles: sport, naked, cruiser, scooter, dirt, touring and café racer."""

import math
from dataclasses import dataclass

from training.data.rendering.colour import Colour, grey, metal, mix, paint, rubber, shade
from training.data.rendering.rider import Seat, ride
from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.solid import Body, Flat


@dataclass(frozen=True)
class Style:
    """What makes one kind of motorcycle, in metres; ranges are low and high."""

    wheel: tuple[float, float]
    tyre: tuple[float, float]
    base: tuple[float, float]  # between the axles
    seat: tuple[float, float]  # height
    grips: tuple[float, float]  # height
    reach: float  # how far before the seat the grips are
    rake: tuple[float, float]  # degrees of the fork
    fairing: float = 0.0
    screen: float = 0.0
    cases: float = 0.05
    pipes: str = "one"


STYLES = {
    "sport": Style((0.29, 0.32), (0.1, 0.13), (1.36, 1.46),
        (0.78, 0.86), (0.86, 0.96), 0.62, (23, 26), 0.85, 0.9, 0.0),
    "naked": Style((0.3, 0.33), (0.09, 0.12), (1.38, 1.5),
        (0.76, 0.84), (0.98, 1.1), 0.55, (24, 28), 0.1, 0.15),
    "cruiser": Style((0.31, 0.35), (0.1, 0.15), (1.55, 1.78),
        (0.62, 0.7), (0.98, 1.2), 0.62, (30, 38), 0, 0.2, 0.35, "long"),
    "scooter": Style((0.2, 0.26), (0.08, 0.1), (1.2, 1.36),
        (0.74, 0.8), (0.98, 1.08), 0.58, (24, 28), 0.0, 0.2, 0.2),
    "dirt": Style((0.33, 0.37), (0.07, 0.09), (1.4, 1.5),
        (0.9, 0.96), (1.12, 1.22), 0.55, (26, 29), 0, 0, 0, "high"),
    "touring": Style((0.3, 0.34), (0.1, 0.13), (1.5, 1.68),
        (0.72, 0.82), (1.0, 1.12), 0.6, (26, 30), 0.9, 1, 0.9, "long"),
    "cafe": Style((0.31, 0.34), (0.08, 0.11), (1.36, 1.46),
        (0.74, 0.8), (0.84, 0.96), 0.66, (25, 28), 0.1, 0.05, 0, "long"),
}  # fmt: skip
_SHARES = {"sport": 2.5, "naked": 2.2, "cruiser": 2.4, "scooter": 1.4, "dirt": 1.6, "touring": 1.1, "cafe": 1.4}


@dataclass(frozen=True)
class Frame:
    """Where a motorcycle's joints are (x, y) and what it is painted with."""

    rear: Flat
    front: Flat
    head: Flat  # steering head
    seat: Flat  # where the rider sits
    grips: Flat
    peg: Flat
    rear_radius: float
    front_radius: float
    tyre: float
    paint: Colour
    trim: Colour
    steel: Colour
    dark: Colour


def motorcycle(random: SeededRandom) -> Body:
    """Return a random motorcycle, at times with its rider."""
    name = random.weighted(_SHARES)
    style = STYLES[name]
    frame = _frame(style, random)
    body = Body()
    _wheels(body, frame, style, random)
    _front_end(body, frame, style, random)
    if name == "scooter":
        _scooter_body(body, frame, random)
    else:
        _engine(body, frame, style, random)
        _tank_and_seat(body, frame, name, random)
        _exhaust(body, frame, style, random)
        _fairing(body, frame, style, random)
    _guards(body, frame, name, random)
    _luggage(body, frame, style, random)
    if random.chance(0.3):
        hip = (frame.seat[0], frame.seat[1] + 0.12)
        ride(body, Seat(hip, frame.grips, 0.33, (frame.peg, frame.peg), 0.2, 0.85), random)
        if random.chance(0.1):
            behind = (hip[0] - 0.36, hip[1] + 0.05)
            ride(body, Seat(behind, (hip[0] - 0.05, hip[1] + 0.1), 0.2, (frame.peg, frame.peg), 0.2, 0.85), random)
    return body


def _frame(style: Style, random: SeededRandom) -> Frame:
    front, base = random.between(*style.wheel), random.between(*style.base)
    rear = front * random.between(0.88, 1.0)
    grip_y, seat_y = random.between(*style.grips), random.between(*style.seat)
    rake = math.tan(math.radians(random.between(*style.rake)))
    head_y = min(grip_y - 0.06, random.between(0.82, 0.9) if front > 0.28 else 0.8)
    head = (base - rake * (head_y - front), head_y)
    grips = (head[0] - rake * (grip_y - head_y) - random.between(0.0, 0.1), grip_y)
    seat = (grips[0] - style.reach * random.between(0.92, 1.08), seat_y)
    low = style.pipes == "long" and random.chance(0.6)
    peg = (seat[0] + (random.between(0.35, 0.55) if low else random.between(-0.05, 0.2)), random.between(0.28, 0.36))
    return Frame(
        rear=(0.0, rear), front=(base, front), head=head, seat=seat, grips=grips, peg=peg, rear_radius=rear,
        front_radius=front, tyre=random.between(*style.tyre), paint=paint(random), trim=paint(random),
        steel=metal(random), dark=grey(random.between(0.06, 0.25)),
    )  # fmt: skip


def _wheels(body: Body, f: Frame, style: Style, random: SeededRandom) -> None:
    tyre, spoked = rubber(random), style.pipes != "one" and random.chance(0.6)
    rim = mix(f.steel, f.trim, random.pick((0.0, 0.0, 0.0, 1.0)))
    arms, width = (18, 0.008) if spoked else (random.pick((3, 5, 6)), random.between(0.03, 0.06))
    for axle, radius, tread in ((f.rear, f.rear_radius, f.tyre), (f.front, f.front_radius, f.tyre * 0.85)):
        body.star(axle, radius - tread, arms, random.between(0, 1), width, rim)
        body.ring(axle, radius - tread * 0.95, 0.03, rim)
        body.ring(axle, radius - tread / 2, tread, tyre)
        body.tube(((*axle, -0.1), (*axle, 0.1)), 0.09, f.dark)
        body.ring(axle, radius * 0.36, radius * 0.14, shade(f.steel, 0.9), 0.08)
    for z in (0.12, -0.12):
        body.bar(f.rear, (f.rear[0] + 0.42, f.rear[1] + 0.06), 0.06, f.dark, z)


def _front_end(body: Body, f: Frame, style: Style, random: SeededRandom) -> None:
    """Add the fork, the handlebar with its grips and mirrors, and the lamp where no fairing holds it."""
    stanchion = (190, 150, 60) if random.chance(0.2) else f.steel
    lower = (f.front[0] + (f.head[0] - f.front[0]) * 0.45, f.front[1] + (f.head[1] - f.front[1]) * 0.45)
    for z in (-0.1, 0.1):
        body.bar(f.front, lower, 0.065, f.dark, z)
        body.bar(lower, f.head, 0.05, stanchion, z)
    half, mirrors = random.between(0.33, 0.42), random.chance(0.6)
    x, y = f.grips
    for z in (-half, half):
        body.tube(((*f.head, z * 0.25), (f.head[0], y + 0.01, z * 0.4), (x, y, z * 0.72)), 0.03, f.steel)
        body.tube(((x, y, z * 0.7), (x - 0.04, y - 0.01, z)), 0.045, grey(0.08))
        if mirrors:
            body.tube(((x + 0.03, y, z * 0.6), (x + 0.02, y + 0.16, z * 0.85)), 0.015, f.dark)
            body.ball((x + 0.02, y + 0.17, z * 0.85), 0.05, f.dark)
    if style.fairing < 0.5:
        lamp = (f.head[0] + 0.12, f.head[1] + random.between(-0.04, 0.04))
        body.ball((*lamp, 0.0), random.between(0.075, 0.1), f.steel if random.chance(0.5) else f.dark, lift=0.05)
        body.ball((lamp[0] + 0.04, lamp[1], 0.0), 0.07, (240, 240, 215), lift=0.04)


def _engine(body: Body, f: Frame, style: Style, random: SeededRandom) -> None:
    """Add the crankcase, one cylinder or two with their fins, the frame around them and what fills the gaps."""
    block = mix(f.steel, f.dark, random.between(0.2, 0.9))
    back, front = f.rear[0] + f.rear_radius + 0.06, f.front[0] - f.front_radius - 0.08
    middle, low, top = (back + front) / 2, random.between(0.16, 0.26), f.seat[1] - 0.06
    core = [(back, low + 0.1), (back, top), (f.head[0] - 0.05, f.head[1] - 0.06), (front - 0.02, low + 0.12)]
    body.slab(core, 0.05, f.dark, lift=-0.05)
    case = [
        (back, low + 0.05),
        (back + 0.06, low),
        (front - 0.12, low),
        (front - 0.02, low + 0.16),
        (front - 0.1, 0.46),
    ]
    body.slab([*case, (back, 0.46)], 0.17, block, bevel=0.86)
    body.disc((middle + 0.02, low + 0.17), 0.1, shade(f.steel, 0.85), 0.18)
    twin = style.pipes == "long" and random.chance(0.7)
    for lean in (-28, 24) if twin else (random.between(-5, 25),):
        sin, cos, wide = math.sin(math.radians(lean)), math.cos(math.radians(lean)), 0.09 if twin else 0.12
        for k in range(5):
            x, y = middle + sin * (0.02 + 0.06 * k), 0.4 + cos * 0.06 * k
            if y + sin * wide < top:
                fin = ((x - cos * wide, y + sin * wide, 0.1), (x + cos * wide, y - sin * wide, 0.1))
                body.tube(fin, 0.045, shade(block, 1.25 if k % 2 else 0.7))
    for z in (0.08, -0.08):
        body.bar(f.head, (front - 0.02, low + 0.1), 0.05, f.dark, z)
    body.bar((f.head[0] - 0.02, f.head[1] - 0.04), (back, f.seat[1] - 0.1), 0.06, f.dark, 0.07)
    body.bar((back, f.seat[1] - 0.1), (back - 0.02, low + 0.1), 0.06, f.dark, 0.1)


def _tank_and_seat(body: Body, f: Frame, name: str, random: SeededRandom) -> None:
    (nx, ny), (sx, sy), bx = (f.head[0] - 0.03, f.head[1]), f.seat, f.seat[0] + 0.16
    top = max(ny, sy) + (random.between(0.08, 0.16) if name != "dirt" else 0.04)
    tank = [(bx, sy - 0.04), (bx + 0.02, sy + 0.05), (bx + 0.14, top - 0.03), (nx - 0.16, top)]
    tank += [(nx, ny + 0.06), (nx - 0.02, ny - 0.1), (nx - 0.2, min(ny, sy) - 0.14)]
    body.slab(tank, random.between(0.14, 0.19), f.paint, bevel=0.82)
    if random.chance(0.35):
        body.bar((bx + 0.1, sy + 0.04), (nx - 0.08, ny + 0.02), 0.035, f.trim, 0.2)
    kick = {"sport": 0.14, "cafe": 0.03, "cruiser": 0.1, "touring": 0.12}.get(name, 0.05)
    long = name in {"sport", "dirt", "naked"}
    tx, ty = f.rear[0] - random.between(0.0, 0.15) if long else f.rear[0] + 0.1, sy + kick
    seat = [(bx + 0.02, sy - 0.02), (bx - 0.02, sy + 0.05), (sx, sy + 0.03), (sx - 0.2, sy + 0.06 + kick / 2)]
    seat += [(tx + 0.05, ty + 0.05), (tx, ty), (sx, sy - 0.06)]
    body.slab(seat, 0.13, random.weighted({grey(0.06): 5.0, (95, 55, 30): 1.2, f.trim: 0.6}), bevel=0.85)
    panel = [(bx, sy - 0.05), (sx - 0.2, sy), (tx, ty), (tx + 0.06, ty - 0.08), (sx - 0.02, sy - 0.24)]
    body.slab(panel, 0.12, f.paint, bevel=0.9, lift=-0.01)
    body.ball((tx - 0.02, ty - 0.03, 0.0), 0.045, (200, 25, 20))
    spring = f.trim if random.chance(0.2) else f.steel
    for z in (-0.1, 0.1):
        body.bar((f.rear[0] + 0.05, f.rear[1] + 0.05), (sx - 0.12, sy - 0.03), 0.06, spring, z)


def _exhaust(body: Body, f: Frame, style: Style, random: SeededRandom) -> None:
    pipe = mix(f.steel, grey(0.85), 0.5) if random.chance(0.65) else f.dark
    x, back, high = f.front[0] - f.front_radius - 0.2, f.rear[0], style.pipes == "high"
    end = {
        "one": (back + random.between(-0.05, 0.1), random.between(0.42, 0.6)),
        "long": (back - random.between(0.1, 0.35), random.between(0.22, 0.34)),
        "high": (back + 0.02, 0.75),
    }[style.pipes]
    joint, bend = (back + 0.5, 0.6 if high else 0.24), (x - 0.1, 0.5) if high else (x + 0.02, 0.2)
    body.tube([(*p, 0.15) for p in ((x, 0.5), bend, joint)], 0.06, pipe)
    body.tube(((*joint, 0.17), (*end, 0.19)), random.between(0.09, 0.13), pipe)
    if style.pipes == "long":
        second = ((x - 0.15, 0.5, 0.16), (joint[0] + 0.1, 0.34, 0.17), (end[0] + 0.05, end[1] + 0.11, 0.19))
        body.tube(second, 0.08, pipe)


def _fairing(body: Body, f: Frame, style: Style, random: SeededRandom) -> None:
    x, y = f.head
    if random.chance(style.fairing):
        full = random.chance(0.75)
        shell = [
            (x - 0.12, y + 0.1),
            (x + 0.06, y + 0.16),
            (x + 0.3, y + 0.02),
            (x + 0.33, y - 0.08),
            (x + 0.18, y - 0.2),
        ]
        belly = [(x + 0.02, 0.42), (x - 0.08, 0.2), (f.rear[0] + 0.62, 0.18), (x - 0.42, 0.34), (x - 0.3, y - 0.22)]
        body.slab(shell + (belly if full else [(x - 0.1, y - 0.24)]), 0.2, f.paint, bevel=0.86, lift=0.03)
        if full and random.chance(0.6):
            body.bar((x + 0.1, y - 0.08), (x - 0.24, 0.32), random.between(0.05, 0.12), f.trim, 0.21, lift=0.1)
        lamp = [(x + 0.22, y + 0.03), (x + 0.33, y - 0.04), (x + 0.3, y - 0.1), (x + 0.2, y - 0.06)]
        body.slab(lamp, 0.16, (225, 230, 225), lift=0.12)
    if random.chance(style.screen):
        high = random.between(0.12, 0.38)
        glass = [(x + 0.1, y + 0.13), (x + 0.2, y + 0.07), (x - 0.02, y + 0.15 + high), (x - 0.06, y + 0.14 + high)]
        body.slab(glass, 0.16, mix((170, 190, 200), f.dark, random.between(0, 0.7)))


def _scooter_body(body: Body, f: Frame, random: SeededRandom) -> None:
    """Add the leg shield, the floor, a bulky tail that hides the engine, and one long seat."""
    floor, tail = f.front_radius + 0.06, f.rear[0] - random.between(0.15, 0.3)
    (hx, hy), (sx, sy), (rx, ry) = f.head, f.seat, f.rear
    shield = [(hx - 0.14, floor), (hx - 0.04, floor - 0.06), (hx + 0.09, hy - 0.3), (hx + 0.06, hy + 0.02)]
    body.slab([*shield, (hx - 0.05, hy + 0.02)], 0.2, f.paint)
    board = [(sx + 0.2, floor - 0.05), (hx - 0.04, floor - 0.06), (hx - 0.08, floor + 0.04), (sx + 0.2, floor + 0.04)]
    body.slab(board, 0.16, f.dark)
    bulk = [(sx + 0.26, floor - 0.04), (sx + 0.22, sy - 0.04), (tail, sy - 0.02), (tail - 0.06, sy - 0.2)]
    bulk += [(rx + 0.02, ry + 0.16), (rx + 0.3, floor - 0.04)]
    body.slab(bulk, 0.19, f.paint if random.chance(0.8) else f.trim, bevel=0.85)
    seat = [(sx + 0.26, sy - 0.03), (sx + 0.2, sy + 0.06), (tail + 0.05, sy + 0.09), (tail, sy)]
    body.slab(seat, 0.14, random.pick((grey(0.07), (95, 55, 30), grey(0.3))), bevel=0.88)
    body.slab([(hx - 0.12, hy), (hx + 0.14, hy), (hx + 0.12, hy + 0.16), (hx - 0.1, hy + 0.18)], 0.14, f.paint)
    body.ball((rx - 0.3, ry + 0.25, 0.0), 0.05, (200, 25, 20))
    body.bar((rx + 0.2, ry), (rx - 0.22, ry + 0.05), 0.1, f.steel, 0.16)


def _guards(body: Body, f: Frame, name: str, random: SeededRandom) -> None:
    colour = f.paint if random.chance(0.7) else f.dark
    if name == "dirt":
        (hx, hy), (rx, sy) = f.head, (f.rear[0], f.seat[1])
        x, y = f.front[0], f.front[1] + f.front_radius + random.between(0.1, 0.18)
        body.slab([(x - 0.3, y + 0.08), (x + 0.02, y + 0.06), (x + 0.34, y - 0.02), (x, y)], 0.09, colour)
        body.slab([(rx - 0.3, sy + 0.08), (rx + 0.2, sy + 0.02), (rx + 0.2, sy - 0.06)], 0.09, colour)
        body.slab([(hx + 0.1, hy - 0.1), (hx + 0.16, hy - 0.1), (hx + 0.1, hy + 0.16)], 0.11, f.trim)
        return
    wide, front = f.tyre * 1.15, (random.between(20, 60), random.between(120, 190))
    body.arc(f.front, f.front_radius + 0.02, front, wide * 0.6, colour, lift=0.03)
    if name in {"cruiser", "touring", "scooter", "cafe"} or random.chance(0.3):
        body.arc(f.rear, f.rear_radius + 0.03, (40, random.between(130, 200)), wide * 0.8, colour, lift=0.03)


def _luggage(body: Body, f: Frame, style: Style, random: SeededRandom) -> None:
    """Add cases at the sides and on top, the side stand and the foot pegs."""
    if random.chance(style.cases):
        x, y, colour = f.rear[0] - 0.02, f.rear[1] + 0.02, f.paint if random.chance(0.5) else f.dark
        case = [(x - 0.28, y + 0.05), (x + 0.24, y), (x + 0.26, y + 0.3), (x - 0.24, y + 0.32)]
        for z in (-0.24, 0.24):
            body.slab(case, 0.1, colour, z, bevel=0.9)
    if random.chance(style.cases * 0.4):
        x, y, colour = f.rear[0] - 0.1, f.seat[1] + 0.12, paint(random) if random.chance(0.4) else f.dark
        body.slab([(x - 0.2, y), (x + 0.2, y), (x + 0.17, y + 0.3), (x - 0.18, y + 0.3)], 0.22, colour)
    if random.chance(0.3):
        body.bar(f.peg, (f.peg[0] - 0.12, 0.0), 0.025, f.steel, -0.2)
    body.tube(((*f.peg, -0.25), (*f.peg, 0.25)), 0.035, f.dark)
