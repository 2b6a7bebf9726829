"""Kafka in, Kafka out: a Faust app on a batch transport. Nothing here knows of models or text.

One Faust event is one fetched batch of one partition. Its way, file by file: ``reader`` takes it
from aiokafka in the consumer's ``thread``; ``consumer`` notes it on its ``partition`` and hands it
through Faust to the agent of ``app``; ``lanes`` has one ordered task for each partition, which
``slices`` it and does the ``work``: route, then ``delivery`` (or ``exactly_once``) by ``sending``.
``worker`` starts, drains and ends all that; ``watch`` looks after what would stop in silence, with
``watchdog``'s count of how long; ``expired`` says what retention took before it was read.

Beside the worker, for `router replay`: ``replay_log`` reads part of a topic, ``replay`` sends dead
letters again (``replaying.md`` says why once), ``replay_decisions`` decides past input anew.
"""
