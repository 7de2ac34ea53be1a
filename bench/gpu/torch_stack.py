"""PyTorch on this GPU with the network of the stack benchmark: model-steps a second of the forms that people use.

One network: eager as written, fused Adam, compiled, the step as a CUDA graph. K networks: torch.func with vmap, and
stacked by hand with baddbmm; both also as CUDA graphs, by hand also compiled. Every row says whether TF32 was on.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 200
BEGAN = time.time()
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZES, ROWS = (1, 16, 64, 256, 512), 20_000
WEIGHTS = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
HEADS = (6, 1, 1, 1, 1, 1)
X = torch.randn(ROWS, 37, device=DEVICE)
Y = torch.rand(ROWS, 11, device=DEVICE)


class Network(nn.Module):
    def __init__(self, track=True):
        super().__init__()
        widths, layers = (37, 256, 256, 128), []
        for inputs, units in zip(widths, widths[1:]):
            layers += [nn.Linear(inputs, units), nn.BatchNorm1d(units, track_running_stats=track), nn.ReLU(), nn.Dropout(0.3)]
        self.encoder = nn.Sequential(*layers)
        self.heads = nn.ModuleList([nn.Linear(128, outputs) for outputs in HEADS])

    def forward(self, x):
        h = self.encoder(x)
        z = [head(h) for head in self.heads]
        return [torch.tanh(z[0])] + [torch.sigmoid(one) for one in z[1:5]] + [torch.relu(z[5])]


def loss_of(outputs, y):
    first, total = 0, 0.0
    for output, weight in zip(outputs, WEIGHTS):
        total = total + weight * nn.functional.mse_loss(output, y[..., first : first + output.shape[-1]])
        first += output.shape[-1]
    return total


def batches(size):
    order = torch.randperm(ROWS, device=DEVICE)
    place = 0
    while True:
        if place + size > ROWS:
            place = 0
        yield order[place : place + size]
        place += size


def synchronise():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def report(form, networks, batch, tf32, step):
    if time.time() - BEGAN > SECONDS:
        print(json.dumps(dict(form=form, networks=networks, batch=batch, skipped="no time left")), flush=True)
        return
    try:
        for _ in range(4):
            step()
        synchronise()
        times = []
        for _ in range(3):
            started, count = time.perf_counter(), 0
            while count == 0 or time.perf_counter() - started < 0.15:
                for _ in range(5):
                    step()
                synchronise()
                count += 5
            times.append((time.perf_counter() - started) / count)
        seconds = sorted(times)[1]
        row = dict(form=form, networks=networks, batch=batch, tf32=tf32, us_per_step=round(seconds * 1e6, 1))
        print(json.dumps({**row, "model_steps_per_second": round(networks / seconds)}), flush=True)
    except Exception as error:  # A form that this version cannot do is a row too.
        print(json.dumps(dict(form=form, networks=networks, batch=batch, failed=str(error)[:160])), flush=True)


def in_graph(step):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def single(form, batch, tf32):
    network = Network().to(DEVICE)
    graphed = form == "graph"
    options = dict(fused=True) if form != "eager" and DEVICE == "cuda" else {}
    if graphed:
        options = dict(capturable=True, fused=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-5, **options)
    forward = torch.compile(network) if form == "compiled" else network
    source = batches(batch)
    x, y = X[:batch].clone(), Y[:batch].clone()

    def step(fetch=True):
        if fetch:
            rows = next(source)
            x.copy_(X[rows])
            y.copy_(Y[rows])
        optimizer.zero_grad(set_to_none=not graphed)
        loss_of(forward(x), y).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0, foreach=True)
        optimizer.step()

    if graphed:
        replay = in_graph(lambda: step(False))

        def whole():
            rows = next(source)
            x.copy_(X[rows])
            y.copy_(Y[rows])
            replay()

        report(form, 1, batch, tf32, whole)
    else:
        report(form, 1, batch, tf32, step)


class Adam:
    """Adam over stacked tensors [network, ...], with clipping by each network's own norm."""

    def __init__(self, tensors):
        self.m = [torch.zeros_like(t) for t in tensors]
        self.v = [torch.zeros_like(t) for t in tensors]
        self.t = torch.zeros((), device=DEVICE)

    def step(self, tensors, gradients):
        self.t += 1
        squares = sum(g.flatten(1).square().sum(1) for g in gradients)
        clip = (1.0 / (squares.sqrt() + 1e-6)).clamp(max=1.0)
        first, second = 1 - 0.9**self.t, 1 - 0.999**self.t
        scaled = [g * clip.view(-1, *[1] * (g.dim() - 1)) for g in gradients]
        torch._foreach_add_(scaled, tensors, alpha=1e-5)
        torch._foreach_lerp_(self.m, scaled, 0.1)
        torch._foreach_mul_(self.v, 0.999)
        torch._foreach_addcmul_(self.v, scaled, scaled, 0.001)
        for p, m, v in zip(tensors, self.m, self.v):
            p.sub_(1e-3 * (m / first) / ((v / second).sqrt() + 1e-8))


