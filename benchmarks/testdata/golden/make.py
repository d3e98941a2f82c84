"""Writes a golden file in the format of README.md with PyTorch autograd in float64.

    python3 make.py --dim 3 --hidden 8,12,5 --points 6 --k 3 --activations gelu,softplus,silu,tanh > mlp-8-12-5-d3.json
"""

import argparse
import json
import math

import torch
from torch.autograd import grad
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def softplus(z):
    """log(1 + exp z). F.softplus leaves out the 1 above z = 20, where that is still 2e-9."""
    return torch.logaddexp(z, torch.zeros_like(z))


ACT = {"silu": F.silu, "tanh": torch.tanh, "softplus": softplus, "gelu": F.gelu}


def rounded(t, digits=4):
    return torch.round(t * 10**digits) / 10**digits


def energy(w, act, x):
    layers = len(w) // 2
    for i in range(1, layers + 1):
        x = x @ w[f"W{i}"].T + w[f"b{i}"]
        if i < layers:
            x = act(x)
    return x[:, 0]


def input_gradient(w, act, x):
    x = x.detach().requires_grad_(True) if not x.requires_grad else x
    return grad(energy(w, act, x).sum(), x, create_graph=True)[0]


def curvature(w, act, x, v):
    g = input_gradient(w, act, x)
    return g, (grad((g * v).sum(), x, create_graph=True)[0] * v).sum(1)


def trace(w, act, x):
    g = input_gradient(w, act, x)
    return g, sum(grad(g[:, j].sum(), x, create_graph=True)[0][:, j] for j in range(x.shape[1]))


def log_normal(y, std):
    return -0.5 * (y * y).sum(1) / std**2 - y.shape[1] * math.log(std * math.sqrt(2 * math.pi))


def losses(w, act, c, i):
    x = i["x"].clone().requires_grad_(True)
    E = lambda y: energy(w, act, y)

    def sm():
        g, tr = trace(w, act, x)
        return (0.5 * (g * g).sum(1) - tr).mean()

    def sliced(v, project):
        g, vhv = curvature(w, act, x, v)
        norm = (g * v).sum(1) ** 2 if project else (g * g).sum(1)
        return (0.5 * norm - vhv).mean()

    def dsm():
        y = (x + c["dsm_sigma"] * i["eps"]).detach().requires_grad_(True)
        g = input_gradient(w, act, y)
        return 0.5 * ((i["eps"] / c["dsm_sigma"] - g) ** 2).sum(1).mean()

    def nce():
        k, y = c["nce_k"], i["nce_noise"]
        u = lambda z: -E(z) - log_normal(z, c["nce_std"]) - math.log(k)
        return (softplus(-u(x)) + softplus(u(y)).view(-1, k).sum(1)).mean()

    def ml(alpha):
        a, b = E(x), E(i["x_neg"])
        return a.mean() - b.mean() + alpha * (a * a + b * b).mean()

    return {
        "sm": sm,
        "sm-hutchinson": lambda: sliced(i["eps"], False),
        "dsm": dsm,
        "ssm": lambda: sliced(i["eps"], True),
        "ssm-vr": lambda: sliced(math.sqrt(x.shape[1]) * i["v_unit"], False),
        "nce": nce,
        "cnce": lambda: 2 * softplus(E(x) - E(x + c["cnce_std"] * i["eps"])).mean(),
        "ml": lambda: ml(0.0),
        "ml-l2": lambda: ml(c["ml_alpha"]),
    }


def gradients(w, value):
    g = grad(value, list(w.values()), allow_unused=True)
    return {k: (torch.zeros_like(p) if q is None else q).tolist() for (k, p), q in zip(w.items(), g)}


