//! The dashboard of `kcf serve` in a real browser: what it shows is true, and it says when it cannot be.
//!
//! Pictures of it are left in `target/dashboard`.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

#[path = "common/browser.rs"]
mod browser;
#[path = "common/late.rs"]
mod late;
#[path = "common/served.rs"]
mod served;

use std::time::{Duration, Instant};

use browser::Page;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Sequence, Symbol};
use kucoin_futures_sim::{Fault, Server};
use late::Late;
use serde_json::{Value, json};
use served::{Served, exchange};

const XBT: &str = "XBTUSDTM";
const ETH: &str = "ETHUSDTM";

/// What of the book is on the page, all of one moment.
const BOOK: &str = "(() => { const cells = (id, name) => [...document.querySelectorAll(`#${id} .${name}`)] \
     .map((cell) => cell.textContent.replaceAll(' ', '')); \
     const ladder = document.getElementById('ladder').dataset; \
     return { symbol: ladder.symbol, sequence: Number(ladder.sequence), \
     bids: cells('bids', 'price'), bid_sizes: cells('bids', 'size'), \
     asks: cells('asks', 'price'), ask_sizes: cells('asks', 'size') }; })()";

/// The best twelve levels of both sides are on the page as they are at the exchange at that sequence.
#[track_caller]
fn check_book(page: &mut Page, exchange: &Server, symbol: &str) -> u64 {
    page.until(&format!("document.getElementById('ladder').dataset.symbol === '{symbol}'"));
    page.until("document.getElementById('ladder').dataset.sequence !== undefined");
    let shown = page.evaluate(BOOK);
    assert_eq!(shown["symbol"], symbol);
    let sequence = shown["sequence"].as_u64().unwrap();
    let symbol: Symbol = symbol.parse().unwrap();
    let truth = exchange.with(|exchange, _| {
        exchange.market(symbol).unwrap().truths_at(Sequence::new(sequence)).next().unwrap()
    });
    for (side, prices, sizes) in
        [(Side::Bid, "bids", "bid_sizes"), (Side::Ask, "asks", "ask_sizes")]
    {
        let levels: Vec<_> = truth.levels(side).take(12).collect();
        let texts = |text: fn(&kucoin_futures_proto::book::Level) -> String| {
            Value::from(levels.iter().map(text).collect::<Vec<_>>())
        };
        assert_eq!(shown[prices], texts(|level| level.price.to_string()), "at {sequence}");
        assert_eq!(shown[sizes], texts(|level| level.size.get().to_string()), "at {sequence}");
    }
    sequence
}

