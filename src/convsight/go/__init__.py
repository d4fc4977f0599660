"""Go: a policy network that learns from game records and plays (lecture, rows L8 and L9)."""

from convsight.errors import extra

extra("numba", "go")
extra("sgfmill", "go")
