"""A pool of workers: the same work for many items, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_WORKERS = 8
Item = TypeVar("Item")


async def for_all(items: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Do the work for every item. If one raises, the others end, and an ExceptionGroup is raised."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_WORKERS):
            tasks.create_task(worker())
