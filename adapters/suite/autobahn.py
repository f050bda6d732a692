#!/usr/bin/env python3
"""The Autobahn testsuite against our sockets: every case, on both runtimes and in two layers.

    autobahn.py [--client FILE] [--python2 FILE] [--folder FOLDER] [--cases 1.*,2.*]

The fuzzing server (`wstest` of the package autobahntestsuite, which needs Python 2.7) gets an environment of its own
in FOLDER, and listens on loopback. `examples/autobahn_client.rs` is what it tests: its `library` layer is connect,
upgrade, socket, reader of text frames and WebSocket library of the product, with its caps lifted and binary messages
answered; its `feed` layer is a whole transport with its caps, which drops binary messages, refuses messages of more than
1 MiB and keeps no more than 256 KiB that were not sent yet, so that the cases which need more are left out there.

What it shows: framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, sizes, at any cut. What it does not:
the upgrade (which it does not test), TLS, anything above. Compression is not offered: its cases are unimplemented.

Prints a line for each agent and behaviour, names what is not OK, and exits 1 if a case has failed or was not run.
"""

import argparse
import collections
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SUITE = "autobahntestsuite==25.10.1"
# The last one that makes environments of Python 2.7.
VIRTUALENV = "virtualenv==20.21.1"
AGENTS = [(runtime, layer) for runtime in ("blocking", "smol") for layer in ("library", "feed")]
# Which want a binary message back, or one of more than 256 KiB.
BEYOND_THE_FEED = [
    "1.2.*", "9.1.2", "9.1.3", "9.1.4", "9.1.5", "9.1.6", "9.2.*", "9.3.*", "9.4.*", "9.5.*", "9.6.*", "9.8.*",
]
# Behaviours that are no failure. UNIMPLEMENTED: compression, and nothing else.
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}


def wstest(folder, python2):
    """The fuzzing server, installed if it is not yet."""
    server = folder / "server" / "bin" / "wstest"
    if not server.exists():
        maker = folder / "maker"
        subprocess.run([sys.executable, "-m", "venv", maker], check=True)
        subprocess.run([maker / "bin" / "pip", "install", "-q", VIRTUALENV], check=True)
        subprocess.run([maker / "bin" / "virtualenv", "-q", "-p", python2, folder / "server"], check=True)
        subprocess.run([folder / "server" / "bin" / "pip", "install", "-q", SUITE], check=True)
    return server


def find_python2():
    pyenv = sorted(pathlib.Path.home().glob(".pyenv/versions/2.7*/bin/python2.7"))
    found = shutil.which("python2.7") or (pyenv and str(pyenv[-1]))
    if not found or subprocess.run([found, "-c", ""], stderr=subprocess.DEVNULL).returncode:
        found = pyenv and str(pyenv[-1])
    if not found:
        sys.exit("autobahntestsuite needs Python 2.7: name one with --python2")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, server):
    for _ in range(300):
        if server.poll() is not None:
            sys.exit("the fuzzing server came down: see its log")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("the fuzzing server does not listen")


def run(options):
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    server = wstest(folder, options.python2 or find_python2())
    port, reports = free_port(), folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    left_out = {f"kcf-{runtime}-{layer}": BEYOND_THE_FEED for runtime, layer in AGENTS if layer == "feed"}
    spec = {
        "url": f"ws://127.0.0.1:{port}",
        "outdir": str(reports),
        "cases": options.cases.split(","),
        "exclude-cases": [],
        "exclude-agent-cases": left_out,
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    with open(folder / "server.log", "w") as log:
        command = [server, "-m", "fuzzingserver", "-u", "0", "-s", folder / "spec.json"]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_for(port, process)
            # One after the other: the server has one thread, and blames its own slowness on who it talks to.
            for runtime, layer in AGENTS:
                subprocess.run([options.client, f"ws://127.0.0.1:{port}", runtime, layer], check=True)
        finally:
            process.terminate()
            process.wait()
    return judge(json.loads((reports / "index.json").read_text()))


def judge(index):
    names = {agent: set(cases) for agent, cases in index.items()}
    is_good = all(
        names.get(f"kcf-blocking-{layer}") == names.get(f"kcf-smol-{layer}") for layer in ("library", "feed")
    )
    for runtime, layer in AGENTS:
        agent = f"kcf-{runtime}-{layer}"
        cases = index.get(agent, {})
        seen = collections.Counter(case["behavior"] for case in cases.values())
        closing = collections.Counter(case["behaviorClose"] for case in cases.values())
        print(f"{agent}: {len(cases)} cases: {dict(seen)}; closing: {dict(closing)}")
        for name, case in sorted(cases.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
            behaviours = (case["behavior"], case["behaviorClose"])
            compression = name.startswith(("12.", "13.")) and behaviours[0] == "UNIMPLEMENTED"
            failed = not compression and not all(behaviour in GOOD for behaviour in behaviours)
            if failed or (not compression and behaviours != ("OK", "OK")):
                print(f"  {'FAILED ' if failed else ''}{name}: {behaviours[0]}, closing {behaviours[1]}")
            is_good = is_good and not failed
        is_good = is_good and bool(cases)
    return is_good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = HERE.parent.parent / "target"
    parser.add_argument("--client", type=pathlib.Path, default=target / "release" / "examples" / "autobahn_client")
    parser.add_argument("--python2", help="a Python 2.7; default: the one of the path, or of pyenv")
    parser.add_argument("--folder", type=pathlib.Path, default=target / "autobahn")
    parser.add_argument("--cases", default="*", help="default: all")
    sys.exit(0 if run(parser.parse_args()) else 1)


if __name__ == "__main__":
    main()
