"""Programs of other projects that tests run without installing them: Debian packages are fetched and unpacked into a folder
of the source tree, because some of them exclude each other (syslog-ng and rsyslog) and others would start services."""

import os
import platform
import shutil
import subprocess

import harness

FOLDER = os.path.join(harness.TOP, ".cache", "peers")
ROOT = os.path.join(FOLDER, "root")


def download(package, folder):
    return subprocess.run(["apt-get", "-q", "download", package], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)


def fetch(*packages):
    """True when all of them lie unpacked below ROOT; else a loud line says what cannot be had."""
    missing = [p for p in packages if not os.path.exists(os.path.join(FOLDER, p + ".done"))]
    if not missing:
        return True
    if not harness.need("apt-get", "dpkg"):
        return False
    os.makedirs(ROOT, exist_ok=True)
    for package in missing:
        work = os.path.join(FOLDER, "fetch-%d" % os.getpid())
        shutil.rmtree(work, ignore_errors=True)
        os.mkdir(work)
        r = download(package, work)
        if r.returncode != 0:  # the machine may not know what there is yet
            subprocess.run(([] if os.getuid() == 0 else ["sudo", "-n"]) + ["apt-get", "-q", "update"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
            r = download(package, work)
        debs = [os.path.join(work, f) for f in os.listdir(work) if f.endswith(".deb")]
        fine = r.returncode == 0 and debs and subprocess.run(["dpkg", "-x", debs[0], ROOT]).returncode == 0
        shutil.rmtree(work, ignore_errors=True)
        if not fine:
            print("skipped: the package %s cannot be had: %s" % (package, r.stdout.decode("utf-8", "replace")[-200:].strip()), flush=True)
            return False
        open(os.path.join(FOLDER, package + ".done"), "w").close()
    return True


def path(*parts):
    return os.path.join(ROOT, *parts)


def program(name):
    """An installed program, else the unpacked one; None if neither exists."""
    found = shutil.which(name)
    for folder in ("usr/sbin", "usr/bin"):
        if not found and os.path.exists(path(folder, name)):
            found = path(folder, name)
    return found


def environment():
    """What unpacked programs need to find their own libraries."""
    lib = path("usr/lib")
    return {**os.environ, "LD_LIBRARY_PATH": ":".join([os.path.join(lib, platform.machine() + "-linux-gnu"), os.path.join(lib, "syslog-ng")])}
