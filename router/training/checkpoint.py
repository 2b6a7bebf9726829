"""A training run's state between epochs: safetensors and JSON, nothing that runs when loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_STATE = "checkpoint.safetensors"


def save(
    folder: Path,
    trained: Mapping[str, torch.Tensor],
    optimiser: torch.optim.Optimizer,
    epochs: int,
) -> None:
    """Write weights and AdamW's moments after ``epochs``, over the last ones, whole or not."""
    from safetensors.torch import save_file  # noqa: PLC0415 - heavy: only when training

    tensors = {}
    for name, tensor in trained.items():
        tensors[f"weight/{name}"] = tensor.detach()
        for moment, value in optimiser.state[tensor].items():
            tensors[f"{moment}/{name}"] = value
    partial = folder / f"{_STATE}.partial"
    save_file(tensors, partial, metadata={"epochs": json.dumps(epochs)})
    partial.replace(folder / _STATE)


def restore(
    folder: Path, trained: Mapping[str, torch.Tensor], optimiser: torch.optim.Optimizer
) -> int:
    """Put what `save` wrote back in place; gives the epochs done, 0 where nothing was saved."""
    import torch  # noqa: PLC0415 - heavy: only when training
    from safetensors import safe_open  # noqa: PLC0415 - heavy, likewise

    path = folder / _STATE
    if not path.is_file():
        return 0
    with safe_open(path, "pt") as state, torch.no_grad():
        for name, tensor in trained.items():
            tensor.copy_(state.get_tensor(f"weight/{name}"))
            moments = {
                moment: state.get_tensor(f"{moment}/{name}").to(tensor.device)
                for moment in ("exp_avg", "exp_avg_sq")
            }
            # AdamW counts its steps on the processor, wherever the weights are.
            optimiser.state[tensor] = {"step": state.get_tensor(f"step/{name}"), **moments}
        return int(json.loads(state.metadata()["epochs"]))
