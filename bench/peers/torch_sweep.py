"""64 networks in PyTorch, one thread, that differ in seed, rate and decay. Reads lines "<form> <batch> <rounds>", takes
<rounds> steps of each network and answers with CPU ms a step of one network.

Forms: "sequential" has a module and a fused Adam for each network, in turns of 16 steps; "stacked" keeps all networks'
weights in tensors with a leading axis, multiplies by baddbmm and updates by the functions for lists of tensors.
"""
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import torch  # noqa: E402
from torch import nn  # noqa: E402

from torch_mtl import ROWS, Best  # noqa: E402

NETWORKS = 64
TURN = 16
torch.set_num_threads(1)
torch.manual_seed(1)
rates = torch.logspace(-4, -2, NETWORKS)
decays = torch.logspace(-6, -3, NETWORKS)
x, y = torch.randn(ROWS, 37), torch.rand(ROWS, 11)
order = torch.randperm(ROWS)
weights = Best().weights


def rows_of(step, batch):
    first = step * batch % (ROWS - batch)
    return order[first:first + batch]


class Sequential:
    def __init__(self):
        self.networks = []
        for k in range(NETWORKS):
            model = Best().train()
            adam = torch.optim.Adam(model.parameters(), lr=float(rates[k]), weight_decay=float(decays[k]), fused=True)
            self.networks.append((model, adam))

    def run(self, batch, rounds):
        for start in range(0, rounds, TURN):
            for model, adam in self.networks:
                for step in range(start, min(rounds, start + TURN)):
                    rows = rows_of(step, batch)
                    adam.zero_grad(set_to_none=True)
                    model.loss(x[rows], y[rows]).backward()
                    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                    adam.step()


class Stacked:
    """All networks take the same rows at once, so that the rows are gathered once."""

    def __init__(self):
        widths = (37, 256, 256, 128)
        values = []
        for inputs, units in zip(widths, widths[1:]):
            bound = inputs ** -0.5
            values.append((torch.rand(NETWORKS, inputs, units) * 2 - 1) * bound)
            values += [torch.zeros(NETWORKS, 1, units), torch.ones(NETWORKS, 1, units), torch.zeros(NETWORKS, 1, units)]
        values += [(torch.rand(NETWORKS, 128, 11) * 2 - 1) * 128 ** -0.5, torch.zeros(NETWORKS, 1, 11)]
        self.values = [value.requires_grad_() for value in values]
        self.first = [torch.zeros_like(value) for value in self.values]
        self.second = [torch.zeros_like(value) for value in self.values]
        self.running = [(torch.zeros(NETWORKS, 1, units), torch.ones(NETWORKS, 1, units)) for units in widths[1:]]
        self.steps = 0

    def loss(self, rows):
        hidden = x[rows].expand(NETWORKS, -1, -1)
        for layer in range(3):
            weight, bias, gamma, beta = self.values[4 * layer:4 * layer + 4]
            z = torch.baddbmm(bias, hidden, weight)
            variance, mean = torch.var_mean(z, 1, correction=0, keepdim=True)
            with torch.no_grad():
                self.running[layer][0].lerp_(mean, 0.1)
                self.running[layer][1].lerp_(variance * (len(rows) / (len(rows) - 1)), 0.1)
            z = (z - mean) * torch.rsqrt(variance + 1e-5) * gamma + beta
            hidden = torch.dropout(torch.relu(z), 0.3, True)
        z = torch.baddbmm(self.values[13], hidden, self.values[12])
        output = torch.cat((torch.tanh(z[..., :6]), torch.sigmoid(z[..., 6:10]), torch.relu(z[..., 10:])), 2)
        return ((output - y[rows]).square().mean(1) * weights).sum()

    def step(self, rows):
        gradients = list(torch.autograd.grad(self.loss(rows), self.values))
        self.steps += 1
        with torch.no_grad():
            norm = sum(g.square().sum((1, 2)) for g in gradients).sqrt()
            clip = (1 / (norm + 1e-6)).clamp(max=1).view(-1, 1, 1)
            gradients = torch._foreach_mul(gradients, [clip] * len(gradients))
            torch._foreach_addcmul_(gradients, self.values, [decays.view(-1, 1, 1)] * len(gradients))
            torch._foreach_lerp_(self.first, gradients, 0.1)
            torch._foreach_mul_(self.second, 0.999)
            torch._foreach_addcmul_(self.second, gradients, gradients, 0.001)
            scale = (1 - 0.999 ** self.steps) ** 0.5
            denominator = torch._foreach_sqrt(self.second)
            torch._foreach_add_(denominator, 1e-8 * scale)
            rate = (-rates * scale / (1 - 0.9 ** self.steps)).view(-1, 1, 1)
            torch._foreach_div_(denominator, [rate] * len(denominator))
            torch._foreach_addcdiv_(self.values, self.first, denominator)

    def run(self, batch, rounds):
        for step in range(rounds):
            self.step(rows_of(step, batch))


def main():
    forms = {"sequential": Sequential(), "stacked": Stacked()}
    print("torch", torch.__version__, flush=True)
    for line in sys.stdin:
        form, batch, rounds = line.split()
        began = time.process_time()
        forms[form].run(int(batch), int(rounds))
        print((time.process_time() - began) / int(rounds) / NETWORKS * 1e3, flush=True)


main()
