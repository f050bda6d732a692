//! The way there: names, addresses, certificates.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_host::{Clock, tls_config, unix_now};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConnection, Error as TlsError};
use url::Url;
use x509_parser::parse_x509_certificate;

use super::{Finding, Report};
use crate::args::Connect;
use crate::exit::{Failure, Kind};
use crate::feed::roots;

/// Where the exchange is.
pub(super) struct Place {
    host: String,
    port: u16,
    is_tls: bool,
}

/// For an address, and for a handshake.
const PATIENCE: Duration = Duration::from_secs(5);

impl Place {
    pub(super) fn of(url: &str) -> Result<Self, Failure> {
        let wrong = || {
            let text = format!("--url {url}: an address such as https://api-futures.kucoin.com");
            Failure::words(Kind::Usage, text)
        };
        let url = Url::parse(url).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        Ok(Self { host, port, is_tls: url.scheme() == "https" })
    }
}

/// Whether it can be reached.
pub(super) fn look(report: &mut Report, connect: &Connect, place: &Place) -> Result<bool, Failure> {
    let clock = Clock::new();
    let found = (place.host.as_str(), place.port).to_socket_addrs();
    let addrs: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
    let took = clock.now().since(kucoin_futures_proto::Instant::ZERO);
    let (four, six): (Vec<_>, Vec<_>) = addrs.iter().partition(|addr| addr.is_ipv4());
    if addrs.is_empty() {
        let text = format!("no address of {} is known", place.host);
        let advice = "is the name right, and does this machine resolve others? (`getent hosts kucoin.com`; /etc/resolv.conf)";
        report.tell(&Finding::bad("dns", Kind::Network, text, advice).within(took))?;
        for check in ["tcp", "tls"] {
            report.tell(&Finding::skipped(check, "not looked at: there is no address"))?;
        }
        return Ok(false);
    }
    let text = format!("{}: {} by IPv4, {} by IPv6", place.host, four.len(), six.len());
    report.tell(&Finding::fine("dns", text).within(took))?;

    let Some(stream) = tcp(report, &[&four, &six])? else {
        report.tell(&Finding::skipped("tls", "not looked at: there is no connection"))?;
        return Ok(false);
    };
    if !place.is_tls {
        report.tell(&Finding::skipped("tls", "none: the address is http"))?;
        return Ok(true);
    }
    tls(report, connect, place, stream)
}

/// The first of each family: that one of them is dead costs time at each connect.
fn tcp(report: &mut Report, families: &[&[&SocketAddr]]) -> Result<Option<TcpStream>, Failure> {
    let mut stream = None;
    let mut dead = Vec::new();
    let (mut text, clock) = (Vec::new(), Clock::new());
    for addr in families.iter().filter_map(|family| family.first()) {
        let began = clock.now();
        match TcpStream::connect_timeout(addr, PATIENCE) {
            Ok(connected) => {
                text.push(format!("{addr} in {} ms", clock.now().since(began).as_millis()));
                stream.get_or_insert(connected);
            }
            Err(error) => dead.push(format!("{addr}: {error}")),
        }
    }
    let found = match (&stream, dead.is_empty()) {
        (Some(_), true) => Finding::fine("tcp", text.join(", ")),
        (Some(_), false) => Finding::note(
            "tcp",
            format!("{}; not {}", text.join(", "), dead.join(", ")),
            "kcf tries the other address 0.1 s later; other programs may wait for the dead one",
        ),
        (None, _) => Finding::bad(
            "tcp",
            Kind::Network,
            dead.join(", "),
            "a firewall, or nobody listens there: does `curl -v` reach it from here?",
        ),
    };
    report.tell(&found)?;
    Ok(stream)
}

fn tls(
    report: &mut Report,
    connect: &Connect,
    place: &Place,
    mut stream: TcpStream,
) -> Result<bool, Failure> {
    let clock = Clock::new();
    let config = tls_config(&roots(connect)?).map_err(|error| Failure::new(Kind::Usage, error))?;
    let name = ServerName::try_from(place.host.clone());
    let name = name.map_err(|error| Failure::new(Kind::Usage, error))?;
    let handshake = |config: Arc<rustls::ClientConfig>, stream: &mut TcpStream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        tls.complete_io(stream)?;
        Ok::<_, io::Error>(tls)
    };
    let done = handshake(config, &mut stream);
    let took = clock.now().since(kucoin_futures_proto::Instant::ZERO);
    let found = match &done {
        Ok(tls) => certificate(tls),
        Err(error) => {
            Finding::bad("tls", Kind::Network, format!("no handshake: {error}"), advice(error))
        }
    };
    report.tell(&found.within(took))?;
    Ok(done.is_ok())
}

/// Days before the end of a certificate at which somebody should have made a new one.
const DAYS: i64 = 14;

fn certificate(tls: &ClientConnection) -> Finding {
    let version = tls.protocol_version().map_or_else(String::new, |version| format!("{version:?}"));
    let chain = tls.peer_certificates().unwrap_or_default();
    let leaf = chain.first().and_then(|leaf| parse_x509_certificate(leaf).ok());
    let Some((_, leaf)) = leaf else { return Finding::fine("tls", version) };
    let now = i64::try_from(unix_now().as_millis() / 1000).unwrap_or(i64::MAX);
    let days = (leaf.validity().not_after.timestamp() - now) / 86_400;
    let issuer = leaf.issuer().iter_common_name().next().and_then(|name| name.as_str().ok());
    let issuer = issuer.map(|issuer| format!(" by {issuer}")).unwrap_or_default();
    let text = format!(
        "{version}, {} certificates{issuer}, the first is valid for {days} days",
        chain.len()
    );
    if days < DAYS {
        return Finding::note(
            "tls",
            text,
            "it ends soon: the exchange has to renew it, or something in between",
        );
    }
    Finding::fine("tls", text)
}

fn advice(error: &io::Error) -> &'static str {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match inner {
        Some(TlsError::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "the certificate is out of date, or this machine's clock is ahead: `date`, NTP",
        Some(TlsError::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        )) => "the certificate is not valid yet: this machine's clock is behind: `date`, NTP",
        Some(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "somebody in between reads along, such as a company's proxy: --ca PEM believes its authority, if you do"
        }
        Some(TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "it is another host's: is --url right, and is the name resolved rightly?",
        Some(TlsError::InvalidMessage(_)) => {
            "that is no TLS: is the port right, or --url to begin with http:// ?"
        }
        _ => {
            "something between here and the exchange ends the connection: another network, or ask who runs the firewall"
        }
    }
}
