"""A company's own certificates are found under every name that people give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixtrawl.errors import UsageError
from pixtrawl.net.trust import VARIABLES, trusted

PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("name", VARIABLES)
def test_a_file_or_a_folder_is_taken_from_each_variable(name: str, tmp_path: Path) -> None:
    file = tmp_path / "k\u00e4se.pem"
    file.write_text(PEM)
    for place in (file, tmp_path):
        found = trusted({name: str(place), "SSL_CERT_FILE": str(file), "OTHER": "x"})
        assert found is not None
        assert (found.file, found.pem) == (str(file), b"")
        assert name in found.origin


def test_all_that_are_set_hold_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(PEM.replace("MA==", f"M{name}=="))
    both = {"REQUESTS_CA_BUNDLE": str(tmp_path / "b"), "CURL_CA_BUNDLE": str(tmp_path / "a")}
    found = trusted({"SSL_CERT_FILE": "", **both})
    assert found is not None
    assert b"Ma==" in found.pem
    assert b"Mb==" in found.pem


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_one_that_cannot_be_used_is_reported_with_its_name_and_path(
    name: str, content: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=f"{name}: .*ca.pem"):
        trusted({name: str(file)})
