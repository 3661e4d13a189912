"""Statements of site owners to programs: robots.txt, `X-Robots-Tag`, tdmrep.json."""
