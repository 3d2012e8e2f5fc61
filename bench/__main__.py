"""``python -m bench``: every row of the table of budgets that can be measured so far."""

from bench.runner import main
from bench.workloads import (
    disk,
    growth,
    ingest,
    many_processes,
    save_many,
    save_one,
    save_process,
    search_process,
)

if __name__ == "__main__":
    main(
        [
            save_process.WORKLOAD,
            search_process.WORKLOAD,
            save_one.WORKLOAD,
            save_many.WORKLOAD,
            ingest.WORKLOAD,
            disk.WORKLOAD,
            many_processes.WORKLOAD,
            growth.WORKLOAD,
        ]
    )
