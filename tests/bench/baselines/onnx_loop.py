"""``python -m tests.bench.baselines.onnx_loop``: tokenizers and ONNX Runtime alone, with no Kafka
and nothing decided: the limit of the model's part.

The live bundle's own graphs and tokenizers, stages, batches, padded shapes and threads, on the
texts that the line would hand to it: which stages a text goes through is known beforehand. Writes
one line of JSON: messages a second and their processor time over `BENCH_SECONDS`, and how long a
single message takes, one after another.
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

from router.assembly import bundle_path, open_languages, open_validators
from router.core.event import Rejected
from router.core.parsing import parse_event
from router.core.prediction import Question
from router.core.reading import clean
from router.core.record import InRecord, Source
from router.model.bundle import Bundle, read_bundle
from router.model.classifier import load_classifier
from router.model.manifest import StageSpec
from router.model.stage import ROOM
from router.model.tokens import by_width, padded_to
from router.settings import Settings, load_settings
from router.stream.slices import Pace
from tests.bench.cases import Text
from tests.bench.texts import messages
from tests.bench.tokenizer import live_tokens

_SINGLE = 0.25
"""Of the seconds, what the single messages take."""


Asked = tuple[str, Sequence[str]]
"""A text, and the stages that are asked about it until one answers."""


def make_model(bundle: Bundle, threads: int) -> Callable[[Sequence[Asked]], None]:
    """What answers a batch of texts: each stage those that are its own, as a cascade does."""
    stages = [(spec.name, _stage(bundle, spec, threads)) for spec in bundle.manifest.stages]

    def answer(texts: Sequence[Asked]) -> None:
        for name, run in stages:
            if mine := [text for text, asked in texts if name in asked]:
                run(mine)

    return answer


def _stage(bundle: Bundle, spec: StageSpec, threads: int) -> Callable[[list[str]], None]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    graph = bundle.files[spec.graph]
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_buffer(bundle.files[spec.tokenizer])
    tokenizer.no_padding()
    tokenizer.enable_truncation(spec.max_tokens)

    def run(texts: list[str]) -> None:
        encoded = [one.ids for one in tokenizer.encode_batch_fast(texts)]
        for width, places in by_width(list(map(len, encoded)), spec.max_tokens, ROOM):
            ids, mask = padded_to(width, [encoded[place] for place in places])
            session.run(None, {"input_ids": ids, "attention_mask": mask})

    return run


def asked_of(settings: Settings, kind: Text) -> list[Asked]:
    """What the line hands to the model of the messages of this kind, in their order, and which
    stages it asks about each: found out beforehand, by asking."""
    texts = texts_of(settings, kind)
    languages = open_languages().languages_of(texts, [None] * len(texts))
    classifier = load_classifier(bundle_path(settings))
    stages = read_bundle(bundle_path(settings)).manifest.stages
    questions = list(map(Question, texts, languages))
    found: list[Asked] = []
    for question, answer in zip(questions, classifier.predict(questions).answers, strict=True):
        read = [stage.name for stage in stages if stage.reads(question.language)]
        found.append((question.text, read[: read.index(answer.stage) + 1]))
    return found


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
    answer = make_model(read_bundle(bundle_path(settings)), settings.infer_threads)
    waiting = cycle(asked_of(settings, os.environ["BENCH_TEXT"]))  # type: ignore[arg-type]  # set by us
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


def _batch(answer: Callable[[Sequence[Asked]], None], texts: Iterator[Asked], pace: Pace) -> int:
    some = list(islice(texts, pace.records()))
    began = time.monotonic()
    answer(some)
    pace.took(len(some), time.monotonic() - began)
    return len(some)


def _singles(
    answer: Callable[[Sequence[Asked]], None], waiting: Iterator[Asked], seconds: float
) -> Iterator[float]:
    until = time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        answer([next(waiting)])
        yield time.monotonic() - began


if __name__ == "__main__":
    main()
