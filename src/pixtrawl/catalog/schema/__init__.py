"""The tables, the states of their rows, and the migrations from older versions."""
