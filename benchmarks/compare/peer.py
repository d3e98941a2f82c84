"""The PyTorch side of benchmarks/compare.

Reads one JSON request per line on standard input and answers each with one JSON line:

    {"op": "dsm", "style": "autograd", "batch": 128, "hidden": 64, "threads": 1, "seconds": 0.2}
    {"ms": [ ... ]}          milliseconds per step, one entry per timed group of steps

    {"op": "conv", "net": "stride", "what": "dsm", "layout": "nchw", "batch": 64, "threads": 1, "seconds": 0.2}
    {"ms": [ ... ]}          the same of a convolutional energy of pictures of 28×28, in one of two layouts

    {"op": "quality", "steps": 400, "seed": 1, "features": 32, "hidden": 64, "batch": 128, "cells": 800, "half": 6}
    {"seconds": 1.2, "kl": 0.02}   a whole training by nce on 8gaussians

op:    langevin | hmc | sm | ssm | dsm | nce
style: autograd  as the code is usually written: nn.Sequential, autograd.grad, torch.optim.Adam
       expert    gradients derived by hand, no_grad, preallocated buffers, one flat Adam;
                 for the sliced objectives forward-mode tangents and one backward pass

The network is Linear(2,H) SiLU Linear(H,H) SiLU Linear(H,1), float32. A training step draws its
noise, computes loss and gradient, clips the gradient to norm 1 and applies Adam.
"""

import json
import math
import sys
import time

import torch
from torch import nn

LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
SIGMA, STEP, LEAPFROG = 0.1, 0.01, 10
RESTART = 200  # steps after which chains and trainings begin anew (see restart in work.go)


def network(hidden):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))


def log_normal(y, std):
    """log density of N(0, std² I) at the rows of y."""
    return -0.5 * (y * y).sum(1) / std**2 - y.shape[1] * math.log(std * math.sqrt(2 * math.pi))


# --- as it is usually written -------------------------------------------------------------------


def input_gradient(net, x):
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(net(x).sum(), x)[0]


def langevin_autograd(net, start):
    x, count = start, 0

    def step():
        nonlocal x, count
        if count % RESTART == 0:
            x = start
        count += 1
        x = x - STEP * input_gradient(net, x) + math.sqrt(2 * STEP) * torch.randn_like(x)

    return step


def hmc_autograd(net, start):
    """Two gradients per leapfrog step, as textbook code has it."""
    x, count = start, 0

    def step():
        nonlocal x, count
        if count % RESTART == 0:
            x = start
        count += 1
        p = torch.randn_like(x)
        y, q = x, p
        for _ in range(LEAPFROG):
            q = q - 0.5 * STEP * input_gradient(net, y)
            y = y + STEP * q
            q = q - 0.5 * STEP * input_gradient(net, y)
        with torch.no_grad():
            dh = net(y)[:, 0] + 0.5 * (q * q).sum(1) - net(x)[:, 0] - 0.5 * (p * p).sum(1)
            x = torch.where((torch.rand_like(dh) < torch.exp(-dh))[:, None], y, x)

    return step


def loss_sm(net, x):
    x = x.detach().requires_grad_(True)
    v = torch.randn_like(x)
    g = torch.autograd.grad(net(x).sum(), x, create_graph=True)[0]
    hv = torch.autograd.grad((g * v).sum(), x, create_graph=True)[0]
    return (0.5 * (g * g).sum(1) - (hv * v).sum(1)).mean()


def loss_ssm(net, x):
    x = x.detach().requires_grad_(True)
    v = torch.randn_like(x)
    g = torch.autograd.grad(net(x).sum(), x, create_graph=True)[0]
    gv = (g * v).sum(1)
    hv = torch.autograd.grad(gv.sum(), x, create_graph=True)[0]
    return (0.5 * gv**2 - (hv * v).sum(1)).mean()


