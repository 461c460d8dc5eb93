"""A worker whose log's disk is full from the moment at which it is ready; it then says so on stdout.

python -m tests.stream.speechless_worker AGENT: the settings come from the environment.
"""

import os
import sys

from agents.cli.console import load_settings
from agents.cli.operation import operate
from agents.runtime.process import Runtime


def fill_the_disk(_: Runtime) -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
    print("ready", flush=True)


if __name__ == "__main__":
    operate._announce = fill_the_disk
    operate._serve(Runtime(load_settings(), [sys.argv[1]], page=False))
