//! The client's side, in a process of its own: what it allocates is the feed's and nobody else's.
//!
//! It is told where to go by a line on its standard input, and tells what came of it by lines on its
//! standard output:
//!
//! ```text
//!  > NUMBER RUNTIME URL ROOTS      ROOTS: a file, or `-`
//!  < NUMBER told MICROS BYTES CLASS
//!  < NUMBER live MICROS BYTES SEQUENCE BIDS ASKS DIGEST
//!  < NUMBER lost MICROS BYTES LAST
//! ```

use std::fmt::Display;
use std::io::BufRead as _;
use std::time::Duration;

use kucoin_futures_host::{Clock, Next, Options, Roots, Update};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, Channel, Config, Instant};
use peak_alloc::PeakAlloc;

use super::row::{Class, PATIENCE};
use crate::feed::Feed;
use crate::rig::{MS, symbol};

/// For all of a visit.
pub(super) const LONGEST_VISIT: Duration = Duration::from_secs(20);

/// Goes wherever it is sent until its standard input ends; each visit has a thread.
pub(super) fn run() {
    std::thread::scope(|scope| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            scope.spawn(move || {
                let words: Vec<&str> = line.split(' ').collect();
                let [number, runtime, url, roots] = words[..] else { panic!("what is {line:?}?") };
                let options = options(url, roots);
                match runtime {
                    "blocking" => {
                        Visit::<kucoin_futures_blocking::Feed>::new(number, options).run();
                    }
                    _ => Visit::<kucoin_futures_smol::Feed>::new(number, options).run(),
                }
            });
        }
    });
}

fn options(url: &str, roots: &str) -> Options {
    let mut options = Options::default();
    options.config = Config::with_rest(url).unwrap();
    let timeouts = &mut options.config.timeouts;
    for timeout in [&mut timeouts.connect, &mut timeouts.welcome, &mut timeouts.fetch] {
        *timeout = PATIENCE;
    }
    options.config.backoff.base = 50 * MS;
    options.config.backoff.cap = 400 * MS;
    if roots != "-" {
        options.roots = Roots::from_pem(&std::fs::read(roots).unwrap()).unwrap();
    }
    options
}

struct Visit<'a, F> {
    number: &'a str,
    /// Allocated before the feed was.
    before: usize,
    feed: F,
    clock: Clock,
    start: Instant,
}

impl<'a, F: Feed> Visit<'a, F> {
    fn new(number: &'a str, options: Options) -> Self {
        PeakAlloc.reset_peak_usage();
        let before = PeakAlloc.current_usage();
        let feed = F::with_options(options).unwrap();
        let clock = feed.clock();
        Self { number, before, feed, clock, start: clock.now() }
    }

    fn run(mut self) {
        let topic = self.feed.subscribe(Channel::level2(symbol())).unwrap();
        let mut last = String::from("nothing");
        let mut is_told = false;
        while self.clock.now() < self.start + LONGEST_VISIT {
            let class = match self.feed.next_within(100 * MS) {
                Next::Update(Update::State(event)) => {
                    last = format!("{event:?}");
                    Class::of(&event)
                }
                _ => None,
            };
            let Some(class) = class else { continue };
            if !std::mem::replace(&mut is_told, true) {
                self.say("told", format!("{class:?}"));
            }
            if class == Class::Live {
                return self.say("live", shown(self.feed.book(topic).unwrap()));
            }
        }
        self.say("lost", last);
    }

    fn say(&self, what: &str, rest: impl Display) {
        let took = self.clock.now().since(self.start).as_micros();
        // In a crowd another one may have begun to count anew.
        let bytes = PeakAlloc.peak_usage().saturating_sub(self.before);
        println!("{} {what} {took} {bytes} {rest}", self.number);
    }
}

/// What [`is_equal`](super::visit) needs.
fn shown(book: &Book) -> String {
    let digest = book.digest(Scope::Complete);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let [bids, asks] = [Side::Bid, Side::Ask].map(|side| super::visit::said(book.reach(side)));
    format!("{} {bids} {asks} {digest}", book.sequence().get())
}
