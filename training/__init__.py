"""The data, the models and the SageMaker jobs that train and serve them."""

import os

# ONNX Runtime reports its use to its maker unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
