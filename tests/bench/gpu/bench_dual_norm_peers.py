#!/usr/bin/env python3
"""Times what PyTorch offers for the MLA dual RMSNorm, as bench_dual_norm times Tandem's kernel: replayed CUDA graphs over
rotating buffers, median of 31 replays, by device events.

    bench_dual_norm_peers.py [--dims 1536,512,64] [--dtype bf16|f16] [--tokens 1,32,...]

Columns: torch.compile of two RMSNorms on views of a projection [tokens, Q + KV + PE]; one Triton kernel of a program per
(token, part); and the relative error of each against float64.
"""
import argparse
import statistics

import torch
import triton
import triton.language as tl

EPS = 1e-6


@triton.jit
def norm_rows(x, q_weight, kv_weight, q_out, kv_out, pitch, q_len, kv_len, eps, block: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, block)
    if tl.program_id(1) == 0:
        mask = at < q_len
        values = tl.load(x + row * pitch + at, mask=mask, other=0.0).to(tl.float32)
        scale = tl.rsqrt(tl.sum(values * values) / q_len + eps)
        weight = tl.load(q_weight + at, mask=mask, other=0.0).to(tl.float32)
        tl.store(q_out + row * q_len + at, values * scale * weight, mask=mask)
    else:
        mask = at < kv_len
        values = tl.load(x + row * pitch + q_len + at, mask=mask, other=0.0).to(tl.float32)
        scale = tl.rsqrt(tl.sum(values * values) / kv_len + eps)
        weight = tl.load(kv_weight + at, mask=mask, other=0.0).to(tl.float32)
        tl.store(kv_out + row * kv_len + at, values * scale * weight, mask=mask)


def median_replay(function, inputs):
    """Microseconds of one call, replayed in a graph that calls it once for each input."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for x in inputs[:2]:
            function(x)
    torch.cuda.synchronize()
    graph, results = torch.cuda.CUDAGraph(), []
    with torch.cuda.graph(graph):
        for x in inputs:
            results.append(function(x))
    times = []
    for i in range(34):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        if i >= 3:
            times.append(begin.elapsed_time(end) * 1e3 / len(inputs))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dims", default="1536,512,64")
    parser.add_argument("--dtype", default="bf16", choices=["bf16", "f16"])
    parser.add_argument("--tokens", default="1,32,128,512,2048,8192,32768,131072")
    options = parser.parse_args()
    q_len, kv_len, pe = map(int, options.dims.split(","))
    dtype = {"bf16": torch.bfloat16, "f16": torch.float16}[options.dtype]
    pitch = q_len + kv_len + pe
    torch.manual_seed(0)
    q_weight = torch.randn(q_len, device="cuda", dtype=dtype)
    kv_weight = torch.randn(kv_len, device="cuda", dtype=dtype)

    def two_norms(x):
        norm = torch.nn.functional.rms_norm
        return norm(x[:, :q_len], (q_len,), q_weight, EPS), norm(x[:, q_len : q_len + kv_len], (kv_len,), kv_weight, EPS)

    def one_kernel(x):
        q_out = torch.empty(x.shape[0], q_len, device="cuda", dtype=dtype)
        kv_out = torch.empty(x.shape[0], kv_len, device="cuda", dtype=dtype)
        block = triton.next_power_of_2(max(q_len, kv_len))
        norm_rows[(x.shape[0], 2)](x, q_weight, kv_weight, q_out, kv_out, pitch, q_len, kv_len, EPS, block, num_warps=4)
        return q_out, kv_out

    torch._dynamo.config.recompile_limit = 64
    peers = {"torch.compile": torch.compile(two_norms, dynamic=False), "triton": one_kernel}
    print(torch.cuda.get_device_name(), "torch", torch.__version__, "triton", triton.__version__, options.dtype)
    print(f"{'tokens':>8}" + "".join(f"{name + ' us':>18} {'error':>8}" for name in peers))
    for tokens in map(int, options.tokens.split(",")):
        sets = max(2, min(64, int(3e8 // (tokens * pitch * 2)) + 1))
        inputs = [torch.randn(tokens, pitch, device="cuda", dtype=dtype) for _ in range(sets)]
        want = [w * (x := part.double()) / (x.pow(2).mean(-1, keepdim=True) + EPS).sqrt() for w, part in
                ((q_weight, inputs[0][:, :q_len]), (kv_weight, inputs[0][:, q_len : q_len + kv_len]))]
        line = f"{tokens:8}"
        for function in peers.values():
            error = max(((g.double() - w).norm() / w.norm()).item() for g, w in zip(function(inputs[0]), want))
            line += f"{median_replay(function, inputs):18.3f} {error:8.1e}"
        print(line, flush=True)


main()
