"""The recorder: a show's parts to disk as they come, by a thread of its own, so that no disk ever holds up the stream.

A file is one stretch (`LEASE-STRETCH.mp4`): its init segment, then parts. Law: what is handed to the system survives
kill -9 of the process; it is synced once a second, so a power cut loses a second and a half at most. A disk that is full,
broken or too slow stops the recording with an alarm, never the show; it goes on in a file of its own, from a part that a
decoder can start with, as soon as the disk takes it again. What lies between is a hole like that of a lost host.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from pathlib import Path
from queue import SimpleQueue

import msgspec

from livesale.media.captions import Cue
from livesale.media.packager import Part, Stretch

CUES = "captions.jsonl"
SYNC_EVERY_S = 1.0
SPARE_BYTES = 512 << 20  # what must stay free: the store needs its disk more than we do
ROOM_BYTES = 64 << 20  # and so much more before a recording that stopped goes on: minutes of a show, not seconds
AGAIN_AFTER_S = 5.0
MOST_WAITING_BYTES = 32 << 20  # minutes of a show: a disk that is so far behind is broken
TOO_SLOW = "the disk is too slow"

log = logging.getLogger(__name__)


class Hole(msgspec.Struct, frozen=True):
    """Stands in the queue for parts that there was no room for."""


class Recorder:
    """Records one show while this process holds it under fencing number `number`.

    `trouble` says why it records nothing at this moment; empty while all is well.
    """

    def __init__(self, folder: Path, number: int, *, spare_bytes: int = SPARE_BYTES) -> None:
        self.trouble = ""
        self._folder = folder
        self._number = number
        self._spare_bytes = spare_bytes
        self._queue: SimpleQueue[Part | Cue | Hole | None] = SimpleQueue()
        self._taken_bytes = self._done_bytes = 0  # each is written by one thread only
        self._dropping = False
        self._stretch: Stretch | None = None
        self._stopped = False  # no file takes parts until a try succeeds
        self._again_s = 0.0
        self._file = -1
        self._file_number = -1
        self._whole = 0  # bytes of the file up to its last whole part
        self._synced_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"recorder {folder.name}", daemon=True)
        self._thread.start()

    def take(self, part: Part) -> None:
        """Takes the next part; returns at once."""
        if self._taken_bytes - self._done_bytes > MOST_WAITING_BYTES:
            if not self._dropping:
                self._dropping = True
                self._alarm(TOO_SLOW)
                self._queue.put(Hole())
            return
        self._dropping = False
        self._taken_bytes += len(part.data)
        self._queue.put(part)

    def say(self, cue: Cue) -> None:
        """Takes a line of captions."""
        self._queue.put(cue)

    def finish(self) -> None:
        """Nothing more comes; the last parts are written in a moment."""
        self._queue.put(None)

    def join(self) -> None:
        """Waits for the thread to have written everything after `finish`."""
        self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._do(item)
            except OSError as error:
                self._stop(error.strerror or repr(error))
            if isinstance(item, Part):
                self._done_bytes += len(item.data)
        self._close()

    def _do(self, item: Part | Cue | Hole) -> None:
        if isinstance(item, Hole):
            self._stop(TOO_SLOW)
        elif isinstance(item, Part) and (not self._stopped or self._may_go_on(item)):
            self._write(item)
        elif isinstance(item, Cue) and not self._stopped:
            self._note(item)

    def _may_go_on(self, part: Part) -> bool:
        return part.independent and time.monotonic() >= self._again_s

    def _write(self, part: Part) -> None:
        if part.stretch is not self._stretch:
            self._begin(part)
        self._append(part.data)
        if time.monotonic() - self._synced_s > SYNC_EVERY_S:
            os.fdatasync(self._file)
            self._check_space(self._spare_bytes)
            self._synced_s = time.monotonic()

    def _begin(self, part: Part) -> None:
        """A file for what begins with this part: a stretch, or the rest of one behind a hole."""
        self._close()
        self._check_space(self._spare_bytes + (ROOM_BYTES if self._stopped else 0))
        self._folder.mkdir(parents=True, exist_ok=True)
        begins = part.start_us // 1_000_000 if self._stopped else part.stretch.number
        self._file_number = max(begins, self._file_number + 1)
        name = f"{self._number:012d}-{self._file_number:08d}.mp4"
        self._file = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        self._whole = 0
        self._append(part.stretch.init)
        self._stretch = part.stretch
        if self._stopped:
            log.warning("the recording of %s goes on", self._folder.name)
            self._stopped, self.trouble = False, ""

    def _note(self, cue: Cue) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / CUES).open("ab") as file:
            file.write(msgspec.json.encode(cue) + b"\n")

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._whole += len(data)

    def _check_space(self, wanted_bytes: int) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        disk = os.statvfs(self._folder.parent)
        if disk.f_bavail * disk.f_frsize < wanted_bytes:
            raise OSError(0, "the disk is nearly full")

    def _stop(self, why: str) -> None:
        self._close()
        self._stretch, self._stopped = None, True
        self._again_s = time.monotonic() + AGAIN_AFTER_S
        self._alarm(why)

    def _alarm(self, why: str) -> None:
        if not self.trouble:
            log.error("the recording of %s has stopped: %s", self._folder.name, why)
        self.trouble = f"not recorded: {why}"

    def _close(self) -> None:
        if self._file < 0:
            return
        with contextlib.suppress(OSError):  # half a part at the end is left out by whoever reads, too
            os.ftruncate(self._file, self._whole)
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1
