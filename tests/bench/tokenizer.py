"""Lengths as the live model counts them."""

from __future__ import annotations

from tokenizers import Tokenizer

from router.assembly import bundle_path
from router.model.manifest import MANIFEST, parse_manifest
from router.settings import Settings
from tests.bench.texts import TokensOf


def live_tokens(settings: Settings) -> TokensOf:
    """Counts a text's tokens, the special ones among them, as the live bundle's last stage."""
    folder = bundle_path(settings)
    manifest = parse_manifest((folder / MANIFEST).read_bytes(), folder / MANIFEST)
    tokenizer = Tokenizer.from_file(str(folder / manifest.stages[-1].tokenizer))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text).ids)
