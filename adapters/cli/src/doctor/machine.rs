//! What the machine itself allows.

use super::{Finding, Report};
use crate::exit::Failure;

pub(super) fn look(report: &mut Report) -> Result<(), Failure> {
    report.tell(&files())?;
    report.tell(&sleep())?;
    report.tell(&proxies())
}

/// Each line is a socket, and so is each request on its way.
const FILES: u64 = 256;

#[cfg(unix)]
fn files() -> Finding {
    use rustix::process::{Resource, getrlimit};

    let limit = getrlimit(Resource::Nofile).current;
    match limit {
        Some(limit) if limit < FILES => Finding::note(
            "files",
            format!("{limit} open files are allowed"),
            "raise the limit: `ulimit -n 1024`, or LimitNOFILE=1024 in a systemd unit",
        ),
        Some(limit) => Finding::fine("files", format!("{limit} open files are allowed")),
        None => Finding::fine("files", "as many open files as there is room for"),
    }
}

#[cfg(not(unix))]
fn files() -> Finding {
    Finding::skipped("files", "not looked at on this system")
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn sleep() -> Finding {
    use rustix::time::{ClockId, clock_gettime};

    let seconds = |clock| clock_gettime(clock).tv_sec;
    let slept = seconds(ClockId::Boottime) - seconds(ClockId::Monotonic);
    if slept > 1 {
        let text = format!("this machine has slept for {slept} s since it was started");
        let advice = "connections do not live through that: kcf notices and makes new ones; what must not stop needs a machine that stays awake";
        return Finding::note("sleep", text, advice);
    }
    Finding::fine("sleep", "this machine has not slept since it was started")
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn sleep() -> Finding {
    Finding::skipped("sleep", "not looked at on this system")
}

fn proxies() -> Finding {
    let names =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match names.iter().find(|name| is_set(name)) {
        Some(name) => Finding::note(
            "proxy",
            format!("{name} is set, and not used"),
            "where only the proxy reaches the exchange, kcf does not: it needs a way of its own out",
        ),
        None => Finding::fine("proxy", "none is set"),
    }
}
