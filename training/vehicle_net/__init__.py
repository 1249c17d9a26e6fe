"""Our network: trained with PyTorch, calibrated, exported to ONNX, packaged for SageMaker."""
