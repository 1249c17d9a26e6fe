"""Scenes without a bicycle or a motorcycle, some with cars."""

import math
from collections.abc import Callable
from dataclasses import replace

from PIL import Image, ImageDraw, ImageFilter

from training.data.rendering.camera import Pose, draw, look
from training.data.rendering.car import car
from training.data.rendering.colour import Colour, grey, hsv, mix, paint, shade, skin
from training.data.rendering.scene import backdrop, shadow
from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.solid import Body

_LETTERS = 9  # strokes of a printed word


def scene_of_neither(random: SeededRandom, side: int) -> Image.Image:
    """Return a square RGB scene of ``side`` pixels that shows neither kind of vehicle."""
    return random.weighted(_SCENES)(random, side)


def _place(image: Image.Image, body: Body, pose: Pose, random: SeededRandom) -> None:
    view = look(body, pose, image.width)
    shadow(image, view, random)
    draw(body, view, ImageDraw.Draw(image))


def _one_car(random: SeededRandom, side: int) -> Image.Image:
    image = backdrop(random, side)
    pose = Pose.draw(random)
    if random.chance(0.4):  # from the front or from behind
        pose = replace(pose, yaw=math.radians(random.between(55, 100)) * (1 if random.chance(0.5) else -1))
    _place(image, car(random), pose, random)
    return image


def _traffic(random: SeededRandom, side: int) -> Image.Image:
    """Several cars, near ones over far ones."""
    image = _street(random, side) if random.chance(0.6) else backdrop(random, side)
    for k in range(random.count(2, 5)):
        far = 0.15 + 0.12 * k
        pose = Pose.draw(random)
        shift = (random.between(-0.45, 0.45), 0.02 + 0.08 * k)
        _place(image, car(random), replace(pose, fill=far * random.between(0.8, 1.3), shift=shift, roll=0.0), random)
    return image


def _person(random: SeededRandom) -> Body:
    """Return somebody who stands, walks or waves."""
    body, flesh, top, trousers = Body(), skin(random), paint(random), paint(random)
    legs = flesh if random.chance(0.2) else trousers
    stride, sleeve = random.between(0.0, 0.3), flesh if random.chance(0.4) else shade(top, 0.9)
    for z, step in ((0.1, stride), (-0.1, -stride)):
        body.tube(((0.0, 0.85, z), (step * 0.6, 0.46, z), (step, 0.04, z)), 0.14, legs)
        body.tube(((step - 0.05, 0.03, z), (step + 0.14, 0.03, z)), 0.08, paint(random))
        reach = random.between(-0.3, 0.5)
        hand = (-step * 0.8 + reach * 0.3, 0.85 + max(0.0, reach), z * 3)
        body.tube(((0.0, 1.36, z * 1.9), (-step * 0.4, 1.08 + max(0.0, reach) * 0.4, z * 2.6), hand), 0.09, sleeve)
        body.ball(hand, 0.05, flesh)
    coat = random.between(0.55, 0.85)
    outline = [(-0.13, coat), (-0.12, 1.4), (0.0, 1.45), (0.12, 1.4), (0.14, coat)]
    body.slab(outline, 0.2, top, bevel=0.85)
    body.tube(((0.0, 1.42, 0.0), (0.02, 1.55, 0.0)), 0.11, flesh)
    body.ball((0.02, 1.62, 0.0), 0.12, flesh)
    hair = random.pick(((40, 28, 20), (90, 60, 30), (200, 170, 110), grey(0.6), grey(0.08)))
    body.ball((-0.01, 1.66, 0.0), 0.125, paint(random) if random.chance(0.2) else hair, lift=-0.01)
    return body


def _people(random: SeededRandom, side: int) -> Image.Image:
    image = _street(random, side) if random.chance(0.4) else backdrop(random, side)
    close = random.chance(0.35)
    for _ in range(1 if close else random.count(1, 4)):
        pose = replace(
            Pose.draw(random),
            yaw=math.radians(random.between(-100, 100)),
            fill=random.between(1.4, 3.5) if close else random.between(0.25, 0.95),
            stretch=random.between(0.9, 1.1),
            roll=0.0,
            shift=(random.near(0, 0.35), random.between(0.5, 1.2) if close else random.near(0.05, 0.1)),
        )
        _place(image, _person(random), pose, random)
    return image


