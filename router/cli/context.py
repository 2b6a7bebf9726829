"""What every command gets from the command line before its own name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from router.settings import Settings, load_settings


@dataclass(slots=True)
class Common:
    """The options of `router` itself."""

    config: Path | None = None
    debug: bool = False


def settings_of(context: click.Context) -> Settings:
    """The settings in force for a command: the environment over ``--config`` over defaults.

    Raises:
        SettingsError: one of them is wrong.
    """
    common = context.find_object(Common) or Common()
    return load_settings(os.environ, common.config)
