"""Become another program, once the guard knows this process group.

Run as a script by the supervisor: ``leash.py REGISTER_FD COMMAND…``. The file descriptor is the guard's
list of process groups. The guard reads until nobody can write any more, so a supervisor that is killed
between starting this process and noting it down loses nothing.
"""

import os
import sys

if __name__ == "__main__":
    register = int(sys.argv[1])
    os.write(register, b"%d\n" % os.getpgrp())
    os.close(register)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - it becomes the command of a Service, no shell
