"""The pictures: CIFAR-100's vehicles, rendered vehicles, and how both are staged on disk and in S3."""