def loss_dsm(net, x):
    eps = torch.randn_like(x)
    y = (x + SIGMA * eps).requires_grad_(True)
    g = torch.autograd.grad(net(y).sum(), y, create_graph=True)[0]
    return 0.5 * ((eps / SIGMA - g) ** 2).sum(1).mean()


def loss_nce(net, c, x):
    y = 2 * torch.randn_like(x)
    ux = -net(x)[:, 0] - c - log_normal(x, 2.0)
    uy = -net(y)[:, 0] - c - log_normal(y, 2.0)
    return (nn.functional.softplus(-ux) + nn.functional.softplus(uy)).mean()


def train_autograd(op, net, x):
    c = nn.Parameter(torch.zeros(()))
    params = list(net.parameters()) + ([c] if op == "nce" else [])
    opt = torch.optim.Adam(params, lr=LR, betas=(BETA1, BETA2), eps=EPS)
    loss = {"sm": loss_sm, "ssm": loss_ssm, "dsm": loss_dsm}.get(op) or (lambda n, v: loss_nce(n, c, v))
    start, count = [p.detach().clone() for p in params], 0

    def step():
        nonlocal count
        if count % RESTART == 0:
            with torch.no_grad():
                for p, s in zip(params, start):
                    p.copy_(s)
        count += 1
        opt.zero_grad(set_to_none=True)
        loss(net, x).backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()

    return step


# --- as an expert would write it ----------------------------------------------------------------


class Flat:
    """All parameters in one vector, so that clipping and Adam are a handful of in-place calls."""

    def __init__(self, net):
        shapes = [p.shape for p in net.parameters()] + [torch.Size([1])]  # the last: log Z of nce
        sizes = [s.numel() for s in shapes]
        self.theta = torch.cat([p.detach().reshape(-1) for p in net.parameters()] + [torch.zeros(1)])
        self.start = self.theta.clone()
        self.grad = torch.zeros_like(self.theta)
        self.m, self.v, self.t = torch.zeros_like(self.theta), torch.zeros_like(self.theta), 0
        self.den = torch.zeros_like(self.theta)
        self.p = [w.view(s) for w, s in zip(self.theta.split(sizes), shapes)]
        self.g = [w.view(s) for w, s in zip(self.grad.split(sizes), shapes)]

    def restart(self):
        """Every RESTART steps, back to the parameters of the start."""
        if self.t % RESTART == 0:
            self.theta.copy_(self.start)

    def adam(self, rate=LR):
        self.t += 1
        norm = float(torch.linalg.vector_norm(self.grad))
        self.grad.mul_(min(1.0, 1.0 / (norm + 1e-6)))
        self.m.mul_(BETA1).add_(self.grad, alpha=1 - BETA1)
        self.v.mul_(BETA2).addcmul_(self.grad, self.grad, value=1 - BETA2)
        torch.sqrt(self.v, out=self.den).div_(math.sqrt(1 - BETA2**self.t)).add_(EPS)
        self.theta.addcdiv_(self.m, self.den, value=-rate / (1 - BETA1**self.t))


class Buffers:
    def __init__(self, n, hidden):
        new = lambda *s: torch.empty(*s)
        self.z1, self.z2, self.s1, self.s2, self.h1, self.h2 = (new(n, hidden) for _ in range(6))
        self.d1, self.d2, self.q1, self.q2, self.a, self.b = (new(n, hidden) for _ in range(6))
        self.e, self.g = new(n, 1), new(n, 2)


def silu(z, s, h):
    torch.sigmoid(z, out=s)
    torch.mul(z, s, out=h)


def silu1(s, h, d):
    """SiLU' = s + h − h s, from s = sigmoid(z) and h = SiLU(z)."""
    torch.mul(h, s, out=d)
    torch.sub(h, d, out=d)
    d.add_(s)


