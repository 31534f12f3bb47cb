"""ONNX's own test cases through `ouaf verify`: nothing may be wrong, and what image classifiers use has to run.

    OUAF_BINARY=… test_onnx_cases.py [--every 8]

Needs the pinned onnx package. Every case is made anew from it; the table at the end says how each operator fares."""
import argparse
import collections
import os
import subprocess
import sys
import tempfile

import onnx

# Operators whose cases have to run for 95 in 100, but for those of element types that no classifier computes in
# (text, float8, 4 bits and fewer). Casts into such types are the types' cases, not the operators'.
NEEDED = """Conv ConvTranspose Gemm MatMul BatchNormalization LayerNormalization GroupNormalization
InstanceNormalization LRN MaxPool AveragePool LpPool GlobalMaxPool GlobalAveragePool Sigmoid Relu Tanh LeakyRelu Elu
Selu Celu ThresholdedRelu PRelu Softplus Softsign Mish Gelu HardSigmoid HardSwish Swish Clip Softmax LogSoftmax Hardmax
Add Sub Mul Div Pow Mod Max Min Sum Mean Abs Neg Reciprocal Sqrt Exp Log Erf Floor Ceil Round Sign Where Cast CastLike
Equal Less Greater LessOrEqual GreaterOrEqual And Or Xor Not ReduceMean ReduceSum ReduceProd ReduceMax ReduceMin
ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp ArgMax ArgMin CumSum Reshape Transpose Concat Split Slice
Pad Squeeze Unsqueeze Expand Tile Gather GatherElements GatherND ScatterElements ScatterND Shape Size ConstantOfShape
Range Resize Upsample DepthToSpace SpaceToDepth Einsum TopK OneHot Trilu Flatten Identity Constant Dropout GridSample
LpNormalization MeanVarianceNormalization RMSNormalization RotaryEmbedding Attention""".split()
NARROW = ("has the element type", "element type 1", "element type 2")


def operator(case):
    """The operator that a case is about; for one written out as a function, nothing."""
    model = onnx.load(os.path.join(case, "model.onnx"))
    nodes = [node.op_type for node in model.graph.node]
    return nodes[0] if len(nodes) == 1 else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        make = os.path.join(os.path.dirname(os.path.abspath(__file__)), "make_cases.py")
        subprocess.run([sys.executable, make, out, "--every", str(arguments.every)], check=True)
        cases = sorted(os.path.join(out, kind, name) for kind in os.listdir(out)
                       for name in os.listdir(os.path.join(out, kind)))
        run = subprocess.run([os.environ["OUAF_BINARY"], "verify", *cases], capture_output=True, text=True)
        said = dict(line.split(": ", 1) for line in run.stdout.splitlines() if line.startswith(out))
        counts = collections.defaultdict(collections.Counter)
        for case in cases:
            line = said.get(case, "ok")
            kind = os.path.basename(os.path.dirname(case))
            what = operator(case) if kind == "node" else kind
            narrow = line.startswith("unsupported") and any(text in line for text in NARROW)
            counts[what]["narrow" if narrow else line.split(":")[0]] += 1
    failures = [f"{case}: {line}" for case, line in said.items() if not line.startswith("unsupported: ")]
    if run.returncode not in (0, 3) and not failures:
        failures.append(f"ouaf verify ended with {run.returncode}: {run.stderr.strip()[-500:]}")
    needed = sum((counts[name] for name in NEEDED), collections.Counter())
    share = needed["ok"] / max(1, needed["ok"] + needed["unsupported"] + needed["wrong"])
    if share < 0.95:
        failures.append(f"{share:.1%} of the needed operators' cases run; 95 % have to")
    for kind in ("light", "pytorch-operator", "pytorch-converted"):
        if counts[kind]["unsupported"] or counts[kind]["narrow"]:
            failures.append(f"{kind}: {dict(counts[kind])}; all have to run")
    for what in sorted(name for name, count in counts.items() if name and count["unsupported"]):
        print(f"{what:32} {counts[what]['ok']:5} ok {counts[what]['unsupported']:5} unsupported")
    print(run.stdout.splitlines()[-1] if run.stdout else "")
    print(f"needed operators: {dict(needed)}, {share:.1%} run (narrow element types apart)")
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


main()
