"""Degradation as by cameras and JPEG, a batch at a time, drawn from the generator that is passed in.

Images are (N, 3, H, W) from 0 to 255, at the size at which a camera would have stored them.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

_BLUR, _DARKEN, _NOISE, _JPEG = 0.3, 0.4, 0.4, 0.8
"""Each kind's share of the recipe's chance."""
_MAX_RADIUS = 1.5
_MIN_LIGHT = 0.08
_MAX_DEVIATION = 45.0
_QUALITIES = (5.0, 95.0)
_REACH = 4
_SHARP_SIDE = 64
_MAX_BLUR = 1.7

_STEPS = torch.arange(8).float()
_COSINES = torch.cos((2 * _STEPS[None] + 1) * _STEPS[:, None] * math.pi / 16) / 2
_COSINES[0] /= math.sqrt(2)
_LUMINANCE = torch.tensor((
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)).float()  # fmt: skip
_CHROMINANCE = torch.full((8, 8), 99.0)
_CHROMINANCE[:4, :4] = torch.tensor(((17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99))).float()


def _quantised(plane: Tensor, table: Tensor, scale: Tensor) -> Tensor:
    """A plane (N, H, W) after its 8x8 blocks went through the cosine transform and were rounded."""
    count, height, width = plane.shape
    steps = ((table * scale[:, None, None] + 50) / 100).floor().clamp(1, 255)[:, None, None]
    blocks = plane.view(count, height // 8, 8, width // 8, 8).permute(0, 1, 3, 2, 4)
    rounded = (_COSINES @ blocks @ _COSINES.T / steps).round() * steps
    return (_COSINES.T @ rounded @ _COSINES).permute(0, 1, 3, 2, 4).reshape(count, height, width)


def jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """Images as JPEG (T.81, 4:2:0) of a quality (N,) from 1 to 100 restores them."""
    height, width = images.shape[2:]
    padded = functional.pad(images, (0, -width % 16, 0, -height % 16), mode="replicate")
    red, green, blue = padded.unbind(1)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    coloured = []
    for plane in ((blue - light) * 0.564, (red - light) * 0.713):
        halved = _quantised(functional.avg_pool2d(plane[:, None], 2)[:, 0], _CHROMINANCE, scale)
        coloured.append(functional.interpolate(halved[:, None], scale_factor=2, mode="bilinear")[:, 0])
    light, (bluish, reddish) = _quantised(light - 128, _LUMINANCE, scale) + 128, coloured
    restored = (light + 1.403 * reddish, light - 0.714 * reddish - 0.344 * bluish, light + 1.773 * bluish)
    return torch.stack(restored, 1).round().clamp(0, 255)[:, :, :height, :width]


def blur(images: Tensor, radius: Tensor) -> Tensor:
    """Images out of focus, by a Gaussian of a radius (N,) in pixels."""
    count, channels, height, width = images.shape
    offsets = torch.arange(-_REACH, _REACH + 1).float()
    weights = torch.exp(-(offsets[None] ** 2) / (2 * radius[:, None].clamp(min=0.05) ** 2))
    weights = (weights / weights.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None]
    planes = functional.pad(images.reshape(1, -1, height, width), (_REACH,) * 4, mode="reflect")
    planes = functional.conv2d(planes, weights[:, :, None], groups=count * channels)
    return functional.conv2d(planes, weights[..., None], groups=count * channels).view(images.shape)


def degrade(images: Tensor, chance: float, generator: Generator) -> Tensor:
    """Degrade images by blur, darkness, noise and JPEG, each by chance and of random strength."""
    count = len(images)

    def roll() -> Tensor:
        return torch.rand(count, generator=generator)

    def by_chance(share: float, degraded: Tensor) -> Tensor:
        return torch.where((roll() < chance * share).view(-1, 1, 1, 1), degraded, images)

    sharpness = min(_MAX_BLUR, max(1.0, images.shape[-1] / _SHARP_SIDE))
    images = by_chance(_BLUR, blur(images, roll() * _MAX_RADIUS * sharpness))
    images = by_chance(_DARKEN, images * torch.exp(roll() * math.log(_MIN_LIGHT)).view(-1, 1, 1, 1))
    grain = torch.randn(images.shape, generator=generator) * (roll() ** 1.5 * _MAX_DEVIATION).view(-1, 1, 1, 1)
    images = by_chance(_NOISE, (images + grain).clamp(0, 255))
    low, high = _QUALITIES
    return by_chance(_JPEG, jpeg(images.clamp(0, 255), (low + (high - low) * roll() ** 1.5).round()))


def resize(images: Tensor, side: int) -> Tensor:
    """Images of another side, bicubic and antialiased as Pillow does it."""
    if images.shape[-1] == side:
        return images
    resized = functional.interpolate(images, (side, side), mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(0, 255)