def silu2(s, h, d, out):
    """SiLU'' = s(1−s)(2 + z(1−2s)) = (1−s)(2s + h − 2 h s), with d = SiLU'."""
    torch.mul(h, s, out=out)
    out.mul_(-2).add_(h).add_(s, alpha=2)
    out.mul_(1 - s)


def forward(w, x, k):
    torch.addmm(w[1], x, w[0].t(), out=k.z1)
    silu(k.z1, k.s1, k.h1)
    torch.addmm(w[3], k.h1, w[2].t(), out=k.z2)
    silu(k.z2, k.s2, k.h2)


def gradient(w, x, k):
    """∇ₓE in k.g; leaves SiLU' in k.d1, k.d2, the adjoints u2 in k.q2 and W2ᵀu2 in k.q1."""
    forward(w, x, k)
    silu1(k.s1, k.h1, k.d1)
    silu1(k.s2, k.h2, k.d2)
    torch.mul(k.d2, w[4], out=k.q2)
    torch.mm(k.q2, w[2], out=k.q1)
    torch.mul(k.q1, k.d1, out=k.a)
    torch.mm(k.a, w[0], out=k.g)
    return k.g


def langevin_expert(net, x):
    flat, k, noise = Flat(net), Buffers(*(len(x), net[0].out_features)), torch.empty_like(x)
    start, count = x.clone(), 0

    def step():
        nonlocal count
        if count % RESTART == 0:
            x.copy_(start)
        count += 1
        g = gradient(flat.p, x, k)
        noise.normal_()
        x.add_(g, alpha=-STEP).add_(noise, alpha=math.sqrt(2 * STEP))

    return step


def hmc_expert(net, x):
    """One gradient per leapfrog step, the first one cached."""
    flat, k = Flat(net), Buffers(len(x), net[0].out_features)
    w, p, y, g, e = flat.p, torch.empty_like(x), torch.empty_like(x), torch.empty_like(x), torch.empty(len(x), 1)
    u, start, count = torch.empty(len(x), 1), x.clone(), 0

    def energy():
        torch.addmm(w[5], k.h2, w[4].t(), out=k.e)
        return k.e

    def step():
        nonlocal count
        if count % RESTART == 0:
            x.copy_(start)
            g.copy_(gradient(w, x, k))
            e.copy_(energy())
        count += 1
        p.normal_()
        y.copy_(x)
        h0 = e + 0.5 * (p * p).sum(1, keepdim=True)
        p.add_(g, alpha=-0.5 * STEP)
        for i in range(LEAPFROG):
            y.add_(p, alpha=STEP)
            gy = gradient(w, y, k)
            p.add_(gy, alpha=-STEP if i < LEAPFROG - 1 else -0.5 * STEP)
        h1 = energy() + 0.5 * (p * p).sum(1, keepdim=True)
        take = u.uniform_() < torch.exp(h0 - h1)
        x.copy_(torch.where(take, y, x))
        g.copy_(torch.where(take, gy, g))
        e.copy_(torch.where(take, k.e, e))

    return step


def backward(flat, x, k, z1bar, z2bar, first=True):
    """Parameter gradients of the value stream from the adjoints of z1 (partial) and z2."""
    w, gr = flat.p, flat.g
    gr[2].addmm_(z2bar.t(), k.h1)
    torch.sum(z2bar, 0, out=gr[3])
    torch.mm(z2bar, w[2], out=k.b)
    k.b.mul_(k.d1)
    if z1bar is not None:
        k.b.add_(z1bar)
    gr[0].addmm_(k.b.t(), x)
    torch.sum(k.b, 0, out=gr[1])


