"""Another bundle made live, by way of its gate; and the one before made live again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from router.core.prediction import ModelRef
from router.errors import BundleError
from router.model.bundle import find_bundle, read_bundle
from router.model.classifier import load_classifier
from router.model.gate_record import name_of, objection, record_path
from router.model.live import LIVE, NAME_AT_VERSION, Live, Past, read_live, write_live


class NotPromotedError(BundleError):
    """The bundle may not be made live: an answer, not a fault."""

    exit_code = 1


def promote(models: Path, new: str, at: str) -> Live:
    """Make ``new`` (``name@version`` in ``models``) live; ``at`` is the time, for the history.

    A shadow or canary of it ends: it decides now.

    Raises:
        NotPromotedError: it has passed no gate against the bundle that is live now.
        BundleError: a bundle or `live.json` is malformed, or ``new`` does not load.
    """
    live = read_live(models / LIVE)
    if live.live == new:
        return live
    check_gate(models, new, live.live)
    changed = replace(
        live,
        live=new,
        shadow=None if live.shadow == new else live.shadow,
        canary=None if live.canary and live.canary.model == new else live.canary,
        history=(*live.history, Past(live.live, at)),
    )
    write_live(models / LIVE, changed)
    return changed


def roll_back(models: Path) -> Live:
    """Make the bundle live that was before, without a gate: it was live already.

    Raises:
        NotPromotedError: none was.
        BundleError: it, or `live.json`, is malformed.
    """
    live = read_live(models / LIVE)
    if not live.history:
        raise NotPromotedError(f"{models / LIVE} knows of no bundle that was live before.")
    before = live.history[-1].live
    loaded(models, before)
    changed = replace(live, live=before, history=live.history[:-1])
    write_live(models / LIVE, changed)
    return changed


def check_gate(models: Path, new: str, live: str) -> None:
    """Load ``new``, and see whether a gate lets it decide in the place of ``live``.

    Raises:
        NotPromotedError: it has passed no gate against ``live``.
        BundleError: a bundle is malformed, or ``new`` does not load.
    """
    ref = loaded(models, new)
    replaced = read_bundle(find_bundle(live, models)).ref
    if problem := objection(record_path(models, new), ref, replaced):
        raise NotPromotedError(
            f"{problem}.", f"Run `router model gate {new} --against {live} --data FILE`."
        )


def loaded(models: Path, spec: str) -> ModelRef:
    """The reference of a bundle that loads, under the name by which it was asked for.

    Raises:
        BundleError: it does not load, or is not of that name.
    """
    if not NAME_AT_VERSION.fullmatch(spec):
        raise BundleError(f"{spec} is not of the form name@version.")
    folder = find_bundle(spec, models)
    ref = load_classifier(folder).ref
    if name_of(ref) != spec:
        raise BundleError(
            f"{folder} says that it is {name_of(ref)}.",
            "Decisions would name another bundle than live.json: name the folders as it says.",
        )
    return ref
