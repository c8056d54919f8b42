"""The calls of the API, by the names that both clients give them."""

from __future__ import annotations

from . import blobs, people, runs, sessions
from . import events as event_calls
from . import project as project_calls
from .forms import Call, Items, Streamed


class Calls:
    """What `Client` and `AsyncClient` can do."""

    start = Call(runs.start)
    get = Call(runs.get)
    wait = Call(runs.wait)
    list = Items(runs.runs)
    journal = Items(runs.journal)
    follow = Streamed(runs.follow)
    cancel = Call(runs.cancel)
    pause = Call(runs.pause)
    resume = Call(runs.resume)
    retry = Call(runs.retry)
    signal = Call(runs.signal)
    fork = Call(runs.fork)
    tax = Call(runs.tax)

    approvals = Items(people.approvals)
    approve = Call(people.approve)
    reject = Call(people.reject)
    dead_letters = Items(people.dead_letters)
    requeue = Call(people.requeue)
    delete_dead_letter = Call(people.delete_dead_letter)
    purge_dead_letters = Call(people.purge_dead_letters)

    publish = Call(event_calls.publish)
    publish_batch = Call(event_calls.publish_batch)
    events = Items(event_calls.events)
    tail = Streamed(event_calls.tail)

    session = Call(sessions.session)
    get_state = Call(sessions.get_state)
    put_state = Call(sessions.put_state)
    delete_state = Call(sessions.delete_state)
    snapshot = Call(sessions.snapshot)

    put_blob = Call(blobs.put_blob)
    get_blob = Call(blobs.get_blob)

    project = Call(project_calls.project)
    put_project = Call(project_calls.put_project)
    check_project = Call(project_calls.check_project)
