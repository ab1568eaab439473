"""The plan: every process and copy gets what it needs, and ports stay with their DATA while they can."""

import socket

import pytest

from livesale.apps.plan import claim, copies_of, demo_spec, read_procfile, specs, without_elsewhere
from livesale.apps.ports import Claims
from livesale.settings import CONFIG, SettingsError, load_settings

NAMES = ["store", "web", "studio", "edge", "worker", "paysim"]
NOTHING_ASKED: frozenset[str] = frozenset()


def planned(tmp_path, text="", **overrides):
    settings = load_settings(tmp_path, {"port": 0, **overrides})
    copies = copies_of(text, NAMES)
    claims = claim(settings, copies, NOTHING_ASKED)
    return claims, {spec.name: spec for spec in specs(settings, copies, claims.ports)}


def test_shipped_procfile():
    """The Procfile has the six processes, the store first."""
    assert read_procfile(CONFIG.parent / "Procfile") == NAMES


def test_copies(tmp_path):
    """Copies of the web share its port; a copy of a hub has a port and address of its own."""
    claims, made = planned(tmp_path, "web=2, edge=2")
    assert list(made) == ["store", "web.1", "web.2", "studio", "edge.1", "edge.2", "worker", "paysim"]
    assert made["web.1"].environment["LIVESALE_PORT"] == made["web.2"].environment["LIVESALE_PORT"]
    edges = [made[name].environment["LIVESALE_PORTS_EDGE"] for name in ("edge.1", "edge.2")]
    assert len(set(edges)) == 2
    assert made["edge.2"].urls == [f"ws://127.0.0.1:{edges[1]}"]
    assert made["edge.2"].environment["LIVESALE_INSTANCE"] == "edge.2"
    assert len(set(claims.ports.values())) == len(claims.ports) == 6


def test_edges_are_told_their_upstreams(tmp_path):
    """Edges of one machine are fed by its studios, unless the settings name others."""
    claims, made = planned(tmp_path, "studio=2, edge=2")
    studios = ",".join(f"ws://127.0.0.1:{claims.ports[key]}" for key in ("ports.studio", "ports.studio.2"))
    assert [made[name].environment["LIVESALE_HUBS_UPSTREAMS"] for name in ("edge.1", "edge.2")] == [studios, studios]
    claims.close()
    _, made = planned(tmp_path, **{"hubs.upstreams": ["ws://10.0.0.5:8090"]})
    assert "LIVESALE_HUBS_UPSTREAMS" not in made["edge"].environment


def test_processes_see_what_up_sees(tmp_path):
    """What a child's settings become is what the plan says, whatever else is set around it."""
    from livesale.settings import read_settings

    claims, made = planned(tmp_path, host="127.0.0.2", demo=True, dev_mail=True)
    seen = read_settings(tmp_path, environ=made["web"].environment)[0]
    assert (seen.host, seen.demo, seen.dev_mail, seen.instance) == ("127.0.0.2", True, True, "web")
    assert (seen.port, seen.ports.studio) == (claims.ports["port"], claims.ports["ports.studio"])
    assert demo_spec(seen, claims.ports).arguments == ["demo-host", "--data", str(tmp_path)]


@pytest.mark.parametrize("text", ["web", "web=0", "web=two", "store=2", "nosuch=2", "web=65", "web=-1", "=2"])
def test_wrong_copies(text):
    """What is not NAME=N is refused; the store is never two."""
    with pytest.raises(SettingsError, match="processes: "):
        copies_of(text, NAMES)


def test_what_is_elsewhere_is_not_started(tmp_path):
    """With a Valkey and a provider of its own an installation runs neither store nor sandbox."""
    stripe = {"payments.provider": "stripe", "payments.secret": "sk_test_1", "payments.webhook_secret": "whsec_1"}
    settings = load_settings(tmp_path, {"valkey_url": "redis://h", **stripe})
    assert without_elsewhere(settings, NAMES) == ["web", "studio", "edge", "worker"]


def test_ports_stay(tmp_path):
    """A second start on the same DATA has the same ports."""
    first, _ = planned(tmp_path)
    ports = dict(first.ports)
    first.close()
    second, _ = planned(tmp_path)
    assert second.ports == ports


def test_two_systems_never_share(tmp_path):
    """A port one system has claimed is not given to another, even before anything listens there."""
    mine = Claims(tmp_path, "127.0.0.1")
    mine.chosen("ports.edge")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ports.json").write_text(f'{{"ports.edge": {mine.ports["ports.edge"]}}}')
    other = Claims(tmp_path / "other", "127.0.0.1")
    other.chosen("ports.edge")
    assert mine.ports["ports.edge"] != other.ports["ports.edge"]


def test_a_listener_with_reuse_port_counts(tmp_path):
    """A program that would share its port is not joined unasked."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} on 127.0.0.1 is taken by"):
            Claims(tmp_path, "127.0.0.1", patience_s=0).fixed("port", port)


def test_an_address_that_is_not_ours(tmp_path):
    """A host this machine does not have is said to be that."""
    with pytest.raises(SettingsError, match=r"cannot listen on 192\.0\.2\.1"):
        Claims(tmp_path, "192.0.2.1").fixed("port", 8080)
