"""numpy is loaded as the command loads it, before a test imports it: threads of BLAS would wait for
each other in busy loops, beside the suite's other processes (six times the processor time of a small
product of matrices)."""

from pixtrawl.numeric import load_numpy

load_numpy()
