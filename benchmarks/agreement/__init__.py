"""The same ONNX model and inputs through a bare loop, pytest-benchmark, steelyard and others."""
