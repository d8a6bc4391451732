"""x -> down projection -> norms -> q_b projection on one GPU: tandem beside torch.compile, in one run.

Usage: block.py TANDEM [TOKENS...]

Both are timed alike: a recorded graph over rotating inputs, replayed, by the device's events, the median of 30. They take
turns, since the clock moves under the load of many tokens: each figure is the median of three turns.
"""
import json
import os
import statistics
import subprocess
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
Q, KV, PE, HIDDEN, HEADS, EPS, SETS = 1536, 512, 64, 7168, 24576, 1e-6, 4
TURNS = 3


def rms(x, weight):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPS)).to(x.dtype) * weight


def block(x, w_qkv_a, q_w, kv_w, w_q_b):
    q, kv = (x @ w_qkv_a.t()).split([Q, KV + PE], dim=-1)
    c, pe = kv.split([KV, PE], dim=-1)
    return rms(q, q_w) @ w_q_b.t(), rms(c, kv_w), pe


def time_graph(function, argument_sets, rounds=30):
    for arguments in argument_sets:
        function(*arguments)
    torch.cuda.synchronize()
    graph, kept = torch.cuda.CUDAGraph(), []
    with torch.cuda.graph(graph):
        for arguments in argument_sets:
            kept.append(function(*arguments))
    for _ in range(3):
        graph.replay()
    times = []
    for _ in range(rounds):
        start, stop = torch.cuda.Event(True), torch.cuda.Event(True)
        start.record()
        graph.replay()
        stop.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(stop) * 1e3 / len(argument_sets))
    return statistics.median(times)


def torch_timer():
    """What times torch.compile's program for each number of tokens."""
    make = lambda *shape, scale=1.0: torch.randn(*shape, device="cuda", dtype=torch.bfloat16) * scale
    weights = (make(Q + KV + PE, HIDDEN, scale=0.01), make(Q), make(KV), make(HEADS, Q, scale=0.01))
    compiled = torch.compile(block, dynamic=False)
    return lambda tokens: {t: time_graph(compiled, [(make(t, HIDDEN), *weights) for _ in range(SETS)]) for t in tokens}


def time_tandem(tandem, tokens):
    sweep = "T=" + ",".join(map(str, tokens))
    command = [tandem, "bench", os.path.join(HERE, "block.txt"), "--device", "hip", "--sweep", sweep, "--steps", "--json",
               "--flag", "fuse_mla_dual_rms_norm=on"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def print_steps(report, tokens):
    print(report["machine"])
    for t, size in zip(tokens, report["sizes"]):
        for step in size["variants"][0]["steps"]:
            print(f"  {t:6} {step['us']:9.2f} us {step['gb_per_s']:8.0f} GB/s  {step['op']} ({step['provider']})")


def main():
    tandem, tokens = sys.argv[1], [int(t) for t in sys.argv[2:]] or [1, 32, 128, 2048, 8192]
    time_torch = torch_timer()
    turns = {name: {t: [] for t in tokens} for name in ("optimised", "as read", "compile")}
    for turn in range(TURNS):
        report = time_tandem(tandem, tokens)
        if turn == 0:
            print_steps(report, tokens)
        for t, size in zip(tokens, report["sizes"]):
            for variant in size["variants"]:
                turns[variant["variant"]][t].append(variant["median_us"])
        for t, time in time_torch(tokens).items():
            turns["compile"][t].append(time)
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}; microseconds")
    print(f"{'tokens':>8} {'tandem':>10} {'unfused':>10} {'compile':>10} {'compile / tandem':>18}")
    for t in tokens:
        fused, unfused, theirs = (statistics.median(turns[name][t]) for name in ("optimised", "as read", "compile"))
        print(f"{t:8} {fused:10.2f} {unfused:10.2f} {theirs:10.2f} {theirs / fused:18.3f}")


main()
