"""What a browser gets to see of the environment and of the home folder."""

from __future__ import annotations

from pathlib import Path

from pixtrawl.browser.environment import browser_environment

SECRETS = {
    "PIXTRAWL_FLICKR_KEY": "k", "OPENAI_API_KEY": "k", "AWS_SECRET_ACCESS_KEY": "k",
    "HTTPS_PROXY": "http://me:pw@p", "https_proxy": "http://me:pw@p", "LD_PRELOAD": "/x.so",
    "SSLKEYLOGFILE": "/x", "DBUS_SESSION_BUS_ADDRESS": "unix:/x", "SSH_AUTH_SOCK": "/x",
}  # fmt: skip
NEEDED = {"PATH": "/bin", "LANG": "de_DE.UTF-8", "LC_ALL": "C", "TZ": "UTC"}


def test_only_what_is_on_the_list_is_passed_on(tmp_path: Path) -> None:
    given = browser_environment("/usr/bin/chrome", tmp_path / "home", "/tmp/t", SECRETS | NEEDED)
    assert given == {**NEEDED, "TMPDIR": "/tmp/t"}


def test_the_home_is_a_folder_of_its_own_with_the_users_certificates(tmp_path: Path) -> None:
    real, home = tmp_path / "real", tmp_path / "home"
    (real / ".pki" / "nssdb").mkdir(parents=True)
    environ = {"HOME": str(real), "DISPLAY": ":1"}
    browser_environment("/usr/bin/chrome", home, "/t", environ)
    given = browser_environment("/usr/bin/chrome", home, "/t", environ)  # a kept profile has it
    assert given["HOME"] == str(home)
    assert given["XAUTHORITY"] == str(real / ".Xauthority")
    assert (home / ".pki" / "nssdb").is_dir()
    assert [one.name for one in home.iterdir()] == [".pki"]


def test_a_snap_keeps_the_real_home(tmp_path: Path) -> None:
    given = browser_environment("/snap/bin/chromium", tmp_path / "h", "/t", {"HOME": "/home/me"})
    assert given["HOME"] == "/home/me"
    assert not (tmp_path / "h").exists()
