"""DBOS: a workflow of three steps, in the driver's process.

driver.py --clients N --seconds S --warm-up S --store URL
"""

import asyncio

from dbos import DBOS, DBOSConfig

import load

STEPS = ("first", "second", "third")


@DBOS.step()
async def step(name: str, value: str) -> str:
    return value


@DBOS.workflow()
async def pipeline(value: str) -> str:
    for name in STEPS:
        value = await step(name, value)
    return value


async def main() -> None:
    made = load.parser()
    made.add_argument("--store", required=True)
    options = made.parse_args()
    DBOS(
        config=DBOSConfig(
            name="bench",
            system_database_url=options.store,
            log_level="ERROR",
            run_admin_server=False,
        )
    )
    DBOS.launch()
    await load.closed_loop(options, lambda _: pipeline(load.PAYLOAD))
    DBOS.destroy(workflow_completion_timeout_sec=0)


asyncio.run(main())
