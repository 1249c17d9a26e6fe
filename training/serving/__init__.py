"""The inference container: an image in, `[p_bicycle, p_motorcycle]` out, in SageMaker's protocol."""
