"""What people are told of the model's guard."""

from __future__ import annotations

from router.core.breaker import Breaker, BreakerLimits
from router.core.choosing import Model, ModelSet
from router.errors import BundleError
from router.ops.health import Health
from router.ops.metrics import Metrics
from router.ops.model_watch import STUCK_AFTER, ModelWatch, ModelWatches
from tests.core.policy_fixtures import StubModel
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


def test_a_new_live_model_starts_with_a_good_name() -> None:
    hands = Hands()
    health, metrics = Health(hands), Metrics()
    health.set_ready()
    watches = ModelWatches(metrics, health)
    old, new = (ModelSet(live=Model(StubModel())) for _ in range(2))
    watches.started(old)
    watches.of("live").changed(Breaker(limits=LIMITS, state="open", why="it failed"))
    watches.of("live").out_of_threads(True)
    assert metrics.registry.get_sample_value("router_model_available") == 0
    watches.swapped(old, new)
    hands.time += STUCK_AFTER + 1
    assert health.ready() == (True, "ready")
    assert metrics.registry.get_sample_value("router_model_available") == 1


def test_a_change_of_the_canary_leaves_the_live_models_name_as_it_is() -> None:
    health, metrics = Health(), Metrics()
    health.set_ready()
    watches = ModelWatches(metrics, health)
    live = Model(StubModel())
    watches.of("live").changed(Breaker(limits=LIMITS, state="open", why="it failed"))
    watches.swapped(ModelSet(live=live), ModelSet(live=live, canary=Model(StubModel()), share=0.5))
    assert health.ready() == (True, "ready, model unavailable: it failed")
    assert metrics.registry.get_sample_value("router_model_available") == 0


def test_a_canary_or_shadow_that_fails_is_not_the_workers_matter() -> None:
    health, metrics = Health(), Metrics()
    health.set_ready()
    watches = ModelWatches(metrics, health)
    watches.of("canary").changed(Breaker(limits=LIMITS, state="open", why="it failed"))
    watches.of("shadow").out_of_threads(True)
    assert health.ready() == (True, "ready")
    assert metrics.registry.get_sample_value("router_model_available") == 1


def test_a_refused_model_is_counted() -> None:
    metrics = Metrics()
    ModelWatches(metrics, Health()).refused("canary", BundleError("It is damaged."))
    assert metrics.registry.get_sample_value("router_model_refused_total") == 1
