"""Writes from-torch.json: a small network trained by PyTorch, step by step. Run with torch on PYTHONPATH:

    python3 test/models/mtl/golden/from_torch.py > test/models/mtl/golden/from-torch.json
"""
import json
import math

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
INPUTS, HIDDEN, BATCH, STEPS = 3, [5, 4], 8, 40
HEADS = [("tanh", 2, 1.0), ("binary", 1, 0.5), ("multiclass", 3, 0.7), ("regression", 1, 0.3), ("relu", 1, 1.5),
         ("sigmoid", 1, 2.0)]
UPDATES = {
    "adam": dict(learningRate=0.02, weightDecay=0.01, decoupled=False, clipNorm=0.5),
    "adamw": dict(learningRate=0.02, weightDecay=0.1, decoupled=True, clipNorm=100.0),
}


def single(tensor):
    return tensor.float().double()


def make_targets():
    columns = []
    for kind, width, _ in HEADS:
        if kind == "multiclass":
            part = F.one_hot(torch.randint(0, width, (2 * BATCH,)), width).double()
            part[3] = math.nan
        else:
            part = torch.rand(2 * BATCH, width)
            part = {"binary": part.round(), "regression": 3 * part - 1, "tanh": 2 * part - 1}.get(kind, part)
            part[5, 0] = math.nan
            part[11, -1] = math.nan
        columns.append(part)
    return single(torch.cat(columns, 1))


def losses_of(z, y):
    total, first = 0, 0
    for kind, width, weight in HEADS:
        out, target = z[:, first:first + width], y[:, first:first + width]
        first += width
        if kind == "multiclass":
            known = ~target[:, 0].isnan()
            total = total + weight * F.cross_entropy(out[known], target[known].argmax(1))
            continue
        known = ~target.isnan()
        if kind == "binary":
            total = total + weight * F.binary_cross_entropy_with_logits(out[known], target[known])
            continue
        value = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}.get(kind, lambda v: v)(out)
        total = total + weight * F.mse_loss(value[known], target[known])
    return total


def network():
    layers, width = [], INPUTS
    for units in HIDDEN:
        layers += [nn.Linear(width, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, sum(width for _, width, _ in HEADS)))


def tensors(model):
    found = {}
    for i in range(len(HIDDEN)):
        found[f"hidden.{i}.weight"] = model[3 * i].weight
        norm = model[3 * i + 1]
        for key in ("weight", "bias", "running_mean", "running_var"):
            found[f"hidden.{i}.norm.{key}"] = getattr(norm, key)
    found["heads.weight"], found["heads.bias"] = model[-1].weight, model[-1].bias
    return {name: tensor.detach().flatten().tolist() for name, tensor in found.items()}


x, y = single(torch.randn(2 * BATCH, INPUTS)), make_targets()
start = network()
for parameter in start.parameters():
    parameter.data = single(parameter.data)
runs = {}
for name, options in UPDATES.items():
    model = network()
    model.load_state_dict(start.state_dict())
    kind = torch.optim.AdamW if options["decoupled"] else torch.optim.Adam
    optimiser = kind(model.parameters(), lr=options["learningRate"], weight_decay=options["weightDecay"])
    losses, norms = [], []
    for step in range(STEPS):
        rows = slice(BATCH * (step % 2), BATCH * (step % 2) + BATCH)
        optimiser.zero_grad()
        loss = losses_of(model(x[rows]), y[rows])
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), options["clipNorm"]).item())
        optimiser.step()
        losses.append(loss.item())
    runs[name] = dict(update=options, losses=losses, norms=norms, end=tensors(model))
print(json.dumps(dict(
    torch=torch.__version__, inputs=INPUTS, hidden=HIDDEN, batch=BATCH,
    heads=[dict(kind=kind, outputs=width) for kind, width, _ in HEADS], weights=[weight for _, _, weight in HEADS],
    x=x.flatten().tolist(), y=[None if math.isnan(v) else v for v in y.flatten().tolist()],
    start=tensors(start), runs=runs)))
