"""The same data and models in PyTorch, fed by a DataLoader: `python plain_pytorch_data.py KIND FOLDER BATCH EPOCHS`.

Prints as JSON the seconds of the fastest epoch after the first, and of loading.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

kind, folder, batch, epochs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])


class Photos(Dataset[Any]):
    """JPEG files in a folder for each class, decoded when they are asked for."""

    def __init__(self, root: Path) -> None:
        """List the files."""
        self.files = sorted(root.glob("*/*.jpg"))

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        """Return an image of (3, 64, 64) from 0 to 1, and its class."""
        from PIL import Image

        pixels = np.asarray(Image.open(self.files[place]).convert("RGB").resize((64, 64)))
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255, "ab".index(self.files[place].parent.name)


class Windows(Dataset[Any]):
    """Slices of a series, and the value behind each."""

    def __init__(self, steps: np.ndarray) -> None:
        """Keep the series."""
        self.steps = torch.from_numpy(steps)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.steps) - 128

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a window of (128, 4) and its target."""
        return self.steps[place : place + 128], self.steps[place + 128, :1]


class Mapped(Dataset[Any]):
    """Rows of an array that stays in a file."""

    def __init__(self, root: Path) -> None:
        """Open the arrays."""
        self.x, self.y = np.load(root / "x.npy", mmap_mode="r"), np.load(root / "y.npy")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.x)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        """Return a row of uint8 and its class."""
        return torch.from_numpy(np.array(self.x[place])), int(self.y[place])


class Scaled(nn.Module):
    """uint8 -> float32 from 0 to 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale a batch."""
        return x.float() / 255


torch.manual_seed(42)
started = time.perf_counter()
workers, data, model = 0, None, nn.Sequential()
loss: Any = nn.CrossEntropyLoss()
if kind == "images":
    data, workers = Photos(folder / "photos" / "train"), 2
    model = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU())
    model.extend([nn.MaxPool2d(2), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 12 * 12, 64)])
    model.extend([nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2)])
elif kind == "table":
    import pandas

    frame = pandas.read_csv(folder / "table.csv")
    x, y = (torch.from_numpy(part.to_numpy("float32")) for part in (frame.drop(columns="y"), frame[["y"]]))
    data, loss = TensorDataset(x, y), nn.MSELoss()
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
elif kind == "series":
    data, loss = Windows(np.load(folder / "series.npy")), nn.MSELoss()
    model = nn.Sequential(nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 1))
else:
    data, workers = Mapped(folder / "d"), 2
    model = nn.Sequential(Scaled(), nn.Flatten(), nn.Linear(64 * 64 * 3, 16), nn.ReLU(), nn.Linear(16, 2))
load = time.perf_counter() - started
loader = DataLoader(data, batch_size=batch, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
optimizer = torch.optim.Adam(model.parameters())
seconds = []
for _ in range(epochs):
    started = time.perf_counter()
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss(model(inputs), targets).backward()
        optimizer.step()
    seconds.append(time.perf_counter() - started)
print(json.dumps({"epoch": min(seconds[1:]), "load": load}))
