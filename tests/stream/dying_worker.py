"""A worker that is killed with -9 when the broker has acknowledged its n-th event.

python -m tests.stream.dying_worker N AGENT: the settings come from the environment.
"""

import asyncio
import os
import signal
import sys

from agents.runtime.process import Runtime
from streams.events import Event
from streams.kafka.app import Outlet
from streams.settings import Settings


def main(deadly: int, agent: str) -> None:
    sent = 0
    send = Outlet.send

    async def last_words(outlet: Outlet, event: Event) -> None:
        nonlocal sent
        await send(outlet, event)
        sent += 1
        if sent == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    Outlet.send = last_words  # type: ignore[method-assign]
    asyncio.run(Runtime(Settings(), [agent], page=False).run(lambda _: None))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