def dsm_expert(net, x):
    n, hidden = len(x), net[0].out_features
    flat, k = Flat(net), Buffers(n, hidden)
    eps, y, c = torch.empty_like(x), torch.empty_like(x), torch.empty_like(x)
    u, v, t = (torch.empty(n, hidden) for _ in range(3))
    w, gr = flat.p, flat.g

    def step():
        flat.restart()
        eps.normal_()
        torch.add(x, eps, alpha=SIGMA, out=y)
        g = gradient(w, y, k)
        torch.sub(g, eps, alpha=1 / SIGMA, out=c)
        step.loss = 0.5 * float((c * c).sum()) / n
        c.mul_(1 / n)
        torch.mm(k.a.t(), c, out=gr[0])  # u1ᵀ c
        torch.mm(c, w[0].t(), out=u)  # adjoint of u1
        torch.mul(u, k.d1, out=v)  # adjoint of W2ᵀ u2
        u.mul_(k.q1)
        silu2(k.s1, k.h1, k.d1, t)
        u.mul_(t)  # adjoint of z1 through SiLU'
        torch.mm(k.q2.t(), v, out=gr[2])
        torch.mm(v, w[2].t(), out=t)  # adjoint of u2
        torch.mul(t, k.d2, out=v)
        torch.sum(v, 0, keepdim=True, out=gr[4])
        silu2(k.s2, k.h2, k.d2, v)
        v.mul_(t).mul_(w[4])  # adjoint of z2
        backward(flat, y, k, u, v)
        flat.adam()

    return step


def nce_expert(net, x):
    n, hidden, std = len(x), net[0].out_features, 2.0
    flat, k = Flat(net), Buffers(2 * n, hidden)
    both, sign = torch.empty(2 * n, 2), torch.ones(2 * n, 1)
    both[:n].copy_(x)
    sign[n:] = -1
    w, gr = flat.p, flat.g
    delta, t = torch.empty(2 * n, 1), torch.empty(2 * n, hidden)

    def step():
        flat.restart()
        flat.grad.zero_()
        both[n:].normal_().mul_(std)
        forward(w, both, k)
        torch.addmm(w[5], k.h2, w[4].t(), out=k.e)
        u = -k.e - w[6] - log_normal(both, std)[:, None]
        step.loss = float(nn.functional.softplus(-sign * u).sum()) / n
        torch.mul(torch.sigmoid(-sign * u), sign, out=delta).mul_(1 / n)  # ∂loss/∂E
        torch.mm(delta.t(), k.h2, out=gr[4])
        total = delta.sum()
        gr[5].copy_(total), gr[6].copy_(total)
        silu1(k.s1, k.h1, k.d1)
        silu1(k.s2, k.h2, k.d2)
        torch.mm(delta, w[4], out=t)
        t.mul_(k.d2)
        backward(flat, both, k, None, t)
        flat.adam()

    return step


def sliced_expert(op):
    """Forward-mode tangents of value and slope along v, then one backward pass of autograd.

    With ż the tangent and z̈ the second tangent of each layer along v,
    ż₂ = W₂(φ'ż₁), z̈₂ = W₂(φ''ż₁² + φ'z̈₁): E̊ = vᵀg, Ë = vᵀHv.
    """

    def make(net, x):
        flat = Flat(net)
        flat.theta.requires_grad_(True)
        sizes = [p.numel() for p in net.parameters()]
        shapes = [p.shape for p in net.parameters()]
        v = torch.empty_like(x)

        def step():
            with torch.no_grad():
                flat.restart()
            v.normal_()
            w = [t.view(s) for t, s in zip(flat.theta[:-1].split(sizes), shapes)]
            z1 = torch.addmm(w[1], x, w[0].t())
            d1 = v @ w[0].t()
            s1 = torch.sigmoid(z1)
            h1 = z1 * s1
            f1 = s1 + h1 * (1 - s1)
            c1 = (1 - s1) * (2 * s1 + h1 * (1 - 2 * s1))
            n = len(x)
            z = torch.cat([h1, f1 * d1, c1 * d1 * d1]) @ w[2].t()
            z2, d2, dd2 = z[:n] + w[3], z[n : 2 * n], z[2 * n :]
            s2 = torch.sigmoid(z2)
            h2 = z2 * s2
            f2 = s2 + h2 * (1 - s2)
            c2 = (1 - s2) * (2 * s2 + h2 * (1 - 2 * s2))
            slope = (f2 * d2) @ w[4].t()
            curve = (c2 * d2 * d2 + f2 * dd2) @ w[4].t()
            if op == "ssm":
                loss = (0.5 * slope**2 - curve).mean()
            else:
                g = torch.mm((torch.mm(f2 * w[4], w[2]) * f1), w[0])
                loss = 0.5 * (g * g).sum() / n - curve.mean()
            (flat.grad,) = torch.autograd.grad(loss, flat.theta)
            with torch.no_grad():
                flat.adam()

        return step

    return make


