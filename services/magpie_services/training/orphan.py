"""A process ends with the one that started it, for nobody would hear what it found."""

import os
import threading
import time

POLL_SECONDS = 0.5
EXIT_CODE = 5


def die_with(parent: int) -> None:
    """Watches the parent, a process id, from a thread; ends this process without ceremony once it is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(EXIT_CODE)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
