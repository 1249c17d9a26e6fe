"""Datasets: CIFAR-100's images, rendered vehicles, and how both are staged on disk and in S3."""
