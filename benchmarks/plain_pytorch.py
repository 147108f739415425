"""The same training in PyTorch, on tensors in memory: `python plain_pytorch.py MODEL BATCH EPOCHS SAMPLES DATA.npz`.

An eager loop with the fused Adam; with COMPILE=1, `torch.compile` compiles the forward and the backward pass. Prints as
JSON the seconds of each epoch and the test score at the end: accuracy, or mean squared error where targets are numbers.
"""

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

model_name, batch_size, epochs, samples = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
data = np.load(sys.argv[5])
compiled = "COMPILE" in os.environ
numbers = data["y_train"].dtype.kind == "f"
torch.manual_seed(42)


def tensors(split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return samples, channels first, uint8 scaled to 0 to 1, and targets."""
    x, y = torch.from_numpy(data[f"x_{split}"][:count]), torch.from_numpy(data[f"y_{split}"][:count])
    if x.dtype == torch.uint8:
        x = x.float() / 255
    if model_name == "cnn_bn":
        x = x.permute(0, 3, 1, 2).contiguous()
    elif model_name == "conv1d":
        x = x.transpose(1, 2).contiguous()
    elif model_name not in ("mlp_table", "gru_series"):
        x = x[:, None]
    return x, y if numbers else y.long()


class Recurrent(nn.Module):
    """Recurrent layers over the steps of a series, or over the rows of an image or of feature maps."""

    def __init__(self, rnn: nn.LSTM | nn.GRU, classes: int = 10) -> None:
        """Take the layers; add the output."""
        super().__init__()
        self.rnn = rnn
        self.dense = nn.Linear(rnn.hidden_size * (1 + rnn.bidirectional), classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of (batch, steps, features) or (batch, channels, rows, columns)."""
        if x.ndim == 4:
            x = x.permute(0, 2, 3, 1).flatten(2)
        outputs = self.rnn(x)[0]
        if not self.rnn.bidirectional:
            return self.dense(outputs[:, -1])
        units = self.rnn.hidden_size
        return self.dense(torch.cat([outputs[:, -1, :units], outputs[:, 0, units:]], 1))


class Mean(nn.Module):
    """The mean of each channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, channels)."""
        return x.flatten(2).mean(2)


def normalized(inputs: int, outputs: int) -> list[nn.Module]:
    """Return a convolution with batch normalization."""
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


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
    "lstm": lambda: Recurrent(nn.LSTM(28, 128, batch_first=True)),
    "stacked_lstm": lambda: Recurrent(nn.LSTM(28, 128, 2, batch_first=True)),
    "conv_lstm": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), Recurrent(nn.LSTM(416, 64, 2, batch_first=True))
    ),
    "gru": lambda: Recurrent(nn.GRU(28, 128, batch_first=True)),
    "gru_series": lambda: Recurrent(nn.GRU(4, 64, batch_first=True), 4),
    "bilstm": lambda: Recurrent(nn.LSTM(28, 64, batch_first=True, bidirectional=True)),
    "mlp": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    ),
    "mlp_table": lambda: nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)),
    "conv1d": lambda: nn.Sequential(
        nn.Conv1d(4, 64, 5), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(64, 64, 5), nn.ReLU(), Mean(), nn.Linear(64, 4)
    ),
    "cnn_bn": lambda: nn.Sequential(
        *normalized(3, 32),
        nn.MaxPool2d(2),
        *normalized(32, 64),
        nn.MaxPool2d(2),
        *normalized(64, 128),
        Mean(),
        nn.Linear(128, 10),
    ),
}
x_train, y_train = tensors("train", samples)
x_test, y_test = tensors("test", int(os.environ.get("TESTS", "10000")))
model = MODELS[model_name]()
criterion = nn.MSELoss() if numbers else nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), fused=True)


def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the loss of a batch."""
    return criterion(model(x), y)


loss_fn = torch.compile(loss_of, dynamic=False) if compiled else loss_of
seconds = []
for _ in range(epochs):
    started = time.perf_counter()
    model.train()
    for rows in torch.randperm(len(x_train)).split(batch_size):
        optimizer.zero_grad()
        loss_fn(x_train[rows], y_train[rows]).backward()
        optimizer.step()
    seconds.append(time.perf_counter() - started)

model.eval()
with torch.no_grad():
    outputs = torch.cat([model(x) for x in x_test.split(256)])
score = (outputs - y_test).square().mean() if numbers else (outputs.argmax(1) == y_test).float().mean()
print(json.dumps({"seconds": seconds, "score": float(score)}))
