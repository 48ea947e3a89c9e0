#!/usr/bin/env bash
# Installs what the tests run against: PostgreSQL, Prometheus, Alertmanager and Kafka. Debian's packages need root; Kafka's jars go to
# build/servers/kafka through Maven. Running it again does nothing and takes no time. What can't be installed is said;
# that is an error only with MONITOR_REQUIRE_SERVERS=1, else the tests that need it skip.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
pom=$root/tests/servers/kafka-pom.xml
jars=$root/build/servers/kafka
missing=()

say() { echo "servers: $*"; }

# One line per Debian package: the package, and a shell test that says that what it brings is there.
packages() {
  cat <<'LIST'
ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
openssl command -v openssl
default-jre-headless command -v java
maven command -v mvn
postgresql compgen -G '/usr/lib/postgresql/*/bin/initdb'
prometheus command -v prometheus && command -v promtool
prometheus-alertmanager command -v prometheus-alertmanager && command -v amtool
LIST
}

absent_packages() {
  while read -r package present; do
    eval "$present" >/dev/null 2>&1 || echo "$package"
  done < <(packages)
}

install_packages() {
  local absent
  mapfile -t absent < <(absent_packages)
  if ((${#absent[@]} == 0)); then return; fi
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    missing+=("${absent[@]}")
    return
  fi
  say "installing ${absent[*]}"
  local log
  log=$(mktemp)
  apt_install "${absent[@]}" >"$log" 2>&1 || tail -n 30 "$log" >&2
  rm -f "$log"
  mapfile -t absent < <(absent_packages)
  missing+=("${absent[@]}")
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update && apt-get -q -y --no-install-recommends install "$@"
}

fetch_kafka() {
  if cmp -s "$pom" "$jars/.complete"; then return; fi
  if ! command -v mvn >/dev/null; then
    missing+=("Kafka's jars, which need Maven")
    return
  fi
  say "fetching Kafka's jars with Maven"
  rm -rf "$jars"
  mkdir -p "$jars"
  if mvn -B -q -f "$pom" dependency:copy-dependencies "-DoutputDirectory=$jars" </dev/null; then
    cp "$pom" "$jars/.complete"
  else
    missing+=("Kafka's jars, which Maven could not fetch")
  fi
}

install_packages
fetch_kafka

if ((${#missing[@]} == 0)); then
  say "all present"
  exit 0
fi
printf 'servers: not there: %s\n' "${missing[@]}" >&2
if [[ ${MONITOR_REQUIRE_SERVERS:-} == 1 ]]; then exit 1; fi
say "the tests that need them will skip; as root on Debian, this script installs them"