def _street(random: SeededRandom, side: int) -> Image.Image:
    """Houses along a road that runs away from the camera, or across it."""
    sky = random.pick((hsv(0.58, random.between(0.1, 0.5), random.between(0.6, 1)), grey(random.between(0.5, 0.95))))
    image = Image.new("RGB", (side, side), sky)
    canvas, horizon, left = ImageDraw.Draw(image), side * random.between(0.4, 0.65), 0.0
    while left < side:
        wide, top, wall = side * random.between(0.12, 0.4), horizon * random.between(0.05, 0.7), paint(random)
        canvas.rectangle((left, top, left + wide, horizon), fill=mix(wall, grey(0.6), 0.5))
        if random.chance(0.5):
            canvas.polygon(
                ((left, top), (left + wide / 2, top - wide * 0.4), (left + wide, top)), fill=shade(wall, 0.6)
            )
        _panes(canvas, (left, top, left + wide, horizon), random)
        left += wide * random.between(1.0, 1.3)
    road = grey(random.between(0.2, 0.6))
    canvas.rectangle((0, horizon, side, side), fill=mix(road, (120, 150, 90), random.pick((0.0, 0.0, 0.8))))
    vanish = side * random.between(0.2, 0.8)
    canvas.polygon(((vanish, horizon), (vanish, horizon), (side * 1.3, side), (-side * 0.3, side)), fill=road)
    for k in range(random.count(0, 6)):
        y = horizon + (side - horizon) * (k / 6) ** 1.5
        canvas.line((vanish, y, vanish, y + side * 0.01 * (k + 1)), fill=grey(0.9), width=max(1, side * (k + 1) // 300))
    for _ in range(random.count(0, 3)):  # lamps, signs and trees
        x, tall = side * random.between(0, 1), side * random.between(0.2, 0.6)
        foot = horizon + side * random.between(0, 0.2)
        canvas.line((x, foot, x, foot - tall), fill=grey(random.between(0.1, 0.5)), width=max(1, side // 60))
        r = side * random.between(0.03, 0.12)
        canvas.ellipse((x - r, foot - tall - r, x + r, foot - tall + r), fill=paint(random))
    return image


def _panes(canvas: ImageDraw.ImageDraw, box: tuple[float, float, float, float], random: SeededRandom) -> None:
    left, top, right, bottom = box
    columns, rows, glass = random.count(1, 4), random.count(1, 4), mix((60, 80, 95), grey(0.9), random.between(0, 0.7))
    wide, high = (right - left) / columns, (bottom - top) / rows
    for column in range(columns):
        for row in range(rows):
            x, y = left + wide * (column + 0.25), top + high * (row + 0.2)
            canvas.rectangle((x, y, x + wide * 0.5, y + high * 0.5), fill=glass)


def _document(random: SeededRandom, side: int) -> Image.Image:
    """A page, a label or a screen with lines of print, rules and a stamp."""
    sheet = mix(grey(random.between(0.8, 1.0)), paint(random), random.pick((0.0, 0.0, 0.1, 0.6)))
    image = Image.new("RGB", (side, side), sheet)
    canvas, ink = ImageDraw.Draw(image), grey(random.between(0, 0.3)) if random.chance(0.8) else paint(random)
    high = side * random.between(0.02, 0.09)
    y = side * random.between(0, 0.15)
    while y < side:
        if random.chance(0.1):
            canvas.line((0, y, side, y), fill=ink, width=max(1, side // 120))
        _print(canvas, random, (side * random.between(0.02, 0.2), y), (side * random.between(0.5, 0.98), high), ink)
        y += high * random.between(1.3, 2.4)
    if random.chance(0.4):
        x, y, w = side * random.between(0, 0.7), side * random.between(0, 0.7), side * random.between(0.1, 0.4)
        shape = canvas.ellipse if random.chance(0.5) else canvas.rectangle
        shape((x, y, x + w, y + w * random.between(0.4, 1.2)), outline=paint(random), width=max(1, side // 40))
    return image.rotate(random.near(0, 12), Image.Resampling.BILINEAR, fillcolor=paint(random))


def _print(
    canvas: ImageDraw.ImageDraw,
    random: SeededRandom,
    start: tuple[float, float],
    reach: tuple[float, float],
    ink: Colour,
) -> None:
    (x, y), (right, high) = start, reach
    stroke = max(1, int(high * 0.15))
    while x < right:
        for _ in range(random.count(2, _LETTERS)):
            lean, tall = high * random.near(0, 0.3), high * random.pick((0.6, 0.6, 1.0))
            canvas.line((x, y + high, x + lean, y + high - tall), fill=ink, width=stroke)
            if random.chance(0.6):
                canvas.arc((x, y + high - tall, x + high * 0.45, y + high), 200, 560 * random.between(0.5, 1), fill=ink)
            x += high * 0.55
        x += high * 0.6


def _sign(random: SeededRandom, side: int) -> Image.Image:
    """A traffic sign or a logo: a few large plain shapes, one in the other."""
    image = backdrop(random, side) if random.chance(0.5) else Image.new("RGB", (side, side), paint(random))
    canvas = ImageDraw.Draw(image)
    x, y, r = (side * random.near(0.5, 0.15), side * random.near(0.5, 0.15), side * random.between(0.15, 0.48))
    for _ in range(random.count(1, 5)):
        corners, turn, colour = random.pick((3, 4, 5, 6, 40, 40)), random.between(0, math.tau), paint(random)
        angles = [turn + math.tau * k / corners for k in range(corners)]
        canvas.polygon([(x + r * math.cos(a), y + r * math.sin(a)) for a in angles], fill=colour)
        r *= random.between(0.3, 0.9)
        x, y = x + r * random.near(0, 0.5), y + r * random.near(0, 0.5)
    return image


def _things(random: SeededRandom, side: int) -> Image.Image:
    """Objects on a table or a floor: round, boxy or long, some with a hole, some in pairs like wheels."""
    image = backdrop(random, side)
    canvas = ImageDraw.Draw(image)
    for _ in range(random.count(1, 6)):
        x, y = side * random.between(0.1, 0.9), side * random.between(0.2, 0.9)
        r, colour, squeeze = side * random.between(0.06, 0.35), paint(random), random.between(0.4, 1.4)
        kind = random.pick(("ball", "box", "stick", "plate", "blob"))
        box = (x - r, y - r * squeeze, x + r, y + r * squeeze)
        if kind == "ball":
            canvas.ellipse(box, fill=colour)
            canvas.ellipse((x - r * 0.6, y - r * 0.7 * squeeze, x, y), fill=shade(colour, 1.3))
        elif kind == "box":
            canvas.polygon(((box[0], box[1]), (box[2], box[1]), (x + r * 1.3, y), (x - r * 0.7, y)), shade(colour, 1.2))
            canvas.rectangle((box[0], y, box[2], box[3]), fill=colour)
        elif kind == "stick":
            end = (x + side * random.near(0, 0.6), y + side * random.near(0, 0.6))
            canvas.line((x, y, *end), fill=colour, width=max(2, int(r * 0.3)))
        elif kind == "plate":
            canvas.ellipse(box, fill=colour)
            canvas.ellipse((x - r * 0.6, y - r * 0.6 * squeeze, x + r * 0.6, y + r * 0.6 * squeeze), shade(colour, 0.7))
        else:
            spots = [math.tau * k / 9 for k in range(9)]
            rim = [
                (x + r * random.between(0.5, 1.2) * math.cos(a), y + r * random.between(0.5, 1.2) * math.sin(a))
                for a in spots
            ]
            canvas.polygon(rim, fill=colour)
    return image


def _empty(random: SeededRandom, side: int) -> Image.Image:
    """A frame without content: one colour, a gradient, grain, a covered lens."""
    what = random.pick(("plain", "plain", "gradient", "gradient", "grain", "night"))
    if what == "plain":
        return Image.new(
            "RGB",
            (side, side),
            grey(random.pick((0.0, 0.02, 0.5, 1.0, random.between(0, 1)))) if random.chance(0.5) else paint(random),
        )
    if what == "gradient":
        one, other = paint(random), paint(random)
        ramp = Image.linear_gradient("L").resize((side, side)).rotate(random.pick((0, 90, 180, 270)))
        return Image.composite(Image.new("RGB", (side, side), one), Image.new("RGB", (side, side), other), ramp)
    if what == "grain":
        cells = max(2, int(side * random.between(0.05, 1)))
        coarse = Image.fromarray(random.noise(cells, cells, 3))
        if random.chance(0.5):
            coarse = coarse.convert("L").convert("RGB")
        image = coarse.resize((side, side), random.pick((Image.Resampling.NEAREST, Image.Resampling.BICUBIC)))
        return Image.blend(Image.new("RGB", (side, side), grey(random.between(0, 1))), image, random.between(0.05, 1))
    image = Image.new("RGB", (side, side), shade(hsv(0.62, 0.4, 1.0), random.between(0, 0.2)))
    canvas = ImageDraw.Draw(image)
    for _ in range(random.count(0, 12)):
        x, y, r = side * random.between(0, 1), side * random.between(0, 1), side * random.between(0.005, 0.06)
        canvas.ellipse((x - r, y - r, x + r, y + r), fill=mix((255, 220, 150), paint(random), random.between(0, 0.6)))
    return image.filter(ImageFilter.GaussianBlur(side * random.between(0.003, 0.03)))


_SCENES: dict[Callable[[SeededRandom, int], Image.Image], float] = {
    _one_car: 3.0, _traffic: 1.5, backdrop: 1.5, _people: 1.5, _street: 1.0, _document: 1.0, _sign: 0.8,
    _things: 1.2, _empty: 1.2,
}  # fmt: skip
