"""Colours and where they come from. Every vehicle paints from the same box, so that no colour tells a class."""

import colorsys

from training.data.rendering.seeded_random import SeededRandom

Colour = tuple[int, int, int]

_NEUTRALS = (0.04, 0.08, 0.15, 0.3, 0.5, 0.65, 0.78, 0.95)
_HUES = {(-0.03, 0.03): 3.0, (0.55, 0.67): 2.6, (0.05, 0.1): 1.2, (0.12, 0.16): 1.2, (0.27, 0.42): 1.4, (0.0, 1.0): 1.6}
_SKIN: tuple[Colour, ...] = ((244, 208, 177), (224, 172, 105), (198, 134, 66), (141, 85, 36), (92, 58, 33))


def shade(colour: Colour, factor: float) -> Colour:
    """Return ``colour`` made darker (factor < 1) or lighter (factor > 1)."""
    r, g, b = colour
    return min(255, int(r * factor)), min(255, int(g * factor)), min(255, int(b * factor))


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return ``one`` with ``share`` (0 to 1) of ``other`` in it."""
    a, b, c = (int(x + (y - x) * share) for x, y in zip(one, other, strict=True))
    return a, b, c


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return the colour of a hue, a saturation and a value, each 0 to 1."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return int(r * 255), int(g * 255), int(b * 255)


def grey(level: float) -> Colour:
    """Return a neutral grey, 0 black to 1 white."""
    value = int(max(0.0, min(1.0, level)) * 255)
    return value, value, value


def paint(random: SeededRandom) -> Colour:
    """Return a colour that a vehicle, a wall or a coat may have: often neutral, often red or blue, seldom loud."""
    if random.chance(0.35):
        return mix(grey(random.pick(_NEUTRALS)), (150, 130, 100), random.between(0, 0.15))
    hue = random.weighted(_HUES)
    loud = random.chance(0.3)
    saturation = random.between(0.75, 1.0) if loud else random.between(0.3, 0.8)
    return hsv(random.between(*hue), saturation, random.between(0.55, 1.0) if loud else random.between(0.2, 0.9))


def metal(random: SeededRandom) -> Colour:
    """Return chrome, aluminium or blackened steel."""
    return mix(grey(random.pick((0.15, 0.45, 0.7, 0.82))), (190, 180, 160), random.between(0, 0.2))


def rubber(random: SeededRandom) -> Colour:
    """Return a tyre's colour."""
    if random.chance(0.08):
        return random.pick(((190, 170, 130), (215, 215, 210), (120, 70, 50)))
    return grey(random.between(0.04, 0.24))


def skin(random: SeededRandom) -> Colour:
    """Return a skin colour."""
    return random.pick(_SKIN)
