"""Ten steps of training in `ouaf verify` against PyTorch's own: losses and the batch norms' running statistics.

    OUAF_BINARY=… check_training.py [NETWORK…]     by default, all below"""
import sys
import tempfile
import warnings

from check_networks import verify

NETWORKS = """torchvision:resnet18 torchvision:mobilenet_v2 torchvision:densenet121 torchvision:regnet_y_400mf
timm:efficientnet_lite0 timm:convnext_atto""".split()


def main():
    warnings.filterwarnings("ignore")
    from training_reference import export_training
    failed = False
    for spec in sys.argv[1:] or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            export_training(spec, folder)
            verdict, line = verify(folder)
        failed = failed or verdict != "ok"
        print(f"{spec}: {line}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
