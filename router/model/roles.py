"""The models in force, each asked under a deadline and a breaker of its own."""

from __future__ import annotations

from collections.abc import Callable

from router.core.asking import OnFault
from router.core.choosing import Model, ModelSet, Role, under_the_name
from router.core.prediction import Classifier
from router.core.shadowing import Shadow
from router.model.following import Follower
from router.model.guard import Guard
from router.model.shadow import ShadowThread, ShadowWatch

GuardOf = Callable[[Role], Guard]
"""A new guard for a model in this role."""


class Roles:
    """A `router.stream.following.Following`: sets of models, as `live.json` names them."""

    def __init__(
        self,
        follower: Follower,
        models: ModelSet,
        guard_of: GuardOf,
        shadow_watch: ShadowWatch,
        on_fault: OnFault,
    ) -> None:
        """``models`` are in force already."""
        self._follower = follower
        self._models = models
        self._guard_of = guard_of
        self._shadow_watch = shadow_watch
        self._on_fault = on_fault

    def look(self) -> ModelSet | None:
        """What is to be in force now, or None where nothing has changed. Takes as long as loading
        does. Never raises."""
        found = self._follower.look()
        if found is None:
            return None
        self._models = ModelSet(
            live=self._model("live", found.live, self._models.live),
            canary=self._model("canary", found.canary, self._models.canary),
            share=found.share,
            shadow=self._shadow(found.shadow),
        )
        return self._models

    def _model(
        self, role: Role, classifier: Classifier | None, before: Model | None
    ) -> Model | None:
        """What stays in its role keeps its breaker, and what that has learnt."""
        if classifier is None or (before is not None and before.classifier is classifier):
            return before if classifier else None
        guard = self._guard_of(role)
        way = guard.ask if role == "live" else under_the_name(role, guard.ask)
        return Model(classifier, way, guard.close)

    def _shadow(self, classifier: Classifier | None) -> Shadow | None:
        before = self._models.shadow
        if classifier is None or (before is not None and before.classifier is classifier):
            return before if classifier else None
        guard = self._guard_of("shadow")
        way = under_the_name("shadow", guard.ask)
        try:
            return ShadowThread(classifier, way, self._shadow_watch, self._on_fault, guard.close)
        except (RuntimeError, MemoryError) as error:  # no thread is to be had
            self._on_fault("shadow", error)
            return None
