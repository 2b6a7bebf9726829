"""What Faust hands from the consumer to the agent."""

from __future__ import annotations

from collections.abc import Sequence

from faust.types.tuples import TP, ConsumerMessage

from router.stream.partition import Batch


class BatchMessage(ConsumerMessage):
    """A Faust message that is all that one fetch brought, at least one batch. Its value is null, so
    Faust decodes nothing."""

    def __init__(self, batches: Sequence[Batch], generation: int) -> None:
        tp, offset = batches[0].partition.tp, batches[0].records[0].source.offset
        super().__init__(
            tp.topic, tp.partition, offset, 0.0, 0, [], None, None, None,
            tp=TP(*tp), generation_id=generation,
        )  # fmt: skip
        self.batches = batches
