"""The tasks of Celery's chain, for the worker and the driver. PEER_* say how."""

import os

from celery import Celery
from celery.signals import worker_ready

app = Celery("tasks", broker=os.environ["PEER_BROKER"], backend=os.environ["PEER_RESULTS"])
app.conf.update(
    task_acks_late=True,  # a task is acknowledged when it is done
    # Whether a publisher waits until the broker has the message on disk.
    broker_transport_options={"confirm_publish": True} if os.environ.get("PEER_CONFIRMS") else {},
    result_persistent=True,
    broker_connection_retry_on_startup=True,
)


@app.task(ignore_result=True)
def first(value: str) -> str:
    return value


@app.task(ignore_result=True)
def second(value: str) -> str:
    return value


@app.task
def third(value: str) -> str:
    return value


@worker_ready.connect
def say(**_: object) -> None:
    print("worker is up", flush=True)
