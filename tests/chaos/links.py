"""The network between the nodes of a chaos run: a proxy for each dialling direction.

Each node reaches each peer through a port of its own (tests/chaos/hindrance.c sends
its connections there), so that what flows from one node to another can be cut or
slowed down for that direction alone. A cut direction carries nothing, and loses
nothing of what TCP would send again: its bytes wait in the sockets, as they would
until the connection is given up. New connections wait likewise. Needs no privileges.
"""

import collections
import heapq
import itertools
import selectors
import socket
import struct
import threading
import time

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
CHUNK = 64 << 10
# Of one direction of a connection; a slow link holds what is under way.
MOST_BUFFERED = 4 << 20


class Flow:
    """What goes from one node to another, over all connections between them."""

    def __init__(self):
        self.cut = False
        self.delay_s = 0.0


class Stream:
    """One direction of one connection."""

    def __init__(self, flow, source, target):
        self.flow = flow
        self.source = source
        self.target = target
        self.waiting = collections.deque()  # (due, bytes)
        self.buffered = 0
        self.ended = False  # the source has sent all
        self.finished = False  # and the target was told

    def wants_read(self):
        return not (self.flow.cut or self.ended or self.buffered >= MOST_BUFFERED)

    def is_due(self, now):
        return bool(self.waiting) and not self.flow.cut and self.waiting[0][0] <= now


class Connection:
    def __init__(self, streams):
        self.streams = streams
        self.sockets = [x.source for x in streams]
        self.masks = [0, 0]


