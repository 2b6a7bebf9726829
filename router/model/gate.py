"""Whether a new model may take the live one's place: both asked the same texts, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from router.core.paired import Tolerance, Verdict, compare
from router.core.policy import Policy
from router.core.prediction import Classifier, Prediction, Question
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE, Labelled

_TOGETHER = 128

_TIMED = 200
"""So many texts are asked one at a time, of both models by turns."""

INTENT = "intent"
"""The line of the best intent, over all messages."""

_LIKELY = 0.5
"""A flag that the policy does not name is raised from here on."""

Unit = Literal["share", "ms", "bytes", "count"]


@dataclass(frozen=True, slots=True)
class Limits:
    """``slower`` and ``larger`` are the most that the new model's median time and its bytes may be,
    as multiples of the live one's."""

    tolerance: Tolerance
    slower: float
    larger: float


@dataclass(frozen=True, slots=True)
class Line:
    """One thing compared. ``upper`` is the upper end of the interval of the difference of shares,
    ``n`` the messages that it rests on."""

    what: str
    unit: Unit
    n: int
    live: float | None
    new: float | None
    upper: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Case:
    """A text with one model's answer; None where the model does not read its language, and the
    worker would send it to people."""

    row: Labelled
    answer: Prediction | None
    policy: Policy

    @property
    def intent(self) -> bool:
        return self.answer is not None and self.answer.intents[0].intent == self.row.label

    @property
    def queue(self) -> bool:
        given = self.answer and self.policy.queue_of(self.answer.intents[0].intent)
        return given == self.policy.queue_of(self.row.label)

    @property
    def kept(self) -> bool:
        return self.answer is not None and self.answer.in_scope >= self.policy.in_scope

    @property
    def turned_away(self) -> bool:
        return not self.kept

    @property
    def alarm(self) -> bool:
        return bool(self.raised())

    @property
    def quiet(self) -> bool:
        return not self.raised()

    def raised(self) -> frozenset[str]:
        flags = self.policy.flags
        return frozenset(
            score.flag
            for score in (self.answer.flags if self.answer else ())
            if score.probability
            >= (flags[score.flag].threshold if score.flag in flags else _LIKELY)
        )


_Pair = tuple[_Case, _Case]
"""The live model's case and the new one's."""


def judge(
    new: Classifier,
    live: Classifier,
    rows: Sequence[Labelled],
    policy: Policy,
    tolerance: Tolerance,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Line]:
    """What both models' answers to ``rows`` say of ``new``.

    ``policy`` gives the queues, the least in-scope probability and the flags' thresholds;
    ``advance`` is told how many answers have been given since last, two for each row.

    Raises:
        ModelError: one of the models failed.
    """
    answers = (_ask(live, rows, advance), _ask(new, rows, advance))
    pairs = [
        (_Case(row, before, policy), _Case(row, after, policy))
        for row, before, after in zip(rows, *answers, strict=True)
    ]
    lines = [
        _line(what, chosen, right, tolerance)
        for what, chosen, right in _groups(pairs, policy, live.languages)
    ]
    lines += _flags(pairs, frozenset(live.flags), frozenset(new.flags), tolerance)
    # A language of the live model's that no row speaks is shown as not judged, the rest left out.
    unseen = {f"language {language}: intent" for language in live.languages}
    lines = [line for line in lines if line.n or line.what in unseen]
    lines.append(_kept("languages read", live.languages, new.languages))
    lines.append(_kept("flags known", frozenset(live.flags), frozenset(new.flags)))
    return lines


