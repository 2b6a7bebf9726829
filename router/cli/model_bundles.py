"""`router model list`, `show` and `verify`: bundles as they lie on the disk."""

from __future__ import annotations

from pathlib import Path

import click

from router.cli.model_common import figure, found, models_option
from router.cli.output import json_option, print_json, print_level, print_table
from router.errors import BundleError


@click.command("list")
@models_option
@json_option
def list_command(models: Path, as_json: bool) -> None:
    """List all bundles: which is live, shadow or canary, languages, size, accuracy.

    The accuracy is the manifest's, by the file it was measured on: other files, other figures.
    Nothing is hashed; `verify` does that.

    \b
    Example:
      router model list
    """
    from router.model.shelf import bundles_in

    bundles = bundles_in(models)
    if as_json:
        print_json(
            [
                {
                    "bundle": one.spec,
                    "role": one.role or None,
                    "languages": one.languages,
                    "bytes": one.bytes,
                    "accuracy": one.accuracy or {},
                    "problem": one.problem or None,
                }
                for one in bundles
            ]
        )
        return
    rows = [
        (one.spec, one.role, ", ".join(one.languages), f"{one.bytes / 1e6:.1f} MB",
         ", ".join(f"{file} {figure(value)}" for file, value in (one.accuracy or {}).items()))
        if not one.problem
        else (one.spec, one.role, "", "", one.problem)
        for one in bundles
    ]  # fmt: skip
    print_table(("bundle", "role", "languages", "size", "accuracy"), rows)


@click.command("verify")
@click.argument("bundle", default="")
@json_option
@click.pass_context
def verify_command(context: click.Context, bundle: str, as_json: bool) -> int:
    """Check a bundle's hashes, load it, and ask it its samples. Exit code 1 where one fails.

    \b
    Example:
      router model verify banking@2
    """
    from router.model.classifier import load_classifier

    folder = found(context, bundle)
    try:
        ref = load_classifier(folder).ref
    except BundleError as error:
        if as_json:
            print_json({"ok": False, "folder": str(folder), "problem": str(error)})
        else:
            print_level("fail", str(folder), error.problem, error.fix)
        return 1
    if as_json:
        whole = {"name": ref.name, "version": ref.version, "hash": ref.hash}
        print_json({"ok": True, "folder": str(folder), **whole})
    else:
        print_level("ok", f"{ref.name}@{ref.version} in {folder}, manifest {ref.hash}")
    return 0


@click.command("show")
@click.argument("bundle", default="")
@json_option
@click.pass_context
def show_command(context: click.Context, bundle: str, as_json: bool) -> None:
    """Show what a bundle's manifest says; its hashes are checked first.

    \b
    Example:
      router model show --json
    """
    from router.model.bundle import read_bundle

    read = read_bundle(found(context, bundle))
    manifest = read.manifest
    if as_json:
        print_json({**manifest.whole, "intents": read.intents, "hash": read.ref.hash})
        return
    print_table(
        ("what", "value"),
        [
            ("bundle", f"{manifest.name}@{manifest.version}"),
            ("folder", str(read.folder)),
            ("manifest", read.ref.hash),
            ("languages", ", ".join(manifest.languages)),
            ("stages", ", ".join(f"{s.name} ({s.max_tokens} tokens)" for s in manifest.stages)),
            ("intents", str(len(read.intents))),
            ("size", f"{sum(f.bytes for f in manifest.files.values()) / 1e6:.1f} MB"),
            ("encoder", "{name}, {licence}".format(**manifest.whole["encoder"])),
            *((f"{file}: accuracy", figure(m.get("accuracy"))) for file, m in
              manifest.whole["metrics"].items()),
        ],
    )  # fmt: skip
