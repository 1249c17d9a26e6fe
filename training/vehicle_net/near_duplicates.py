"""Near duplicates: test images that resemble a training image so much that they say little about new images."""

import numpy as np
import numpy.typing as npt

from training.vehicle_net.channels import Images

NEAR_DUPLICATE_CORRELATION = 0.75
"""Correlation of two images, or of one with the mirror image of the other, from which they count as near duplicates."""


def _standardised(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return flat


def highest_correlation(test: Images, train: Images) -> npt.NDArray[np.float32]:
    """Largest correlation of each test image (N,) with any training image or its mirror image."""
    known = _standardised(train.pixels)
    straight = _standardised(test.pixels) @ known.T
    mirrored = _standardised(test.pixels[:, :, ::-1]) @ known.T
    nearest: npt.NDArray[np.float32] = np.maximum(straight, mirrored).max(axis=1)
    return nearest
