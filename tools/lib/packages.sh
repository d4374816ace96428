# Sourced by tools/demo, tools/check and tools/fetch_servers: installs what tools/packages.txt names
# and is missing, downloads what tools/packages-unpacked.txt names.
# Says so before it does it, uses sudo when not root, and keeps new services from starting.

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "not root, and no sudo: please run as root: $*" >&2
		return 1
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"
}

listed_packages() {
	sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$1"
}

# Prints the packages of the list FILE that are not installed.
missing_packages() {
	local name
	listed_packages "$1" | while read -r name; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
			echo "$name"
	done
}

# While this file exists, installing a server does not start it. One that is there is left alone.
readonly policy_file=/usr/sbin/policy-rc.d

forbid_services() {
	as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy_file && chmod 755 $policy_file"
}

# In a subshell, so that the trap is its own.
fetch_and_install() (
	if [ ! -e "$policy_file" ]; then
		trap 'as_root rm -f "$policy_file"' EXIT
		forbid_services
	fi
	apt-get -q -s install --no-install-recommends "$@" >/dev/null 2>&1 || apt update >&2
	apt install -y --no-install-recommends "$@" >&2
)

install_packages() {
	local missing
	if ! command -v dpkg-query >/dev/null; then
		echo "not a Debian system: the packages in $1 have to be there" >&2
		return 0
	fi
	mapfile -t missing < <(missing_packages "$1")
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "Installing Debian packages: ${missing[*]}" >&2
	[ "$(id -u)" = 0 ] || echo "(sudo may ask for your password)" >&2
	fetch_and_install "${missing[@]}"
}

# Puts the packages of the list FILE into the folder DIR, as files.
download_packages() {
	local missing
	if ! command -v apt-get >/dev/null; then
		echo "not a Debian system: the packages in $1 cannot be fetched" >&2
		return 1
	fi
	mkdir -p "$2"
	mapfile -t missing < <(listed_packages "$1" | while read -r name; do
		compgen -G "$2/${name}_*.deb" >/dev/null || echo "$name"
	done)
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "Downloading Debian packages: ${missing[*]}" >&2
	download_into "$2" "${missing[@]}" && return
	apt update >&2 && download_into "$2" "${missing[@]}"
}

# download_into DIR NAME...
download_into() (
	cd "$1"
	shift
	apt-get -q download "$@" >apt.log 2>&1
)
