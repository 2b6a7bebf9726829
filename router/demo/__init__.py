"""The demo: an embedded broker, invented traffic, a real worker, and what became of each event."""
