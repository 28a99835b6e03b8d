"""Tasks beside a clock: let them run for a moment, and cancel them."""

import asyncio

DAY = 86_400.0
FEW_TURNS = 30


async def a_few_turns():
    for _ in range(FEW_TURNS):
        await asyncio.sleep(0)


async def cancelled(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
