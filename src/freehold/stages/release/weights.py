"""Tensors of a safetensors file, memory-mapped, bf16 included, without torch.

Format: 8 bytes little-endian length, a JSON header {name: {dtype, shape, data_offsets}}, then the data
(https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freehold.errors import InputError

# numpy knows no bf16: its bits are carried as uint16.
STORED: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One named tensor; `data` holds the stored bits, for BF16 as uint16."""

    name: str
    precision: str  # "F32", "F16" or "BF16"
    data: NDArray[Any]

    @property
    def size(self) -> int:
        """Number of weights."""
        return int(self.data.size)

    def float32(self) -> NDArray[np.float32]:
        """The values as float32, exactly: bf16 is the upper half of a float32."""
        if self.precision == "BF16":
            return (self.data.astype(np.uint32) << 16).view(np.float32)
        return np.asarray(self.data, dtype=np.float32)


def tensors_of(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file by name. Raises InputError when the file is cut short or of another kind."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > path.stat().st_size - 8:
                raise ValueError("the header is longer than the file")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
        return {name: tensor(name, entry, data) for name, entry in header.items()}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"not a whole safetensors file: {error}", where=path.name, remedy="run the stage again"
        ) from None


def tensors_of_folder(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a model folder, from one file or from shards."""
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= tensors_of(path)
    return found


def tensor(name: str, entry: dict[str, Any], data: NDArray[np.uint8]) -> Tensor:
    """One tensor of the header, as a view of the mapped data. Raises ValueError where they do not fit."""
    if entry["dtype"] not in STORED:
        raise ValueError(f"{name} is stored as {entry['dtype']}, known are {', '.join(STORED)}")
    begin, end = entry["data_offsets"]
    stored = data[begin:end].view(STORED[entry["dtype"]]).reshape(entry["shape"])
    return Tensor(name=name, precision=entry["dtype"], data=stored)
