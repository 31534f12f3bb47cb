"""Lets Python import PyTorch from a CUDA wheel whose CUDA libraries are not installed.

    torch_without_cuda.py FOLDER   compiles the stand-ins into FOLDER
    import torch_without_cuda      loads them from the environment's folder no-cuda, before torch asks for the real ones

The wheel on PyPI is built with CUDA and links to 2 GB of libraries that a test on the processor never calls. Each is
replaced by an empty library of its name; functions are bound when they are first called, so none is ever missed."""
import ctypes
import glob
import os
import subprocess
import sys

NAMES = """libcublas.so.13 libcublasLt.so.13 libcudnn.so.9 libcufft.so.12 libcufile.so.0 libcusolver.so.12 libcusparse.so.12
libcusparseLt.so.0 libnccl.so.2 libnvrtc.so.13 libnvshmem_host.so.3""".split()
# The one variable that is looked up when the libraries load; its version is part of its name.
CODE = {"libnvshmem_host.so.3": "char nvshmem_selected_device_transport[256];"}
VERSIONS = {"libnvshmem_host.so.3": "NVSHMEM { global: *; };"}


def compile_stand_ins(folder):
    script = os.path.join(folder, "versions")
    for name in NAMES:
        command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", os.path.join(folder, name), f"-Wl,-soname,{name}"]
        if name in VERSIONS:
            with open(script, "w") as file:
                file.write(VERSIONS[name])
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, input=CODE.get(name, ""), text=True, check=True)


if __name__ == "__main__":
    compile_stand_ins(sys.argv[1])
else:
    for stand_in in glob.glob(os.path.join(sys.prefix, "no-cuda", "*.so.*")):
        ctypes.CDLL(stand_in)
    sys.setdlopenflags(os.RTLD_LAZY)