def stacked(form, networks, batch, tf32):
    source = batches(batch)
    x, y = X[:batch].clone(), Y[:batch].clone()
    if form.startswith("vmap"):
        models = [Network(track=False).to(DEVICE) for _ in range(networks)]
        params, buffers = stack_module_state(models)
        skeleton = Network(track=False).to("meta")

        def loss_of_one(p, b):
            return loss_of(functional_call(skeleton, (p, b), (x,)), y)

        slope = vmap(grad_and_value(loss_of_one), randomness="different")
        names = list(params)
        tensors = [params[name].detach() for name in names]
        adam = Adam(tensors)

        def compute():
            gradients, _ = slope(dict(zip(names, tensors)), buffers)
            adam.step(tensors, [gradients[name] for name in names])

    else:
        widths, tensors = (37, 256, 256, 128), []
        for inputs, units in zip(widths, widths[1:]):
            bound = inputs**-0.5
            tensors += [(torch.rand(networks, inputs, units, device=DEVICE) * 2 - 1) * bound, torch.zeros(networks, 1, units, device=DEVICE)]
            tensors += [torch.ones(networks, 1, units, device=DEVICE), torch.zeros(networks, 1, units, device=DEVICE)]
        tensors += [(torch.rand(networks, 128, 11, device=DEVICE) * 2 - 1) * 128**-0.5, torch.zeros(networks, 1, 11, device=DEVICE)]
        for tensor in tensors:
            tensor.requires_grad_()
        column_weights = torch.tensor([1 / 6] * 6 + [1.0] * 5, device=DEVICE)

        def loss_by_hand():
            h = x.expand(networks, -1, -1)
            for layer in range(3):
                w, b, g, s = tensors[4 * layer : 4 * layer + 4]
                z = torch.baddbmm(b, h, w)
                mean = z.mean(1, keepdim=True)
                var = z.var(1, unbiased=False, keepdim=True)
                h = nn.functional.dropout(torch.relu((z - mean) * torch.rsqrt(var + 1e-5) * g + s), 0.3)
            z = torch.baddbmm(tensors[-1], h, tensors[-2])
            out = torch.cat([torch.tanh(z[..., :6]), torch.sigmoid(z[..., 6:10]), torch.relu(z[..., 10:])], -1)
            return ((out - y).square().mean(1) * column_weights).sum()

        adam = Adam([t.detach() for t in tensors])
        measure = torch.compile(loss_by_hand) if "compiled" in form else loss_by_hand

        def compute():
            gradients = torch.autograd.grad(measure(), tensors)
            with torch.no_grad():
                adam.step(tensors, gradients)

    def fetch():
        rows = next(source)
        x.copy_(X[rows])
        y.copy_(Y[rows])

    if form.endswith("graph"):
        replay = in_graph(compute)

        def whole():
            fetch()
            replay()

        report(form, networks, batch, tf32, whole)
    else:

        def step():
            fetch()
            compute()

        report(form, networks, batch, tf32, step)


def attempt(action, form, networks, batch):
    try:
        if time.time() - BEGAN < SECONDS:
            action()
    except Exception as error:
        print(json.dumps(dict(form=form, networks=networks, batch=batch, failed=str(error)[:160])), flush=True)


if __name__ == "__main__":
    print(json.dumps(dict(torch=torch.__version__, device=torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu")))
    graphs = DEVICE == "cuda"
    for tf32 in (False, True) if graphs else (False,):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        for batch in (32, 512):
            for form in ("eager", "fused", "compiled") + (("graph",) if graphs else ()):
                if form == "compiled" and tf32:
                    continue
                attempt(lambda: single(form, batch, tf32), form, 1, batch)
            for networks in reversed(SIZES[1:]):
                for form in ("by hand", "vmap") + (("by hand graph", "vmap graph") if graphs else ()):
                    attempt(lambda: stacked(form, networks, batch, tf32), form, networks, batch)
            for form in ("by hand compiled",) + (("by hand compiled graph",) if graphs else ()):
                attempt(lambda: stacked(form, 512, batch, tf32), form, 512, batch)
