"""What people are told of the model's guard."""

from __future__ import annotations

from router.core.breaker import Breaker, BreakerLimits
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.ops.model_watch import STUCK_AFTER, ModelWatch
from tests.stream.fakes import Hands

LIMITS = BreakerLimits(failures=1, share=1, pause=5, longest_pause=60, probes=1)


def test_a_model_that_is_not_asked_leaves_the_worker_ready_and_says_why() -> None:
    health = Health()
    health.set_ready()
    watch = ModelWatch(Metrics(), health)
    watch.changed(Breaker(limits=LIMITS, state="open", why="it failed"))
    assert health.ready() == (True, "ready, model unavailable: it failed")
    watch.changed(Breaker(limits=LIMITS))
    assert health.ready() == (True, "ready")


def test_a_model_that_cannot_even_be_probed_ends_liveness_after_a_while() -> None:
    hands = Hands()
    health = Health(hands)
    watch = ModelWatch(Metrics(), health)
    watch.out_of_threads(True)
    hands.time += STUCK_AFTER - 1
    watch.out_of_threads(True)  # still: no sign of life
    assert health.alive()[0]
    hands.time += 2
    assert not health.alive()[0]


def test_a_thread_that_comes_back_takes_that_away() -> None:
    hands = Hands()
    health = Health(hands)
    watch = ModelWatch(Metrics(), health)
    watch.out_of_threads(True)
    watch.out_of_threads(False)
    hands.time += STUCK_AFTER + 1
    assert health.alive()[0]
