"""The figures that the project promises, measured: `python -m tests.bench [names...]` writes
build/bench.json.

One module for each kind of figure: `rates`, `memory`, `queries`, `disk`, `recovery`, and `peers`, which
runs by itself. What is measured runs in child processes (`*_child.py`), so that nothing of the harness is
counted.
"""
