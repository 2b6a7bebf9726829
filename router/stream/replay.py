"""Dead letters: looked through, and sent again. `replaying.md` says why none is sent twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from router.core.clock import Clock
from router.core.dead_letter_file import Edited, mended_value
from router.core.dead_letters import DeadLetter, Wanted, read_dead_letter, schema_of
from router.core.event import Rejected
from router.core.record import InRecord, Source
from router.core.replaying import Judge, Standing, judge, original, replay_records
from router.settings import Settings
from router.stream.admin import open_admin
from router.stream.capabilities import ask_broker
from router.stream.replay_log import Log, Place, Progress, Range, open_log, require
from router.stream.replay_marks import Marks, marked_since, read_marks
from router.stream.replay_sending import Return, Sender, TooLarge, open_sender, whole

_BATCH_BYTES = 8_000_000


def _unseen(_what: str, _records: int) -> None:
    """The default ``progress``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which dead letters: those that ``wanted`` holds, or exactly those of ``edited``, with the
    values that stand there. ``ends`` keeps to what an earlier look saw. ``whole`` fetches an event
    from where it came in even when it is still too large to be read."""

    wanted: Wanted
    edited: Mapping[Source, Edited] | None = None
    ends: Mapping[Place, Range] | None = None
    whole: bool = False


class DeadLetters:
    """The dead letters of one router. ``line`` says which of them it would read now."""

    def __init__(
        self, settings: Settings, line: Judge, clock: Clock, progress: Progress = _unseen
    ) -> None:
        self._settings = settings
        self.line = line
        self._clock = clock
        self._topics = settings.topics()
        self._partitions: dict[str, int] = {}
        self._marks_since = 0.0
        self._progress = progress
        self.marks_seen = True
        """Whether the last look found the topic that says what was sent again."""

    async def look(self, asked: Asked, each: Callable[[Standing], None]) -> dict[Place, Range]:
        """Call ``each`` with every dead letter that is asked for, the oldest of a partition first;
        gives the part of the topic that was looked through.

        Raises:
            BrokerError: the topic is missing, or the broker does not answer.
        """
        await self._look_around()
        require(self._partitions, [*self._topics.inputs, self._topics.dead_letter])
        marks: Marks = {}
        self.marks_seen = self._topics.replays in self._partitions
        if self.marks_seen:
            marks = await self._marks(settled=False)
        async with open_log(self._settings) as log:
            held = await self._held(asked, log)
            async for standing in self._standings(asked, log, held, marks):
                each(standing)
        return held

    async def send_again(
        self, asked: Asked, limit: int | None, done: Callable[[Standing, bool], None]
    ) -> str:
        """Send those that the router reads now, at most ``limit``; calls ``done`` for each that was
        sent, and, with False, for one that its topic found too large. Gives the guarantee's name.
        Cancelled, it still ends what it is sending, and has called ``done`` for that.

        Raises:
            BrokerError: a topic is missing, or sending failed. What was sent before stays sent.
        """
        topics = self._topics
        broker = await ask_broker(
            self._settings, (topics.dead_letter, topics.replays, *topics.inputs)
        )
        await self._look_around()
        async with (
            open_sender(self._settings, broker) as sender,
            open_log(self._settings) as log,
        ):
            await sender.claim()
            marks = await self._marks(settled=True)
            held = await self._held(asked, log)
            batch: list[Standing] = []
            count = size = 0
            async with aclosing(self._standings(asked, log, held, marks)) as standings:
                async for standing in standings:
                    if standing.state != "accepted":
                        continue
                    if limit is not None and count == limit:
                        break
                    batch.append(standing)
                    count += 1
                    size += standing.letter.size
                    if len(batch) >= sender.batch or size > _BATCH_BYTES:
                        await self._deliver(sender, batch, marks, done)
                        batch, size = [], 0
            await self._deliver(sender, batch, marks, done)
        return sender.name

    async def _deliver(
        self,
        sender: Sender,
        batch: Sequence[Standing],
        marks: Marks,
        done: Callable[[Standing, bool], None],
    ) -> None:
        if not batch:
            return
        try:
            interruption = await whole(sender.send([self._return(one) for one in batch]))
        except TooLarge:
            # Whoever claimed meanwhile may have sent some of these: the marks say so again.
            await sender.claim()
            marks.update(await self._marks(settled=True))
            if len(batch) == 1:
                done(batch[0], False)
                return
            for standing in batch:
                mark = marks.get(standing.letter.at)
                if mark is None or not mark.of(standing.letter):
                    await self._deliver(sender, [standing], marks, done)
        else:
            for standing in batch:
                done(standing, True)
            if interruption is not None:
                raise interruption

    def _return(self, standing: Standing) -> Return:
        at = datetime.fromtimestamp(self._clock.now(), UTC)
        event, mark = replay_records(standing, at, self._topics)
        source = standing.letter.source
        # Where upstream put it, which may not be where our partitioner would.
        known = source is not None and source.partition < self._partitions.get(source.topic, 0)
        return Return(event, source.partition if source and known else None, mark)

    async def _standings(
        self, asked: Asked, log: Log, held: Mapping[Place, Range], marks: Marks
    ) -> AsyncGenerator[Standing, None]:
        async with AsyncExitStack() as stack:
            fetch: Log | None = None
            for place, part in held.items():
                async for records in log.read(place, part):
                    self._progress("looked at", len(records))
                    for letter in map(read_dead_letter, records):
                        schema = schema_of(letter, self._topics)
                        if not _is_asked(asked, letter, schema):
                            continue
                        if early := self._without_event(letter, schema, marks):
                            yield early
                            continue
                        if fetch is None and not letter.whole:
                            fetch = await stack.enter_async_context(open_log(self._settings))
                        yield await self._standing(asked, letter, schema, fetch)

    def _without_event(self, letter: DeadLetter, schema: str, marks: Marks) -> Standing | None:
        """Where its event does not matter."""
        if (mark := marks.get(letter.at)) and mark.of(letter):
            time = mark.replayed_at
            return Standing(letter=letter, schema=schema, state="replayed", replayed_at=time)
        if letter.source is None or letter.source.topic not in self._topics.inputs:
            return Standing(letter=letter, schema=schema, state="foreign")
        if letter.record.broker_time < self._marks_since:
            return Standing(letter=letter, schema=schema, state="too_old")
        return None

    async def _standing(
        self, asked: Asked, letter: DeadLetter, schema: str, fetch: Log | None
    ) -> Standing:
        edited = asked.edited.get(letter.at) if asked.edited is not None else None
        hopeless = edited is None and letter.size > self._settings.max_event_bytes
        if hopeless and not letter.whole and not asked.whole:
            why = Rejected("too_large", "$", f"The value has {letter.size} bytes.")
            return Standing(letter=letter, schema=schema, state="refused", refusal=why)
        fetched: InRecord | None = None
        if not letter.whole and fetch is not None and letter.source is not None:
            fetched = await fetch.one(letter.source, self._partitions)
        event = original(letter, fetched)
        mended = False
        if edited is not None:
            came = event.value if event else None
            value = mended_value(edited, came)
            mended = event is None or value != came
            record = event or letter.record
            own = tuple(pair for pair in record.headers if not pair[0].startswith("router-"))
            event = InRecord(
                letter.source or letter.at, record.key, value, own, letter.record.broker_time
            )
        if event is None:
            return Standing(letter=letter, schema=schema, state="gone")
        refusal = judge(event, self.line)
        return Standing(
            letter=letter,
            schema=schema,
            state="refused" if refusal else "accepted",
            event=event,
            mended=mended,
            refusal=refusal,
        )

    async def _held(self, asked: Asked, log: Log) -> dict[Place, Range]:
        letters = self._topics.dead_letter
        held = await log.ranges({letters: self._partitions[letters]})
        if asked.ends is None:
            return held
        return {
            place: (first, min(end, asked.ends.get(place, (0, 0))[1]))
            for place, (first, end) in held.items()
        }

    async def _marks(self, *, settled: bool) -> Marks:
        partitions = self._partitions[self._topics.replays]
        return await read_marks(self._settings, partitions, self._progress, settled=settled)

    async def _look_around(self) -> None:
        """See which topics there are, and since when every mark is kept."""
        topics = self._topics
        asked = (*topics.inputs, topics.dead_letter, topics.replays)
        async with open_admin(self._settings) as admin:
            found = await admin.describe(asked)
        self._partitions = {name: state.partitions for name, state in found.items()}
        marks = found.get(topics.replays)
        self._marks_since = marked_since(self._settings, marks, self._clock.now())


def _is_asked(asked: Asked, letter: DeadLetter, schema: str) -> bool:
    if asked.edited is not None:
        return letter.at in asked.edited
    return asked.wanted.holds(letter, schema)
