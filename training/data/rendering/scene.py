"""What is behind, under and in front of a vehicle. Nothing here knows what kind of vehicle it is."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.data.rendering.camera import View
from training.data.rendering.colour import Colour, grey, hsv, mix, paint, shade
from training.data.rendering.seeded_random import SeededRandom

_CELLS = 40  # a side of the coarse noise that textures are stretched from
_MOTTLE = tuple(max(0, v - 110) for v in range(256))


def backdrop(random: SeededRandom, side: int) -> Image.Image:
    """Return a square RGB background of ``side`` pixels."""
    image = random.weighted(_PLACES)(random, side)
    if random.chance(0.3):
        blurred = image.reduce(2).filter(ImageFilter.GaussianBlur(side * random.between(0.004, 0.025)))
        image = blurred.resize((side, side), Image.Resampling.BILINEAR)
    return image


def shadow(image: Image.Image, view: View, random: SeededRandom) -> None:
    """Darken the ground under a vehicle."""
    if random.chance(0.25):
        return
    side, small = image.width, image.width // 4
    (left, _), (right, ground) = view.pixels.min(axis=0).tolist(), view.pixels.max(axis=0).tolist()
    deep, slip = side * random.between(0.015, 0.06), side * random.near(0, 0.12)
    mask = Image.new("L", (small, small))
    box = [v / 4 for v in (left + slip, ground - deep * 1.6, right + slip, ground + deep)]
    ImageDraw.Draw(mask).ellipse(box, fill=int(255 * random.between(0.25, 0.75)))
    mask = mask.filter(ImageFilter.GaussianBlur(small * random.between(0.008, 0.03)))
    image.paste(grey(random.between(0, 0.12)), mask=mask.resize(image.size, Image.Resampling.BILINEAR))


def foreground(image: Image.Image, random: SeededRandom) -> None:
    """Put something in front of the vehicle, seldom and small: a post, leaves, a box, a line of print."""
    if not random.chance(0.1):
        return
    canvas, side, colour = ImageDraw.Draw(image), image.width, paint(random)
    x, y, reach = side * random.between(0, 1), side * random.between(0.3, 1.1), side * random.between(0.04, 0.14)
    what = random.pick(("post", "leaves", "box", "print"))
    if what == "post":
        canvas.line((x, 0, x + side * random.near(0, 0.1), side), fill=colour, width=int(reach * 0.7) + 1)
    elif what == "box":
        canvas.rectangle((x - reach, y - reach, x + reach, y + reach), fill=colour)
    elif what == "print":
        top, step = side * random.pick((0.02, 0.9)), side * 0.06
        for k in range(random.count(4, 14)):
            left = reach + k * step
            canvas.rectangle((left, top, left + step * 0.6, top + side * 0.05), fill=colour)
    else:
        for _ in range(14):
            a, b = x + side * random.near(0, 0.15), y + side * random.near(0, 0.15)
            r, green = side * random.between(0.015, 0.05), hsv(random.between(0.2, 0.38), 0.6, random.between(0.2, 0.6))
            canvas.ellipse((a - r, b - r * 0.7, a + r, b + r * 0.7), fill=green)


def _cloud(random: SeededRandom, cells: int = _CELLS, roughness: float = 0.6) -> Image.Image:
    """Return grey noise with the falling spectrum of photographs: the rougher, the finer its grain."""
    total = np.zeros((cells, cells), dtype=np.float32)
    for octave in range(1, 5):
        count = min(cells, 2**octave + 1)
        layer = Image.fromarray(random.noise(count, count)).resize((cells, cells), Image.Resampling.BICUBIC)
        total += (np.asarray(layer, dtype=np.float32) - 128) * roughness**octave
    total += (random.noise(cells, cells).astype(np.float32) - 128) * roughness**5
    spread = max(1.0, float(np.abs(total).max()))
    return Image.fromarray((128 + total * (127 / spread)).astype(np.uint8))


def _rough(image: Image.Image, random: SeededRandom, box: tuple[int, int, int, int], strength: float) -> None:
    """Mottle a box of the image as gravel, grass or plaster is mottled."""
    width, height = box[2] - box[0], box[3] - box[1]
    if width < 2 or height < 2:
        return
    coarse = Image.fromarray(random.noise(_CELLS, _CELLS)).point([int(v * strength) for v in _MOTTLE])
    image.paste(grey(random.pick((0.0, 0.1, 0.9))), box, coarse.resize((width, height), Image.Resampling.BILINEAR))


def _ramp(top: Colour, bottom: Colour, width: int, height: int) -> Image.Image:
    strip = Image.new("RGB", (1, 2), top)
    strip.putpixel((0, 1), bottom)
    return strip.resize((width, height), Image.Resampling.BILINEAR)


def _ground(image: Image.Image, random: SeededRandom, horizon: int, colour: Colour) -> None:
    side = image.width
    if horizon >= side:
        return
    top, bottom = shade(colour, random.between(0.8, 1.15)), shade(colour, random.between(0.7, 1.2))
    image.paste(_ramp(top, bottom, side, side - horizon), (0, horizon))
    _rough(image, random, (0, horizon, side, side), random.between(0.05, 0.5))


def _plain(random: SeededRandom, side: int) -> Image.Image:
    colour = grey(random.pick((1.0, 1.0, 1.0, 0.96, 0.85, 0.5))) if random.chance(0.8) else paint(random)
    return Image.new("RGB", (side, side), colour)


def _fade(random: SeededRandom, side: int) -> Image.Image:
    top = grey(random.between(0.1, 1)) if random.chance(0.6) else paint(random)
    return _ramp(top, mix(top, grey(random.between(0, 1)), random.between(0.3, 1)), side, side)


def _leaves(random: SeededRandom, light: Colour, side: int, height: int) -> Image.Image:
    """Foliage: light and dark of one colour, in clouds."""
    image = Image.new("RGB", (side, height), shade(light, random.between(0.2, 0.5)))
    image.paste(
        light, mask=_cloud(random, _CELLS, random.between(0.6, 1.0)).resize((side, height), Image.Resampling.BILINEAR)
    )
    return image


def _outdoors(random: SeededRandom, side: int) -> Image.Image:
    """Sky, trees or hills over asphalt, sand or grass."""
    sky = random.pick(
        (
            hsv(0.58, random.between(0.1, 0.5), random.between(0.6, 1)),
            grey(random.between(0.6, 0.95)),
            hsv(0.07, 0.3, 0.9),
        )
    )
    image = _ramp(sky, mix(sky, grey(1.0), 0.5), side, side)
    horizon = int(side * random.between(0.25, 0.75))
    green = hsv(random.between(0.17, 0.4), random.between(0.2, 0.6), random.between(0.25, 0.7))
    growth = random.weighted({"trees": 0.4, "hedge": 0.4, "nothing": 0.2})
    if growth == "hedge":
        top = int(horizon * random.between(0, 0.7))
        image.paste(_leaves(random, green, side, horizon - top + 1), (0, top))
    elif growth == "trees":
        canvas = ImageDraw.Draw(image)
        for _ in range(random.count(4, 12)):
            x, r = side * random.between(0, 1), side * random.between(0.06, 0.25)
            canvas.ellipse((x - r, horizon - r * 1.3, x + r, horizon + r), fill=shade(green, random.between(0.4, 1.0)))
        _rough(image, random, (0, max(0, horizon - side // 3), side, horizon), 0.7)
    lawn = hsv(random.between(0.17, 0.33), random.between(0.2, 0.6), random.between(0.25, 0.65))
    _ground(image, random, horizon, random.pick((grey(random.between(0.25, 0.7)), lawn, (185, 165, 135))))
    if random.chance(0.3):
        y = random.between(horizon, side)
        line = (0, y, side, y + side * random.near(0, 0.15))
        ImageDraw.Draw(image).line(line, fill=grey(random.between(0.7, 1)), width=max(1, side // 40))
    return image


def _wall(random: SeededRandom, side: int) -> Image.Image:
    """A wall - bricks, planks, a shutter, windows or plaster - over a floor."""
    brick = hsv(random.between(0.02, 0.14), 0.45, random.between(0.3, 0.9))
    colour = paint(random) if random.chance(0.3) else mix(brick, grey(0.6), random.between(0, 0.9))
    image = Image.new("RGB", (side, side), colour)
    horizon = int(side * random.between(0.55, 1.0))
    _PATTERNS[random.count(0, len(_PATTERNS) - 1)](
        image, random, horizon, shade(colour, random.pick((0.65, 0.8, 1.25)))
    )
    _rough(image, random, (0, 0, side, horizon), random.between(0, 0.5))
    _ground(image, random, horizon, grey(random.between(0.2, 0.8)) if random.chance(0.8) else paint(random))
    return image


def _bricks(image: Image.Image, random: SeededRandom, horizon: int, joint: Colour) -> None:
    canvas, side, high = ImageDraw.Draw(image), image.width, image.width * random.between(0.05, 0.14)
    thin, long = max(1, side // 100), high * 2.2
    for row in range(int(horizon / high) + 1):
        canvas.line((0, row * high, side, row * high), fill=joint, width=thin)
        for k in range(int(side / long) + 2):
            x = (k + row % 2 / 2) * long
            canvas.line((x, row * high, x, (row + 1) * high), fill=joint, width=thin)


def _planks(image: Image.Image, random: SeededRandom, horizon: int, joint: Colour) -> None:
    canvas, side, wide = ImageDraw.Draw(image), image.width, image.width * random.between(0.04, 0.15)
    upright = random.chance(0.5)
    for k in range(int(side / wide) + 1):
        at = k * wide
        line = (at, 0, at, horizon) if upright else (0, at, side, at)
        canvas.line(line, fill=joint, width=max(1, side // 100))


def _windows(image: Image.Image, random: SeededRandom, horizon: int, joint: Colour) -> None:
    canvas, side = ImageDraw.Draw(image), image.width
    for k in range(random.count(1, 3)):
        x, w = side * (0.33 * k + random.between(0, 0.15)), side * random.between(0.12, 0.3)
        top, bottom = side * random.between(0, 0.25), horizon * random.between(0.6, 1)
        canvas.rectangle(
            (x, top, x + w, bottom), fill=mix((40, 55, 70), grey(0.9), random.between(0, 0.7)), outline=joint
        )


def _smooth(image: Image.Image, random: SeededRandom, horizon: int, joint: Colour) -> None:
    """Leave the plaster as it is."""


_PATTERNS = (_bricks, _planks, _windows, _smooth)


def _clutter(random: SeededRandom, side: int) -> Image.Image:
    """Things without a name: boxes, poles, railings and round shapes."""
    image = _photo(random, side) if random.chance(0.4) else _outdoors(random, side)
    canvas = ImageDraw.Draw(image)
    for _ in range(random.count(4, 11)):
        x, y = side * random.between(0, 1), side * random.between(0, 1)
        w, h, colour = side * random.between(0.03, 0.3), side * random.between(0.03, 0.4), paint(random)
        what = random.pick(("box", "pole", "rail", "hoop", "patch"))
        if what == "box":
            canvas.rectangle((x - w / 2, y - h / 2, x + w / 2, y + h / 2), fill=colour)
        elif what == "pole":
            canvas.line((x, 0, x + side * random.near(0, 0.2), side), fill=colour, width=max(1, int(w / 6)))
        elif what == "rail":
            for k in range(6):
                post = x + k * w / 3
                canvas.line((post, y - h, post + h * 0.1, y + h / 3), fill=colour, width=max(1, side // 80))
        elif what == "hoop":
            canvas.ellipse((x - h / 3, y - h / 3, x + h / 3, y + h / 3), outline=colour, width=max(1, int(w / 8)))
        else:
            corners = [(x + side * random.near(0, 0.25), y + side * random.near(0, 0.25)) for _ in range(5)]
            canvas.polygon(corners, fill=colour)
    return image


def _photo(random: SeededRandom, side: int) -> Image.Image:
    """Clouds of two or three colours, as in a photograph far out of focus or of leaves."""
    one, other = paint(random), paint(random)
    image = Image.new("RGB", (_CELLS, _CELLS), one)
    image.paste(mix(one, other, random.between(0.3, 1)), mask=_cloud(random, _CELLS, random.between(0.45, 0.95)))
    if random.chance(0.6):
        light = _cloud(random, _CELLS, random.between(0.4, 0.7)).point([max(0, v - 90) for v in range(256)])
        image.paste(grey(random.between(0.0, 1.0)), mask=light)
    return image.resize((side, side), Image.Resampling.BICUBIC)


_PLACES: dict[Callable[[SeededRandom, int], Image.Image], float] = {
    _plain: 3.0, _fade: 0.8, _outdoors: 2.4, _wall: 1.6, _clutter: 1.2, _photo: 1.0,
}  # fmt: skip
