"""Parts of the campaigns on a table that are exported."""

START = """\
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
seeds = 2
baseline = "ridge"
"""
"""The problem and the protocol."""
TWO = """
[[experiment]]
name = "ridge"
model.kind = "ridge"

[[experiment]]
name = "stiff"
parent = "ridge"
hypothesis = "fewer wiggles"
model.alpha = 100.0
"""
"""A baseline and an experiment that was made from it."""
NETWORK = """
[[experiment]]
name = "net"
model = { kind = "mlp", hidden = [4] }
training.epochs = 5
"""
