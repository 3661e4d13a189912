"""Shards of a data set on the double of the Hub, and how many of each there are."""

from __future__ import annotations

from pixtrawl.exporters.splits import Splitting, parse_shares

SPLIT = {"splitting": Splitting(shares=parse_shares("train=0.5,val=0.5"))}
