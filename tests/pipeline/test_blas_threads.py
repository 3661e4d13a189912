"""A run computes on one thread of BLAS: more of them wait for each other in busy loops."""

from __future__ import annotations

import base64
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.matrices import slow

pytestmark = pytest.mark.timeout(180)

# Runs the command, then asks the BLAS that is loaded for its threads.
_PROGRAM = """
import ctypes, sys
from pathlib import Path
from pixtrawl.cli.main import main
code = main(sys.argv[1:])
assert code == 0, code
lines = Path("/proc/self/maps").read_text().splitlines()
found = {line.split()[-1] for line in lines if "openblas" in line.rpartition("/")[2]}
for path in found:
    library = ctypes.CDLL(path)
    for name in ("scipy_openblas_get_num_threads64_", "openblas_get_num_threads"):
        if hasattr(library, name):
            print("threads", getattr(library, name)())
"""


def picture(seed: int) -> bytes:
    """A JPEG that no rule takes for junk."""
    noise = Image.frombytes("RGB", (9, 7), random.Random(seed).randbytes(189))
    file = io.BytesIO()
    noise.resize((640, 480), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks /proc for the library")
@pytest.mark.parametrize(
    ("junk", "ending"), [slow("keep", "jsonl"), ("drop", "jsonl"), slow("keep", "parquet")]
)
def test_a_download_computes_on_one_thread_of_blas(tmp_path: Path, junk: str, ending: str) -> None:
    uris = [f"data:image/jpeg;base64,{base64.b64encode(picture(n)).decode()}" for n in range(3)]
    manifest = tmp_path / f"urls.{ending}"
    if ending == "parquet":
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pa.table({"url": uris}), manifest)
    else:
        manifest.write_text("\n".join(json.dumps({"url": uri}) for uri in uris))
    command = [
        sys.executable, "-c", _PROGRAM, "download", str(manifest), "-o", str(tmp_path / "set"),
        "--min-size", "1x1", "--junk", junk, "-q",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("threads ")]
    if not said:
        pytest.skip("numpy's BLAS is not OpenBLAS here")
    assert set(said) == {"threads 1"}


def test_the_parts_of_a_run_leave_numpy_to_the_one_place_that_loads_it() -> None:
    code = (
        "import sys, pixtrawl.pipeline.session, pixtrawl.cli.commands.download, "
        "pixtrawl.engines.worker_process; print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
