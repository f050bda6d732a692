//! Prints the top of a book until it has changed twenty times; trades run beside it.
//!
//! ```sh
//! cargo run -p kucoin-futures-smol --example book_and_trades -- XBTUSDTM
//! cargo run -p kucoin-futures-smol --example book_and_trades -- XBTUSDTM http://127.0.0.1:8080
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::error::Error;

use kucoin_futures_proto::{Channel, Config, Message};
use kucoin_futures_smol::{Feed, Update};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let symbol = args.next().unwrap_or_else(|| "XBTUSDTM".into()).parse()?;
    let url = args.next().unwrap_or_else(|| "https://api-futures.kucoin.com".into());
    smol::block_on(async {
        let mut feed = Feed::new(Config::with_rest(&url)?)?;
        feed.subscribe(Channel::level2(symbol))?;
        feed.subscribe(Channel::execution(symbol))?;
        let (mut last, mut left) = (None, 20);
        while let Some(update) = feed.next().await {
            match update {
                Update::Book(change) => {
                    let Some(book) = change.book else { continue };
                    let touch = (book.best_bid(), book.best_ask());
                    if last.replace(touch) == Some(touch) {
                        continue;
                    }
                    println!("{touch:?}");
                    left -= 1;
                    if left == 0 {
                        break;
                    }
                }
                Update::Push(push) => {
                    if let Message::Execution(trade) = push.decode()? {
                        println!("{} {} at {}", trade.taker_side, trade.size, trade.price);
                    }
                }
                // Lines up and down, books live and lost: quiet is not blind.
                Update::State(event) => eprintln!("{event:?}"),
            }
        }
        feed.close();
        Ok(())
    })
}
