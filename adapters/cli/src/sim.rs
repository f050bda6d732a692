//! `kcf sim`: the simulated exchange on a port.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use kucoin_futures_host::{Clock, unix_now};
use kucoin_futures_sim::{Authority, Contract, ExchangeConfig, Plan, Server, Target};
use serde_json::json;

use crate::accounts;
use crate::args::SimArgs;
use crate::exit::{Failure, Kind};
use crate::out::{DIM, FAULT, GOOD, Out};
use crate::stop::Stop;

/// Whoever breaks a contract that is not there believes that something was broken.
fn check_faults(faults: &Plan, config: &ExchangeConfig) -> Result<(), Failure> {
    for entry in &faults.entries {
        if entry.fault.needs_world() {
            let text = format!(
                "fault `{}`: a server cannot do that to its clients; try `kcf soak`",
                entry.fault
            );
            return Err(Failure::words(Kind::Usage, text));
        }
        let Some(Target::One(symbol)) = entry.fault.target() else { continue };
        if !config.contracts.iter().any(|contract| contract.symbol == symbol) {
            let text = format!("fault `{}`: {symbol} is not listed here", entry.fault);
            return Err(Failure::words(Kind::Usage, text));
        }
    }
    Ok(())
}

/// Plain, or with a certificate of an authority whose own is left where a client can be given it.
fn start(args: &SimArgs, config: ExchangeConfig) -> Result<Server, Failure> {
    let clock = Clock::new();
    let now = Arc::new(move || clock.now());
    // An address that is taken, mostly.
    let listening =
        |error| Failure::words(Kind::Usage, format_args!("--listen {}: {error}", args.listen));
    let Some(path) = &args.tls else {
        return Server::start(args.listen, args.seed, config, now).map_err(listening);
    };
    let authority = Authority::new().map_err(|error| Failure::new(Kind::Runtime, error))?;
    let tls = authority.server(None).map_err(|error| Failure::new(Kind::Runtime, error))?;
    // Only now: another simulation's clients may believe what is in the file.
    let server = Server::start_tls(args.listen, args.seed, config, now, tls).map_err(listening)?;
    std::fs::write(path, authority.pem()).map_err(|error| {
        Failure::words(Kind::Usage, format_args!("--tls {}: {error}", path.display()))
    })?;
    Ok(server)
}

/// How often faults that took effect are reported.
const REPORT: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &SimArgs) -> Result<(), Failure> {
    if !args.listen.ip().is_loopback() {
        let text = "the simulated exchange is for this machine: listen on 127.0.0.1 or [::1]";
        return Err(Failure::words(Kind::Usage, text));
    }
    let mut config = ExchangeConfig::default();
    if !args.symbols.is_empty() {
        config.contracts = args.symbols.iter().map(|symbol| Contract::named(*symbol)).collect();
    }
    config.rate = args.rate;
    config.token_lifetime = args.token_life;
    config.session_lifetime = args.token_life;
    config.faults = args.faults.clone();
    config.unix_start = unix_now();
    config.accounts = accounts::configs(&args.accounts, args.activity)?;
    let symbols: Vec<String> = config.contracts.iter().map(|c| c.symbol.to_string()).collect();
    check_faults(&args.faults, &config)?;
    let server = start(args, config)?;
    let (url, mut out) = (server.url(), Out::new());
    if args.json {
        out.json(&json!({"type": "listening", "url": url, "symbols": symbols}))?;
    } else {
        out.line(format_args!("{GOOD}{url}{GOOD:#}"))?;
        let symbols = symbols.join(" ");
        out.line(format_args!("{DIM}{symbols}: {} changes a second each{DIM:#}", args.rate))?;
        let ca = args.tls.as_ref().map(|path| format!(" --ca {}", path.display()));
        let ca = ca.unwrap_or_default();
        out.line(format_args!(
            "{DIM}try: kcf book {symbols} --url {url}{ca}   (Ctrl-C ends){DIM:#}"
        ))?;
    }
    out.flush()?;
    let (notify, stopped) = channel();
    let stop = Stop::on_signal(move || {
        let _ = notify.send(());
    })?;
    while !stop.is_asked() {
        let _ = stopped.recv_timeout(REPORT);
        for (at, fault) in server.take_injected() {
            let at_ms = at.as_nanos() / 1_000_000;
            if args.json {
                let fault = fault.to_string();
                out.json(&json!({"type": "fault", "at_ms": at_ms, "fault": fault}))?;
            } else {
                out.line(format_args!("{at_ms:>8} ms  {FAULT}{fault}{FAULT:#}"))?;
            }
        }
        out.flush()?;
    }
    let counts = server.with(|exchange, _| exchange.counts());
    if args.json {
        out.json(&json!({
            "type": "summary", "changes": counts.changes, "pushed": counts.pushed,
            "connects": counts.connects, "tokens": counts.tokens, "requests": counts.requests,
            "violations": counts.violations, "dropped": server.dropped(),
        }))?;
    } else {
        out.line(format_args!(
            "{DIM}{} changes, {} frames pushed, {} connections, {} tokens, {} requests; \
             {} limits exceeded, {} frames dropped for slow readers{DIM:#}",
            counts.changes,
            counts.pushed,
            counts.connects,
            counts.tokens,
            counts.requests,
            counts.violations,
            server.dropped()
        ))?;
    }
    out.flush()?;
    Ok(())
}
