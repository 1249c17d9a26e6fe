"""`scones endpoint`: the SageMaker endpoint that serves the model."""
