"""Router: reads customer messages from Kafka and sends each to the right queue of people."""

from importlib.metadata import version

__version__ = version("router")
