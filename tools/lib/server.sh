# Sourced by tools/dovecot, tools/cyrus and tools/courier: what every private server needs. They
# define launch DIR PORT TLSPORT MORE..., which starts the server and waits until it is ready.
# shellcheck shell=bash

readonly max_dir_bytes=70 ready_seconds=20 stop_seconds=10 max_port_tries=4
readonly exit_impossible=77 # this machine or this user cannot run it: a reason to skip

fail() {
	echo "$0: $*" >&2
	exit 1
}

impossible() {
	echo "$*" >&2
	exit $exit_impossible
}

# CA and a server certificate for localhost and 127.0.0.1, made once.
make_certificates() (
	cd "$1"
	[ -f server.pem ] && [ -f server.key ] && [ -f ca.pem ] && return
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
			-subj "/CN=Private test CA" -addext basicConstraints=critical,CA:TRUE \
			-addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key \
			-out ca.pem
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-subj "/CN=localhost" -keyout server.key -out server.csr
		printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
			'basicConstraints=CA:FALSE' 'extendedKeyUsage=serverAuth' >server.ext
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
			-days 30 -extfile server.ext -out server.pem
	} >openssl.log 2>&1 || fail "openssl failed: $(tail -n 3 openssl.log)"
	rm -f server.csr server.ext ca.srl openssl.log
)

# Makes DIR with what all servers have: accounts and certificates.
prepare_folder() {
	[ "${#1}" -lt "$max_dir_bytes" ] || fail "$1: too long for UNIX sockets"
	mkdir -p "$1"
	[ "$(id -u)" != 0 ] || chmod 755 "$1"
	[ -f "$1/users" ] || printf '%s\n' 'alice:{PLAIN}secret' 'bob:{PLAIN}secret' >"$1/users"
	make_certificates "$1"
}

# The names in DIR/users, one a line; every password is "secret".
user_names() {
	cut -d : -f 1 "$1/users"
}

# Unpacks the packages NAME... of build/servers below DIR, once.
unpack_packages() {
	local dir=$1 name file store
	store=$(cd "$(dirname "$0")/.." && pwd)/build/servers
	shift
	command -v dpkg-deb >/dev/null || impossible "no dpkg-deb: not a Debian system"
	for name; do
		file=$(compgen -G "$store/${name}_*.deb" | tail -n 1) ||
			impossible "$name is not in build/servers: tools/fetch_servers gets it"
		[ -e "$dir/.$name" ] || dpkg-deb -x "$file" "$dir" ||
			fail "$file cannot be unpacked"
		touch "$dir/.$name"
	done
}

# Prints two free ports; those from 32768 on belong to outgoing connections.
free_ports() {
	python3 -c '
import random, socket
found = []
while len(found) < 2:
    port = random.randrange(20000, 32000)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
    if port not in found:
        found.append(port)
print(*found)'
}

# wait_until_ready DIR [PID]: a greeting over verified TLS, nothing less. No wait for a dead PID.
wait_until_ready() {
	python3 - "$1/ca.pem" "$(cat "$1/tls-port")" "$ready_seconds" "/proc/${2-self}" <<-'END'
		import os, socket, ssl, sys, time
		context = ssl.create_default_context(cafile=sys.argv[1])
		deadline = time.monotonic() + float(sys.argv[3])
		while time.monotonic() < deadline and os.path.exists(sys.argv[4]):
		    try:
		        with socket.create_connection(("127.0.0.1", int(sys.argv[2])), 2) as raw:
		            with context.wrap_socket(raw, server_hostname="localhost") as tls:
		                if tls.recv(200).startswith(b"* OK"):
		                    sys.exit(0)
		    except OSError:
		        pass
		    time.sleep(0.05)
		sys.exit(1)
	END
}

launch_there() {
	echo "$2" >"$1/port"
	echo "$3" >"$1/tls-port"
	launch "$@"
}

# launch_on_ports DIR PORT TLSPORT MORE...: with ports 0, on free ones, which others may take first.
launch_on_ports() {
	local dir=$1 port=$2 tls_port=$3
	shift 3
	if [ "$port" != 0 ] && [ "$tls_port" != 0 ]; then
		launch_there "$dir" "$port" "$tls_port" "$@" || fail "the server did not start"
		return
	fi
	for ((try = 0; try < max_port_tries; try++)); do
		read -r port tls_port < <(free_ports)
		launch_there "$dir" "$port" "$tls_port" "$@" && return
	done
	fail "the server did not start, whatever the port"
}

wait_for_end() {
	for ((i = 0; i < stop_seconds * 20; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	fail "process $1 did not end"
}

# Ends process PID if it still is COMMAND, and waits for it.
end_process() {
	[ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] || return 0
	kill "$1"
	wait_for_end "$1"
}
