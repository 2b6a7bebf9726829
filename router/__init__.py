"""Router: reads customer messages from Kafka and sends each to the right queue of people."""

__version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":  # reading the installed version is a third of `router --help`
        from importlib.metadata import version  # noqa: PLC0415  # slow, and seldom asked

        return version("router")
    raise AttributeError(name)
