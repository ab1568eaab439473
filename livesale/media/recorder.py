"""The recorder: a show's parts to disk as they come, by a thread of its own, so that no disk ever holds up the stream.

A file is one stretch (`LEASE-STRETCH.mp4`): its init segment, then parts. Law: what is handed to the system survives
kill -9 of the process; it is synced once a second, so a power cut loses a second and a half at most. A disk that is full,
broken or too slow ends the recording with an alarm, never the show.
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
MOST_WAITING_BYTES = 32 << 20  # minutes of a show: a disk that is so far behind is broken

log = logging.getLogger(__name__)


class Recorder:
    """Records one show while this process holds it under fencing number `number`.

    `trouble` says why it records no more; empty while all is well.
    """

    def __init__(self, folder: Path, number: int, *, spare_bytes: int = SPARE_BYTES) -> None:
        self.trouble = ""
        self._folder = folder
        self._number = number
        self._spare_bytes = spare_bytes
        self._queue: SimpleQueue[Part | Cue | None] = SimpleQueue()
        self._waiting_bytes = 0
        self._stretch: Stretch | None = None
        self._file = -1
        self._whole = 0  # bytes of the file up to its last whole part
        self._synced_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"recorder {folder.name}", daemon=True)
        self._thread.start()

    def take(self, part: Part) -> None:
        """Takes the next part; returns at once."""
        if self.trouble:
            return
        if self._waiting_bytes > MOST_WAITING_BYTES:
            self._give_up("the disk is too slow")
            return
        self._waiting_bytes += len(part.data)
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
            if isinstance(item, Part):
                self._waiting_bytes -= len(item.data)
            if self.trouble:
                continue
            try:
                if isinstance(item, Part):
                    self._write(item)
                else:
                    self._note(item)
            except OSError as error:
                self._give_up(error.strerror or repr(error))
        self._close()

    def _write(self, part: Part) -> None:
        if part.stretch is not self._stretch:
            self._close()
            self._check_space()
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"{self._number:012d}-{part.stretch.number:08d}.mp4"
            self._file = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            self._stretch, self._whole = part.stretch, 0
            self._append(part.stretch.init)
        self._append(part.data)
        if time.monotonic() - self._synced_s > SYNC_EVERY_S:
            os.fdatasync(self._file)
            self._check_space()
            self._synced_s = time.monotonic()

    def _note(self, cue: Cue) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / CUES).open("ab") as file:
            file.write(msgspec.json.encode(cue) + b"\n")

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._whole += len(data)

    def _check_space(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        disk = os.statvfs(self._folder.parent)
        if disk.f_bavail * disk.f_frsize < self._spare_bytes:
            raise OSError(0, "the disk is nearly full")

    def _give_up(self, why: str) -> None:
        self.trouble = f"not recorded: {why}"
        log.error("the recording of %s has stopped: %s", self._folder.name, why)

    def _close(self) -> None:
        if self._file < 0:
            return
        with contextlib.suppress(OSError):  # half a part at the end is left out by whoever reads, too
            os.ftruncate(self._file, self._whole)
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1
