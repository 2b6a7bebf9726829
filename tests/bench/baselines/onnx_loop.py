"""``python -m tests.bench.baselines.onnx_loop``: tokenizers and ONNX Runtime alone, with no Kafka
and nothing decided: the limit of the model's part.

The live bundle's own graph and tokenizer, batches, padded shapes and threads, on the texts that
the line would hand to it. Writes one line of JSON: messages a second and their processor time over
`BENCH_SECONDS`, and how long a single message takes, one after another.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice

import onnxruntime as ort
import orjson
from tokenizers import Tokenizer

from router.assembly import bundle_path, open_validators
from router.core.event import Rejected
from router.core.parsing import parse_event
from router.core.reading import clean
from router.core.record import InRecord, Source
from router.model.bundle import read_bundle
from router.model.stage import ROOM
from router.model.tokens import by_width, padded_to
from router.settings import Settings, load_settings
from router.stream.slices import Pace
from tests.bench.cases import Text
from tests.bench.texts import messages
from tests.bench.tokenizer import live_tokens

_SINGLE = 0.25
"""Of the seconds, what the single messages take."""


def make_model(settings: Settings) -> Callable[[Sequence[str]], None]:
    """What answers a batch of texts; of a cascade the last stage, which reads all."""
    bundle = read_bundle(bundle_path(settings))
    spec = bundle.manifest.stages[-1]
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.infer_threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(
        bundle.files[spec.graph], options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_buffer(bundle.files[spec.tokenizer])
    tokenizer.no_padding()
    tokenizer.enable_truncation(spec.max_tokens)

    def answer(texts: Sequence[str]) -> None:
        encoded = [one.ids for one in tokenizer.encode_batch_fast(list(texts))]
        for width, places in by_width(list(map(len, encoded)), spec.max_tokens, ROOM):
            ids, mask = padded_to(width, [encoded[place] for place in places])
            session.run(None, {"input_ids": ids, "attention_mask": mask})

    return answer


def texts_of(settings: Settings, kind: Text) -> list[str]:
    """What the line reads out of the messages of this kind, in their order."""
    validators = open_validators()
    found = []
    for number, message in enumerate(messages(kind, live_tokens(settings))):
        record = InRecord(Source("in", 0, number), None, message.value(number), (), 0.0)
        event = parse_event(message.channel, record, validators, settings.max_event_bytes)
        if isinstance(event, Rejected):
            raise TypeError(event.reason)
        found.append(clean(event).text)
    return found


def main() -> None:
    settings = load_settings(os.environ)
    seconds = float(os.environ["BENCH_SECONDS"])
    answer = make_model(settings)
    waiting = cycle(texts_of(settings, os.environ["BENCH_TEXT"]))  # type: ignore[arg-type]  # set by us
    pace = Pace(settings.batch_records)  # its batches are as large as the router's
    for _ in range(3):
        _batch(answer, waiting, pace)  # the first allocates
    began, used, done = time.monotonic(), time.process_time(), 0
    while time.monotonic() < began + seconds * (1 - _SINGLE):
        done += _batch(answer, waiting, pace)
    took, cpu = time.monotonic() - began, time.process_time() - used
    singles = list(_singles(answer, waiting, seconds * _SINGLE))
    found = {
        "rate": done / took,
        "cpu": cpu / done * 1000,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "messages": done,
        "single": sorted(singles),
    }
    sys.stdout.write(orjson.dumps(found).decode() + "\n")


def _batch(answer: Callable[[Sequence[str]], object], texts: Iterator[str], pace: Pace) -> int:
    some = list(islice(texts, pace.records()))
    began = time.monotonic()
    answer(some)
    pace.took(len(some), time.monotonic() - began)
    return len(some)


def _singles(
    answer: Callable[[Sequence[str]], None], waiting: Iterator[str], seconds: float
) -> Iterator[float]:
    until = time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        answer([next(waiting)])
        yield time.monotonic() - began


if __name__ == "__main__":
    main()
