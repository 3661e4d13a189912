"""Start ONNX files in onnxruntime on a device; the only module that imports onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pixtrawl.cores import usable_cores
from pixtrawl.errors import MissingExtraError, UsageError

__all__ = ["DEVICES", "one_line", "starter"]

# Devices by name, those that are tried first for `auto` first.
_PROVIDERS: Final = {
    "cuda": "CUDAExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
DEVICES: Final = ("auto", *_PROVIDERS)
_PACKAGES: Final = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml"}


def starter(device: str) -> Callable[[Path], Any]:
    """Return a function that starts an ONNX file on a device; `auto` takes the first that works.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        UsageError: this onnxruntime has no such device. The function raises it for a file that
            is no model, and for a device that cannot be started.
    """
    if device not in DEVICES:
        raise UsageError(f"--device: {device!r} is none of {', '.join(DEVICES)}")
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("an ONNX model", "clip") from None
    onnxruntime.disable_telemetry_events()
    offered = onnxruntime.get_available_providers()
    if device != "auto" and _PROVIDERS[device] not in offered:
        package = _PACKAGES.get(device)
        hint = f" (pip install {package})" if package else ""
        raise UsageError(f"--device {device}: this onnxruntime has no {_PROVIDERS[device]}{hint}")
    wanted = [p for name, p in _PROVIDERS.items() if device in {name, "auto"} and p in offered]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised; its log goes to our stderr
    options.intra_op_num_threads = usable_cores()  # it would count the machine's
    # Spinning threads would take the cores from the decoding ones.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")

    def start(path: Path) -> Any:
        try:
            running = onnxruntime.InferenceSession(path, options, providers=wanted)
        except Exception as error:  # onnxruntime's classes have no root of their own
            raise UsageError(
                f"{path}: is no model that onnxruntime reads ({one_line(error)})"
            ) from error
        # It falls back to the processor in silence, which is right for `auto` alone.
        if device != "auto" and wanted[0] not in running.get_providers():
            raise UsageError(f"--device {device}: {wanted[0]} cannot be started here")
        return running

    return start


def one_line(error: Exception) -> str:
    """Return an error's message on one line, cut to 300 characters."""
    return " ".join(str(error).split())[:300]
