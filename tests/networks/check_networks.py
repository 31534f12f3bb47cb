"""Exports reference networks from torchvision and timm and runs each through `ouaf verify`.

    OUAF_BINARY=… check_networks.py LIST…                      every network of the lists, as exported and optimised
    OUAF_BINARY=… check_networks.py LIST… --results FILE       the same, adding to FILE what is not there yet
    check_networks.py --results FILE --table                   that file as docs/networks.md

A list has one `library:name@side` a line. A network that the exporter itself refuses is told apart from one that fails.
Where float32 differs, the network is exported once more in float64, in which PyTorch's own gradients don't jump where a
ReLU is about to switch: what differs there too is wrong. What agrees there alone is marked."""
import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
LIBRARIES = ("torchvision", "timm")
FORMS = ("plain", "optimised")


def read_lists(paths):
    for path in paths:
        with open(path) as file:
            yield from (line.split("#")[0].strip() for line in file if line.split("#")[0].strip())


def verify(folder):
    run = subprocess.run([os.environ["OUAF_BINARY"], "verify", os.path.join(folder, "model.onnx"), "--data",
                          os.path.join(folder, "test_data_set_0")], capture_output=True, text=True)
    verdict = {0: "ok", 1: "wrong", 3: "unsupported"}.get(run.returncode, f"ended with {run.returncode}")
    return verdict, (run.stdout.strip() or run.stderr.strip()).replace(folder, "")


def export(spec, folder, double):
    """export_reference in a process of its own, which gives its memory back; a text where the exporter refuses."""
    # Not at the top: --table needs no PyTorch.
    from reference_network import export_reference

    def run():
        try:
            sender.send(export_reference(spec, folder, double))
        except Exception as error:  # whatever the exporter throws
            # PyTorch's exporter tells the cause in a line of its own, under what it says each time.
            lines = [line.strip() for line in str(error).strip().splitlines()] or [""]
            cause = next((line for line in lines if line.startswith("<class")), lines[0])
            sender.send(f"{type(error).__name__}: {cause[:200]}")

    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=run)
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        return "the exporter's process ended"
    finally:
        child.join()


def check(spec):
    result = {"network": spec}
    for double in (False, True):
        wrong = {form for form in FORMS if form in result and result[form]["verdict"] == "wrong"}
        if double and not wrong:
            break
        with tempfile.TemporaryDirectory() as folder:
            exported = export(spec, folder, double)
            if isinstance(exported, str):
                return result if double else result | {"not exported": exported}
            compared, result["parameters"] = exported
            for form in wrong if double else FORMS:
                verdict, line = verify(os.path.join(folder, form))
                if double and verdict != "ok":
                    continue
                result[form] = {"verdict": verdict, "gradients": compared[form]}
                if verdict != "ok":
                    result[form]["line"] = line
                elif double:
                    result[form]["precision"] = "float64"
    return result


def read_results(path):
    if not path or not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def cell(result, form):
    if form not in result:
        return "not exported"
    verdict, gradients = result[form]["verdict"], result[form]["gradients"]
    precision = ", float64" if "precision" in result[form] else ""
    return f"{gradients} of {result['parameters']}{precision}" if verdict == "ok" else verdict


def counts(results, library, form):
    """How many networks of a library ended how: {"ok": 79, "wrong": 1}."""
    rows = [each for each in results if each["network"].startswith(library + ":")]
    verdicts = [each[form]["verdict"] if form in each else "not exported" for each in rows]
    return {each: verdicts.count(each) for each in sorted(set(verdicts))}


def reasons(results):
    """(what was said, the networks it was said of) for all that is not ok."""
    said = {}
    for result in results:
        for form in FORMS:
            line = result[form].get("line") if form in result else result["not exported"]
            if line:
                said.setdefault(line, {})[result["network"]] = None
    return said.items()


def table(results):
    results = sorted(results, key=lambda each: each["network"])
    print("""# Networks of torchvision and timm

Made by `tests/networks/check_networks.py --results FILE --table`. Each network was exported by PyTorch, as it is and optimised
by the exporter, with random weights and ten classes; `ouaf verify` compared logits, loss and gradients with PyTorch's own.
*gradients* are those compared and the network's parameters: optimising renames or folds the others. *float64*: in float32
the gradients jump where a unit is about to switch, and float64 decided.
""")
    print("| | as it is | optimised |\n|---|---|---|")
    for library in LIBRARIES:
        cells = [", ".join(f"{n} {verdict}" for verdict, n in counts(results, library, form).items()) for form in FORMS]
        print(f"| {library} | {cells[0]} | {cells[1]} |")
    print("\nNot ok:\n")
    for line, networks in reasons(results):
        print(f"- {', '.join(networks)}: `{line}`")
    print("\n| network | gradients, as it is | optimised |\n|---|---|---|")
    for result in results:
        print(f"| {result['network']} | {cell(result, 'plain')} | {cell(result, 'optimised')} |")


def summary(results):
    for library in LIBRARIES:
        for form in FORMS:
            if ended := counts(results, library, form):
                print(f"{library}, {form}: " + ", ".join(f"{n} {verdict}" for verdict, n in ended.items()))


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
        for form in FORMS:
            print(f"{spec}, {form}: {result[form].get('line', 'ok') if form in result else result['not exported']}",
                  flush=True)
        if arguments.results:
            with open(arguments.results, "a") as file:
                file.write(json.dumps(result) + "\n")
    summary(results)
    return int(any(form in each and each[form]["verdict"] != "ok" for each in results for form in FORMS))


if __name__ == "__main__":
    sys.exit(main())