# --- training to a quality ----------------------------------------------------------------------

CENTRES = 4 / math.sqrt(2) * torch.tensor([[math.cos(math.pi / 4 * k), math.sin(math.pi / 4 * k)] for k in range(8)])
SD, BLUR, BOX, FAR = 0.1 / math.sqrt(2), 0.25, 4.0, 3.0


def log_mixture(x, sd):
    """log density of eight Gaussians on a circle."""
    logs = torch.cdist(x, CENTRES, compute_mode="donot_use_mm_for_euclid_dist").square_().mul_(-0.5 / sd**2)
    return torch.logsumexp(logs, 1) - math.log(8 * 2 * math.pi * sd**2)


def train_nce(steps, seed, features, hidden=64, batch=128, ratio=2, rate=1e-2, decay=0.99):
    """nce_expert's step on 8gaussians, as PyTorch does it best: noise near the data, whose density is that of the exactly known
    data, blurred (an advantage: Go has samples only), a box and a broad Gaussian, in Go's shares; cosine decay; averaged weights; a first layer that is three
    times as large, or fixed sines and cosines of x. Returns CPU seconds and the averaged network as a function."""
    torch.manual_seed(seed)
    start = time.process_time()
    wide = 2 + 2 * features
    net = nn.Sequential(nn.Linear(wide, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))
    frequencies = 2 * torch.randn(2, features)
    with torch.no_grad():
        if not features:
            net[0].weight.mul_(3)

    def embed(x):
        if not features:
            return x
        z = x @ frequencies
        return torch.cat([x, torch.cos(z), torch.sin(z)], 1)

    n, m = batch, batch * (1 + ratio)
    flat, k = Flat(net), Buffers(m, hidden)
    w, gr, average = flat.p, flat.g, flat.theta.clone()
    sign = torch.ones(m, 1)
    sign[n:] = -1
    t, x = torch.empty(m, hidden), torch.empty(m, 2)
    log_box, log_ratio = math.log(0.2) - 2 * math.log(2 * BOX), math.log(ratio)
    log_far = math.log(0.1) - math.log(2 * math.pi * FAR**2)
    with torch.no_grad():
        for step in range(steps):
            x.normal_()
            u = torch.rand(m)
            x[:n].mul_(SD)
            x[n:].mul_(math.hypot(SD, BLUR))
            x.add_(CENTRES[torch.randint(8, (m,))])
            box = torch.nonzero(u[n:] < 0.2)[:, 0] + n
            x[box] = torch.rand(len(box), 2).mul_(2 * BOX).sub_(BOX)
            far = torch.nonzero(u[n:] > 0.9)[:, 0] + n
            x[far] = FAR * torch.randn(len(far), 2)
            logq = log_mixture(x, math.hypot(SD, BLUR)).add_(math.log(0.7))
            inside = torch.where(x.abs().amax(1) < BOX, log_box, -math.inf)
            logq = torch.logaddexp(torch.logaddexp(logq, inside), (x * x).sum(1).mul_(-0.5 / FAR**2).add_(log_far))
            z = embed(x)
            flat.grad.zero_()
            forward(w, z, k)
            torch.addmm(w[5], k.h2, w[4].t(), out=k.e)
            u = (-k.e - w[6]).sub_(logq[:, None]).sub_(log_ratio)
            delta = torch.sigmoid(-sign * u).mul_(sign).mul_(1 / n)
            torch.mm(delta.t(), k.h2, out=gr[4])
            total = delta.sum()
            gr[5].copy_(total), gr[6].copy_(total)
            silu1(k.s1, k.h1, k.d1)
            silu1(k.s2, k.h2, k.d2)
            torch.mm(delta, w[4], out=t)
            t.mul_(k.d2)
            backward(flat, z, k, None, t)
            flat.adam(rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps))))
            average.mul_(decay).add_(flat.theta, alpha=1 - decay) if step > 10 else average.copy_(flat.theta)
        seconds = time.process_time() - start
        flat.theta.copy_(average)
    return seconds, lambda y: net_value(w, embed(y))


