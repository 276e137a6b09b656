# Sourced by the scripts that start a private server for tests: processes by pid and start time, so that a process id which
# was given to somebody else is never signalled.

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# The time a process was started, in clock ticks since boot (field 22 of /proc/PID/stat; the name may hold spaces).
started_at() { # started_at PID
	[ -r "/proc/$1/stat" ] || return 1
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

remember() { # remember FILE PID
	echo "$2 $(started_at "$2")" >"$1"
}

running() { # running FILE
	local pid when
	[ -s "$1" ] || return 1
	read -r pid when <"$1" || return 1
	[ -n "$when" ] && [ "$(started_at "$pid")" = "$when" ]
}

# Asks the process to end and waits; after 20 s its whole session is killed (it was started with setsid).
end_process() { # end_process FILE
	local pid when i
	if running "$1"; then
		read -r pid when <"$1"
		kill -TERM "$pid" 2>/dev/null
		for ((i = 0; i < 200; i++)); do
			running "$1" || break
			sleep 0.1
		done
		if running "$1"; then
			kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
		fi
	fi
	rm -f "$1"
}

port_is_free() { # port_is_free PORT
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Until the address answers 200, or its process is gone, or the time is over.
wait_for_http() { # wait_for_http SECONDS FILE CURL-ARGUMENT...
	local until=$((SECONDS + $1)) file=$2
	shift 2
	while [ "$SECONDS" -le "$until" ]; do
		[ "$(curl -s -o /dev/null -m 20 -w '%{http_code}' "$@")" = 200 ] && return 0
		running "$file" || return 1
		sleep 0.2
	done
	return 1
}
