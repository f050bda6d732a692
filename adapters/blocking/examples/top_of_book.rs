//! Prints the top of a book until it has changed twenty times.
//!
//! ```sh
//! cargo run -p kucoin-futures-blocking --example top_of_book -- XBTUSDTM
//! cargo run -p kucoin-futures-blocking --example top_of_book -- XBTUSDTM http://127.0.0.1:8080
//! ```

use std::env;
use std::error::Error;

use kucoin_futures_blocking::{Feed, Update};
use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{Channel, Config};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let symbol = args.next().unwrap_or_else(|| "XBTUSDTM".into());
    let config = match args.next() {
        Some(url) => Config::with_rest(&url)?,
        None => Config::default(),
    };
    let mut feed = Feed::new(config)?;
    feed.subscribe(Channel::level2(symbol.parse()?))?;

    let (mut last, mut left) = (None, 20);
    while let Some(update) = feed.next() {
        match update {
            Update::Book(change) => {
                let Some(book) = change.book else { continue };
                let touch = (book.best_bid(), book.best_ask());
                if last.replace(touch) == Some(touch) {
                    continue;
                }
                show(touch);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            // Lines up and down, books live and lost: a reader must be able to tell quiet from blind.
            Update::State(event) => show_state(&format!("{event:?}")),
            Update::Push(_) => {}
        }
    }
    feed.close();
    Ok(())
}

#[allow(clippy::print_stdout, reason = "an example")]
fn show((bid, ask): (Best, Best)) {
    let text = |best| match best {
        Best::Level(level) => format!("{} x {}", level.price, level.size),
        Best::Empty => "nobody".into(),
        Best::Unknown => "beyond what is known".into(),
    };
    println!("{:>20} | {}", text(bid), text(ask));
}

#[allow(clippy::print_stderr, reason = "an example")]
fn show_state(event: &str) {
    eprintln!("{event}");
}
