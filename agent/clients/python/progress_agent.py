"""Tells a progress-agent how far a job is. One file, only the standard library, Python 3.9 and later.

    import progress_agent

    with progress_agent.session("nightly", total_files=2) as job:
        with job.file("a.pdf", bytes=1 << 20) as file:
            file.update(progress=40, stage="parsing")

    for row in progress_agent.track(rows, "import"):
        store(row)

Events go over the agent's Unix stream socket from a thread of the client's own; the job never waits for the agent
and never fails because of it. What the agent has not acknowledged is kept, within a bound, and sent again after a
reconnect. Without an agent everything here does nothing, after one warning in the log `progress_agent`.

All of it may be used from any thread. A forked child tells what it does itself, over a stream of its own.
"""

from __future__ import annotations

import atexit
import collections
import datetime
import json
import logging
import math
import os
import random
import select
import socket
import sys
import threading
import time
import uuid
import weakref
from typing import (Any, Callable, Deque, Dict, Generic, Iterable, Iterator, List, Mapping, NamedTuple, Optional,
                    Tuple, Type, TypeVar, Union)

__all__ = ["Client", "File", "Session", "Statistics", "default_client", "join", "session", "track"]

Item = TypeVar("Item")
When = Union[datetime.datetime, float, int, str]

_log = logging.getLogger("progress_agent")
_DEFAULT_SOCKET = "/run/progress-agent/agent.sock"
_BATCH_BYTES = 64 * 1024
_OVERHEAD_BYTES = 120  # what a kept event costs beside its text
_ANSWER_SECONDS = 5.0  # how long the agent may take to accept a connection and to welcome
_RETRY_SECONDS = (0.05, 2.0)  # the first wait before another connection, and the longest
_COUNT_SECONDS = 0.5  # how often the counts of track() are sent
_LONGEST_TEXT = 500  # characters of a reason or an error
_FILES_AN_EVENT = 100  # files of one `files` event: 100 names of 512 bytes fit into a line


# ---- Events as text

_WORDS: Dict[str, str] = {}  # field names as the agent spells them


def _word(name: str) -> str:
    """total_files -> totalFiles"""
    word = _WORDS.get(name)
    if word is None:
        first, *rest = name.split("_")
        word = _WORDS[name] = first + "".join(part.capitalize() for part in rest)
    return word


def _fields(given: Mapping[str, Any]) -> Dict[str, Any]:
    """The fields of an event: named as the agent names them, without those that are None."""
    return {_word(name): value for name, value in given.items() if value is not None}


def _adapt(value: Any) -> Any:
    """What JSON has no form for: times become RFC 3339, numbers of other libraries plain ones, the rest its str()."""
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if hasattr(value, "__index__"):
        return int(value)
    return float(value) if hasattr(value, "__float__") else str(value)


