#!/usr/bin/env bash
# Whether `kcf` holds no more after hours than after minutes: a simulated exchange that drops, resets and closes, a
# client on each runtime with two lines for each topic and lines that are replaced every twenty minutes, and what each
# process has resident, once a minute.
#
#   memory.sh KCF OUT [MINUTES] [RATE]
#
# Flat: the most of the last quarter is no more than the most of the first quarter after the warm-up (ten minutes),
# and one per cent. Ends by itself; exits 1 if a client grew or came down.
set -euo pipefail

kcf=$1 out=$2 minutes=${3:-120} rate=${4:-200}
folder=$(mktemp -d)
pids=()
stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap stop EXIT

faults='every 97s drop *; every 241s close 1006; every 599s reset; every 307s repeat * 2'
nice -n 10 "$kcf" sim --rate "$rate" --symbols XBTUSDTM,ETHUSDTM --faults "$faults" --json \
    >"$folder/sim.json" 2>"$folder/sim.log" &
pids+=($!)
for _ in $(seq 100); do
    [ -s "$folder/sim.json" ] && break
    sleep 0.1
done
url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$folder/sim.json")

for runtime in blocking smol; do
    nice -n 10 "$kcf" book --runtime "$runtime" --lines 2 --line-life 20m --json --url "$url" XBTUSDTM ETHUSDTM \
        >/dev/null 2>"$folder/$runtime.log" &
    pids+=($!)
done

resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status" 2>/dev/null || true; }

printf '# pids: sim %s, blocking %s, smol %s; %s deltas/s of each of two contracts\n' "${pids[@]}" "$rate" >"$out"
printf 'minute\tsim KiB\tblocking KiB\tsmol KiB\n' >>"$out"
for minute in $(seq 0 "$minutes"); do
    printf '%s' "$minute" >>"$out"
    for pid in "${pids[@]}"; do printf '\t%s' "$(resident "$pid")" >>"$out"; done
    printf '\n' >>"$out"
    [ "$minute" = "$minutes" ] || sleep 60
done

# Columns 3 and 4: the clients. The exchange's own memory is shown, not judged.
awk -F '\t' -v last="$minutes" '
    $1 !~ /^[0-9]+$/ { next }
    { for (at = 3; at <= 4; at++) if ($at == "") { gone = 1 } }
    $1 >= 10 && $1 < 10 + (last - 10) / 4 { for (at = 3; at <= 4; at++) if ($at + 0 > first[at]) first[at] = $at + 0 }
    $1 > last - (last - 10) / 4 { for (at = 3; at <= 4; at++) if ($at + 0 > end[at]) end[at] = $at + 0 }
    END {
        split("- - blocking smol", name, " ")
        for (at = 3; at <= 4; at++) {
            grew = end[at] > first[at] * 1.01
            bad = bad || grew || first[at] == 0
            printf "# %s: at most %d KiB in the first quarter, %d KiB in the last: %s\n", name[at], first[at], end[at], grew ? "GREW" : "flat"
        }
        if (gone) print "# a client came down"
        exit bad || gone
    }' "$out" | tee "$folder/verdict" || { cat "$folder/verdict" >>"$out"; tail -n 3 "$folder"/*.log >&2; exit 1; }
cat "$folder/verdict" >>"$out"