def network(act, c, i, w):
    f = ACT[act]
    x = i["x"].clone().requires_grad_(True)
    e, g = energy(w, f, x), input_gradient(w, f, x)
    hess = torch.stack([grad(g[:, j].sum(), x, create_graph=True)[0] for j in range(x.shape[1])], 1)
    out = {"activation": act, "weights": {k: v.tolist() for k, v in w.items()}, "energy": e.tolist(), "grad": g.tolist()}
    out["hessian"], out["trace"] = hess.tolist(), hess.diagonal(dim1=1, dim2=2).sum(1).tolist()
    out["losses"] = {}
    for name, loss in losses(w, f, c, i).items():
        value = loss()
        out["losses"][name] = {"value": value.item(), "grads": gradients(w, value)}
    gx = lambda y: input_gradient(w, f, y.detach()).detach()
    h, x = c["langevin_step"], i["x"]
    y = x - h * gx(x) + math.sqrt(2 * h) * i["eps"]
    out["langevin"] = y.tolist()
    q = lambda b, a: -((b - a + h * gx(a)) ** 2).sum(1) / (4 * h)
    ratio = (energy(w, f, x) - energy(w, f, y)).detach() + q(x, y) - q(y, x)
    out["mala"] = {"log_accept_ratio": ratio.tolist(), "accepted": (i["uniform"].log() < ratio).tolist()}
    h, g = c["normalized_langevin_step"], gx(x)
    out["normalized_langevin"] = (x - h * g / (g.norm(dim=1, keepdim=True) + 1e-6) + math.sqrt(2 * h) * i["eps"]).tolist()
    m, eps = c["hmc_mass"], c["hmc_step"]
    p = math.sqrt(m) * i["momentum"]
    H = lambda y, p: energy(w, f, y).detach() + 0.5 * (p * p).sum(1) / m
    y, h0, pos = x, H(x, p), [x.tolist()]
    for _ in range(c["hmc_leapfrog"]):
        p = p - 0.5 * eps * gx(y)
        y = y + eps * p / m
        p = p - 0.5 * eps * gx(y)
        pos.append(y.tolist())
    dh = H(y, p) - h0
    take = i["uniform"] < torch.exp(-dh)
    out["hmc"] = {"positions": pos, "final_momentum": p.tolist(), "delta_h": dh.tolist(), "accepted": take.tolist()}
    out["hmc"]["x_after"] = torch.where(take[:, None], y, x).tolist()
    v = {k: p.detach().clone().requires_grad_(True) for k, p in w.items()}
    m1, m2, ls, ns = [torch.zeros_like(p) for p in v.values()], [torch.zeros_like(p) for p in v.values()], [], []
    for t in range(1, 4):
        value = losses(v, f, c, i)["dsm"]()
        gs = [torch.zeros_like(p) if q is None else q for p, q in zip(v.values(), grad(value, list(v.values()), allow_unused=True))]
        norm = torch.sqrt(sum((q * q).sum() for q in gs))
        ls.append(value.item()), ns.append(norm.item())
        for j, (p, q) in enumerate(zip(v.values(), gs)):
            q = q * min(1.0, 1.0 / (norm.item() + 1e-6))
            m1[j] = 0.9 * m1[j] + 0.1 * q
            m2[j] = 0.999 * m2[j] + 0.001 * q * q
            p.data -= 1e-3 * (m1[j] / (1 - 0.9**t)) / (torch.sqrt(m2[j] / (1 - 0.999**t)) + 1e-8)
    out["adam3_dsm"] = {"losses": ls, "grad_norms": ns, "weights": {k: p.tolist() for k, p in v.items()}}
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--dim", type=int, default=2)
    ap.add_argument("--hidden", default="16,16")
    ap.add_argument("--points", type=int, default=8)
    ap.add_argument("--k", type=int, default=2)
    ap.add_argument("--activations", default="silu,tanh")
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    hidden = [int(h) for h in a.hidden.split(",") if h]
    n, d = a.points, a.dim
    c = dict(dsm_sigma=0.2, nce_std=1.7, nce_k=a.k, ml_alpha=0.3, langevin_step=0.03, normalized_langevin_step=0.07)
    c.update(hmc_step=0.15, hmc_leapfrog=7, hmc_mass=1.3, cnce_std=0.4)
    unit = torch.randn(n, d)
    i = {"x": rounded(1.5 * torch.randn(n, d)), "x_neg": rounded(1.5 * torch.randn(n, d)), "eps": rounded(torch.randn(n, d))}
    i["v_unit"] = unit / unit.norm(dim=1, keepdim=True)
    i["nce_noise"] = rounded(1.7 * torch.randn(n * a.k, d))
    i["momentum"], i["uniform"] = rounded(torch.randn(n, d)), rounded(torch.rand(n)).clamp(0.001, 0.999)
    nets = {}
    for act in a.activations.split(","):
        widths, w = [d] + hidden + [1], {}
        for l in range(1, len(widths)):
            w[f"W{l}"] = rounded(torch.randn(widths[l], widths[l - 1]) / math.sqrt(widths[l - 1])).requires_grad_(True)
            w[f"b{l}"] = rounded(0.3 * torch.randn(widths[l])).requires_grad_(True)
        nets[act] = network(act, c, i, w)
    lists = {k: v.tolist() for k, v in i.items()}
    print(json.dumps({"dim": d, "hidden": hidden, "constants": c, "inputs": lists, "nets": nets}))


if __name__ == "__main__":
    main()
