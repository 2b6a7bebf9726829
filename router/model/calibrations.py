"""A bundle's ``calibration.json`` as values, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from router.core.calibration import LanguageCalibration, StageCalibration
from router.errors import BundleError

_SHARES = ("accept", "set_least", "flags_below")
_MAY_BE_LEFT_OUT = ("flags_below",)
_PLATT = 2


def read_calibrations(
    content: Any,
    stages: Sequence[str],
    intents: Collection[str],
    flags: Collection[str],
    path: Path,
) -> dict[str, StageCalibration]:
    """The calibration of each of ``stages``; ``path`` names the file in errors.

    Raises:
        BundleError: a stage has none, or it is not of the form that the manifest's schema tells;
            names the stage and the field.
    """
    given = content.get("stages") if isinstance(content, dict) else None
    if not isinstance(given, dict):
        raise BundleError(f'{path} must hold {{"stages": {{name: …}}}}.')
    return {name: _Reader(given.get(name), name, path).read(intents, flags) for name in stages}


class _Reader:
    """Reads one stage's object."""

    def __init__(self, given: Any, stage: str, path: Path) -> None:
        self._where = f"{path}, stage {stage}"
        self._given = self._object(given, "$")

    def read(self, intents: Collection[str], flags: Collection[str]) -> StageCalibration:
        given = self._given
        for name in given.keys() - StageCalibration.__dataclass_fields__.keys():
            raise self._error(name, "is no field of a calibration")
        shares = {name: self._share(given[name], name) for name in _SHARES if self._has(name)}
        of_flags = self._object(given.get("flags", {}), "flags")
        if set(of_flags) != set(flags):
            raise self._error(
                "flags", f"must be of the labels' flags: {', '.join(flags) or 'none'}"
            )
        least = self._object(given.get("set_least_of", {}), "set_least_of")
        for name in least.keys() - set(intents):
            raise self._error(f"set_least_of.{name}", "is no intent of the labels")
        languages = self._object(given.get("languages", {}), "languages")
        whole = self._language(given, "$")
        return StageCalibration(
            temperature=whole.temperature,
            scope_a=whole.scope_a,
            scope_b=whole.scope_b,
            flags={name: self._pair(pair, f"flags.{name}") for name, pair in of_flags.items()},
            languages={
                name: self._language(self._object(one, f"languages.{name}"), f"languages.{name}")
                for name, one in languages.items()
            },
            set_least_of={n: self._share(v, f"set_least_of.{n}") for n, v in least.items()},
            **shares,
        )

    def _has(self, name: str) -> bool:
        if name not in self._given and name not in _MAY_BE_LEFT_OUT:
            raise self._error(name, "is missing")
        return name in self._given

    def _language(self, given: Mapping[str, Any], at: str) -> LanguageCalibration:
        values = {}
        for name in LanguageCalibration.__dataclass_fields__:
            field = name if at == "$" else f"{at}.{name}"
            if name not in given:
                raise self._error(field, "is missing")
            values[name] = self._number(given[name], field)
        if values["temperature"] <= 0:
            raise self._error(
                "temperature" if at == "$" else f"{at}.temperature", "must be above 0"
            )
        return LanguageCalibration(**values)

    def _pair(self, given: Any, at: str) -> tuple[float, float]:
        if not isinstance(given, list) or len(given) != _PLATT:
            raise self._error(at, "must be two numbers")
        return self._number(given[0], at), self._number(given[1], at)

    def _share(self, given: Any, at: str) -> float:
        number = self._number(given, at)
        if not 0 <= number <= 1:
            raise self._error(at, "must be from 0 to 1")
        return number

    def _number(self, given: Any, at: str) -> float:
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise self._error(at, "must be a number")
        return float(given)

    def _object(self, given: Any, at: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise self._error(at, "must be an object")
        return given

    def _error(self, field: str, what: str) -> BundleError:
        return BundleError(f"{self._where}: {field} {what}.")
