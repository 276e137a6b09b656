# Sourced by etc/quickstart and tests/run: says which Debian packages are missing and installs them.
# Needs root or sudo. Services are not started: what tests need they run themselves, privately.

need_packages() { # need_packages PKG...
	local missing=() p
	for p in "$@"; do
		dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "installing ${#missing[@]} packages: ${missing[*]}"
	local root=()
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || { echo "run this as root, or install sudo" >&2; return 1; }
		root=(sudo)
	fi
	local log policy=0 rc=0
	log=$(mktemp)
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
		"${root[@]}" chmod 755 /usr/sbin/policy-rc.d
		policy=1
	fi
	local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
	local opts=(-y -q --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
		-o DPkg::Lock::Timeout=300)
	"${apt[@]}" install "${opts[@]}" "${missing[@]}" >"$log" 2>&1 </dev/null ||
		{ "${apt[@]}" update -q >>"$log" 2>&1 && "${apt[@]}" install "${opts[@]}" "${missing[@]}" >>"$log" 2>&1 </dev/null; } || rc=$?
	[ $policy = 0 ] || "${root[@]}" rm -f /usr/sbin/policy-rc.d
	if [ $rc != 0 ]; then
		tail -n 20 "$log" >&2
		echo "apt-get failed; its output is in $log" >&2
		return 1
	fi
	rm -f "$log"
}

build_packages=(gcc libc6-dev meson ninja-build pkg-config libevent-dev libyaml-dev libhiredis-dev libcurl4-openssl-dev
	libpcre2-dev libsqlite3-dev libssl-dev libsystemd-dev libzstd-dev ca-certificates)
