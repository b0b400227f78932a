"""Certificates made with the openssl program: good ones, expired ones, and ones for another name."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass(frozen=True)
class Identity:
    """What one side of a TLS connection shows, and of a server, which authority its clients must be signed by."""

    certificate: pathlib.Path
    key: pathlib.Path
    client_ca: pathlib.Path | None = None


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """Signs certificates. `certificate` is what its peers trust."""

    def __init__(self, directory, name="authority"):
        self.directory, self.name = pathlib.Path(directory), name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", self.key, "-out", self.certificate)

    def issue(self, file_name, names="DNS:localhost,IP:127.0.0.1", expired=False, client_ca=None):
        """A certificate for these names; an expired one was good until yesterday."""
        base = self.directory / f"{self.name}-{file_name}"
        key, request, certificate, extensions = (base.with_suffix(s) for s in (".key", ".csr", ".pem", ".ext"))
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={file_name}", "-keyout", key,
                "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", -1 if expired else 2,
                "-extfile", extensions, "-out", certificate)
        return Identity(certificate, key, client_ca)
