"""LangGraph: a graph of three nodes with the SQLite checkpointer, in the driver's process.

driver.py --clients N --seconds S --warm-up S --store FILE
"""

import asyncio
import itertools
import uuid
from typing import TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

import load


class State(TypedDict):
    value: str


async def step(state: State) -> State:
    return {"value": state["value"]}


async def main() -> None:
    made = load.parser()
    made.add_argument("--store", required=True)
    options = made.parse_args()
    builder = StateGraph(State)
    names = [START, "first", "second", "third", END]
    for name in names[1:-1]:
        builder.add_node(name, step)
    for before, after in itertools.pairwise(names):
        builder.add_edge(before, after)
    async with AsyncSqliteSaver.from_conn_string(options.store) as saver:
        graph = builder.compile(checkpointer=saver)

        async def run(_: int) -> str:
            thread = {"configurable": {"thread_id": uuid.uuid4().hex}}
            ended = await graph.ainvoke({"value": load.PAYLOAD}, thread, durability="sync")
            return str(ended["value"])

        await load.closed_loop(options, run)


asyncio.run(main())
