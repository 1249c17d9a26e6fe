"""The inference server: takes an image, returns one probability for each label, by SageMaker's inference protocol."""
