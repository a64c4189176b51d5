"""Title: Ask somebody outside
How: Sockets of every family, names, the loopback device, services that listen under a path, and a pair of sockets that sends elsewhere.
After: answers from the network, and a place to send the inputs and the course to
Stopped by: no sockets but pairs, and a network of its own with nothing in it
"""

import glob
import os
import socket

OUTCOME = {"echo": "failed", "twice": "failed"}
LEVELS = ["namespaces", "user", "process"]


def gained():
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET, 40):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            try:
                socket.socket(family, kind).close()
                return True
            except OSError:
                continue
    for host in ("example.org", "localhost"):
        try:
            socket.create_connection((host, 80), timeout=1).close()
            return True
        except OSError:
            continue
    if glob.glob("/run/**/*.sock", recursive=True) and os.path.ismount("/sandbox"):
        return True
    try:
        socket.socketpair(30, socket.SOCK_SEQPACKET)  # TIPC reaches other machines
        return True
    except OSError:
        return False


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
