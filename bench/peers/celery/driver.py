"""Chains of three tasks in a closed loop: some threads start them, one takes their results.

driver.py --clients N --seconds S --warm-up S
"""

import contextlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import load
from tasks import app, first, second, third

#: Each waits until the broker has its message, so one alone would be the limit.
STARTERS = 16


def main() -> None:
    options = load.parser().parse_args()
    window = load.Window(options)
    idle = options.clients
    starters = ThreadPoolExecutor(STARTERS)
    here = app.thread_oid

    def start() -> None:
        began = time.perf_counter()
        name = uuid.uuid4().hex

        def ended(result: object) -> None:
            nonlocal idle
            if result.result != load.PAYLOAD:  # type: ignore[attr-defined]
                raise ValueError(f"a chain ended with {result.result!r:.200}")  # type: ignore[attr-defined]
            window.add(began)
            idle += 1

        # The client listens before the chain starts, so that no result is missed.
        app.AsyncResult(name).then(ended)
        begin = first.s(load.PAYLOAD).set(ignore_result=True)
        chain = begin | second.s() | third.s().set(reply_to=here)
        starters.submit(chain.apply_async, task_id=name)

    while window.open():
        while idle and window.open():
            idle -= 1
            start()
            drain(0.001)
        drain(0.02)
    window.report()
    starters.shutdown(wait=False, cancel_futures=True)
    time.sleep(load.DRAIN_SECONDS)


def drain(timeout: float) -> None:
    """Carries out what results have arrived."""
    with contextlib.suppress(TimeoutError):
        app.backend.result_consumer.drain_events(timeout=timeout)


main()
