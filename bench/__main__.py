"""``python -m bench``: every row of the table of budgets that can be measured so far."""

from bench.runner import main
from bench.workloads import (
    disk,
    growth,
    ingest,
    many_processes,
    retrieval,
    save_many,
    save_one,
    save_process,
    search_library,
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
            search_library.WORKLOAD,
            disk.WORKLOAD,
            many_processes.WORKLOAD,
            retrieval.WORKLOAD,
            growth.WORKLOAD,
        ]
    )