def net_value(w, z):
    h = nn.functional.silu(torch.addmm(w[1], z, w[0].t()))
    return torch.addmm(w[5], nn.functional.silu(torch.addmm(w[3], h, w[2].t())), w[4].t())[:, 0]


def quality(req):
    """CPU seconds of training, and KL(data‖model) by the midpoint rule on the box and cells of the Go side."""
    seconds, energy = train_nce(req["steps"], req["seed"], req["features"], req["hidden"], req["batch"])
    n, half = req["cells"], req["half"]
    axis = (torch.arange(n, dtype=torch.float32) + 0.5) * (2 * half / n) - half
    area, z, kl, mass = (2 * half / n) ** 2, 0.0, 0.0, 0.0
    with torch.no_grad():
        for a in axis.split(32):
            x = torch.cartesian_prod(a, axis)
            e, logp = energy(x).double(), log_mixture(x, SD).double()
            p = logp.exp() * area
            z += float((-e).exp().sum()) * area
            kl += float((p * (logp + e)).sum())
            mass += float(p.sum())
    return seconds, kl / mass + math.log(z)


def build(req):
    net = network(req["hidden"])
    x = torch.randn(req["batch"], 2) * 2
    op, style = req["op"], req["style"]
    if style == "autograd":
        if op == "langevin":
            return langevin_autograd(net, x)
        if op == "hmc":
            return hmc_autograd(net, x)
        return train_autograd(op, net, x)
    makers = {"langevin": langevin_expert, "hmc": hmc_expert, "dsm": dsm_expert, "nce": nce_expert}
    make = makers.get(op) or sliced_expert(op)
    step = make(net, x)
    if op in ("sm", "ssm"):
        return step

    def quiet():
        with torch.no_grad():
            step()

    return quiet


# --- convolutional energies ---------------------------------------------------------------------


def conv_network(net):
    """Those of convNets in benchmarks/conv.go."""
    torch.manual_seed(1)
    stride, pool = (1, [nn.MaxPool2d(2)]) if net == "pool" else (2, [])
    return nn.Sequential(nn.Conv2d(1, 32, 3, stride, 1), nn.SiLU(), *pool, nn.Conv2d(32, 64, 3, stride, 1), nn.SiLU(), *pool,
                         nn.Flatten(), nn.Linear(3136, 128), nn.SiLU(), nn.Linear(128, 1))


