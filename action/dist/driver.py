"""Runs dbt in one long-lived process, so that its start is paid once and not at every invocation.

Reads one JSON request a line from stdin: {"id": 1, "args": ["build", ...], "env": {"NAME": "value"}}.
Writes one JSON answer a line to the stdout that it was started with; whatever dbt prints goes to
stderr. Ends when stdin ends, so it never outlives the process that started it.
"""

import json
import os
import queue
import signal
import sys
import threading

ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
CANCEL_SECONDS = 5.0
# Set while dbt runs; set once the process is to end.
BUSY = threading.Event()
STOPPING = threading.Event()


def answer(message):
    ANSWERS.write(json.dumps(message) + "\n")
    ANSWERS.flush()


def stop(*_signal):
    """Gives dbt a moment to cancel its queries, then ends the process whatever it is doing."""
    # A second interrupt would reach dbt while it cancels.
    if STOPPING.is_set():
        return
    STOPPING.set()
    timer = threading.Timer(CANCEL_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()
    # A real signal: nothing less wakes a main thread that waits for a lock.
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def read_requests(requests):
    for line in sys.stdin:
        if line.strip():
            requests.put(json.loads(line))
    requests.put(None)
    if BUSY.is_set():
        stop()


def node_result(result):
    node = result.node
    response = result.adapter_response or {}
    status = result.status
    return {
        "unique_id": node.unique_id,
        "name": node.name,
        "resource_type": str(getattr(node.resource_type, "value", node.resource_type)),
        "status": str(getattr(status, "value", status)),
        "message": None if result.message is None else str(result.message),
        "failures": result.failures,
        "execution_time": result.execution_time,
        "rows_affected": response.get("rows_affected"),
        "compiled_path": getattr(node, "compiled_path", None),
        "tested": getattr(node, "attached_node", None)
        or getattr(node, "tested_node_unique_id", None),
    }


class Events:
    """Warnings and errors of one invocation. Debug events are the bulk, and are let go at once."""

    def __init__(self):
        self.collected = []

    def __call__(self, event):
        level = event.info.level
        level = getattr(level, "value", level)
        if level in ("warn", "error"):
            self.collected.append(
                {"level": level, "name": event.info.name, "message": event.info.msg}
            )


def invoke(runner_class, request):
    for name in [name for name in os.environ if name.startswith("DBT_")]:
        del os.environ[name]
    os.environ.update(request["env"])
    events = Events()
    outcome = runner_class(callbacks=[events]).invoke(request["args"])
    results = getattr(outcome.result, "results", None)
    exception = outcome.exception
    return {
        "id": request["id"],
        "success": outcome.success,
        "interrupted": isinstance(exception, KeyboardInterrupt),
        "exception": None if exception is None else str(exception),
        "exception_type": None if exception is None else type(exception).__name__,
        "results": None if results is None else [node_result(result) for result in results],
        "events": events.collected,
    }


def main():
    try:
        from dbt.cli.main import dbtRunner
        from dbt.version import __version__ as core_version
    except ImportError as error:
        answer({"ready": False, "error": str(error)})
        return
    try:
        from dbt.adapters.postgres.__version__ import version as postgres_version
    except ImportError:
        postgres_version = None

    # dbt cancels its queries when it is interrupted, so that is what every way of stopping becomes.
    signal.signal(signal.SIGTERM, stop)
    requests = queue.Queue()
    threading.Thread(target=read_requests, args=(requests,), daemon=True).start()
    answer({"ready": True, "core": core_version, "postgres": postgres_version})
    while True:
        request = requests.get()
        if request is None:
            return
        BUSY.set()
        outcome = invoke(dbtRunner, request)
        BUSY.clear()
        answer(outcome)


try:
    main()
except KeyboardInterrupt:
    pass
finally:
    ANSWERS.flush()
    # Threads that dbt leaves behind must not keep the process alive.
    os._exit(0)
