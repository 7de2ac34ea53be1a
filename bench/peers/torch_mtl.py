"""The same training step in PyTorch, eager, one thread. Reads lines "<form> <batch> <steps>", answers with CPU ms a step.

Forms: "written" is the network as people write it (a module per head, torch's default Adam); "fused" has one matrix for
all heads and the fused Adam; "compiled" is that through torch.compile, which needs a C++ compiler: without one the answer
is nan.
"""
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(1)
torch.manual_seed(1)

HEADS = [("style", 6, "tanh", 0.1), ("risk", 1, "sigmoid", 0.15), ("profit", 1, "sigmoid", 0.25),
         ("bot", 1, "sigmoid", 0.25), ("sophistication", 1, "sigmoid", 0.15), ("influence", 1, "relu", 0.1)]
FUNCTIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
ROWS = 16384


def encoder():
    layers, width = [], 37
    for units in (256, 256, 128):
        layers += [nn.Linear(width, units), nn.BatchNorm1d(units), nn.ReLU(), nn.Dropout(0.3)]
        width = units
    return nn.Sequential(*layers)


class Written(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = encoder()
        self.heads = nn.ModuleDict({name: nn.Linear(128, width) for name, width, _, _ in HEADS})

    def loss(self, x, y):
        hidden, total, first = self.encoder(x), 0, 0
        for name, width, kind, weight in HEADS:
            output = FUNCTIONS[kind](self.heads[name](hidden))
            total = total + weight * nn.functional.mse_loss(output, y[:, first:first + width])
            first += width
        return total


class Best(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = encoder()
        self.heads = nn.Linear(128, 11)
        self.weights = torch.cat([torch.full((width,), weight / width) for _, width, _, weight in HEADS])

    def loss(self, x, y):
        z = self.heads(self.encoder(x))
        output = torch.cat((torch.tanh(z[:, :6]), torch.sigmoid(z[:, 6:10]), torch.relu(z[:, 10:])), 1)
        return ((output - y).square().mean(0) * self.weights).sum()


def prepare(model, **adam):
    return model.train(), torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5, **adam)


def main():
    x, y = torch.randn(ROWS, 37), torch.rand(ROWS, 11)
    forms = {"written": prepare(Written()), "fused": prepare(Best(), fused=True), "compiled": prepare(Best(), fused=True)}
    losses = {form: model.loss for form, (model, _) in forms.items()}
    losses["compiled"] = torch.compile(forms["compiled"][0].loss)
    order = torch.randperm(ROWS)
    print("torch", torch.__version__, flush=True)
    for line in sys.stdin:
        form, batch, steps = line.split()
        batch, steps = int(batch), int(steps)
        model, optimiser = forms[form]
        began = time.process_time()
        try:
            for step in range(steps):
                first = step * batch % (ROWS - batch)
                rows = order[first:first + batch]
                optimiser.zero_grad(set_to_none=True)
                loss = losses[form](x[rows], y[rows])
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
            print((time.process_time() - began) / steps * 1e3, flush=True)
        except torch._dynamo.exc.TorchDynamoException as error:
            print(type(error).__name__, str(error).split("\n")[0], file=sys.stderr)
            print("nan", flush=True)


if __name__ == "__main__":
    main()