#[test]
fn what_it_shows_is_the_exchanges_and_nothing_is_loaded_from_elsewhere() {
    let Some(mut page) = Page::open(1280, 800) else { return };
    let exchange = exchange(&[XBT, ETH, "SOLUSDTM", "XRPUSDTM"], 60.0);
    let served = Served::start(&exchange, &[XBT, ETH, "SOLUSDTM", "XRPUSDTM", "--lines", "2"], &[]);
    served.until_healthy("/health", true);
    page.go(&format!("http://{}/", served.addr));
    page.until("document.getElementById('books').textContent === 'all 4 books are live'");
    page.until("document.getElementById('state').textContent.startsWith('live for')");
    let sequences: Vec<u64> = (0..8)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(400));
            check_book(&mut page, &exchange, XBT)
        })
        .collect();
    assert!(sequences.first() < sequences.last(), "it goes on: {sequences:?}");

    // The row of the table says the same best prices as the ladder, at one moment or another.
    page.until(&format!(
        "(() => {{ const row = document.querySelector('tr[data-symbol={XBT}]').cells; \
         return row[1].textContent === 'live' && row[2].textContent === document.querySelector('#bids .price').textContent; }})()"
    ));
    // A click on another contract.
    page.click(&format!("tr[data-symbol={ETH}] td"));
    page.until(&format!("document.getElementById('symbol').textContent === '{ETH}'"));
    check_book(&mut page, &exchange, ETH);
    assert_eq!(page.evaluate("location.hash"), json!(format!("#{ETH}")));
    // A filter, and the order.
    page.click("#filter");
    page.type_text("sol");
    page.until("document.querySelectorAll('#rows tr').length === 1");
    page.evaluate(
        "document.getElementById('filter').value = ''; \
                   document.getElementById('filter').dispatchEvent(new Event('input'))",
    );
    page.click("th[data-sort=symbol]");
    page.until(
        "[...document.querySelectorAll('#rows tr')].map((row) => row.dataset.symbol).join() \
                === 'XRPUSDTM,XBTUSDTM,SOLUSDTM,ETHUSDTM'",
    );
    page.click("th[data-sort=symbol]");
    page.click("[data-reach=all]");
    page.click(&format!("tr[data-symbol={XBT}] td"));
    check_book(&mut page, &exchange, XBT);
    page.evaluate("window.scrollTo(0, 0)");

    // Both lines are there, and the curves are drawn.
    assert_eq!(page.evaluate("document.querySelectorAll('#line-rows tr').length"), 3);
    for chart in ["price-chart", "spread-chart", "depth-chart"] {
        assert_eq!(page.evaluate(&format!("({DRAWN})('{chart}') > 300")), true, "{chart}");
    }
    std::thread::sleep(Duration::from_secs(if std::env::var_os("KCF_LONG_PICTURES").is_some() {
        150
    } else {
        5
    }));
    page.picture("light-1280x800", false);
    page.picture("light-whole", true);
    page.dark(true);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(13, 19, 27)");
    page.picture("dark-1280x800", false);
    page.errors.retain(|error| !error.contains("willReadFrequently"));
    assert_eq!(page.errors, Vec::<String>::new());
    let own = format!("http://{}/", served.addr);
    assert!(page.requests.len() > 8);
    for request in &page.requests {
        assert!(request.starts_with(&own) || request == "about:blank", "{request}");
    }
}

/// Pixels of a chart that are no background.
const DRAWN: &str = "(id) => { const canvas = document.querySelector(`#${id} canvas`); \
     const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); \
     let count = 0; for (let i = 3; i < data.length; i += 4) count += data[i] > 40; return count; }";

/// In the first chart: how many columns are marked as a gap, and in how many of their inner ones the line goes on.
const GAPS: &str = "(() => { const chart = document.querySelector('#price-chart .uplot'); \
     const canvas = chart.querySelector('canvas'); const over = chart.querySelector('.u-over').getBoundingClientRect(); \
     const base = canvas.getBoundingClientRect(); const scale = canvas.width / base.width; \
     const [x, y, w, h] = [over.x - base.x, over.y - base.y, over.width, over.height].map((v) => Math.round(v * scale)); \
     const { data } = canvas.getContext('2d').getImageData(x, y, w, h); \
     const pixel = (cx, cy) => data.slice((cy * w + cx) * 4, (cy * w + cx) * 4 + 4); \
     const isEdge = (cx) => { const [r, g, b, a] = pixel(cx, 1); return a > 250 && r > 180 && g < 90 && b < 100; }; \
     const isLine = (cx, cy) => { const [r, g, b, a] = pixel(cx, cy); return a > 200 && ((g > r + 60 && g > b + 20) || (r > g + 80 && r > b + 60)); }; \
     const marked = []; for (let cx = 0; cx < w; cx++) if (isEdge(cx)) marked.push(cx); \
     const inner = marked.filter((cx) => [-3, -2, -1, 1, 2, 3].every((d) => isEdge(cx + d))); \
     const goes = (cx) => { for (let cy = 4; cy < h; cy++) if (isLine(cx, cy)) return true; return false; }; \
     let line = 0; for (let cx = 0; cx < w; cx++) line += goes(cx); \
     return { marked: marked.length, inner: inner.length, through: inner.filter(goes).length, line }; })()";

