"""The dataset, the model, and the SageMaker jobs and endpoints that train and serve it."""

import os

# ONNX Runtime sends telemetry unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