class Links:
    """Runs in a thread of its own; the methods may be called from any."""

    def __init__(self, ports, take_port):
        """`ports`: of the nodes, by name. `take_port` gives an unused one."""
        self.ports = ports
        pairs = list(itertools.permutations(ports, 2))
        self.flows = {pair: Flow() for pair in pairs}
        self.entries = {pair: take_port() for pair in pairs}
        self.listeners = {}
        self.connections = set()
        self.timers = []  # (due, number, connection)
        self.numbers = itertools.count()
        self.tasks = collections.deque()
        self.selector = selectors.DefaultSelector()
        self.wake_out, self.wake_in = socket.socketpair()
        self.wake_out.setblocking(False)
        self.wake_in.setblocking(False)
        self.selector.register(self.wake_out, READ, self.on_wake)
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def redirections(self, name):
        """For COVEY_CHAOS_LINKS of a node."""
        return ",".join(
            f"{self.ports[to]}={port}" for (by, to), port in self.entries.items() if by == name
        )

    def cut(self, *pairs):
        self.change(pairs, "cut", True)

    def slow(self, delay_s, *pairs):
        self.change(pairs, "delay_s", delay_s)

    def heal(self, *pairs):
        self.change(pairs, "cut", False)
        self.change(pairs, "delay_s", 0.0)

    def listen(self, name, on):
        """Whether connections to a node are accepted or refused, as its port would."""
        self.do(lambda: [self.set_listener(pair, on) for pair in self.entries if pair[1] == name])

    def close(self):
        self.do(lambda: setattr(self, "ended", True))
        self.thread.join()
        for connection in list(self.connections):
            self.drop(connection)
        for pair in list(self.listeners):
            self.set_listener(pair, False)
        self.selector.close()
        self.wake_out.close()
        self.wake_in.close()

    def change(self, pairs, field, value):
        def act():
            for pair in pairs:
                setattr(self.flows[pair], field, value)
            for connection in list(self.connections):
                self.pump(connection)
            for pair in self.listeners:
                self.watch_listener(pair)

        self.do(act)

    def do(self, task):
        """Runs `task` in the thread and waits until it is done."""
        done = threading.Event()
        self.tasks.append((task, done))
        self.wake_in.send(b"x")
        if not done.wait(30):
            raise AssertionError("the links do not answer")

    # -- In the thread.

    def run(self):
        while not self.ended:
            wait = max(0, self.timers[0][0] - time.monotonic()) if self.timers else None
            for key, mask in self.selector.select(wait):
                key.data(mask)
            now = time.monotonic()
            while self.timers and self.timers[0][0] <= now:
                connection = heapq.heappop(self.timers)[2]
                if connection in self.connections:
                    self.pump(connection)

    def on_wake(self, _):
        self.wake_out.recv(CHUNK)
        while self.tasks:
            task, done = self.tasks.popleft()
            task()
            done.set()

    def set_listener(self, pair, on):
        if on and pair not in self.listeners:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.entries[pair]))
            listener.listen(64)
            listener.setblocking(False)
            self.listeners[pair] = [listener, False]
            self.watch_listener(pair)
        elif not on and pair in self.listeners:
            listener, watched = self.listeners.pop(pair)
            if watched:
                self.selector.unregister(listener)
            listener.close()

    def watch_listener(self, pair):
        """A connection needs both directions to come about."""
        entry = self.listeners[pair]
        wanted = not (self.flows[pair].cut or self.flows[pair[::-1]].cut)
        if wanted and not entry[1]:
            self.selector.register(entry[0], READ, lambda _: self.accept(pair))
        elif entry[1] and not wanted:
            self.selector.unregister(entry[0])
        entry[1] = wanted

    def accept(self, pair):
        if pair not in self.listeners:
            return
        try:
            near, _ = self.listeners[pair][0].accept()
        except OSError:
            return
        far = socket.socket()
        for end in near, far:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A refusal shows as an error of the first read.
        far.connect_ex(("127.0.0.1", self.ports[pair[1]]))
        there = Stream(self.flows[pair], near, far)
        back = Stream(self.flows[pair[::-1]], far, near)
        connection = Connection([there, back])
        self.connections.add(connection)
        self.pump(connection)

    def on_ready(self, connection, mask, i):
        if connection in self.connections:
            if mask & READ:
                self.read(connection, connection.streams[i])
            self.pump(connection)

    def read(self, connection, stream):
        if not stream.wants_read():
            return
        try:
            data = stream.source.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection)
            return
        due = time.monotonic() + stream.flow.delay_s if stream.flow.delay_s else 0
        if not data:
            stream.ended = True
        stream.waiting.append((due, data))
        stream.buffered += len(data)
        if due:
            heapq.heappush(self.timers, (due, next(self.numbers), connection))

    def pump(self, connection):
        """Passes on what is due and watches for what comes next."""
        if connection not in self.connections:
            return
        now = time.monotonic()
        blocked = [False, False]
        for i, stream in enumerate(connection.streams):
            if not self.write(connection, stream, now):
                return
            blocked[1 - i] = stream.is_due(now)
        if all(x.finished for x in connection.streams):
            self.drop(connection)
            return
        for i, stream in enumerate(connection.streams):
            mask = (READ if stream.wants_read() else 0) | (WRITE if blocked[i] else 0)
            self.watch(connection, i, mask)

    def write(self, connection, stream, now):
        """False if the connection is over."""
        while stream.is_due(now):
            due, data = stream.waiting[0]
            try:
                if data:
                    sent = stream.target.send(data)
                else:
                    stream.target.shutdown(socket.SHUT_WR)
                    stream.finished = True
                    sent = 0
            except BlockingIOError:
                return True
            except OSError:
                self.drop(connection)
                return False
            stream.buffered -= sent
            stream.waiting.popleft()
            if sent < len(data):
                stream.waiting.appendleft((due, data[sent:]))
        return True

    def watch(self, connection, i, mask):
        old, end = connection.masks[i], connection.sockets[i]
        connection.masks[i] = mask
        if old == mask:
            return
        if not old:
            self.selector.register(end, mask, lambda ready: self.on_ready(connection, ready, i))
        elif not mask:
            self.selector.unregister(end)
        else:
            key = self.selector.get_key(end)
            self.selector.modify(end, mask, key.data)

    def drop(self, connection):
        """Resets both ends."""
        self.connections.discard(connection)
        for i, end in enumerate(connection.sockets):
            self.watch(connection, i, 0)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
