"""One script a workload; each runs alone (``python -m bench.workloads.save_one``) or by bench."""