def _plain(value: Any) -> Any:
    """The same without what no agent takes: NaN and infinity are left out, broken Unicode is escaped."""
    if not isinstance(value, (str, int, float, list, tuple, Mapping, type(None))):
        value = _adapt(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        cleaned = ((str(_plain(str(key))), _plain(item)) for key, item in value.items())
        return {key: item for key, item in cleaned if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _encode(event: Mapping[str, Any]) -> bytes:
    """One line of NDJSON."""
    try:
        text = json.dumps(event, separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=_adapt)
        return text.encode() + b"\n"
    except (TypeError, ValueError):
        return json.dumps(_plain(event), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class _Clock:
    """Unix time that never runs backwards within the process: a file's events keep their order when the wall clock
    is set back. After a suspension of the machine it catches up."""

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()

    def now(self) -> float:
        now, wall = self._ahead + time.monotonic(), time.time()
        if wall > now + 1:
            self._ahead += wall - now
            now = wall
        return round(now, 6)


_clock = _Clock()


# ---- What is to be sent, and what may have to be sent again


class _Event(NamedTuple):
    number: int  # from 1 in the order they were made
    line: bytes


class _Essence:
    """What the agent must hear of a running session even when older events were given up: how it started, its
    updates, and its latest counts. Each is one event that holds all fields said so far."""

    KINDS = ("session.start", "session.update", "progress")

    def __init__(self) -> None:
        self.said: Dict[str, Tuple[int, Dict[str, Any]]] = {}
        self.ended: Optional[int] = None

    def add(self, number: int, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind == "session.end":
            self.ended = number
        elif kind == "session.start":
            self.said, self.ended = {kind: (number, dict(event))}, None
        else:
            self.said[kind] = (number, {**self.said.get(kind, (0, {}))[1], **event})


class _Buffer:
    """The events that are still needed, in their order: first those sent, then those not sent. An event is needed
    until the agent has it for good: on disk, or, with an agent that keeps all in memory, for as long as there is
    room, because that agent may be restarted and know nothing. Not locked."""

    def __init__(self, limit: int) -> None:
        self.limit, self.bytes = limit, 0
        self.newest = self.acknowledged = 0  # numbers of events
        self.dropped = 0
        self.sent: Deque[_Event] = collections.deque()
        self.unsent: Deque[_Event] = collections.deque()
        self.sessions: Dict[str, _Essence] = {}

    def append(self, event: Mapping[str, Any], line: bytes) -> int:
        self.newest += 1
        kind, session = event["event"], event["session"]
        if kind in _Essence.KINDS or kind == "session.end" and session in self.sessions:
            self.sessions.setdefault(session, _Essence()).add(self.newest, event)
        self.unsent.append(_Event(self.newest, line))
        self.bytes += len(line) + _OVERHEAD_BYTES
        dropped = self.dropped
        while self.bytes > self.limit and len(self.unsent) + len(self.sent) > 1:
            self._give_up_oldest()
        return self.dropped - dropped

    def _give_up_oldest(self) -> None:
        event = (self.sent or self.unsent).popleft()
        self.bytes -= len(event.line) + _OVERHEAD_BYTES
        self.dropped += event.number > self.acknowledged

    def take(self, most: int) -> List[_Event]:
        """The next events to send, of about `most` bytes together."""
        taken, size = [], 0
        while self.unsent and size < most:
            taken.append(self.unsent.popleft())
            size += len(taken[-1].line)
        self.sent.extend(taken)
        return taken

    def acknowledge(self, number: int, durable: bool) -> None:
        self.acknowledged = max(self.acknowledged, min(number, self.newest))
        while durable and self.sent and self.sent[0].number <= number:
            self.bytes -= len(self.sent.popleft().line) + _OVERHEAD_BYTES
        over = [name for name, essence in self.sessions.items()
                if essence.ended and essence.ended <= self.acknowledged]
        for name in over:
            del self.sessions[name]

    def rewind(self, last: int) -> None:
        """A new connection to an agent that has everything up to number `last`: the rest is to be sent (again)."""
        self.acknowledged = max(0, min(last, self.newest))
        self.requeue()
        while self.unsent and self.unsent[0].number <= last:
            self.sent.append(self.unsent.popleft())

    def requeue(self) -> None:
        """Everything that is kept goes out again, and of running sessions the essence of what is not."""
        while self.sent:
            self.unsent.appendleft(self.sent.pop())
        missing = {number: fields for essence in self.sessions.values() for number, fields in essence.said.values()}
        for event in self.unsent:
            missing.pop(event.number, None)
        for number in sorted(missing, reverse=True):
            line = _encode(missing[number])
            self.unsent.appendleft(_Event(number, line))
            self.bytes += len(line) + _OVERHEAD_BYTES
        self.unsent = collections.deque(sorted(self.unsent))


# ---- One connection


class _Broken(Exception):
    """The connection is of no more use; why."""


class _Link:
    """A connected stream socket: lines out, JSON objects in. Only the client's thread uses it."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self._heard = bytearray()
        try:
            self.socket.settimeout(_ANSWER_SECONDS)
            self.socket.connect(path)
        except BaseException:
            self.socket.close()
            raise

    def say_hello(self, producer: str) -> Mapping[str, Any]:
        self.socket.sendall(_encode({"event": "hello", "producer": producer, "ack": True}))
        deadline = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < deadline:
            for reply in self.hear():
                if "welcome" in reply:
                    return dict(reply["welcome"])
                raise _Broken(f"it answered hello with {reply}")
        raise _Broken(f"no welcome within {_ANSWER_SECONDS:g} s")

    def hear(self) -> List[Mapping[str, Any]]:
        got = self.socket.recv(65536)
        if not got:
            raise _Broken("it closed the connection")
        self._heard += got
        *lines, rest = bytes(self._heard).split(b"\n")
        self._heard[:] = rest
        if len(rest) > 1 << 20:
            raise _Broken("its reply has no end")
        try:
            replies = [json.loads(line) for line in lines if line]
        except ValueError as fault:
            raise _Broken(f"its reply is no JSON: {fault}") from None
        if not all(isinstance(reply, dict) for reply in replies):
            raise _Broken("its reply is no object")
        return replies

    def close(self) -> None:
        self.socket.close()


class Statistics(NamedTuple):
    """What became of the events of this process."""

    made: int
    acknowledged: int  # without acknowledgement: handed to the operating system
    refused: int  # by the agent; the log says why
    dropped: int  # the buffer was full, or the process forked or ended before they could be sent
    connections: int


# ---- The client

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


class Client:
    """A stream to one agent. Most jobs need none: `session()` and `track()` use `default_client()`.

    socket: the agent's Unix socket; else $PROGRESS_AGENT_INGEST_SOCKET, else /run/progress-agent/agent.sock.
        "" turns everything off.
    producer: who this process is to the agent. Give one that stays the same over restarts of the job to learn by
        `last_seq` how many of its events the agent has; the default is new for each process.
    acknowledged: keep each event until the agent says that it has it. Without, events are sent once, and those
        that an ending agent had not read are lost.
    buffer_bytes: how much is kept; when it is full the oldest events are given up, and counted.
    wait: for how long an agent that has not been there yet may hold up flush(), and the end of the process.
    farewell: for how long the end of the process waits for the last acknowledgement.
    """

    def __init__(self, socket: Optional[str] = None, *, producer: Optional[str] = None, acknowledged: bool = True,
                 buffer_bytes: int = 8 << 20, wait: float = 1.0, farewell: float = 5.0) -> None:
        given = os.environ.get("PROGRESS_AGENT_INGEST_SOCKET", _DEFAULT_SOCKET) if socket is None else socket
        self.path = os.fspath(given)
        self.wait, self.farewell = wait, farewell
        self._named = producer
        self._acknowledged = acknowledged
        self._buffer_bytes = buffer_bytes
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        """The state of a process that has told nothing yet."""
        self.pid = os.getpid()
        fork = f"/{self.pid}" if getattr(self, "forked", False) else ""
        self.producer = (self._named + fork) if self._named else f"python-{self.pid}-{uuid.uuid4().hex[:12]}"
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._buffer = _Buffer(self._buffer_bytes)
        self._thread: Optional[threading.Thread] = None
        self._waker: Optional[Tuple[int, int]] = None
        self._link: Optional[_Link] = None
        self._asleep = self._closing = self._warned_of_loss = False
        self._patient_until: Optional[float] = None  # by then an agent must have been there
        self._offset: Optional[int] = None  # seq of an event - its number
        self._welcomed: Optional[int] = None
        self._durable = False
        self._outgoing = b""
        self._lines_outgoing: List[_Event] = []
        self._refused = self._connections = 0
        self._warned: set[str] = set()
        self._fault: Optional[Exception] = None  # why the last attempt to talk failed
        self.open_sessions: Dict[int, Session] = {}

    # What a job uses.

    @property
    def enabled(self) -> bool:
        return bool(self.path)

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def last_seq(self) -> Optional[int]:
        """How many events of this producer the agent had when this process first reached it; None before that."""
        return self._welcomed

    def statistics(self) -> Statistics:
        with self._lock:
            return Statistics(self._buffer.newest, self._buffer.acknowledged, self._refused, self._buffer.dropped,
                              self._connections)

    def emit(self, event: str, session: str, **fields: Any) -> None:
        """Any event, its fields spelled with underscores: emit("file", "nightly", file="a", bytes_done=3)."""
        if self.path:
            self._put({"event": event, "session": session, "ts": _clock.now(), **_fields(fields)})

    def connect(self, timeout: float = 10.0) -> bool:
        """Waits until the agent was reached; whether it was."""
        if not self.path:
            return False
        deadline = time.monotonic() + timeout
        with self._lock:
            self._start()
            while self._link is None and time.monotonic() < deadline and not self._closing:
                self._changed.wait(max(0.0, deadline - time.monotonic()))
            return self._link is not None

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until the agent has everything that was said so far; whether it has. An agent that was never there
        is waited for `wait` seconds from the first event on, once."""
        deadline = time.monotonic() + timeout
        with self._lock:
            wanted = self._buffer.newest
            while self._buffer.acknowledged < wanted:
                left = deadline - time.monotonic()
                if self._offset is None and self._patient_until is not None:
                    left = min(left, self._patient_until - time.monotonic())
                if left <= 0 or self._thread is None:
                    break
                self._changed.wait(left)
            told = self._buffer.acknowledged >= wanted
        if not told:
            self._say_missing()
        return told

    def close(self, timeout: Optional[float] = None) -> bool:
        """Flushes and ends the thread; what is said afterwards begins a new one. Sessions that are open stay so."""
        told = self.flush(self.farewell if timeout is None else timeout)
        self.open_sessions.clear()
        with self._lock:
            self._closing = True
            self._wake()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_ANSWER_SECONDS)
        return told

    # Events in.

    def _put(self, event: Mapping[str, Any]) -> None:
        try:
            line = _encode(event)
        except Exception as fault:  # never the job's trouble
            self._warn("encode", f"an event was not sent: {fault}")
            return
        with self._lock:
            lost = self._buffer.append(event, line)
            self._start()
            if self._asleep:
                self._wake()
        if lost and not self._warned_of_loss and self._offset is not None:
            self._warned_of_loss = True
            _log.warning("the agent at %s takes no events and %d bytes of them are waiting: the oldest are given up",
                         self.path, self._buffer_bytes)

    def _start(self) -> None:
        """Under the lock: begins the thread unless it runs."""
        if self._thread is None or self._closing and not self._thread.is_alive():
            self._closing = False
            self._waker = self._waker or os.pipe()
            for end in self._waker:
                os.set_blocking(end, False)
            self._patient_until = self._patient_until or time.monotonic() + self.wait
            thread = threading.Thread(target=self._run, name="progress-agent", daemon=True)
            try:
                thread.start()
            except RuntimeError as fault:  # the interpreter is ending, or there are too many
                self._warn("thread", f"progress is not reported: {fault}")
                return
            self._thread = thread
            _flush_when_a_worker_ends()

    def _wake(self) -> None:
        self._asleep = False
        if self._waker is not None:
            try:
                os.write(self._waker[1], b"!")
            except BlockingIOError:
                pass  # it has been woken often enough

    # The thread.

    def _run(self) -> None:
        pause, chance, opened = _RETRY_SECONDS[0], random.Random(), math.inf
        while not self._closing:
            try:
                self._open()
                opened = time.monotonic()
                if self._acknowledged:  # it has answered; otherwise only time tells that it listens
                    pause = _RETRY_SECONDS[0]
                self._converse()
            except (OSError, _Broken) as fault:
                self._fault = fault
                self._say_missing()
            except Exception:  # a fault of this file must end neither the thread in silence nor the job
                self._warn("internal", "reporting progress failed")
                _log.debug("why", exc_info=True)
            finally:
                self._hang_up()
            with self._lock:
                if not self._closing:
                    self._changed.wait(pause * chance.uniform(0.7, 1.3))
            pause = _RETRY_SECONDS[0] if time.monotonic() - opened > 1 else min(2 * pause, _RETRY_SECONDS[1])
            opened = math.inf
        with self._lock:
            self._thread = None
            for end in self._waker or ():
                os.close(end)
            self._waker = None

    def _say_missing(self) -> None:
        if self._offset is None and self._patient_until is not None and time.monotonic() >= self._patient_until:
            self._warn("missing", f"no progress-agent at {self.path}: {self._fault or 'no answer'}; "
                       "progress is not reported, the job goes on")

    def _warn(self, what: str, text: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            _log.warning("%s", text)

    def _open(self) -> None:
        """Connects, learns what the agent has, and sees what to send."""
        link = _Link(self.path)
        try:
            welcome = link.say_hello(self.producer) if self._acknowledged else {}
            last = welcome.get("lastSeq", 0)
            if not isinstance(last, int):
                raise _Broken(f"its welcome is {welcome}")
            link.socket.setblocking(False)
        except BaseException:
            link.close()
            raise
        with self._lock:
            if self._offset is None:
                self._offset = self._welcomed = last
            self._offset = max(self._offset, last - self._buffer.newest)  # another process used our name
            self._durable = bool(welcome.get("durable", False)) or not self._acknowledged
            if self._acknowledged:
                self._buffer.rewind(last - self._offset)
                self._buffer.acknowledge(last - self._offset, self._durable)
            else:
                self._buffer.requeue()
            self._link = link
            self._connections += 1
            self._changed.notify_all()

    def _hang_up(self) -> None:
        with self._lock:
            if self._link is not None:
                self._link.close()
                self._link = None
            if not self._acknowledged and self._lines_outgoing:
                self._forget_written()
            self._outgoing, self._lines_outgoing = b"", []

    def _forget_written(self) -> None:
        """Without acknowledgement: of the batch under way only the lines that were not wholly written go out again."""
        left = len(self._outgoing)
        for event in reversed(self._lines_outgoing):
            if left <= 0:
                self._buffer.acknowledge(event.number, durable=True)
                return
            left -= len(event.line)

    def _converse(self) -> None:
        """Sends and hears until the connection breaks, or close() and all was said."""
        link, waker = self._link, self._waker
        assert link is not None and waker is not None
        poller = select.poll()
        poller.register(waker[0], select.POLLIN)
        while True:
            counting = self._send_counts()
            with self._lock:
                if not self._outgoing:
                    self._load()
                if self._closing and not self._outgoing:
                    return
                self._asleep = not self._outgoing
            poller.register(link.socket, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
            for ready, what in poller.poll(1000 * _COUNT_SECONDS if counting else None):
                if ready == waker[0]:
                    os.read(waker[0], 4096)
                elif what & ~select.POLLOUT:
                    self._hear(link)
                else:
                    self._write(link)

    def _load(self) -> None:
        """Under the lock: the next batch."""
        events = self._buffer.take(_BATCH_BYTES)
        if self._acknowledged:
            offset = self._offset or 0
            self._outgoing = b"".join(b'{"seq":%d,' % (offset + number) + line[1:] for number, line in events)
        else:
            self._lines_outgoing = events
            self._outgoing = b"".join(line for _, line in events)

    def _write(self, link: _Link) -> None:
        try:
            self._outgoing = self._outgoing[link.socket.send(self._outgoing):]
        except BlockingIOError:
            return
        if not self._outgoing and not self._acknowledged:
            self._settle(self._lines_outgoing[-1].number)

    def _hear(self, link: _Link) -> None:
        try:
            replies = link.hear()
        except BlockingIOError:
            return
        acknowledged = max((reply["ack"] for reply in replies if isinstance(reply.get("ack"), int)), default=None)
        if acknowledged is not None:
            self._settle(acknowledged - (self._offset or 0))
        for reply in replies:
            error = reply.get("error")
            if isinstance(error, dict):
                self._refused += 1
                code = error.get("code")
                self._warn(f"refused: {code}", f"the agent refused an event: {code}: {error.get('message')}")
                if code == "overloaded":  # it did not use up its number: come back and send from there
                    raise _Broken("it is overloaded")

    def _settle(self, number: int) -> None:
        with self._lock:
            self._buffer.acknowledge(number, self._durable)
            self._changed.notify_all()

    def _send_counts(self) -> bool:
        """Lets sessions under track() say how far they are, and ends those left; whether there are any."""
        sessions = list(self.open_sessions.values())
        for each in sessions:
            each.end_if_left()
        return any([each.send_counts() for each in sessions])

    # The process's forks and its end.

    def _after_fork(self) -> None:
        """In the child: what the parent has said, it sends; what the child says goes over a stream of its own."""
        if self._link is not None:
            self._link.close()
        for end in self._waker or ():
            os.close(end)
        patience = self._patient_until if self._offset is None else None
        warned = self._warned | ({"missing"} if self._buffer.newest else set())  # the parent says so itself
        self.forked = True
        self._begin()
        self._patient_until, self._warned = patience, warned

    def _at_exit(self) -> None:
        """Ends what the process left open, and waits for the agent as long as `farewell` says."""
        for each in list(self.open_sessions.values()):
            each.end_if_left(at_exit=True)
        if self._thread is not None:
            self.flush(self.farewell)


def _each_client(act: Callable[[Client], Any]) -> None:
    for client in list(_clients):
        act(client)


def _flush_when_a_worker_ends() -> None:
    """A process of multiprocessing leaves without atexit; it has finalizers of its own."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(None, _each_client, args=(Client._at_exit,), exitpriority=0)


atexit.register(_each_client, Client._at_exit)
_default: Optional[Client] = None
_default_lock = threading.Lock()


def _after_fork() -> None:
    global _default_lock
    _default_lock = threading.Lock()
    _each_client(Client._after_fork)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def default_client() -> Client:
    """The client of everything that names none: acknowledged, to the socket that the environment names."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Client()
        return _default


# ---- Sessions and files


def _reason(kind: Type[BaseException], fault: Optional[BaseException]) -> str:
    text = str(fault)
    return (f"{kind.__name__}: {text}" if text else kind.__name__)[:_LONGEST_TEXT]


def _verdict(kind: Optional[Type[BaseException]], fault: Optional[BaseException]) -> Tuple[str, Optional[str]]:
    """How a block ended: a status and, unless all went well, why."""
    if kind is None or issubclass(kind, SystemExit) and getattr(fault, "code", None) in (None, 0):
        return "completed", None
    if issubclass(kind, (KeyboardInterrupt, GeneratorExit)):
        return "cancelled", _reason(kind, fault)
    return "failed", _reason(kind, fault)


class File:
    """One file of a session. As a block it is `processing` inside, then `completed`; `failed` when an exception
    leaves the block, which it does. A status that was set by hand inside stays."""

    def __init__(self, owner: "Session", name: str, bytes: Optional[int] = None, units: Optional[float] = None) -> None:
        self.session, self.name = owner, str(name)
        self._size: Dict[str, Any] = {"bytes": bytes, "units": units}
        self._final = False

    def update(self, *, status: Optional[str] = None, progress: Optional[float] = None, stage: Optional[str] = None,
               stage_progress: Optional[float] = None, bytes: Optional[int] = None, bytes_done: Optional[int] = None,
               units: Optional[float] = None, tokens: Optional[int] = None, cost: Optional[float] = None,
               model: Optional[str] = None, quality: Optional[float] = None, retries: Optional[int] = None,
               error: Optional[str] = None) -> None:
        """Says what is known now; amounts (tokens, cost, bytes_done) are totals of the present try."""
        self._final = status is not None and status not in ("pending", "processing")
        self.session.emit("file", file=self.name, status=status, progress=progress, stage=stage,
                          stage_progress=stage_progress, bytes=bytes, bytes_done=bytes_done, units=units, tokens=tokens,
                          cost=cost, model=model, quality=quality, retries=retries,
                          error=error[:_LONGEST_TEXT] if error else error)

    def start(self, **fields: Any) -> "File":
        self.update(status="processing", **{**self._size, **fields})
        return self

    def complete(self, **fields: Any) -> None:
        self.update(status="completed", **fields)

    def fail(self, error: Optional[str] = None, **fields: Any) -> None:
        self.update(status="failed", error=error, **fields)

    def skip(self, **fields: Any) -> None:
        """Nothing to do for it: it counts as progress, not as throughput."""
        self.update(status="skipped", **{**self._size, **fields})

    def __enter__(self) -> "File":
        return self.start()

    def __exit__(self, kind: Optional[Type[BaseException]], fault: Optional[BaseException], trace: Any) -> None:
        if not self._final:
            status, why = _verdict(kind, fault)
            self.update(status=status, error=why)


class Call:
    """A call of a provider's API under way; its block takes the time. Set what is known before the block ends."""

    def __init__(self, owner: "Session", **fields: Any) -> None:
        self.session, self.fields = owner, fields
        self.ok: Optional[bool] = None

    def set(self, *, ok: Optional[bool] = None, tokens: Optional[int] = None, tokens_in: Optional[int] = None,
            tokens_out: Optional[int] = None, tokens_cached: Optional[int] = None, cost: Optional[float] = None) -> None:
        given = {"tokens": tokens, "tokens_in": tokens_in, "tokens_out": tokens_out, "tokens_cached": tokens_cached,
                 "cost": cost}
        self.fields.update((name, value) for name, value in given.items() if value is not None)
        self.ok = self.ok if ok is None else ok

    def __enter__(self) -> "Call":
        self._started = time.monotonic()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], fault: Optional[BaseException], trace: Any) -> None:
        took = 1000 * (time.monotonic() - self._started)
        self.session.api(kind is None if self.ok is None else self.ok, duration_ms=round(took, 3), **self.fields)


class _Tracked(Generic[Item]):
    """A count that a loop raises and the client's thread reads: the loop pays for one assignment an item."""

    __slots__ = ("session", "items", "total", "done")

    def __init__(self, owner: "Session", items: Iterable[Item], total: Optional[int]) -> None:
        self.session, self.items, self.done = owner, items, 0
        self.total = total if total is not None else len(items) if hasattr(items, "__len__") else None  # type: ignore

    def loop(self) -> Iterator[Item]:
        done = self.done
        for item in self.items:
            yield item
            done += 1
            self.done = done


class Session:
    """A run of a job. As a block it starts and ends it: `completed`, or `failed` with the exception that left it.

    name: who it is to the agent; one that is known goes on (an ended one begins its next attempt).
    resume: what the last attempt completed stays done; else it starts from nothing.
    family: what repeated runs of the same job share; it makes estimates better.
    deadline: a datetime, Unix seconds, or RFC 3339. labels: at most 32 texts by name. mode, config: how much the
    agent computes. The other fields as in the agent's event `session.start`.
    """

    def __init__(self, name: str, *, title: Optional[str] = None, family: Optional[str] = None,
                 total_files: Optional[int] = None, total_bytes: Optional[int] = None, unit: Optional[str] = None,
                 concurrency: Optional[int] = None, deadline: Optional[When] = None,
                 cost_budget: Optional[float] = None, currency: Optional[str] = None, shard: Optional[int] = None,
                 shards: Optional[int] = None, labels: Optional[Mapping[str, str]] = None, mode: Optional[str] = None,
                 config: Optional[Mapping[str, Any]] = None, resume: Optional[bool] = None,
                 client: Optional[Client] = None) -> None:
        self.name = str(name)
        self.client = client or default_client()
        self._announced = {"name": title, "family": family, "total_files": total_files, "total_bytes": total_bytes,
                           "unit": unit, "concurrency": concurrency, "deadline": deadline, "cost_budget": cost_budget,
                           "currency": currency, "shard": shard, "shards": shards, "labels": labels, "mode": mode,
                           "config": config, "resume": resume}
        self._owner: Optional[int] = None  # the process that started it
        self._tracked: List[_Tracked[Any]] = []
        self._counted: Optional[Tuple[int, Optional[int]]] = None
        self._left: Optional[float] = None  # when a loop of track() was left early

    def emit(self, event: str, **fields: Any) -> None:
        self.client.emit(event, self.name, **fields)

    # Its begin and end.

    def start(self) -> "Session":
        self._owner = os.getpid()
        self._counted = None
        self.client.open_sessions[id(self)] = self
        self.emit("session.start", **self._announced)
        return self

    def end(self, status: str = "completed", reason: Optional[str] = None) -> None:
        """Ends it, in the process that started it; elsewhere and the second time this does nothing."""
        if self._owner == os.getpid():
            self.send_counts()
            self._owner = None
            self._tracked.clear()
            self.client.open_sessions.pop(id(self), None)
            self.emit("session.end", status=status, reason=reason[:_LONGEST_TEXT] if reason else reason)

    def __enter__(self) -> "Session":
        return self.start()

    def __exit__(self, kind: Optional[Type[BaseException]], fault: Optional[BaseException], trace: Any) -> None:
        self.end(*_verdict(kind, fault))

    def leave(self) -> None:
        """A loop was left early: by `break`, or by an exception, which Python does not tell a generator. The
        session ends in a moment, as failed if an exception has ended the program by then, else as cancelled."""
        self.send_counts()
        self._left = time.monotonic()

    def end_if_left(self, at_exit: bool = False) -> None:
        fault = getattr(sys, "last_value", None)
        if at_exit and fault is not None:
            self.end("failed", _reason(type(fault), fault))
        elif self._left is not None and time.monotonic() - self._left > _COUNT_SECONDS:
            self.end("cancelled", "the loop was left early")
        elif at_exit:
            self.end("cancelled", "the process ended before the session" if self._left is None else
                     "the loop was left early")

    def update(self, **fields: Any) -> None:
        """Changes what was announced: total_files, deadline, labels, ..."""
        self.emit("session.update", **{("name" if name == "title" else name): value for name, value in fields.items()})

    def pause(self, reason: Optional[str] = None) -> None:
        """Time until resume() is no work time."""
        self.emit("session.pause", reason=reason)

    def resume(self, reason: Optional[str] = None) -> None:
        self.emit("session.resume", reason=reason)

    # What it works on.

    def file(self, name: str, *, bytes: Optional[int] = None, units: Optional[float] = None) -> File:
        return File(self, name, bytes, units)

    def files(self, names: Iterable[Union[str, Tuple[str, int]]]) -> None:
        """Announces files to come: their names, or (name, bytes)."""
        entries: List[Dict[str, Any]] = []
        for each in names:
            entries.append({"file": str(each[0]), "bytes": each[1]} if isinstance(each, tuple) else {"file": str(each)})
            if len(entries) == _FILES_AN_EVENT:
                self.emit("files", files=entries)
                entries = []
        if entries:
            self.emit("files", files=entries)

    def progress(self, completed: Optional[int] = None, *, total: Optional[int] = None, failed: Optional[int] = None,
                 skipped: Optional[int] = None, bytes_done: Optional[int] = None) -> None:
        """For jobs that only count: absolute values. Such a session has no file()."""
        self.emit("progress", completed=completed, total=total, failed=failed, skipped=skipped, bytes_done=bytes_done)

    def track(self, items: Iterable[Item], *, total: Optional[int] = None) -> Iterator[Item]:
        """The items, counted as the loop takes the next one; the counts of several loops add up."""
        tracked = _Tracked(self, items, total)
        if self.client.enabled and self._owner == os.getpid():
            self._tracked.append(tracked)
            self.client.open_sessions[id(self)] = self
            self.send_counts()
        return tracked.loop()

    def send_counts(self) -> bool:
        """Says how far the loops of track() are if that changed; whether there are any."""
        if not self._tracked or self._owner != os.getpid():
            return False
        totals = [each.total for each in self._tracked]
        total = None if None in totals else sum(each for each in totals if each is not None)
        counted = (sum(each.done for each in self._tracked), total)
        if counted != self._counted:
            self._counted = counted
            self.progress(counted[0], total=total)
        return True

    # What it costs, and what holds it up.

    def api(self, ok: bool = True, *, calls: Optional[int] = None, provider: Optional[str] = None,
            model: Optional[str] = None, duration_ms: Optional[float] = None, tokens: Optional[int] = None,
            tokens_in: Optional[int] = None, tokens_out: Optional[int] = None, tokens_cached: Optional[int] = None,
            cost: Optional[float] = None, file: Optional[str] = None) -> None:
        """A call of a provider's API, after it was made."""
        self.emit("api", ok=ok, calls=calls, provider=provider, model=model, duration_ms=duration_ms, tokens=tokens,
                  tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=tokens_cached, cost=cost, file=file)

    def api_call(self, *, provider: Optional[str] = None, model: Optional[str] = None,
                 file: Optional[str] = None) -> Call:
        """A block around a call of a provider's API: its duration, and `ok` unless an exception leaves it."""
        return Call(self, provider=provider, model=model, file=file)

    def rate_limit(self, delay_ms: Optional[float] = None, *, provider: Optional[str] = None,
                   hits: Optional[int] = None, limit: Optional[int] = None, remaining: Optional[int] = None,
                   reset_at: Optional[When] = None) -> None:
        """A provider made us wait, or said how much of its quota is left."""
        self.emit("rateLimit", delay_ms=delay_ms, provider=provider, hits=hits, limit=limit, remaining=remaining,
                  reset_at=reset_at)

    def resource(self, *, cpu: Optional[float] = None, memory_bytes: Optional[int] = None,
                 memory_limit_bytes: Optional[int] = None, network_rx_bytes: Optional[int] = None,
                 network_tx_bytes: Optional[int] = None, network_errors: Optional[int] = None) -> None:
        """What the job uses, when it measures that itself."""
        self.emit("resource", cpu=cpu, memory_bytes=memory_bytes, memory_limit_bytes=memory_limit_bytes,
                  network_rx_bytes=network_rx_bytes, network_tx_bytes=network_tx_bytes, network_errors=network_errors)


session = Session


def join(name: str, *, client: Optional[Client] = None) -> Session:
    """A session that another process starts and ends: for workers."""
    return Session(name, client=client)


def track(items: Iterable[Item], name: Optional[str] = None, *, total: Optional[int] = None,
          client: Optional[Client] = None, **fields: Any) -> Iterator[Item]:
    """The items, as a session of their own that says how many the loop has taken, like tqdm. The session is
    `completed` when the loop comes to its end, `cancelled` when it is left early, `failed` when the items raise, or
    when an exception that the loop raised ends the program. Its name is `name`, else $PROGRESS_AGENT_SESSION, else
    the program's. `fields` are those of session()."""
    chosen = name or os.environ.get("PROGRESS_AGENT_SESSION") or os.path.basename(sys.argv[0] or "python")
    return _track(Session(chosen, client=client, **fields), items, total)


def _track(owner: Session, items: Iterable[Item], total: Optional[int]) -> Iterator[Item]:
    owner.start()
    try:
        yield from owner.track(items, total=total)
    except GeneratorExit:
        owner.leave()
        raise
    except BaseException as fault:
        owner.end(*_verdict(type(fault), fault))
        raise
    owner.end()