def compare_speed(
    new: Classifier, live: Classifier, rows: Sequence[Labelled], slower: float
) -> Line:
    """Median milliseconds of a text asked alone; by turns, so that what else the machine does
    meanwhile slows both."""
    both = [row for row in rows if row.language in new.languages & live.languages] or rows
    chosen = both[:: max(1, len(both) // _TIMED)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for number, row in enumerate(chosen):
        turns = ((0, live), (1, new)) if number % 2 else ((1, new), (0, live))
        for which, classifier in turns:
            began = time.perf_counter()
            classifier.predict([Question(row.text, row.language)])
            seconds[which].append(time.perf_counter() - began)
    before, after = (median(times) * 1000 for times in seconds)
    verdict: Verdict = "worse" if after > slower * before else "ok"
    return Line("median time", "ms", len(chosen), before, after, None, verdict)


def compare_size(new: int, live: int, larger: float) -> Line:
    """Bytes of all files that are loaded."""
    verdict: Verdict = "worse" if new > larger * live else "ok"
    return Line("size", "bytes", 0, live, new, None, verdict)


def passes(lines: Sequence[Line]) -> bool:
    """Whether nothing is worse, and there were messages enough to judge intents by at all."""
    judged = any(line.what == INTENT and line.verdict == "ok" for line in lines)
    return judged and all(line.verdict != "worse" for line in lines)


def _ask(
    classifier: Classifier, rows: Sequence[Labelled], advance: Callable[[int], None]
) -> list[Prediction | None]:
    answers: list[Prediction | None] = [None] * len(rows)
    read = [index for index, row in enumerate(rows) if row.language in classifier.languages]
    advance(len(rows) - len(read))
    for start in range(0, len(read), _TOGETHER):
        some = read[start : start + _TOGETHER]
        questions = [Question(rows[index].text, rows[index].language) for index in some]
        for index, answer in zip(some, classifier.predict(questions).answers, strict=True):
            answers[index] = answer
        advance(len(some))
    return answers


def _groups(
    pairs: Sequence[_Pair], policy: Policy, languages: frozenset[str]
) -> Iterator[tuple[str, Sequence[_Pair], Callable[[_Case], bool]]]:
    """What is compared, on which texts, and what is right there. Who does not read a language turns
    all of it away: what is out of scope is compared in the live model's ``languages`` alone."""
    of_intents = [p for p in pairs if p[0].row.label not in {IN_SCOPE, OUT_OF_SCOPE}]
    outside = [
        p for p in pairs if p[0].row.label == OUT_OF_SCOPE and p[0].row.language in languages
    ]
    yield INTENT, of_intents, lambda case: case.intent
    yield "queue", of_intents, lambda case: case.queue
    inside = [p for p in pairs if p[0].row.label != OUT_OF_SCOPE]
    yield "in scope, kept", inside, lambda case: case.kept
    yield "out of scope, turned away", outside, lambda case: case.turned_away
    for language in sorted({case.row.language for case, _ in pairs} | languages):
        spoken = [p for p in of_intents if p[0].row.language == language]
        yield f"language {language}: intent", spoken, lambda case: case.intent
        yield f"language {language}: queue", spoken, lambda case: case.queue
        foreign = [p for p in outside if p[0].row.language == language]
        yield f"language {language}: out of scope", foreign, lambda case: case.turned_away
        flagged = [p for p in pairs if p[0].row.flags and p[0].row.language == language]
        yield f"language {language}: any flag seen", flagged, lambda case: case.alarm
    for queue in sorted({policy.queue_of(case.row.label) for case, _ in of_intents}):
        there = [p for p in of_intents if policy.queue_of(p[0].row.label) == queue]
        yield f"queue {queue}", there, lambda case: case.queue


def _flags(
    pairs: Sequence[_Pair], live: frozenset[str], new: frozenset[str], tolerance: Tolerance
) -> Iterator[Line]:
    """Of the rows that say which flags they should raise. A model without flags gives no false
    alarms either: these are compared for the flags alone that both know."""
    told = [pair for pair in pairs if pair[0].row.flags is not None]
    wanted = [pair for pair in told if pair[0].row.flags]
    unwanted = [pair for pair in told if not pair[0].row.flags]
    yield _line("any flag, seen", wanted, lambda case: case.alarm, tolerance)
    if live == new:
        yield _line("any flag, no false alarm", unwanted, lambda case: case.quiet, tolerance)
    for flag in sorted(live | new):
        having = [pair for pair in told if flag in (pair[0].row.flags or ())]
        lacking = [pair for pair in told if flag not in (pair[0].row.flags or ())]

        def seen(case: _Case, flag: str = flag) -> bool:
            return flag in case.raised()

        def unseen(case: _Case, flag: str = flag) -> bool:
            return flag not in case.raised()

        yield _line(f"flag {flag}, seen", having, seen, tolerance)
        if flag in live & new:
            yield _line(f"flag {flag}, no false alarm", lacking, unseen, tolerance)


def _kept(what: str, live: frozenset[str], new: frozenset[str]) -> Line:
    """Of what the live model knows, how much the new one knows."""
    verdict: Verdict = "ok" if live <= new else "worse"
    return Line(what, "count", 0, len(live), len(live & new), None, verdict)


def _line(
    what: str, pairs: Sequence[_Pair], right: Callable[[_Case], bool], tolerance: Tolerance
) -> Line:
    found = compare(
        [right(before) for before, _ in pairs], [right(after) for _, after in pairs], tolerance
    )
    return Line(what, "share", found.n, found.live, found.new, found.upper, found.verdict)
