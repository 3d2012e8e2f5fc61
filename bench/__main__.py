"""``python -m bench``: every row of the table of budgets that can be measured so far."""

from bench.runner import main
from bench.workloads import (
    context_process,
    disk,
    growth,
    ingest,
    many_processes,
    mcp_server,
    mesh_bytes,
    mesh_return,
    mesh_seen,
    retrieval,
    save_many,
    save_one,
    save_process,
    search_library,
    search_process,
    secrets,
    simulated,
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
            mesh_seen.WORKLOAD,
            mesh_return.RETURN,
            mesh_return.BOOTSTRAP,
            mesh_bytes.BYTES,
            many_processes.WORKLOAD,
            mcp_server.WORKLOAD,
            simulated.WORKLOAD,
            retrieval.WORKLOAD,
            mesh_bytes.IDLE,
            growth.WORKLOAD,
            context_process.WORKLOAD,
            secrets.WORKLOAD,
        ]
    )
