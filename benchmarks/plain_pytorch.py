"""The same training as an eager PyTorch loop: `python plain_pytorch.py MODEL BATCH EPOCHS IMAGES DATA.npz`.

Prints as JSON the seconds of each epoch and the test accuracy at the end.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

model_name, batch_size, epochs, images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
data = np.load(sys.argv[5])
x_train = torch.from_numpy(data["x_train"][:images]).float()[:, None] / 255
y_train = torch.from_numpy(data["y_train"][:images]).long()
x_test = torch.from_numpy(data["x_test"]).float()[:, None] / 255
y_test = torch.from_numpy(data["y_test"]).long()
torch.manual_seed(42)


class Rows(nn.Module):
    """LSTMs over the rows of an image, or of feature maps."""

    def __init__(self, features: int, units: int, depth: int) -> None:
        """Stack `depth` LSTMs."""
        super().__init__()
        self.lstm = nn.LSTM(features, units, depth, batch_first=True)
        self.dense = nn.Linear(units, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of images (batch, channels, rows, columns)."""
        rows = x.permute(0, 2, 3, 1).flatten(2)
        return self.dense(self.lstm(rows)[0][:, -1])


MODELS: dict[str, Callable[[], nn.Module]] = {
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(576, 64),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64, 10),
    ),
    "lstm": lambda: Rows(28, 128, 1),
    "stacked_lstm": lambda: Rows(28, 128, 2),
    "conv_lstm": lambda: nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), Rows(416, 64, 2)),
}
model = MODELS[model_name]()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=batch_size, shuffle=True)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters())

seconds = []
for _ in range(epochs):
    started = time.perf_counter()
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
    seconds.append(time.perf_counter() - started)

model.eval()
with torch.no_grad():
    guesses = torch.cat([model(x).argmax(1) for x in x_test.split(256)])
print(json.dumps({"seconds": seconds, "accuracy": float((guesses == y_test).float().mean())}))
