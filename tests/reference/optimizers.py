"""The optimizers against torch.optim's, and Lion and LAMB against timm's: the same twelve steps, in float64.

    optimizers.py DUMP_OPTIMIZER"""
import subprocess
import sys
import unittest

import numpy as np
import timm.optim
import torch

BINARY = sys.argv.pop()
# name: what makes PyTorch's, given parameter groups; with options [momentum, nesterov, weight decay, beta2].
CASES = [
    ("sgd", lambda g: torch.optim.SGD(g), 0, 0, 0.0),
    ("sgd", lambda g: torch.optim.SGD(g, momentum=0.9, nesterov=True), 0.9, 1, 0.1),
    ("sgd", lambda g: torch.optim.SGD(g, momentum=0.8), 0.8, 0, 0.1),
    ("rmsprop", lambda g: torch.optim.RMSprop(g), 0, 0, 0.1),
    ("rmsprop", lambda g: torch.optim.RMSprop(g, momentum=0.9), 0.9, 0, 0.0),
    ("adam", lambda g: torch.optim.Adam(g), 0, 0, 0.1),
    ("adamw", lambda g: torch.optim.AdamW(g), 0, 0, 0.1),
    ("adamax", lambda g: torch.optim.Adamax(g), 0, 0, 0.1),
    ("nadam", lambda g: torch.optim.NAdam(g), 0, 0, 0.1),
    ("lion", lambda g: timm.optim.Lion(g, betas=(0.9, 0.99)), 0, 0, 0.1, 0.99),
    ("lamb", lambda g: timm.optim.Lamb(g, eps=1e-8, max_grad_norm=None, always_adapt=True), 0, 0, 0.1),
]


def reference(make, weight_decay):
    number = {"dtype": torch.float64}
    parameters = [torch.linspace(-1, 2, 12, **number).reshape(3, 4), torch.linspace(0.5, -0.5, 5, **number)]
    optimizer = make([{"params": [parameters[0]], "lr": 0.01, "weight_decay": weight_decay},
                      {"params": [parameters[1]], "lr": 0.005, "weight_decay": 0.0}])
    for step in range(1, 13):
        for each in parameters:
            wave = torch.sin(torch.arange(each.numel(), **number) + step).reshape(each.shape)
            each.grad = each.detach() - 1 + wave
        optimizer.step()
    return torch.cat([each.reshape(-1) for each in parameters]).numpy()


class Optimizers(unittest.TestCase):
    def test_same_steps(self):
        for name, make, *options in CASES:
            with self.subTest(name, options=options):
                run = subprocess.run([BINARY, name, *map(str, options)], check=True, capture_output=True, text=True)
                ours = np.array(run.stdout.split(), float)
                # Both are float64, but for the product of momenta of NAdam, which PyTorch keeps in float32.
                np.testing.assert_allclose(ours, reference(make, options[2]), rtol=1e-8, atol=1e-12)


if __name__ == "__main__":
    unittest.main()
