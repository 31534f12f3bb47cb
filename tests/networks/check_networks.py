"""Exports reference networks from torchvision and timm and runs each through `ouaf verify`.

    OUAF_BINARY=… check_networks.py LIST…                      every network of the lists, as exported and optimised
    OUAF_BINARY=… check_networks.py LIST… --results FILE       the same, adding to FILE what is not there yet
    check_networks.py --results FILE --table                   that file as Markdown

A list has one `library:name@side` a line. A network that the exporter itself refuses is told apart from one that fails."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")


def read_lists(paths):
    for path in paths:
        with open(path) as file:
            yield from (line.split("#")[0].strip() for line in file if line.split("#")[0].strip())


def verify(folder):
    run = subprocess.run([os.environ["OUAF_BINARY"], "verify", os.path.join(folder, "model.onnx"), "--data",
                          os.path.join(folder, "test_data_set_0")], capture_output=True, text=True)
    verdict = {0: "ok", 1: "wrong", 3: "unsupported"}.get(run.returncode, f"ended with {run.returncode}")
    return verdict, (run.stdout.strip() or run.stderr.strip()).replace(folder, "")


def check(spec):
    # Not at the top: --table needs no PyTorch.
    from reference_network import export_reference
    result = {"network": spec}
    with tempfile.TemporaryDirectory() as folder:
        try:
            compared, result["parameters"] = export_reference(spec, folder)
        except Exception as error:  # whatever the exporter throws
            lines = str(error).strip().splitlines() or [""]
            return result | {"not exported": f"{type(error).__name__}: {lines[0][:160]}"}
        for form, gradients in compared.items():
            verdict, line = verify(os.path.join(folder, form))
            result[form] = {"verdict": verdict, "gradients": gradients} | ({"line": line} if verdict != "ok" else {})
    return result


def read_results(path):
    if not path or not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def cell(result, form):
    if form not in result:
        return "not exported"
    verdict = result[form]["verdict"]
    return f"{result[form]['gradients']} of {result['parameters']}" if verdict == "ok" else verdict


def table(results):
    print("| network | as it is | optimised by the exporter |\n|---|---|---|")
    for result in sorted(results, key=lambda each: each["network"]):
        print(f"| {result['network']} | {cell(result, 'plain')} | {cell(result, 'optimised')} |")


def summary(results):
    for library in ("torchvision", "timm"):
        rows = [each for each in results if each["network"].startswith(library + ":")]
        for form in ("plain", "optimised"):
            verdicts = [each[form]["verdict"] if form in each else "not exported" for each in rows]
            if rows:
                print(f"{library}, {form}: " + ", ".join(f"{verdicts.count(each)} {each}" for each in sorted(set(verdicts))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lists", nargs="*")
    parser.add_argument("--results")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    results = read_results(arguments.results)
    if arguments.table:
        return table(results)
    done = {each["network"] for each in results}
    for spec in read_lists(arguments.lists):
        if spec in done:
            continue
        result = check(spec)
        results.append(result)
        for form in ("plain", "optimised"):
            print(f"{spec}, {form}: {result[form].get('line', 'ok') if form in result else result['not exported']}",
                  flush=True)
        if arguments.results:
            with open(arguments.results, "a") as file:
                file.write(json.dumps(result) + "\n")
    summary(results)
    return int(any(form in each and each[form]["verdict"] != "ok" for each in results for form in ("plain", "optimised")))


if __name__ == "__main__":
    sys.exit(main())
