"""A bundle on disk becomes a classifier: tokenizers and ONNX Runtime, nothing of Kafka."""

import os

# ONNX Runtime 1.32 reports its use over the network otherwise, and leaves a file in TMPDIR; it
# reads this once, at its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
