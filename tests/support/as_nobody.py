"""Become a program that refuses to run as root: ``as_nobody.py COMMAND…``, by root only."""

import os
import pwd
import sys

if __name__ == "__main__":
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    os.execv(sys.argv[1], sys.argv[1:])
