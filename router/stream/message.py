"""What Faust hands from the consumer to the agent."""

from __future__ import annotations

from typing import Any

from faust.types.tuples import ConsumerMessage

from router.stream.partition import Batch


class BatchMessage(ConsumerMessage):
    """A Faust message that is one fetched batch. Its value is null, so Faust decodes nothing."""

    def __init__(self, batch: Batch, tp: Any, generation: int) -> None:
        offset = batch.records[0].source.offset
        super().__init__(
            tp.topic, tp.partition, offset, 0.0, 0, [], None, None, None, tp=tp,
            generation_id=generation,
        )  # fmt: skip
        self.batch = batch
