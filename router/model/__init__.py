"""A bundle on disk becomes a classifier: tokenizers and ONNX Runtime, nothing of Kafka."""
