"""Reverse proxies that end TLS in front of a site, each as a process in a folder."""

from __future__ import annotations

import datetime
import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .running import PATIENCE, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    location {prefix}/ {{
      proxy_pass http://127.0.0.1:{upstream}/;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Prefix "{prefix}";
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""

APACHE = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
DefaultRuntimeDir {folder}
{user}
{modules}
Listen 127.0.0.1:{port}
SSLEngine on
SSLCertificateFile {folder}/certificate.pem
SSLCertificateKeyFile {folder}/key.pem
ProxyPreserveHost On
ProxyPass {prefix}/ http://127.0.0.1:{upstream}/
ProxyPassReverse {prefix}/ http://127.0.0.1:{upstream}/
RequestHeader set X-Forwarded-Prefix "{prefix}"
RequestHeader set X-Forwarded-Proto https
"""

MODULES = "mpm_event authz_core headers proxy proxy_http ssl socache_shmcb"
MODULE_FOLDER = "/usr/lib/apache2/modules"


COMMANDS = {
    "nginx": ["nginx", "-p", "{folder}", "-c", "{folder}/nginx"],
    "apache": ["apache2", "-f", "{folder}/apache", "-D", "FOREGROUND"],
}
TEMPLATES = {"nginx": NGINX, "apache": APACHE}
# If root runs the tests, nginx must be told to stay root, and Apache needs another user.
USERS = {"nginx": "user root;", "apache": "User www-data\nGroup www-data"}


def is_installed(name: str) -> bool:
    """Whether this machine has the proxy."""
    return shutil.which(COMMANDS[name][0]) is not None


@contextmanager
def proxied(name: str, folder: Path, *, port: int, upstream: int, prefix: str) -> Iterator[None]:
    """Runs a proxy that listens at `port`, and strips `prefix`."""
    make_certificate(folder)
    modules = (f"LoadModule {m}_module {MODULE_FOLDER}/mod_{m}.so" for m in MODULES.split())
    text = TEMPLATES[name].format(
        folder=folder,
        port=port,
        upstream=upstream,
        prefix=prefix,
        user=USERS[name] if os.getuid() == 0 else "",
        modules="\n".join(modules),
    )
    (folder / name).write_text(text, encoding="utf-8")
    with (folder / f"{name}.out").open("wb") as output:
        command = [word.format(folder=folder) for word in COMMANDS[name]]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def is_ready() -> bool:
        said = (folder / f"{name}.out").read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, f"{name} has ended\n{said}"
        return listens(port)

    try:
        wait_until(is_ready, f"{name} does not listen")
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def listens(port: int) -> bool:
    """Whether something listens at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def make_certificate(folder: Path) -> None:
    """Writes a certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, kind, plain))
