"""The inference container: an image in, one probability for each label out, in SageMaker's protocol."""
