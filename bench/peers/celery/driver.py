"""Chains of three tasks in a closed loop; one thread starts them and takes their results.

driver.py --clients N --seconds S --warm-up S
"""

import contextlib
import time
import uuid

import load
from tasks import app, first, second, third


def main() -> None:
    options = load.parser().parse_args()
    window = load.Window(options)
    idle = options.clients

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
        chain = first.s(load.PAYLOAD) | second.s() | third.s()
        chain.apply_async(task_id=name)

    while window.open():
        while idle and window.open():
            idle -= 1
            start()
            drain(0.001)
        drain(0.02)
    window.report()


def drain(timeout: float) -> None:
    """Carries out what results have arrived."""
    with contextlib.suppress(TimeoutError):
        app.backend.result_consumer.drain_events(timeout=timeout)


main()