def conv_step(req):
    """Energies and their gradients, or a training step with noise and Adam."""
    net, x, what = conv_network(req["net"]), torch.rand(req["batch"], 1, 28, 28), req["what"]
    if req["layout"] == "channels_last":
        net = net.to(memory_format=torch.channels_last)
    if what == "grad":
        def grad():
            y = x.detach().requires_grad_(True)
            e = net(y)
            return e, torch.autograd.grad(e.sum(), y)[0]
        return grad

    def loss():
        if what == "ml":
            return net(x).mean() - net(torch.randn_like(x)).mean()
        noise = torch.randn_like(x)
        y = (x + SIGMA * noise if what == "dsm" else x.detach()).requires_grad_(True)
        g = torch.autograd.grad(net(y).sum(), y, create_graph=True)[0]
        if what == "dsm":
            return 0.5 * ((noise / SIGMA - g) ** 2).flatten(1).sum(1).mean()
        v = noise.sign()
        gv = (g * v).flatten(1).sum(1)
        hv = torch.autograd.grad(gv.sum(), y, create_graph=True)[0]
        return (0.5 * gv**2 - (hv * v).flatten(1).sum(1)).mean()

    opt = torch.optim.Adam(net.parameters(), lr=LR, betas=(BETA1, BETA2), eps=EPS)

    def train():
        opt.zero_grad(set_to_none=True)
        loss().backward()
        opt.step()
    return train


def measure(req):
    """Times groups of steps until the budget is spent; a group lasts at least two milliseconds."""
    torch.set_num_threads(req["threads"])
    key = tuple(v for k, v in sorted(req.items()) if k not in ("threads", "seconds"))
    if key not in measure.steps:
        measure.steps[key] = conv_step(req) if req["op"] == "conv" else build(req)
        for _ in range(5):
            measure.steps[key]()
    step, clock = measure.steps[key], time.perf_counter
    start = clock()
    step()
    group = max(1, int(0.002 / max(clock() - start, 1e-9)))
    out, end = [], clock() + req["seconds"]
    while clock() < end or len(out) < 3:
        start = clock()
        for _ in range(group):
            step()
        out.append((clock() - start) * 1e3 / group)
    return out


measure.steps = {}


def check():
    """The hand-written gradients agree with autograd."""
    for op, make, loss in (("dsm", dsm_expert, loss_dsm), ("nce", nce_expert, None)):
        net = network(8)
        x = torch.randn(6, 2)
        step = make(net, x)
        flat = step.__closure__[[c for c in step.__code__.co_freevars].index("flat")].cell_contents
        flat.adam = lambda: None
        torch.manual_seed(7)
        with torch.no_grad():
            step()
        torch.manual_seed(7)
        c = nn.Parameter(torch.zeros(()))
        value = loss(net, x) if loss else loss_nce(net, c, x)
        value.backward()
        want = torch.cat([p.grad.reshape(-1) if p.grad is not None else torch.zeros(p.numel()) for p in net.parameters()])
        got = flat.grad[: len(want)]
        print(op, float((got - want).abs().max()), step.loss - float(value))
    for op, loss in (("sm", loss_sm), ("ssm", loss_ssm)):
        net = network(8)
        x = torch.randn(6, 2)
        step = sliced_expert(op)(net, x)
        flat = step.__closure__[[c for c in step.__code__.co_freevars].index("flat")].cell_contents
        flat.adam = lambda: None
        torch.manual_seed(7)
        step()
        torch.manual_seed(7)
        loss(net, x).backward()
        want = torch.cat([p.grad.reshape(-1) if p.grad is not None else torch.zeros(p.numel()) for p in net.parameters()])
        print(op, float((flat.grad[: len(want)] - want).abs().max()))


def product():
    """Prints the rate of a product 1024×256×256 in 10⁹ operations a second."""
    a, b, out = torch.randn(1024, 256), torch.randn(256, 256), torch.empty(1024, 256)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append(time.perf_counter() - start)
    print(2 * 1024 * 256 * 256 / sorted(times)[100] / 1e9)


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    torch.set_num_threads(1)
    if sys.argv[1:] == ["--product"]:
        return product()
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        req = json.loads(line)
        if req["op"] == "quality":
            torch.set_num_threads(1)
            seconds, kl = quality(req)
            print(json.dumps({"seconds": seconds, "kl": kl}), flush=True)
        else:
            print(json.dumps({"ms": measure(req)}), flush=True)


if __name__ == "__main__":
    main()