#[test]
fn a_line_that_is_cut_is_seen_as_not_live_and_stays_as_a_gap() {
    let Some(mut page) = Page::open(1281, 800) else { return };
    let exchange = exchange(&[XBT, ETH], 60.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    served.until_healthy("/health", true);
    page.dark(false);
    page.go(&format!("http://{}/#{XBT}", served.addr));
    page.until("document.getElementById('books').textContent === 'all 2 books are live'");
    // A minute, so that seconds are wide.
    page.click("[data-span='60']");
    std::thread::sleep(Duration::from_secs(8));
    let before = page.evaluate(GAPS);
    assert_eq!(before["marked"], 0, "{before}");
    assert!(before["line"].as_u64() > Some(60), "there is a line: {before}");

    exchange.inject(Fault::Refuse { span: Duration::from_secs(8) });
    exchange.inject(Fault::Reset {});
    page.until("document.getElementById('state').textContent.startsWith('not live for')");
    page.until("document.querySelectorAll('#bids td, #asks td').length === 0");
    page.until(
        "document.querySelector('#depth-chart .nothing')?.textContent.startsWith('not live')",
    );
    page.until("document.getElementById('books').textContent === '2 of 2 books not live'");
    page.until(&format!(
        "document.querySelector('tr[data-symbol={XBT}]').cells[2].textContent === '–'"
    ));
    page.until("document.querySelector('#resync-rows td.bad') !== null");
    assert_eq!(
        page.evaluate("document.getElementById('banner').hidden"),
        true,
        "kcf itself is there"
    );
    std::thread::sleep(Duration::from_secs(2));
    page.picture("cut", false);

    page.until("document.getElementById('state').textContent.startsWith('live for')");
    check_book(&mut page, &exchange, XBT);
    std::thread::sleep(Duration::from_secs(4));
    let gap = page.evaluate(GAPS);
    assert!(gap["inner"].as_u64() > Some(40), "a gap of seconds is wide: {gap}");
    assert_eq!(gap["through"], 0, "the line does not go through it: {gap}");
    assert!(gap["line"].as_u64() > Some(60), "{gap}");
    assert_eq!(page.evaluate("document.querySelectorAll('#resync-rows tr').length"), 1);
    page.picture("gap", true);
    // A page that comes later is shown it, too.
    page.go("about:blank");
    page.go(&format!("http://{}/#{XBT}", served.addr));
    page.until("document.getElementById('books').textContent === 'all 2 books are live'");
    page.click("[data-span='60']");
    page.until(&format!("({GAPS}).inner > 40"));
    assert_eq!(page.evaluate(&format!("({GAPS}).through")), 0);
    // That this test reads pixels more than once.
    page.errors.retain(|error| !error.contains("willReadFrequently"));
    assert_eq!(page.errors, Vec::<String>::new());
}

#[test]
fn a_page_without_its_server_says_that_what_it_shows_is_old() {
    let Some(mut page) = Page::open(1282, 800) else { return };
    let exchange = exchange(&[XBT, ETH], 30.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    let addr = served.addr;
    served.until_healthy("/health", true);
    page.go(&format!("http://{addr}/"));
    page.until("document.getElementById('books').textContent === 'all 2 books are live'");

    // It stands still, as a machine that is suspended does: connections stay open.
    let stop = |signal| {
        let pid = rustix::process::Pid::from_raw(served.pid().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    stop(rustix::process::Signal::STOP);
    page.until("!document.getElementById('banner').hidden");
    check_lost(&mut page);
    // Whoever looks at another contract then has not heard of that one either.
    page.evaluate(HIDDEN);
    page.click(&format!("tr[data-symbol={ETH}] td"));
    page.until(&format!("location.hash === '#{ETH}'"));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(page.evaluate("hidden"), 0, "it has heard nothing");
    check_lost(&mut page);
    stop(rustix::process::Signal::CONT);
    page.until("document.getElementById('banner').hidden");
    check_book(&mut page, &exchange, ETH);
    page.click(&format!("tr[data-symbol={XBT}] td"));
    check_book(&mut page, &exchange, XBT);

    drop(served);
    page.until("!document.getElementById('banner').hidden");
    check_lost(&mut page);
    page.picture("lost", false);
    // Another one at the same place.
    let again = Served::start(&exchange, &[XBT, ETH, "--listen", &addr.to_string()], &[]);
    page.until("document.getElementById('banner').hidden");
    again.until_healthy("/health", true);
    check_book(&mut page, &exchange, XBT);
    page.until("document.getElementById('books').textContent === 'all 2 books are live'");
}

/// Counts how often what says that all is old is taken away.
const HIDDEN: &str = "window.hidden = 0; new MutationObserver(() => { \
     hidden += document.getElementById('banner').hidden; \
     }).observe(document.getElementById('banner'), { attributeFilter: ['hidden'] }); null";

/// A page that shows one contract, through what keeps back what it passes on.
fn through(page: &mut Page, served: &Served) -> Late {
    served.until_healthy("/health", true);
    let late = Late::start(served.addr);
    page.go(&format!("http://{}/", late.addr));
    late
}

const LIVE: &str = "document.getElementById('books').textContent === 'the book is live'";

#[test]
fn the_rest_of_what_came_late_is_not_shown_as_live() {
    let Some(mut page) = Page::open(1283, 800) else { return };
    let exchange = exchange(&[XBT], 30.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    let late = through(&mut page, &served);
    page.until(LIVE);
    // Later and later, and never silent for long.
    for quarters in 1..=20 {
        late.keep_back(Duration::from_millis(250 * quarters));
        std::thread::sleep(Duration::from_millis(320));
    }
    page.until("document.getElementById('banner').textContent.includes('what comes is 5 s late')");
    assert_eq!(page.evaluate("document.getElementById('banner').hidden"), false);
    assert_eq!(late.asked(), 1, "it is asked for anew only after a while");
    page.evaluate(HIDDEN);
    // And then all that was kept back at once, while another stream is not answered.
    late.serve(1);
    late.keep_back(Duration::from_millis(8000));
    std::thread::sleep(Duration::from_millis(1500));
    late.keep_back(Duration::ZERO);
    until(|| late.asked() > 1);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(page.evaluate("hidden"), 0, "the rest was taken for live");
    assert_eq!(page.evaluate("document.title"), "? kcf");
    late.serve(usize::MAX);
    page.until(LIVE);
    assert_eq!(page.evaluate("document.getElementById('banner').hidden"), true);
    check_book(&mut page, &exchange, XBT);
}

#[test]
fn what_was_late_from_the_first_on_is_late() {
    let Some(mut page) = Page::open(1284, 800) else { return };
    let exchange = exchange(&[XBT], 30.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    served.until_healthy("/health", true);
    let late = Late::start(served.addr);
    late.keep_back(Duration::from_millis(1800));
    page.go(&format!("http://{}/", late.addr));
    page.until(LIVE);
    // Later than the first by no more than that was.
    late.keep_back(Duration::from_millis(4000));
    page.until("/what comes is . s late/.test(document.getElementById('banner').textContent)");
    assert_eq!(late.asked(), 1, "it was late, and not silent");
    late.keep_back(Duration::ZERO);
    page.until(LIVE);
}

#[test]
fn a_machine_that_slept_asks_anew_whatever_its_clocks_say() {
    let Some(mut page) = Page::open(1285, 800) else { return };
    let exchange = exchange(&[XBT], 30.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    let late = through(&mut page, &served);
    page.until(LIVE);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(late.asked(), 1);
    // As it is after a sleep: one clock stood still, the other did not.
    late.serve(1);
    page.evaluate("const now = Date.now.bind(Date); Date.now = () => now() + 60000; null");
    page.until("document.getElementById('banner').textContent.includes('this machine slept')");
    assert_eq!(page.evaluate("document.getElementById('banner').hidden"), false);
    late.serve(usize::MAX);
    page.until(LIVE);
    assert_eq!(page.evaluate("document.getElementById('banner').hidden"), true);
    let asked = late.asked();
    assert!(asked > 1);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(late.asked(), asked, "once for each time that it slept");
}

#[test]
fn a_tab_that_nobody_looks_at_names_no_price_and_knows_when_it_is_lost() {
    let Some(mut page) = Page::open(1286, 800) else { return };
    let exchange = exchange(&[XBT], 30.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    served.until_healthy("/health", true);
    page.go(&format!("http://{}/", served.addr));
    page.until(&format!("/^{XBT} [0-9.]+$/.test(document.title)"));
    page.hide();
    page.until(&format!("document.title === '{XBT} kcf'"));
    exchange.inject(Fault::Refuse { span: Duration::from_secs(3) });
    exchange.inject(Fault::Reset {});
    page.until(&format!("document.title === '! {XBT} kcf'"));
    page.until(&format!("document.title === '{XBT} kcf'"));
    drop(served);
    page.until("document.title === '? kcf'");
}

/// Draws the depth of a book of one level, with a curve of its own.
const ONE_LEVEL: &str = "(async () => { const { Depth } = await import('/charts.js'); \
     const place = document.getElementById('depth-chart').cloneNode(false); \
     document.getElementById('depth').append(place); \
     const depth = new Depth(place, document.createElement('p')); \
     depth.take({ bids: [], asks: [['64000', '5']], bid_levels: 0, ask_levels: 1, bid_horizon: null, ask_horizon: null }, ''); \
     depth.all = true; await new Promise((done) => requestAnimationFrame(done)); \
     return place.querySelectorAll('canvas').length; })()";

#[test]
fn a_book_of_one_level_does_not_freeze_the_page() {
    let Some(mut page) = Page::open(1288, 800) else { return };
    let exchange = exchange(&[XBT], 30.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    served.until_healthy("/health", true);
    page.go(&format!("http://{}/", served.addr));
    page.until(LIVE);
    assert_eq!(page.evaluate(ONE_LEVEL), 1);
    page.until(LIVE);
    // The browser gives up a loop once it has filled the memory.
    assert_eq!(page.errors, Vec::<String>::new());
}

/// The server says another version from here on, and the page is marked until it is loaded again.
const OTHER_VERSION: &str = "window.isOld = true; const ask = window.fetch; \
     window.fetch = async (...args) => { const { body, status } = await ask(...args); \
     const other = new TransformStream({ transform(text, to) { to.enqueue(text.replace(/\"version\":\"[^\"]*/, '\"version\":\"other')); } }); \
     return new Response(body.pipeThrough(new TextDecoderStream()).pipeThrough(other).pipeThrough(new TextEncoderStream()), { status }); }; null";

#[test]
fn a_page_of_another_version_of_the_server_is_loaded_again_once() {
    let Some(mut page) = Page::open(1289, 800) else { return };
    let exchange = exchange(&[XBT, ETH], 30.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    served.until_healthy("/health", true);
    page.go(&format!("http://{}/", served.addr));
    let live = "document.getElementById('books').textContent === 'all 2 books are live'";
    page.until(live);
    page.evaluate(OTHER_VERSION);
    page.click(&format!("tr[data-symbol={ETH}] td"));
    page.until("window.isOld === undefined");
    page.until(live);
    check_book(&mut page, &exchange, ETH);
    // What it was loaded for already it is not loaded for again.
    page.evaluate(OTHER_VERSION);
    page.click(&format!("tr[data-symbol={XBT}] td"));
    check_book(&mut page, &exchange, XBT);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(page.evaluate("window.isOld"), true);
}

#[test]
fn contracts_are_sorted_by_keyboard_and_the_row_that_is_on_stays_on() {
    let Some(mut page) = Page::open(1290, 800) else { return };
    let exchange = exchange(&[XBT, ETH], 30.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    served.until_healthy("/health", true);
    page.go(&format!("http://{}/", served.addr));
    page.until("document.querySelectorAll('#rows tr').length === 2");
    assert_eq!(page.evaluate("[...document.querySelectorAll('th')].filter((th) => th.querySelector('button')?.tabIndex === 0).length"), 11);
    page.evaluate(&format!("document.querySelector('tr[data-symbol={ETH}]').focus()"));
    let first = "document.querySelector('#rows tr').dataset.symbol";
    let before = page.evaluate(first);
    // As a key does it: the row keeps the focus.
    page.evaluate("document.querySelector('th[data-sort=symbol] button').click()");
    assert_ne!(page.evaluate(first), before, "the order is another one");
    assert_eq!(page.evaluate("document.activeElement.dataset.symbol"), ETH);
}

/// Looks every 20 ms whether the head, the row and the ladder say the same.
const AGREE: &str = "window.seen = { wrong: [], prices: new Set(), states: new Set() }; setInterval(() => { \
     const at = (id) => document.getElementById(id); const live = at('state').textContent.startsWith('live for'); \
     const figure = (name) => [...document.querySelectorAll('#figures dt')].find((dt) => dt.textContent === name).nextSibling.textContent; \
     const cells = [...document.querySelector('tr[data-symbol=XBTUSDTM]').cells].map((cell) => cell.textContent); \
     const best = (id) => document.querySelector(`#${id} .price`)?.textContent ?? '–'; \
     const [bid, ask] = [best('bids'), best('asks')]; \
     const spread = bid === '–' || ask === '–' ? '–' : String(+(Number(ask) - Number(bid)).toFixed(8)); \
     const says = [live, bid, ask, bid, ask, spread].join(); \
     const said = [cells[1] === 'live', cells[2], cells[3], figure('best bid'), figure('best ask'), cells[4]].join(); \
     if (says !== said) seen.wrong.push(`${says} | ${said}`); \
     seen.prices.add(bid + ask); seen.states.add(live); }, 20); null";

#[test]
fn head_and_row_and_ladder_are_of_one_moment() {
    let Some(mut page) = Page::open(1287, 800) else { return };
    let exchange = exchange(&[XBT, ETH], 60.0);
    let served = Served::start(&exchange, &[XBT, ETH], &[]);
    served.until_healthy("/health", true);
    page.go(&format!("http://{}/#{XBT}", served.addr));
    page.until("document.getElementById('state').textContent.startsWith('live for')");
    page.evaluate(AGREE);
    std::thread::sleep(Duration::from_secs(4));
    exchange.inject(Fault::Refuse { span: Duration::from_secs(2) });
    exchange.inject(Fault::Reset {});
    page.until("document.getElementById('state').textContent.startsWith('not live for')");
    page.until("document.getElementById('state').textContent.startsWith('live for')");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(page.evaluate("seen.wrong"), json!([]));
    assert_eq!(page.evaluate("seen.states.size"), 2);
    assert!(page.evaluate("seen.prices.size").as_u64() > Some(3), "prices move");
}

#[track_caller]
fn until(is: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is() {
        assert!(Instant::now() < end, "in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
fn check_lost(page: &mut Page) {
    page.until("document.getElementById('books').textContent === 'unknown'");
    page.until("[...document.querySelectorAll('#rows tr')].every((row) => row.cells[1].textContent.startsWith('unknown'))");
    page.until("document.getElementById('state').textContent === 'unknown'");
    let banner = page.evaluate("document.getElementById('banner').textContent");
    let banner = banner.as_str().unwrap();
    assert!(
        banner.starts_with("All below is from ")
            && banner.contains(" UTC and may be wrong by now: "),
        "{banner}"
    );
    // And it does not look alive: no number of it is as bright as text is.
    assert_eq!(page.evaluate("getComputedStyle(document.querySelector('main')).opacity"), "0.5");
    assert_eq!(page.evaluate("document.title"), "? kcf");
    assert_eq!(page.evaluate("document.querySelectorAll('#bids td').length"), 0);
}

#[test]
fn on_a_phone_nothing_sticks_out_and_a_token_is_asked_for_once() {
    let Some(mut page) = Page::open(390, 844) else { return };
    let exchange = exchange(&[XBT, ETH], 30.0);
    let served = Served::start(&exchange, &[XBT, ETH, "--public"], &[]);
    page.go(&format!("http://{}/", served.addr));
    page.until("document.querySelector('form[action=\"/login\"] input') !== null");
    page.picture("login-phone", false);
    page.click("input");
    page.type_text(served.token.as_deref().unwrap());
    page.click("button");
    page.until("document.getElementById('books')?.textContent === 'all 2 books are live'");
    check_book(&mut page, &exchange, XBT);
    for width in [320, 390, 600, 768, 1024] {
        page.resize(width, 844);
        std::thread::sleep(Duration::from_millis(400));
        let wide = page.evaluate("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(wide <= u64::from(width), "{wide} in {width}");
    }
    page.resize(390, 844);
    page.dark(true);
    std::thread::sleep(Duration::from_secs(1));
    page.picture("phone", true);
    // That the token was asked for is said in the log of the browser, and nothing else is.
    let others = page.errors.iter().filter(|error| !error.contains("401"));
    assert_eq!(others.count(), 0, "{:?}", page.errors);
}
