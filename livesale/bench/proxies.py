"""Proxies that end TLS, run with the files of config/ as measurements and tests need them: other ports, name and certificate."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from livesale.kernel.refusals import Refusal
from livesale.settings import CONFIG

READY_WITHIN_S = 10.0
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _nginx(folder: Path, site: str) -> list[str]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_rlimit_nofile 20000;\n"
        "events { worker_connections 20000; }\n"
        f"http {{ access_log off; {paths} include {folder}/site.conf; }}\n"
    )
    return ["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


def _caddy(folder: Path, site: str) -> list[str]:
    alone = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    (folder / "Caddyfile").write_text(alone + site)
    return ["caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


PROXIES = {"nginx": ("nginx.conf", _nginx), "caddy": ("Caddyfile", _caddy)}


@contextmanager
def proxy(name: str, folder: Path, port: int, addresses: dict[int, int], chain: Path, key: Path) -> Iterator[int]:
    """The proxy at https://localhost:`port`, its pid; `addresses`: the ports its file names, and those that are meant."""
    if not shutil.which(name, path=PATH):
        raise Refusal("unsupported", f"{name} is not installed: apt-get install {name}")
    file, command = PROXIES[name]
    environment = {"PATH": PATH, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "proxy.log").open("wb") as said:
        started = command(folder, _site(file, port, addresses, chain, key))
        process = subprocess.Popen(started, stdout=said, stderr=said, env=environment)
    try:
        _until_listening(process, port, folder / "proxy.log")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Waits for a process that cannot tell us."""
    ends_s = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < ends_s:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise Refusal("internal", f"the proxy does not listen: {log.read_text(errors='replace')[-500:]}")


def _site(file: str, port: int, addresses: dict[int, int], chain: Path, key: Path) -> str:
    text = (CONFIG / file).read_text()
    for named, meant in addresses.items():
        text = text.replace(f"127.0.0.1:{named}", f"127.0.0.1:{meant}")
    for example, ours in {
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/letsencrypt/live/live.example.org/fullchain.pem": str(chain),
        "/etc/letsencrypt/live/live.example.org/privkey.pem": str(key),
        "server_name live.example.org": "server_name localhost",
        "live.example.org {": f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {chain} {key}",
    }.items():
        text = text.replace(example, ours)
    return text
