"""A bundle on disk becomes a classifier: tokenizers and ONNX Runtime, nothing of Kafka."""

import os

# ONNX Runtime 1.32 reports its use over the network otherwise, and leaves a file in TMPDIR; it
# reads this once, at its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Tokenizers cuts a batch among all processors otherwise, whatever ROUTER_INFER_THREADS says: for a
# fiftieth of a batch's time it would wake threads on those that other work is on.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
