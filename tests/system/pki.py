"""Certificates for the tests: authorities, servers and clients made with the openssl program in a private directory."""

import os
import subprocess


class Pki:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *args):
        r = subprocess.run(["openssl", *args], cwd=self.folder, capture_output=True, text=True, timeout=60)
        if r.returncode != 0:
            raise RuntimeError("openssl %s: %s" % (args[0], r.stderr))
        return r.stdout

    def authority(self, name):
        """NAME.pem, NAME.key"""
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out",
                 name + ".pem", "-days", "30", "-subj", "/CN=" + name, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        return self.path(name + ".pem")

    def issue(self, name, authority, sans, usage="serverAuth", expired=False, file=None):
        """FILE.pem and FILE.key; returns their paths. file: default NAME."""
        file = file or name
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file + ".key", "-out",
                 file + ".csr", "-subj", "/CN=" + name)
        with open(self.path(file + ".ext"), "w") as f:
            f.write("subjectAltName=%s\nextendedKeyUsage=%s\nbasicConstraints=CA:FALSE\n" % (sans, usage))
        if expired:
            # x509 makes none that ended before it began: ca does
            open(self.path("index.txt"), "w").close()
            with open(self.path("serial"), "w") as f:
                f.write("77\n")
            with open(self.path("ca.cnf"), "w") as f:
                f.write("[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index.txt\nserial=serial\npolicy=p\ndefault_md=sha256\n"
                        "unique_subject=no\n[p]\ncommonName=supplied\n")
            self.run("ca", "-batch", "-config", "ca.cnf", "-cert", authority + ".pem", "-keyfile", authority + ".key", "-in", file + ".csr",
                     "-out", file + ".pem", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-extfile", file + ".ext",
                     "-notext")
        else:
            self.run("x509", "-req", "-in", file + ".csr", "-CA", authority + ".pem", "-CAkey", authority + ".key", "-CAcreateserial",
                     "-out", file + ".pem", "-days", "10", "-extfile", file + ".ext")
        os.chmod(self.path(file + ".key"), 0o600)
        return self.path(file + ".pem"), self.path(file + ".key")

    def fingerprint(self, pem):
        return self.run("x509", "-in", pem, "-noout", "-fingerprint", "-sha256").strip().split("=")[1]
